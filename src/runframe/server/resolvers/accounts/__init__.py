"""Resolvers of people, their keys and their teams."""
