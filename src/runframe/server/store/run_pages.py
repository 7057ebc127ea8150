"""Pages of runs: filtered, ordered, counted."""

from __future__ import annotations

import sqlite3

from runframe.filters import FilterError
from runframe.server.errors import Refusal
from runframe.server.store import runs
from runframe.server.store.fragments import Fragment
from runframe.server.store.order_sql import Order
from runframe.server.store.states import Grace


def count(connection: sqlite3.Connection, project_id: int, condition: Fragment) -> int:
    """How many of the project's runs satisfy the condition."""
    row = connection.execute(
        f"SELECT count(*) FROM runs r WHERE r.project_id = ? AND {condition.text}",
        (project_id, *condition.parameters),
    ).fetchone()
    return int(row[0])


def page(
    connection: sqlite3.Connection,
    project_id: int,
    condition: Fragment,
    order: Order,
    grace: Grace,
    *,
    after: str | None,
    first: int,
    documents: bool,
) -> tuple[list[tuple[runs.Run, str]], bool]:
    """Up to `first` runs with their cursors, and whether more follow.

    Args:
        connection: a reader.
        project_id: whose runs.
        condition: which runs.
        order: in which order.
        grace: how long a run may be silent.
        after: the cursor of the last run of the page before.
        first: how many at the most.
        documents: read config, summary and their like too.

    Raises:
        Refusal: `after` is no cursor of this order.
    """
    columns = runs.select(grace, documents=documents)
    parameters = [*order.columns.parameters, project_id, *condition.parameters]
    where = f"r.project_id = ? AND {condition.text}"
    if after:
        try:
            behind = order.after(after)
        except FilterError as error:
            raise Refusal(f"after: {error}.") from error
        where += f" AND {behind.text}"
        parameters += behind.parameters
    query = f"SELECT {columns}, {order.columns.text} FROM runs r WHERE {where} ORDER BY {order.by.text} LIMIT ?"
    rows = connection.execute(query, (*parameters, *order.by.parameters, first + 1)).fetchall()
    width = runs.width(documents=documents)
    found = [(runs.from_row(row[:width]), order.cursor(tuple(row[width:]))) for row in rows[:first]]
    return found, len(rows) > first
