"""Artifacts: types, collections, versions, and what they hold; plain functions on a connection."""
