"""Resolvers of sweeps, their agents and their runs."""
