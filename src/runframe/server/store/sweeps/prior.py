"""Runs that were there before the sweep, and are to count as its own."""

from __future__ import annotations

import sqlite3

from runframe.server.store import run_query
from runframe.server.store.states import Grace


def attach(connection: sqlite3.Connection, project_id: int, sweep_name: str, filters: str, grace: Grace) -> None:
    """Make runs of a project a sweep's.

    Args:
        connection: the writer.
        project_id: the project's row.
        sweep_name: the sweep.
        filters: the filter, as for runs.
        grace: how long a run may be silent.

    Raises:
        Refusal: the text is no filter.
    """
    condition = run_query.condition(filters, grace)
    connection.execute(
        "UPDATE runs SET sweep_name = ? WHERE id IN"
        f" (SELECT r.id FROM runs r WHERE r.project_id = ? AND {condition.text})",
        (sweep_name, project_id, *condition.parameters),
    )
