"""API keys: which texts can be one, making and deleting them."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace

from runframe.server.errors import Refusal
from runframe.server.store import users
from runframe.server.store.users import ApiKey, User

_SHORTEST = 40
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


def check(key: str) -> str:
    """The key, if clients will take it: a prefix and a dash where there is one, then 40 characters or more.

    Raises:
        Refusal: they will not; the message does not hold the key.
    """
    secret = key.partition("-")[2] if "-" in key else key
    if len(secret) < _SHORTEST:
        raise Refusal(f"The key cannot be one: it has {len(secret)} characters, expected {_SHORTEST} or more.")
    if _PLAIN.fullmatch(key) is None:
        raise Refusal("The key cannot be one: it holds characters other than letters, digits, '-' and '_'.")
    return key


def add(
    connection: sqlite3.Connection,
    user: User,
    key: str | None = None,
    *,
    keep: bool = False,
    description: str | None = None,
) -> str:
    """Give a user a key; a new one where none is given.

    Args:
        connection: the writer.
        user: who gets it.
        key: the key.
        keep: keep it in the clear, so that it can be shown again.
        description: what it is for.

    Raises:
        Refusal: the key cannot be one, or is somebody's already.
    """
    key = users.new_key() if key is None else check(key)
    try:
        users.add_key(connection, user, key, keep=keep, description=description)
    except sqlite3.IntegrityError as error:
        raise Refusal("The key is in use already, give another one.", 409) from error
    return key


def generate(connection: sqlite3.Connection, user: User, description: str | None) -> ApiKey:
    """A new key of a user. This one time its name is the key itself; afterwards only a hint of it is shown."""
    key = add(connection, user, description=description)
    return replace(users.keys_of(connection, user.id)[-1], hint=key)


def delete(connection: sqlite3.Connection, viewer: User, number: int | None, shown: str) -> None:
    """Delete a key.

    Args:
        connection: the writer.
        viewer: who asks.
        number: its row.
        shown: the id as it came, for the message.

    Raises:
        Refusal: there is no such key, it is another's, or it is the one that the store was made with.
    """
    row = connection.execute("SELECT user_id, secret FROM api_keys WHERE id = ?", (number,)).fetchone()
    if row is None or not (viewer.admin or row["user_id"] == viewer.id):
        raise Refusal(f"id {shown!r} is no key of yours.", 404)
    owner = users.first_user(connection)
    if row["secret"] is not None and owner is not None and owner.id == row["user_id"]:
        raise Refusal("This is the key that the store was made with: runframe itself opens the store by it.", 409)
    connection.execute("DELETE FROM api_keys WHERE id = ?", (number,))
