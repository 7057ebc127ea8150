"""The store: SQLite for what changes, blobs for files; plain functions on a connection, a module for each noun."""
