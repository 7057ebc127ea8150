"""Resolvers of reports, workspaces, share links and custom charts."""
