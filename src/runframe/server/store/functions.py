"""The SQL functions that filters and orders call; `register` puts them on a connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from runframe import extjson
from runframe.filters import MISSING, compare, pattern, value_at
from runframe.server.store import documents


def register(connection: sqlite3.Connection) -> None:
    """Give a connection the functions: `REGEXP`, `runframe_matches`, `runframe_rank`, `runframe_sort`."""
    for name, count, function in (
        ("regexp", 2, _regexp),
        ("runframe_matches", 2, _matches),
        ("runframe_rank", 2, _rank),
        ("runframe_sort", 2, _sort),
    ):
        connection.create_function(name, count, function, deterministic=True)


def _regexp(expression: str, value: Any) -> bool:
    """`value REGEXP expression`: SQLite calls it with the pattern first."""
    return isinstance(value, str) and pattern(expression).search(value) is not None


def _matches(stored: Any, condition: str) -> bool:
    """Whether what a column holds satisfies a condition, the JSON list `[kind, keys, op, value]`."""
    return _condition(condition)(stored)


def _rank(stored: Any, where: str) -> int:
    """The class of an ordered value: numbers, then NaN, text, bools, what has no order, nothing."""
    value = _ordered_value(stored, where)
    if value is MISSING or value is None:
        return 5
    if isinstance(value, bool):
        return 3
    if isinstance(value, (int, float)):
        return 0 if value == value else 1
    return 2 if isinstance(value, str) else 4


def _sort(stored: Any, where: str) -> int | float | str | None:
    """What orders the values of one class; integers beyond 64 bits are ordered by their nearest float."""
    value = _ordered_value(stored, where)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        try:
            return float(value)
        except OverflowError:
            return float("inf" if value > 0 else "-inf")
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return value if isinstance(value, (int, float)) else None


def _ordered_value(stored: Any, where: str) -> Any:
    kind, keys = _loaded(where)
    return MISSING if stored is None else value_at(_read(stored, kind), kind, keys)


@lru_cache(maxsize=128)
def _condition(text: str) -> Callable[[Any], bool]:
    kind, keys, op, value = extjson.loads(text)

    def holds(stored: Any) -> bool:
        found = MISSING if stored is None else value_at(_read(stored, kind), kind, keys)
        return compare(found, op, value)

    return holds


@lru_cache(maxsize=128)
def _loaded(text: str) -> Any:
    return extjson.loads(text)


def _read(stored: Any, kind: str) -> Any:
    return _document(stored) if kind in ("list", "entries", "document") else stored


@lru_cache(maxsize=4)
def _document(text: str) -> Any:
    """The value of a stored text. A row's conditions follow each other, so a few are kept."""
    return documents.from_stored(text)
