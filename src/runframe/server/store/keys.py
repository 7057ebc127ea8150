"""Which keys a run's history has, and of which types: kept up with each line that is written.

The shape is what W&B answers as ``historyKeys``: ``{"keys": {key: {"typeCounts": [{"type", "count"}]}}, "lastStep"}``.
A key inside an object is named by its path, joined with dots; an object with ``_type`` (media) is one value.
"""

from __future__ import annotations

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


def leaves(row: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """The keys of a history row with their types."""
    for key, value in row.items():
        if isinstance(value, dict) and value and not isinstance(value.get("_type"), str):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, kind_of(value)


def merged(document: Mapping[str, Any], added: Mapping[tuple[str, str], int], last_step: int | None) -> dict[str, Any]:
    """The document with these counts added (taken away where negative)."""
    keys: dict[str, dict[str, int]] = {
        key: {entry["type"]: entry["count"] for entry in info["typeCounts"]}
        for key, info in document.get("keys", {}).items()
    }
    for (key, kind), count in added.items():
        kinds = keys.setdefault(key, {})
        kinds[kind] = kinds.get(kind, 0) + count
    shaped: dict[str, Any] = {"keys": {}}
    for key, kinds in keys.items():
        counts = [{"type": kind, "count": count} for kind, count in kinds.items() if count > 0]
        if counts:
            shaped["keys"][key] = {"typeCounts": counts}
    if last_step is not None:
        shaped["lastStep"] = last_step
    return shaped
