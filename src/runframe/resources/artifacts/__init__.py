"""Artifacts: types, collections and versions, what is in them, and how it gets there and back."""
