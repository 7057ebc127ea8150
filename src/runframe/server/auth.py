"""Who asks: HTTP Basic with a key as the password (``api:<key>``)."""

from __future__ import annotations

import base64
import binascii
import sqlite3

from runframe.server.errors import Refusal
from runframe.server.store import users


def viewer(connection: sqlite3.Connection, header: str | None) -> users.User:
    """The user whose key the Authorization header carries.

    Raises:
        Refusal: (401) there is no header, it is malformed, or nobody has this key.
    """
    user = users.user_by_key(connection, _key(header))
    if user is None:
        raise Refusal("The API key is not one of this server's. Give the key that 'runframe serve' prints.", 401)
    return user


def _key(header: str | None) -> str:
    if header is None:
        raise Refusal("An API key is needed: HTTP Basic with user 'api' and the key as the password.", 401)
    kind, _, value = header.partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    try:
        if kind.lower() != "basic":
            raise ValueError(kind)
        _user, colon, key = base64.b64decode(value.strip(), validate=True).decode().partition(":")
        if not colon:
            raise ValueError("no colon")
    except (binascii.Error, ValueError) as error:
        raise Refusal(
            "The Authorization header is malformed, expected 'Basic' and base64 of 'api:<key>'.", 401
        ) from error
    return key
