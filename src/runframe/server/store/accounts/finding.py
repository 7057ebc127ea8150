"""Finding people by their names and addresses."""

from __future__ import annotations

import re
import sqlite3

from runframe.server.errors import Refusal
from runframe.server.store import users
from runframe.server.store.users import User

_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+")
_LONGEST_EMAIL = 320


def check_email(email: str) -> str:
    """The address, if it has the form of one.

    Raises:
        Refusal: it has not.
    """
    if len(email) > _LONGEST_EMAIL or _EMAIL.fullmatch(email) is None:
        raise Refusal(f"{email[:_LONGEST_EMAIL]!r} is no e-mail address, expected something like 'name@example.org'.")
    return email


def person(connection: sqlite3.Connection, username: str) -> User | None:
    """The user of this name; service accounts, which belong to one team, and deleted ones are none."""
    row = connection.execute(
        "SELECT id FROM users WHERE username = ? AND service = 0 AND deleted_at IS NULL", (username,)
    ).fetchone()
    return None if row is None else users.user_by_id(connection, row["id"])


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
