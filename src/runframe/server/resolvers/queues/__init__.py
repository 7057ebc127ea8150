"""Resolvers of launch queues, their items and their agents."""
