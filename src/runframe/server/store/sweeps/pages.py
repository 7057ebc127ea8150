"""The fields that filters and orders on sweeps may name, pages of sweeps, and the best of a sweep's values."""

from __future__ import annotations

import math
import sqlite3

from runframe.filters import Fields
from runframe.server.store import run_query
from runframe.server.store.artifacts.pages import Listing
from runframe.server.store.artifacts.vocabulary import Vocabulary
from runframe.server.store.fragments import FieldSQL
from runframe.server.store.states import Grace
from runframe.server.store.sweeps.states import state_sql
from runframe.server.store.sweeps.sweeps import WIDTH, Sweep, from_row, select

SWEEP_FIELDS = Fields(
    "sweeps",
    {
        "name": "text",
        "display_name": "text",
        "state": "text",
        "method": "text",
        "description": "text",
        "username": "text",
        "created_at": "time",
        "updated_at": "time",
        "heartbeat_at": "time",
        "run_count": "number",
    },
)
_RUN_COUNT = "(SELECT count(*) FROM runs r WHERE r.project_id = s.project_id AND r.sweep_name = s.name)"


def vocabulary(grace: Grace) -> Vocabulary:
    """Where the fields of sweeps are kept, for a query in which the sweeps table is called ``s``."""
    return Vocabulary(
        SWEEP_FIELDS,
        {
            "name": FieldSQL("s.name", "text", nullable=False),
            "display_name": FieldSQL("s.display_name", "text"),
            "state": FieldSQL(f"({state_sql(grace)})", "text", nullable=False),
            "method": FieldSQL("s.method", "text", nullable=False),
            "description": FieldSQL("s.description", "text"),
            "username": FieldSQL("(SELECT u.username FROM users u WHERE u.id = s.user_id)", "text"),
            "created_at": FieldSQL("s.created_at", "time", nullable=False),
            "updated_at": FieldSQL("s.updated_at", "time", nullable=False),
            "heartbeat_at": FieldSQL("s.heartbeat_at", "time"),
            "run_count": FieldSQL(_RUN_COUNT, "number", nullable=False),
        },
        "s.id",
        "-created_at",
    )


def listing(grace: Grace) -> Listing[Sweep]:
    """Sweeps as they can be listed."""
    return Listing(select(grace), WIDTH, "sweeps s", from_row)


def best_value(connection: sqlite3.Connection, sweep: Sweep, grace: Grace) -> float | None:
    """The best value that a run's summary has of the sweep's metric; None without a metric or a finite value."""
    metric = sweep.settings.metric
    if metric is None:
        return None
    order = run_query.order(f"{'-' if metric.maximize else '+'}summary_metrics.{metric.name}", grace)
    rank, value = (term.text for term in order.terms[:2])
    row = connection.execute(
        f"SELECT {rank}, {value} FROM runs r WHERE r.project_id = ? AND r.sweep_name = ? ORDER BY {order.by.text}"
        " LIMIT 1",
        (
            *order.terms[0].parameters,
            *order.terms[1].parameters,
            sweep.project_id,
            sweep.name,
            *order.by.parameters,
        ),
    ).fetchone()
    found = row is not None and row[0] == 0 and math.isfinite(row[1])
    return float(row[1]) if found else None
