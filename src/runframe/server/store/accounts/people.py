"""Adding people."""

from __future__ import annotations

import re
import sqlite3

from runframe.server.errors import Refusal
from runframe.server.store import users
from runframe.server.store.accounts import finding, invites, keys
from runframe.server.store.users import User

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


def add(
    connection: sqlite3.Connection, name: str, *, email: str | None = None, key: str | None = None, admin: bool = False
) -> tuple[User, str]:
    """A new user with a key. Teams that asked for this address are joined.

    Args:
        connection: the writer.
        name: the user's name, and that of the user's entity.
        email: the user's address.
        key: the key; None makes one.
        admin: whether the user is an admin of the store.

    Raises:
        Refusal: the name, the address or the key cannot be one, or is taken.
    """
    user = _create(connection, name, email, admin=admin)
    return user, keys.add(connection, user, key)


def add_by_email(connection: sqlite3.Connection, email: str, *, admin: bool = False) -> User:
    """A new user, without a key, whose name is made of the address.

    Raises:
        Refusal: the address cannot be one, or is taken.
    """
    wanted = re.sub(r"[^A-Za-z0-9_.-]+", "-", email.partition("@")[0]).strip(".-")[:100] or "user"
    name, number = wanted, 1
    while users.find_entity(connection, name) is not None:
        number += 1
        name = f"{wanted}-{number}"
    return _create(connection, name, email, admin=admin)


def _create(connection: sqlite3.Connection, name: str, email: str | None, *, admin: bool) -> User:
    if _NAME.fullmatch(name) is None:
        raise Refusal(
            f"{name!r} cannot be a user's name: expected 1 to 128 letters, digits, '_', '-' and '.', "
            "the first of them a letter, a digit or '_'."
        )
    taken = users.find_entity(connection, name)
    if taken is not None:
        raise Refusal(f"The name {name!r} is taken: there is a {taken.kind} of this name.", 409)
    if email is not None and finding.by_email(connection, finding.check_email(email)) is not None:
        raise Refusal(f"The address {email!r} is taken by another user.", 409)
    user = users.create_user(connection, name, email=email, admin=admin)
    invites.accept(connection, user)
    return user
