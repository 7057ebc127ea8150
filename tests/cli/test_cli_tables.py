"""Rows as a table, as JSON and as CSV."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from runframe.cli.output import count, size
from runframe.cli.tables import cell, csv_lines, fitting, json_lines, table_lines


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (True, "true"),
        (3, "3"),
        (0.1234567, "0.123457"),
        (float("nan"), "nan"),
        (1e-9, "1e-09"),
        (datetime(2026, 11, 23, 9, 5, 59, tzinfo=UTC), "2026-11-23 09:05"),
        (["a", 1], "a, 1"),
        ({"a": None}, '{"a": null}'),
        ("two\nlines", "two lines"),
    ],
)
def test_a_value_in_a_table(value: Any, text: str) -> None:
    assert cell(value) == text


def test_numbers_stand_at_the_right_point_under_point() -> None:
    rows = [
        {"name": "a", "lr": 0.25, "rows": 5},
        {"name": "long", "lr": None, "rows": 1000},
        {"name": "b", "lr": 10.0, "rows": 7},
    ]
    assert table_lines(["name", "lr", "rows"], rows) == [
        "name     lr  rows",
        "────  ─────  ────",
        "a      0.25     5",
        "long   –     1000",
        "b     10        7",
    ]  # fmt: skip


def test_wide_characters_keep_the_columns_in_line() -> None:
    lines = table_lines(["name", "n"], [{"name": "実験", "n": 1}, {"name": "abcd", "n": 2}])
    assert lines[2:] == ["実験  1", "abcd  2"]


def test_a_table_without_rows_has_its_heading() -> None:
    assert table_lines(["id", "name"], []) == ["id  name", "──  ────"]


def test_how_many_columns_fit() -> None:
    rows = [{"a": "xxxx", "b": "yyyy", "c": "zzzz"}]
    assert [fitting(["a", "b", "c"], rows, width) for width in (1, 4, 9, 10, 16, 99)] == [1, 1, 1, 2, 3, 3]


def test_json_is_valid_whatever_the_values() -> None:
    rows = [
        {"a": float("nan"), "b": [float("inf")], "c": {"d": datetime(2026, 1, 2, tzinfo=UTC)}},
        {"a": None, "b": [], "c": None},
    ]
    assert json.loads("\n".join(json_lines(["a", "b", "c"], rows))) == [
        {"a": "NaN", "b": ["Infinity"], "c": {"d": "2026-01-02T00:00:00+00:00"}},
        {"a": None, "b": [], "c": None},
    ]
    assert json.loads("\n".join(json_lines(["a"], []))) == []


def test_csv_quotes_what_needs_it() -> None:
    rows = [{"a": 'say "x", y', "b": None}, {"a": ["p", 1], "b": 2.5}]
    assert list(csv_lines(["a", "b"], rows)) == ["a,b", '"say ""x"", y",', '"[""p"", 1]",2.5']


def test_counts_and_sizes() -> None:
    assert [count(number, "run") for number in (0, 1, 1200)] == ["0 runs", "1 run", "1,200 runs"]
    assert [size(number) for number in (999, 1500, 2_500_000)] == ["999 B", "1.5 kB", "2.5 MB"]
