"""Memberships: that a version stands in a collection, with an index and aliases of its own there."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runframe.server.store import times
from runframe.server.store.artifacts import aliases, collections, names

COLUMNS = "m.id, m.collection_id, m.artifact_id, m.version_index, m.created_at"
WIDTH = 5


@dataclass(frozen=True, slots=True)
class Membership:
    """A version in a collection."""

    id: int
    collection_id: int
    artifact_id: int
    version_index: int
    created_at: str


def from_row(row: Sequence[Any]) -> Membership:
    """The membership in a row of `COLUMNS`."""
    return Membership(*row)


def add(connection: sqlite3.Connection, collection_id: int, artifact_id: int) -> Membership:
    """Put a version at the end of a collection, as its latest."""
    index = collections.take_index(connection, collection_id)
    cursor = connection.execute(
        "INSERT INTO artifact_memberships (collection_id, artifact_id, version_index, created_at) VALUES (?, ?, ?, ?)",
        (collection_id, artifact_id, index, times.now()),
    )
    assert cursor.lastrowid is not None
    aliases.put(connection, cursor.lastrowid, collection_id, [f"v{index}", names.LATEST])
    found = _one(connection, "m.id = ?", cursor.lastrowid)
    assert found is not None
    return found


def by_alias(connection: sqlite3.Connection, collection_id: int, alias: str | None) -> Membership | None:
    """The version of a collection that has an alias or number; without one the latest, or else the newest."""
    row = connection.execute(
        f"SELECT {COLUMNS} FROM artifact_aliases l JOIN artifact_memberships m ON m.id = l.membership_id"
        " WHERE l.collection_id = ? AND l.alias = ?",
        (collection_id, names.LATEST if alias is None else alias),
    ).fetchone()
    if row is None:
        return newest(connection, collection_id) if alias is None else None
    return from_row(row)


def newest(connection: sqlite3.Connection, collection_id: int) -> Membership | None:
    """The version of a collection with the highest index."""
    return _one(connection, "m.collection_id = ? ORDER BY m.version_index DESC LIMIT 1", collection_id)


def find(connection: sqlite3.Connection, collection_id: int, artifact_id: int) -> Membership | None:
    """A version's membership in a collection."""
    return _one(connection, "m.collection_id = ? AND m.artifact_id = ?", collection_id, artifact_id)


def of_artifact(connection: sqlite3.Connection, artifact_id: int) -> list[Membership]:
    """Where a version stands, its own sequence among it, oldest first."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM artifact_memberships m WHERE m.artifact_id = ? ORDER BY m.id", (artifact_id,)
    )
    return [from_row(row) for row in rows]


def remove(connection: sqlite3.Connection, membership: Membership) -> None:
    """Take a version out of a collection, with its aliases there."""
    connection.execute("DELETE FROM artifact_memberships WHERE id = ?", (membership.id,))
    collections.touch(connection, membership.collection_id)


def _one(connection: sqlite3.Connection, condition: str, *parameters: int) -> Membership | None:
    row = connection.execute(f"SELECT {COLUMNS} FROM artifact_memberships m WHERE {condition}", parameters).fetchone()
    return None if row is None else from_row(row)
