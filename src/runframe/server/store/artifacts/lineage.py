"""Which runs logged which versions, and which used them."""

from __future__ import annotations

import sqlite3
from typing import Literal

from runframe.server.errors import Refusal
from runframe.server.store import projects, runs, times
from runframe.server.store.artifacts import versions
from runframe.server.store.artifacts.versions import Artifact
from runframe.server.store.states import Grace

Direction = Literal["inputs", "outputs"]


def run_of(connection: sqlite3.Connection, project: projects.Project, name: str, grace: Grace) -> runs.Run:
    """The project's run of this name.

    Raises:
        Refusal: there is none.
    """
    run = runs.find(connection, project.id, name, grace, documents=False)
    if run is None:
        raise Refusal(f"There is no run {name!r} in {project.entity}/{project.name}.", 404)
    return run


def add_output(connection: sqlite3.Connection, run_id: int, artifact_id: int) -> None:
    """Note that a run logged a version."""
    connection.execute(
        "INSERT INTO artifact_outputs (run_id, artifact_id, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (run_id, artifact_id, times.now()),
    )


def add_input(connection: sqlite3.Connection, run_id: int, artifact_id: int, used_as: str | None = None) -> None:
    """Note that a run used a version."""
    connection.execute(
        "INSERT INTO artifact_inputs (run_id, artifact_id, used_as, created_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET used_as = coalesce(excluded.used_as, used_as)",
        (run_id, artifact_id, used_as, times.now()),
    )


def users_of(connection: sqlite3.Connection, artifact_id: int, grace: Grace) -> list[runs.Run]:
    """The runs that used a version, in the order in which they did."""
    rows = connection.execute(
        f"SELECT {runs.select(grace, documents=False)} FROM artifact_inputs x JOIN runs r ON r.id = x.run_id"
        " WHERE x.artifact_id = ? ORDER BY x.id",
        (artifact_id,),
    )
    return [runs.from_row(row) for row in rows]


def count(connection: sqlite3.Connection, direction: Direction, run_id: int) -> int:
    """How many committed versions a run used, or logged."""
    row = connection.execute(
        f"SELECT count(*) FROM artifact_{direction} x JOIN artifacts a ON a.id = x.artifact_id"
        " WHERE x.run_id = ? AND a.state = ?",
        (run_id, versions.COMMITTED),
    ).fetchone()
    return int(row[0])


def page(
    connection: sqlite3.Connection, direction: Direction, run_id: int, after: int | None, first: int
) -> tuple[list[tuple[Artifact, int]], bool]:
    """Up to `first` committed versions that a run used or logged, each with its place, and whether more follow.

    Args:
        connection: a reader.
        direction: inputs (used) or outputs (logged).
        run_id: the run.
        after: the place of the last version of the page before, or None for the first page.
        first: how many at the most.
    """
    rows = connection.execute(
        f"SELECT {versions.COLUMNS}, x.id FROM artifact_{direction} x JOIN artifacts a ON a.id = x.artifact_id"
        " WHERE x.run_id = ? AND a.state = ? AND x.id > ? ORDER BY x.id LIMIT ?",
        (run_id, versions.COMMITTED, after or 0, first + 1),
    ).fetchall()
    return [(versions.from_row(row[: versions.WIDTH]), row[-1]) for row in rows[:first]], len(rows) > first


def logged_by(connection: sqlite3.Connection, run_id: int) -> list[int]:
    """The rows of the versions that a run made, pending ones among them."""
    rows = connection.execute(
        "SELECT id FROM artifacts WHERE run_id = ? AND state <> ? ORDER BY id", (run_id, versions.DELETED)
    )
    return [int(row["id"]) for row in rows]
