"""Aliases: names of versions in a collection, such as ``latest``, ``v3`` or ``best``; each stands for one version."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from runframe.server.store.artifacts import names


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias of a version in a collection."""

    id: int
    collection_id: int
    alias: str


_COLUMNS = "l.id, l.collection_id, l.alias"


def put(connection: sqlite3.Connection, membership_id: int, collection_id: int, given: Iterable[str]) -> None:
    """Give a version aliases; another version of the collection that had one loses it."""
    connection.executemany(
        "INSERT INTO artifact_aliases (membership_id, collection_id, alias) VALUES (?, ?, ?)"
        " ON CONFLICT (collection_id, alias) DO UPDATE SET membership_id = excluded.membership_id",
        [(membership_id, collection_id, alias) for alias in dict.fromkeys(given)],
    )


def remove(connection: sqlite3.Connection, membership_id: int, given: Iterable[str]) -> None:
    """Take aliases from a version; those that it has not stay where they are."""
    connection.executemany(
        "DELETE FROM artifact_aliases WHERE membership_id = ? AND alias = ?",
        [(membership_id, alias) for alias in given],
    )


def of_membership(connection: sqlite3.Connection, membership_id: int) -> list[Alias]:
    """The aliases of a version in one collection."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM artifact_aliases l WHERE l.membership_id = ? ORDER BY l.id", (membership_id,)
    )
    return [Alias(*row) for row in rows]


def of_artifact(connection: sqlite3.Connection, artifact_id: int) -> list[Alias]:
    """The aliases of a version in all collections."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM artifact_memberships m JOIN artifact_aliases l ON l.membership_id = m.id"
        " WHERE m.artifact_id = ? ORDER BY l.id",
        (artifact_id,),
    )
    return [Alias(*row) for row in rows]


def given_by_users(found: Iterable[Alias]) -> list[str]:
    """The aliases that are no version's number."""
    return [alias.alias for alias in found if not names.is_version(alias.alias)]


def page(connection: sqlite3.Connection, collection_id: int, after: int | None, first: int) -> tuple[list[Alias], bool]:
    """Up to `first` aliases of a collection, and whether more follow.

    Args:
        connection: a reader.
        collection_id: whose aliases.
        after: the row of the last alias of the page before, or None for the first page.
        first: how many at the most.
    """
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM artifact_aliases l WHERE l.collection_id = ? AND l.id > ? ORDER BY l.id LIMIT ?",
        (collection_id, after or 0, first + 1),
    ).fetchall()
    return [Alias(*row) for row in rows[:first]], len(rows) > first
