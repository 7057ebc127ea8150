"""Finding people by their names and addresses."""

from __future__ import annotations

import sqlite3

from runframe.server.store import users
from runframe.server.store.users import User


def by_email(connection: sqlite3.Connection, email: str) -> User | None:
    """The user with this address, whatever the case of its letters."""
    row = connection.execute("SELECT id FROM users WHERE email = ? COLLATE NOCASE", (email,)).fetchone()
    return None if row is None else users.user_by_id(connection, row["id"])


def search(connection: sqlite3.Connection, text: str | None) -> list[User]:
    """The people whose name or address holds a text, whatever the case; who is called exactly so comes first.

    Args:
        connection: a reader.
        text: what to look for; nothing finds everybody.
    """
    text = text or ""
    rows = connection.execute(
        "SELECT id FROM users WHERE service = 0 AND deleted_at IS NULL AND"
        " (instr(lower(username), lower(:text)) OR instr(lower(coalesce(email, '')), lower(:text)) OR :text = '')"
        " ORDER BY lower(username) <> lower(:text) AND coalesce(lower(email) <> lower(:text), 1), id",
        {"text": text},
    ).fetchall()
    found = [users.user_by_id(connection, row["id"]) for row in rows]
    return [user for user in found if user is not None]
