"""What a forked run takes over from the run that it branched off (``fork_from``; protocol, section 7)."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from itertools import islice
from typing import Any

from runframe.server.store import lines

_BATCH = 5_000


def inherit(connection: sqlite3.Connection, run_id: int, config: Mapping[str, Any]) -> int:
    """Copy the parent's history up to the branch point into an empty run; how many lines it then has.

    Args:
        connection: the writer.
        run_id: the new run.
        config: its config; ``_wandb.value.branch_point`` names the parent and the step, where it is a fork.
    """
    point = _branch_point(config)
    if point is None:
        return 0
    parent, step = point
    row = connection.execute(
        "SELECT p.id FROM runs r JOIN runs p ON p.project_id = r.project_id"
        " WHERE r.id = ? AND p.name = ? AND p.id <> r.id",
        (run_id, parent),
    ).fetchone()
    if row is None:
        return 0
    count = 0
    texts = lines.texts_by_step(connection, row["id"], None, step + 1)
    while batch := list(islice(texts, _BATCH)):
        lines.write(connection, run_id, lines.HISTORY, "", count, batch)
        count += len(batch)
    return count


def _branch_point(config: Mapping[str, Any]) -> tuple[str, int] | None:
    reserved = config.get("_wandb")
    value = reserved.get("value") if isinstance(reserved, dict) else None
    point = value.get("branch_point") if isinstance(value, dict) else None
    if not isinstance(point, dict):
        return None
    run, step = point.get("run_id"), point.get("step")
    number = isinstance(step, int | float) and not isinstance(step, bool)
    return (run, int(step)) if isinstance(run, str) and number and step is not None else None
