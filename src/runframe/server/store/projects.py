"""Projects."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from runframe.server.store import times
from runframe.server.store.users import Entity


@dataclass(frozen=True, slots=True)
class Project:
    """A project of an entity."""

    id: int
    entity_id: int
    entity: str
    name: str
    description: str | None
    access: str | None
    user_id: int | None
    created_at: str
    updated_at: str


_PROJECT = "SELECT p.*, e.name AS entity FROM projects p JOIN entities e ON e.id = p.entity_id"


def _project(row: sqlite3.Row) -> Project:
    return Project(
        id=row["id"],
        entity_id=row["entity_id"],
        entity=row["entity"],
        name=row["name"],
        description=row["description"],
        access=row["access"],
        user_id=row["user_id"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def find(connection: sqlite3.Connection, entity: str, name: str) -> Project | None:
    """The project `entity/name`."""
    row = connection.execute(f"{_PROJECT} WHERE e.name = ? AND p.name = ?", (entity, name)).fetchone()
    return None if row is None else _project(row)


def by_id(connection: sqlite3.Connection, number: int) -> Project | None:
    """The project in this row."""
    row = connection.execute(f"{_PROJECT} WHERE p.id = ?", (number,)).fetchone()
    return None if row is None else _project(row)


def ensure(connection: sqlite3.Connection, entity: Entity, name: str, user_id: int | None = None) -> Project:
    """The entity's project of this name, made where there is none."""
    moment = times.now()
    connection.execute(
        "INSERT INTO projects (entity_id, name, user_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (entity.id, name, user_id, moment, moment),
    )
    project = find(connection, entity.name, name)
    assert project is not None
    return project


def update(connection: sqlite3.Connection, project: Project, *, description: str | None, access: str | None) -> Project:
    """Set what is not None."""
    connection.execute(
        "UPDATE projects SET description = coalesce(?, description), access = coalesce(?, access), updated_at = ?"
        " WHERE id = ?",
        (description, access, times.now(), project.id),
    )
    changed = by_id(connection, project.id)
    assert changed is not None
    return changed


def page(
    connection: sqlite3.Connection, entity_id: int, after: Sequence[object] | None, first: int
) -> tuple[list[Project], bool]:
    """Up to `first` projects of an entity, newest first, and whether more follow.

    Args:
        connection: a reader.
        entity_id: whose projects.
        after: the `(created_at, id)` of the last project of the page before, or None for the first page.
        first: how many at the most.
    """
    where, values = "p.entity_id = ?", [entity_id, *(after or ())]
    if after is not None:
        where += " AND (p.created_at, p.id) < (?, ?)"
    rows = connection.execute(
        f"{_PROJECT} WHERE {where} ORDER BY p.created_at DESC, p.id DESC LIMIT ?", (*values, first + 1)
    ).fetchall()
    return [_project(row) for row in rows[:first]], len(rows) > first
