"""Going back to an earlier step of a run (``resume_from``; protocol, section 7)."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from typing import Any

from runframe import extjson
from runframe.server.errors import Refusal
from runframe.server.store import keys, lines, projects, runs, users
from runframe.server.store.accounts import permissions
from runframe.server.store.states import Grace


def rewind(connection: sqlite3.Connection, viewer: users.User, fields: Mapping[str, Any], grace: Grace) -> int:
    """Cut a run's history off after a step; the run's row.

    Args:
        connection: the writer.
        viewer: who asks.
        fields: the fields of ``RewindRunInput``.
        grace: how long a run may be silent.

    Raises:
        Refusal: there is no such run, or it is to be cut by something else than ``_step``.
    """
    if fields["metricName"] != "_step":
        raise Refusal(f"A run can be rewound by '_step' alone, not by {fields['metricName']!r}.")
    entity, name = fields.get("entityName") or viewer.entity, fields.get("projectName") or ""
    project = projects.find(connection, entity, name)
    run = None if project is None else runs.find(connection, project.id, fields["runName"], grace)
    if run is None:
        raise Refusal(f"There is no run {fields['runName']!r} in {entity}/{name}.", 404)
    permissions.check_project(connection, viewer, run.project_id)
    truncate(connection, run.id, int(fields["metricValue"]))
    return run.id


def truncate(connection: sqlite3.Connection, run_id: int, last_step: int) -> None:
    """Delete the history lines whose step is greater than `last_step`, and all lines of events and console."""
    counts: keys.Counts = Counter()
    gone: set[str] = set()
    for text in lines.texts_by_step(connection, run_id, last_step + 1, None):
        row = extjson.loads(text)
        counts.subtract(keys.leaves(row))
        gone.update(key for key, _ in keys.numbers(row))
    for stream in lines.streams_of(connection, run_id, lines.HISTORY):
        connection.execute("DELETE FROM lines WHERE stream_id = ? AND step > ?", (stream, last_step))
        connection.execute(
            "UPDATE streams SET next_offset = coalesce((SELECT max(id) - ? + 1 FROM lines WHERE stream_id = ?"
            " AND step IS NOT NULL), 0) WHERE id = ?",
            (lines.first_id(stream), stream, stream),
        )
    lines.note_history(connection, run_id, counts, {}, gone)
    lines.count_lines(connection, run_id, lines.HISTORY)
    # The SDK counts these from 0 again.
    lines.cut(connection, run_id, {lines.EVENTS: 0, lines.CONSOLE: 0})
