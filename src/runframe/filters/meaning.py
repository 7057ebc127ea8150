"""What a predicate means: MongoDB's meaning, written once. The server's SQL is tested against it.

* A missing value and null are alike for `$eq`, `$ne`, `$in` and `$nin`: `{k: None}` matches both, `{k: {"$ne": 1}}`
  matches both. Only `$exists` tells them apart. A run's column without a value counts as missing.
* Types are compared inside their bracket: numbers with numbers (1 equals 1.0), text with text, true and false with each
  other; a bool is not a number. Ordering operators never match another type, null or a missing value.
* NaN equals NaN (so `$gte` and `$lte` NaN match it) and is neither above nor below a number. The texts "NaN",
  "Infinity" and "-Infinity" equal these floats too: JSON has no other form for them.
* A list matches where one of its elements does, and `$eq` also where the whole list equals the value.
* `$regex` is searched anywhere in the text; `^` and `$` anchor it. See `runframe.filters.patterns`.
* Times are compared as instants: ISO 8601 text; a time without a zone is UTC.
* Unlike MongoDB, a path does not spread over the objects of a list: `config.layers.0.units` is found,
  `config.layers.units` is not. Two objects are equal whatever the order of their keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from runframe.filters.patterns import pattern
from runframe.filters.tree import MISSING, Always, And, Compare, Nor, Not, Op, Or, Predicate

_NON_FINITE = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}


def matches(predicate: Predicate, lookup: Callable[[tuple[str, ...]], Any]) -> bool:
    """Whether a record satisfies a predicate.

    Args:
        predicate: the condition.
        lookup: from a path to the record's value, `MISSING` where there is none; `lookup_in` makes one.
    """
    match predicate:
        case Always():
            return True
        case And(parts):
            return all(matches(part, lookup) for part in parts)
        case Or(parts):
            return any(matches(part, lookup) for part in parts)
        case Nor(parts):
            return not any(matches(part, lookup) for part in parts)
        case Not(part):
            return not matches(part, lookup)
        case Compare(path, op, value):
            return compare(lookup(path), op, value)
    raise TypeError(f"not a predicate: {predicate!r}")


def compare(stored: Any, op: Op, value: Any) -> bool:
    """Whether one stored value (or `MISSING`) satisfies one operator; the module says what each means."""
    match op:
        case "$eq":
            return _is(stored, value)
        case "$ne":
            return not _is(stored, value)
        case "$in":
            return any(_is(stored, item) for item in value)
        case "$nin":
            return not any(_is(stored, item) for item in value)
        case "$exists":
            return (stored is not MISSING) is bool(value)
    candidates = stored if isinstance(stored, (list, tuple)) else (stored,)
    if op == "$regex":
        found = pattern(value)
        return any(isinstance(item, str) and found.search(item) is not None for item in candidates)
    return any(_ordered(item, op, value) for item in candidates)


def _is(stored: Any, value: Any) -> bool:
    """`$eq`: the value itself, or an element of a list."""
    if stored is MISSING:
        return value is None
    if _equal(stored, value):
        return True
    return isinstance(stored, (list, tuple)) and any(_equal(item, value) for item in stored)


def _equal(left: Any, right: Any) -> bool:
    if isinstance(right, datetime):
        return instant(left) == right
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(_equal, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_equal(item, right[key]) for key, item in left.items())
    if isinstance(left, float) and isinstance(right, str):
        return right in _NON_FINITE and repr(left) == _NON_FINITE[right]
    if _bracket(left) != _bracket(right):
        return False
    return bool(left == right) or (left != left and right != right)


def _ordered(stored: Any, op: str, value: Any) -> bool:
    if isinstance(value, datetime):
        stored = instant(stored)
        if stored is None:
            return False
    elif _bracket(stored) != _bracket(value):
        return False
    match op:
        case "$gt":
            return bool(stored > value)
        case "$lt":
            return bool(stored < value)
    both_nan = stored != stored and value != value
    return both_nan or bool(stored >= value if op == "$gte" else stored <= value)


def _bracket(value: Any) -> type:
    """The type that a value is compared in."""
    if isinstance(value, bool):
        return bool
    if isinstance(value, (int, float)):
        return float
    return str if isinstance(value, str) else type(value)


def instant(value: Any) -> datetime | None:
    """The UTC time of a `datetime` or an ISO 8601 text (a zone missing: UTC); None where it is neither."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        return None
