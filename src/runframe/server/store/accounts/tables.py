"""The tables of accounts, beside users, members, entities and keys."""

from __future__ import annotations

TABLES = (
    # Somebody who was asked into a team and has no account yet. Who has one becomes a member at once.
    """CREATE TABLE invites (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        entity_id INTEGER NOT NULL REFERENCES entities(id),
        email TEXT NOT NULL COLLATE NOCASE,
        admin INTEGER NOT NULL DEFAULT 0,
        user_id INTEGER REFERENCES users(id),
        created_at TEXT NOT NULL,
        UNIQUE (entity_id, email)
    )""",
)
