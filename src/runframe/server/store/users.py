"""Users, their keys and their entities."""

from __future__ import annotations

import hashlib
import itertools
import re
import secrets
import sqlite3
from dataclasses import dataclass

from runframe.server.store import times

_KEY_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_KEY_LENGTH = 40  # what the official SDK asks for at the least (protocol, section 2)
_LONGEST_PREFIX = 16  # what stands before a dash tells kinds of keys apart; longer ones are not taken for that
_NAME = re.compile(r"[^/\\\x00-\x1f]+")


@dataclass(frozen=True, slots=True)
class Entity:
    """An owner of projects: a user's own, or a team."""

    id: int
    name: str
    kind: str
    created_at: str


@dataclass(frozen=True, slots=True)
class User:
    """A person with keys."""

    id: int
    username: str
    name: str
    email: str | None
    admin: bool
    entity_id: int
    entity: str
    created_at: str


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key, without its secret."""

    id: int
    hint: str
    description: str | None
    created_at: str


_USER = "SELECT u.*, e.name AS entity FROM users u JOIN entities e ON e.id = u.entity_id"


def _user(row: sqlite3.Row | None) -> User | None:
    if row is None:
        return None
    return User(
        id=row["id"],
        username=row["username"],
        name=row["name"],
        email=row["email"],
        admin=bool(row["admin"]),
        entity_id=row["entity_id"],
        entity=row["entity"],
        created_at=row["created_at"],
    )


def _entity(row: sqlite3.Row | None) -> Entity | None:
    return None if row is None else Entity(row["id"], row["name"], row["kind"], row["created_at"])


def valid_name(name: str) -> bool:
    """Whether an entity, project or run may be called so: 1 to 512 characters, no slash, no control character."""
    return len(name) <= 512 and _NAME.fullmatch(name) is not None


def new_key() -> str:
    """A fresh secret of 40 letters and digits."""
    return "".join(secrets.choice(_KEY_ALPHABET) for _ in range(_KEY_LENGTH))


def digest(key: str) -> str:
    """The hex SHA-256 by which a key is looked up."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def find_entity(connection: sqlite3.Connection, name: str) -> Entity | None:
    """The entity of this name."""
    return _entity(connection.execute("SELECT * FROM entities WHERE name = ?", (name,)).fetchone())


def entity_by_id(connection: sqlite3.Connection, number: int) -> Entity | None:
    """The entity in this row."""
    return _entity(connection.execute("SELECT * FROM entities WHERE id = ?", (number,)).fetchone())


def ensure_entity(connection: sqlite3.Connection, name: str, kind: str = "team") -> Entity:
    """The entity of this name, made where there is none."""
    connection.execute(
        "INSERT INTO entities (name, kind, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (name, kind, times.now()),
    )
    entity = find_entity(connection, name)
    assert entity is not None
    return entity


def create_user(
    connection: sqlite3.Connection, username: str, *, email: str | None = None, admin: bool = False
) -> User:
    """A new user with an entity of the same name.

    Raises:
        sqlite3.IntegrityError: there is a user of this name.
    """
    entity = ensure_entity(connection, username, "user")
    connection.execute(
        "INSERT INTO users (username, name, email, admin, entity_id, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        (username, username, email, int(admin), entity.id, times.now()),
    )
    user = find_user(connection, username)
    assert user is not None
    return user


def find_user(connection: sqlite3.Connection, username: str) -> User | None:
    """The user of this name."""
    return _user(connection.execute(f"{_USER} WHERE u.username = ?", (username,)).fetchone())


def user_by_id(connection: sqlite3.Connection, number: int) -> User | None:
    """The user in this row."""
    return _user(connection.execute(f"{_USER} WHERE u.id = ?", (number,)).fetchone())


def user_by_key(connection: sqlite3.Connection, key: str) -> User | None:
    """The user whose key this is."""
    row = connection.execute(
        f"{_USER} JOIN api_keys k ON k.user_id = u.id WHERE k.digest = ? AND u.deleted_at IS NULL", (digest(key),)
    ).fetchone()
    return _user(row)


def first_user(connection: sqlite3.Connection) -> User | None:
    """The store's owner: the user made with it."""
    return _user(connection.execute(f"{_USER} ORDER BY u.id LIMIT 1").fetchone())


def add_key(
    connection: sqlite3.Connection, user: User, key: str, *, keep: bool = False, description: str | None = None
) -> None:
    """Let `key` open the store for `user`; with `keep` the store can print it again.

    Raises:
        sqlite3.IntegrityError: the key is somebody's already.
    """
    connection.execute(
        "INSERT INTO api_keys (user_id, digest, hint, secret, description, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        (user.id, digest(key), _hint(connection, user, key), key if keep else None, description, times.now()),
    )


def _hint(connection: sqlite3.Connection, user: User, key: str) -> str:
    """What a user's key is called: its prefix, where it has one, and four characters of the rest; unlike the others."""
    prefix, dash, secret = key.partition("-")
    shown = f"{prefix}-{secret[:4]}…" if dash and len(prefix) <= _LONGEST_PREFIX else f"{key[:4]}…"
    taken = {other.hint for other in keys_of(connection, user.id)}
    numbers = itertools.count(2)
    name = shown
    while name in taken:
        name = f"{shown} ({next(numbers)})"
    return name


def kept_key(connection: sqlite3.Connection, user: User) -> str | None:
    """The user's key that the store keeps in the clear."""
    row = connection.execute(
        "SELECT secret FROM api_keys WHERE user_id = ? AND secret IS NOT NULL ORDER BY id LIMIT 1", (user.id,)
    ).fetchone()
    return None if row is None else str(row["secret"])


def keys_of(connection: sqlite3.Connection, user_id: int) -> list[ApiKey]:
    """The user's keys, oldest first."""
    rows = connection.execute("SELECT * FROM api_keys WHERE user_id = ? ORDER BY id", (user_id,))
    return [ApiKey(row["id"], row["hint"], row["description"], row["created_at"]) for row in rows]


def teams_of(connection: sqlite3.Connection, user: User) -> list[Entity]:
    """The entities that the user works in: the user's own first, then the teams by name."""
    rows = connection.execute(
        "SELECT e.* FROM entities e WHERE e.id = ? OR e.id IN (SELECT entity_id FROM members WHERE user_id = ?)"
        " ORDER BY e.id <> ?, e.name",
        (user.entity_id, user.id, user.entity_id),
    )
    return [Entity(row["id"], row["name"], row["kind"], row["created_at"]) for row in rows]
