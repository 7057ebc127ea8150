"""Resolvers of artifacts, a module for each of their nouns."""
