"""Which keys a run's history has, and of which types: kept up with each line that is written.

The shape is what W&B answers as ``historyKeys``:
``{"keys": {key: {"typeCounts": [{"type", "count"}], "previousValue": number}}, "lastStep"}``, where `previousValue` is
the number that was logged last (left out where there is none that JSON can hold).
A key inside an object is named by its path, joined with dots; an object with ``_type`` (media) is one value.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

#: (key, type) to how many lines hold it.
Counts = Counter[tuple[str, str]]


def kind_of(value: Any) -> str:
    """The type name of one value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return "list"
    if isinstance(value, dict):
        kind = value.get("_type")
        return kind if isinstance(kind, str) else "map"
    return "nil"


def values(row: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The keys of a history row with their values."""
    for key, value in row.items():
        if isinstance(value, dict) and value and not isinstance(value.get("_type"), str):
            yield from values(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def leaves(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The keys of a history row with their types."""
    return ((key, kind_of(value)) for key, value in values(row))


def numbers(row: Mapping[str, Any]) -> Iterator[tuple[str, int | float]]:
    """The keys of a history row that hold a finite number, with it."""
    for key, value in values(row):
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            yield key, value


def merged(
    document: Mapping[str, Any],
    added: Mapping[tuple[str, str], int],
    last_step: int | None,
    last: Mapping[str, int | float | None],
) -> dict[str, Any]:
    """The document with these counts added (taken away where negative).

    Args:
        document: the keys so far.
        added: how many more lines hold a key with a type.
        last_step: the history's last step; None for an empty one.
        last: the last numbers of keys where they changed; None where there is none any more.
    """
    before = document.get("keys", {})
    keys: dict[str, dict[str, int]] = {
        key: {entry["type"]: entry["count"] for entry in info["typeCounts"]} for key, info in before.items()
    }
    for (key, kind), count in added.items():
        kinds = keys.setdefault(key, {})
        kinds[kind] = kinds.get(kind, 0) + count
    shaped: dict[str, Any] = {"keys": {}}
    for key, kinds in keys.items():
        counts = [{"type": kind, "count": count} for kind, count in kinds.items() if count > 0]
        if counts:
            shaped["keys"][key] = {"typeCounts": counts}
            number = last[key] if key in last else before.get(key, {}).get("previousValue")
            if number is not None:
                shaped["keys"][key]["previousValue"] = number
    if last_step is not None:
        shaped["lastStep"] = last_step
    return shaped
