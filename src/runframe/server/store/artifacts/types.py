"""Types of artifacts: each project has its own."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from runframe.server.store import times
from runframe.server.store.artifacts import names


@dataclass(frozen=True, slots=True)
class ArtifactType:
    """A type, such as ``dataset`` or ``model``."""

    id: int
    project_id: int
    name: str
    description: str | None
    created_at: str


_COLUMNS = "id, project_id, name, description, created_at"


def find(connection: sqlite3.Connection, project_id: int, name: str) -> ArtifactType | None:
    """The project's type of this name."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM artifact_types WHERE project_id = ? AND name = ?", (project_id, name)
    ).fetchone()
    return None if row is None else ArtifactType(*row)


def by_id(connection: sqlite3.Connection, number: int) -> ArtifactType | None:
    """The type in this row."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM artifact_types WHERE id = ?", (number,)).fetchone()
    return None if row is None else ArtifactType(*row)


def ensure(connection: sqlite3.Connection, project_id: int, name: str) -> ArtifactType:
    """The project's type of this name, made where there is none.

    Raises:
        Refusal: a type cannot be called so.
    """
    connection.execute(
        "INSERT INTO artifact_types (project_id, name, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (project_id, names.check("type", name), times.now()),
    )
    found = find(connection, project_id, name)
    assert found is not None
    return found


def count(connection: sqlite3.Connection, project_id: int) -> int:
    """How many types a project has."""
    row = connection.execute("SELECT count(*) FROM artifact_types WHERE project_id = ?", (project_id,)).fetchone()
    return int(row[0])


def page(
    connection: sqlite3.Connection, project_id: int, after: str | None, first: int
) -> tuple[list[ArtifactType], bool]:
    """Up to `first` types of a project in the order of their names, and whether more follow.

    Args:
        connection: a reader.
        project_id: whose types.
        after: the last name of the page before, or None for the first page.
        first: how many at the most.
    """
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM artifact_types WHERE project_id = ? AND name > ? ORDER BY name LIMIT ?",
        (project_id, after or "", first + 1),
    ).fetchall()
    return [ArtifactType(*row) for row in rows[:first]], len(rows) > first
