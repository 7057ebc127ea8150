"""Collections of versions: sequences, which versions are logged to, and portfolios, which they are linked to."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from runframe.server.errors import Refusal
from runframe.server.store import times
from runframe.server.store.artifacts import names, types
from runframe.server.store.projects import Project

SEQUENCE: Literal["SEQUENCE"] = "SEQUENCE"
PORTFOLIO: Literal["PORTFOLIO"] = "PORTFOLIO"

COLUMNS = "c.id, c.project_id, c.type_id, c.kind, c.name, c.description, c.next_index, c.created_at, c.updated_at"
WIDTH = 9


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection.

    Attributes:
        kind: SEQUENCE or PORTFOLIO.
        next_index: the index that its next version gets.
        state: READY, or DELETED in the answer to its deletion.
    """

    id: int
    project_id: int
    type_id: int
    kind: str
    name: str
    description: str | None
    next_index: int
    created_at: str
    updated_at: str
    state: str = "READY"


def from_row(row: Sequence[Any]) -> Collection:
    """The collection in a row of `COLUMNS`."""
    return Collection(*row)


def find(connection: sqlite3.Connection, project_id: int, name: str) -> Collection | None:
    """The project's collection of this name."""
    row = connection.execute(
        f"SELECT {COLUMNS} FROM artifact_collections c WHERE c.project_id = ? AND c.name = ?", (project_id, name)
    ).fetchone()
    return None if row is None else from_row(row)


def by_id(connection: sqlite3.Connection, number: int) -> Collection | None:
    """The collection in this row."""
    row = connection.execute(f"SELECT {COLUMNS} FROM artifact_collections c WHERE c.id = ?", (number,)).fetchone()
    return None if row is None else from_row(row)


def ensure(connection: sqlite3.Connection, project: Project, kind: str, type_name: str, name: str) -> Collection:
    """The project's collection of this kind, type and name, made where there is none.

    Raises:
        Refusal: a collection or type cannot be called so, or the name is another kind's or type's.
    """
    found = find(connection, project.id, name)
    if found is None:
        names.check("collection", name)
        moment = times.now()
        connection.execute(
            "INSERT INTO artifact_collections (project_id, type_id, kind, name, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (project.id, types.ensure(connection, project.id, type_name).id, kind, name, moment, moment),
        )
        found = find(connection, project.id, name)
        assert found is not None
        return found
    path = f"{project.entity}/{project.name}/{name}"
    if found.kind != kind:
        have, want = ("linked", "logged") if found.kind == PORTFOLIO else ("logged", "linked")
        raise Refusal(f"{path} is a collection that versions are {have} to: nothing can be {want} to it.")
    held = types.by_id(connection, found.type_id)
    if held is None or held.name != type_name:
        held_name = None if held is None else held.name
        raise Refusal(f"{path} holds artifacts of type {held_name!r}, not of type {type_name!r}.")
    return found


def update(
    connection: sqlite3.Connection, collection: Collection, *, name: str | None = None, description: str | None = None
) -> Collection:
    """Set what is not None.

    Raises:
        Refusal: a collection cannot be called so, or another one is.
    """
    if name is not None and name != collection.name:
        names.check("collection", name)
        if find(connection, collection.project_id, name) is not None:
            raise Refusal(f"The project has a collection {name!r} already.", 409)
    connection.execute(
        "UPDATE artifact_collections SET name = coalesce(?, name), description = coalesce(?, description),"
        " updated_at = ? WHERE id = ?",
        (name, description, times.now(), collection.id),
    )
    return _again(connection, collection)


def move(connection: sqlite3.Connection, sequence: Collection, type_name: str) -> Collection:
    """Give a sequence, with all its versions, another type.

    Raises:
        Refusal: a type cannot be called so, or a version is linked to a portfolio, which holds one type.
    """
    linked = connection.execute(
        "SELECT c.name FROM artifacts a JOIN artifact_memberships m ON m.artifact_id = a.id"
        " JOIN artifact_collections c ON c.id = m.collection_id WHERE a.sequence_id = ? AND c.kind = ? LIMIT 1",
        (sequence.id, PORTFOLIO),
    ).fetchone()
    target = types.ensure(connection, sequence.project_id, type_name)
    if linked is not None and target.id != sequence.type_id:
        raise Refusal(
            f"{sequence.name!r} cannot change its type: a version of it is linked to {linked['name']!r}, which holds "
            "one type. Unlink it first."
        )
    connection.execute(
        "UPDATE artifact_collections SET type_id = ?, updated_at = ? WHERE id = ?",
        (target.id, times.now(), sequence.id),
    )
    return _again(connection, sequence)


def touch(connection: sqlite3.Connection, number: int) -> None:
    """Set a collection's time of change."""
    connection.execute("UPDATE artifact_collections SET updated_at = ? WHERE id = ?", (times.now(), number))


def take_index(connection: sqlite3.Connection, number: int) -> int:
    """The index of the collection's next version; no other version ever gets it."""
    row = connection.execute(
        "UPDATE artifact_collections SET next_index = next_index + 1, updated_at = ? WHERE id = ? RETURNING next_index",
        (times.now(), number),
    ).fetchone()
    return int(row[0]) - 1


def delete(connection: sqlite3.Connection, collection: Collection) -> Collection:
    """Delete a collection; with a sequence go all its versions, wherever they are linked."""
    connection.execute("DELETE FROM artifact_collections WHERE id = ?", (collection.id,))
    return replace(collection, state="DELETED")


def _again(connection: sqlite3.Connection, collection: Collection) -> Collection:
    found = by_id(connection, collection.id)
    assert found is not None
    return found
