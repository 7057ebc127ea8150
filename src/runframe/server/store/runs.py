"""Runs: finding, making, changing and deleting them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from runframe.server.store import documents, exports, times
from runframe.server.store.states import Grace, state_sql

_LIGHT = (
    "r.id, r.project_id, r.name, r.display_name, r.stop_requested, r.exit_code, r.user_id, r.group_name, r.job_type,"
    " r.sweep_name, r.commit_hash, r.host, r.program, r.repo, r.created_at, r.updated_at, r.heartbeat_at, r.last_step,"
    " r.history_lines, r.event_lines, r.log_lines, r.tags, r.description, r.notes"
)
DOCUMENTS = ("config", "summary", "system_metrics", "history_keys")


@dataclass(frozen=True, slots=True)
class Run:
    """A run. The documents (config and those after it) are stored texts, None in a run read without them."""

    id: int
    project_id: int
    name: str
    display_name: str | None
    stop_requested: int
    exit_code: int | None
    user_id: int | None
    group_name: str | None
    job_type: str | None
    sweep_name: str | None
    commit_hash: str | None
    host: str | None
    program: str | None
    repo: str | None
    created_at: str
    updated_at: str
    heartbeat_at: str
    last_step: int | None
    history_lines: int
    event_lines: int
    log_lines: int
    tags: str
    description: str | None
    notes: str | None
    state: str
    config: str | None = None
    summary: str | None = None
    system_metrics: str | None = None
    history_keys: str | None = None


def select(grace: Grace, *, documents: bool = True) -> str:
    """The columns of a `Run`, in its order, for a query in which the runs table is called ``r``."""
    heavy = "".join(f", r.{name}" for name in DOCUMENTS) if documents else ""
    return f"{_LIGHT}, {state_sql(grace)} AS state{heavy}"


def width(*, documents: bool) -> int:
    """How many columns `select` names."""
    return len(fields(Run)) - (0 if documents else len(DOCUMENTS))


def from_row(row: Sequence[Any]) -> Run:
    """The run in a row whose first columns `select` named."""
    return Run(*row)


def find(
    connection: sqlite3.Connection, project_id: int, name: str, grace: Grace, *, documents: bool = True
) -> Run | None:
    """The project's run of this name (the id that users see)."""
    columns = select(grace, documents=documents)
    row = connection.execute(
        f"SELECT {columns} FROM runs r WHERE r.project_id = ? AND r.name = ?", (project_id, name)
    ).fetchone()
    return None if row is None else from_row(row)


def by_id(connection: sqlite3.Connection, number: int, grace: Grace, *, documents: bool = True) -> Run | None:
    """The run in this row."""
    row = connection.execute(
        f"SELECT {select(grace, documents=documents)} FROM runs r WHERE r.id = ?", (number,)
    ).fetchone()
    return None if row is None else from_row(row)


def load_documents(connection: sqlite3.Connection, run_id: int) -> dict[str, str]:
    """The run's documents by their names."""
    row = connection.execute(f"SELECT {', '.join(DOCUMENTS)} FROM runs WHERE id = ?", (run_id,)).fetchone()
    return {name: "{}" if row is None else row[name] for name in DOCUMENTS}


def create(
    connection: sqlite3.Connection, project_id: int, name: str, *, user_id: int | None, state: str = "running"
) -> int:
    """A new run's row number.

    Raises:
        sqlite3.IntegrityError: the project has a run of this name.
    """
    moment = times.now()
    cursor = connection.execute(
        "INSERT INTO runs (project_id, name, display_name, state, user_id, created_at, updated_at, heartbeat_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (project_id, name, name, state, user_id, moment, moment, moment),
    )
    assert cursor.lastrowid is not None
    connection.execute("UPDATE projects SET updated_at = ? WHERE id = ?", (moment, project_id))
    return cursor.lastrowid


def change(connection: sqlite3.Connection, run_id: int, values: Mapping[str, Any], *, touch: bool = True) -> None:
    """Set columns of a run; with `touch` its time of change too."""
    if touch:
        values = {"updated_at": times.now(), **values}
    if values:
        assignments = ", ".join(f"{column} = ?" for column in values)
        connection.execute(f"UPDATE runs SET {assignments} WHERE id = ?", (*values.values(), run_id))


def begin_anew(connection: sqlite3.Connection, run_id: int) -> None:
    """Empty a run whose id is used again without resuming: nothing of the earlier one stays but its number."""
    delete_contents(connection, run_id)
    moment = times.now()
    cleared = dict.fromkeys(("exit_code", "group_name", "job_type", "sweep_name", "commit_hash"))
    cleared |= dict.fromkeys(("host", "program", "repo", "description", "notes", "last_step"))
    connection.execute("UPDATE runs SET display_name = name WHERE id = ?", (run_id,))
    change(
        connection,
        run_id,
        {
            **cleared,
            **dict.fromkeys(("preempting", "stop_requested", "history_lines", "event_lines", "log_lines"), 0),
            **dict.fromkeys(DOCUMENTS, "{}"),
            "tags": "[]",
            "created_at": moment,
            "heartbeat_at": moment,
        },
    )


def delete_contents(connection: sqlite3.Connection, run_id: int) -> None:
    """Delete the run's lines, files, alerts, what is known of imports, and which artifacts it logged and used."""
    for row in connection.execute("SELECT id FROM streams WHERE run_id = ?", (run_id,)).fetchall():
        connection.execute("DELETE FROM lines WHERE id >= ? AND id < ?", (row["id"] << 33, (row["id"] + 1) << 33))
    for table in ("streams", "files", "alerts", "imports", "artifact_inputs", "artifact_outputs"):
        connection.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))
    exports.make_stale(connection, run_id)


def delete(connection: sqlite3.Connection, run_id: int) -> None:
    """Delete a run and all that is its own."""
    delete_contents(connection, run_id)
    connection.execute("DELETE FROM runs WHERE id = ?", (run_id,))


def started(config: str) -> bool:
    """Whether a writer has had the run: its config holds the SDK's telemetry (protocol, section 7)."""
    reserved = documents.from_stored(config).get("_wandb")
    value = reserved.get("value") if isinstance(reserved, dict) else None
    return isinstance(value, dict) and "t" in value
