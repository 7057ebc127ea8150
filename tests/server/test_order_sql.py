from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cmp_to_key
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runframe.filters import FilterError
from runframe.server.store import documents
from runframe.server.store.fragments import FieldSQL
from runframe.server.store.functions import register
from runframe.server.store.order_sql import order
from runframe.server.store.run_columns import run_columns
from runframe.server.store.states import Grace
from runframe.server.store.tables import TABLES

COLUMNS = {
    "display_name": FieldSQL("r.display_name", "text"),
    "created_at": FieldSQL("r.created_at", "time", nullable=False),
    "duration": FieldSQL("r.duration", "number"),
    "tags": FieldSQL("r.tags", "list"),
    "config": FieldSQL("r.config", "entries"),
    "summary_metrics": FieldSQL("r.summary", "document"),
}
NUMBERS = st.sampled_from([0, 1, -1, 0.5, 2**53 + 1, float(2**53), math.inf, -math.inf])
VALUES = st.one_of(NUMBERS, st.sampled_from([None, math.nan, "", "a", "é", "\U0001f600", True, False, [1], {"x": 1}]))
TIMES = st.sampled_from(["2024-01-01T00:00:00.000000Z", "2024-01-02T00:00:00.000000Z"])
PLACES = {
    "displayName": st.sampled_from([None, "", "a", "B", "\U0001f600", "\uffff"]),
    "created_at": TIMES,
    "duration": st.none() | NUMBERS,
    "config.loss": VALUES,
    "config.loss.value": VALUES,
    "summary_metrics.loss": VALUES,
}


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as opened:
        register(opened)
        opened.execute(
            "CREATE TABLE r (id INTEGER PRIMARY KEY, display_name, created_at, duration, tags, config, summary)"
        )
        yield opened


def fill(connection: sqlite3.Connection, key: str, values: list[Any]) -> None:
    """A row for each value, in the place that the key names."""
    connection.execute("DELETE FROM r")
    for number, value in enumerate(values):
        row = {"id": number, "created_at": "2024", "config": "{}", "summary": "{}"}
        if key.startswith("config"):
            row["config"] = documents.to_stored({"loss": {"value": value}})
        elif key.startswith("summary"):
            row["summary"] = documents.to_stored({"loss": value})
        else:
            row[{"displayName": "display_name"}.get(key, key)] = value
        connection.execute(
            f"INSERT INTO r ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
        )


def page(connection: sqlite3.Connection, text: str, size: int, cursor: str | None = None) -> list[tuple[int, str]]:
    """A page of (row id, cursor)."""
    wanted = order(text, COLUMNS, "r.id")
    parameters = wanted.columns.parameters
    condition = ""
    if cursor is not None:
        behind = wanted.after(cursor)
        condition, parameters = f"WHERE {behind.text}", (*parameters, *behind.parameters)
    rows = connection.execute(
        f"SELECT r.id, {wanted.columns.text} FROM r {condition} ORDER BY {wanted.by.text} LIMIT ?",
        (*parameters, *wanted.by.parameters, size),
    )
    return [(number, wanted.cursor(values)) for number, *values in rows.fetchall()]


def expected_ids(values: list[Any], *, descending: bool) -> list[int]:
    """The plain meaning: by class, by value in its direction, by row."""

    def group(value: Any) -> int:
        if value is None:
            return 5
        if isinstance(value, bool):
            return 3
        if isinstance(value, (int, float)):
            return 1 if math.isnan(value) else 0
        return 2 if isinstance(value, str) else 4

    def before(left: int, right: int) -> int:
        first, second = values[left], values[right]
        if group(first) != group(second):
            return group(first) - group(second)
        if group(first) in (0, 2, 3) and first != second:
            return -1 if (first < second) is not descending else 1
        return left - right

    return sorted(range(len(values)), key=cmp_to_key(before))


@pytest.mark.parametrize("key", PLACES)
@given(data=st.data(), sign=st.sampled_from(["+", "-", ""]), size=st.integers(1, 3))
def test_pages_follow_the_order_that_python_gives(
    connection: sqlite3.Connection, key: str, data: st.DataObject, sign: str, size: int
) -> None:
    values = data.draw(st.lists(PLACES[key], max_size=6))
    fill(connection, key, values)
    expected = expected_ids(values, descending=sign != "+")
    assert [number for number, _ in page(connection, sign + key, 100)] == expected
    found: list[int] = []
    cursor: str | None = None
    while rows_of_page := page(connection, sign + key, size, cursor):
        found += [number for number, _ in rows_of_page]
        cursor = rows_of_page[-1][1]
        assert len(found) <= len(values)
    assert found == expected


@pytest.mark.parametrize("text", [None, "", "+created_at", "+createdAt"])
def test_without_an_order_the_oldest_comes_first(text: str | None) -> None:
    wanted = order(text, COLUMNS, "r.id")
    assert wanted.by.text == "(r.created_at) ASC, r.id ASC"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("+created", "'created'.*createdAt"),
        ("-", "no field ''"),
        ("++created_at", r"'\+created_at'"),
        ("+config", "needs a key"),
        ("tags", "list"),
        ("+host", "keeps no 'host'"),
    ],
)
def test_an_order_that_cannot_be_understood_is_named(text: str, words: str) -> None:
    with pytest.raises(FilterError, match=words):
        order(text, COLUMNS, "r.id")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "bm9uZQ",
        order("-created_at", COLUMNS, "r.id").cursor(["2024", 5]),
        order("+created_at", COLUMNS, "r.id").cursor(["2024", 2**64]),
        order("+created_at", COLUMNS, "r.id").cursor(["2024", [1]]),
        order("+created_at", COLUMNS, "r.id").cursor(["2024"]),
    ],
)
def test_a_cursor_of_something_else_is_refused(cursor: str) -> None:
    with pytest.raises(FilterError, match="cursor"):
        order("+created_at", COLUMNS, "r.id").after(cursor)


@pytest.mark.parametrize("text", ["+created_at", "-created_at", "-heartbeat_at"])
def test_the_next_page_is_found_by_an_index(text: str) -> None:
    with closing(sqlite3.connect(":memory:")) as store:
        register(store)
        for statement in TABLES:
            store.execute(statement)
        wanted = order(text, run_columns(Grace()), "r.id")
        behind = wanted.after(wanted.cursor(["2024-01-01T00:00:00.000000Z", 3]))
        plan = store.execute(
            f"EXPLAIN QUERY PLAN SELECT r.id FROM runs r WHERE r.project_id = 1 AND {behind.text}"
            f" ORDER BY {wanted.by.text} LIMIT 50",
            (*behind.parameters, *wanted.by.parameters),
        ).fetchall()
        assert "project_id=? AND" in plan[0][3]
