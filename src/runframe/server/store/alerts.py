"""Alerts that runs raised."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runframe.server.store import times, users
from runframe.server.store.states import Grace
from runframe.server.store.upsert import ensure_project, ensure_run


def add(connection: sqlite3.Connection, viewer: users.User, fields: Mapping[str, Any], grace: Grace) -> None:
    """Keep an alert.

    Args:
        connection: the writer.
        viewer: who asks.
        fields: the fields of ``NotifyScriptableRunAlertInput``.
        grace: how long a run may be silent.
    """
    project = ensure_project(connection, viewer, fields["entityName"], fields["projectName"])
    run, _ = ensure_run(connection, project, fields["runName"], viewer, grace)
    insert(connection, run.id, fields["title"], fields["text"], fields["severity"], fields.get("waitDuration"))


def insert(
    connection: sqlite3.Connection, run_id: int, title: str, text: str, severity: str, wait_duration: int | None
) -> None:
    """Keep an alert of a run."""
    connection.execute(
        "INSERT INTO alerts (run_id, title, text, severity, wait_duration, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        (run_id, title, text, severity, wait_duration, times.now()),
    )


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that a run raised; `wait_duration` is in milliseconds."""

    id: int
    title: str
    text: str
    severity: str
    wait_duration: int | None
    created_at: str


def of_run(connection: sqlite3.Connection, run_id: int) -> list[Alert]:
    """A run's alerts, oldest first."""
    rows = connection.execute(
        "SELECT id, title, text, severity, wait_duration, created_at FROM alerts WHERE run_id = ? ORDER BY id",
        (run_id,),
    )
    return [Alert(*row) for row in rows]
