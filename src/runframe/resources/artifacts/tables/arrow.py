"""Columns of plain Python values as Arrow arrays, by the same lattice of types as everything else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from runframe import extjson
from runframe.frames.conflicts import CONFLICTS
from runframe.frames.schema import TIME, type_name
from runframe.frames.storage import plain_type
from runframe.frames.types import EXACT, NONFINITE, Seen, seen_in


@dataclass
class Conflicts:
    """The columns whose values' types disagreed, as a frame's `conflicts` shows them."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, column: str, becomes: Any, values: Sequence[Any]) -> None:
        """Notes a column, with how often each type was seen in it, and where first."""
        labels = [(row, str(seen_in(value))) for row, value in enumerate(values) if value is not None]
        counts: dict[str, int] = {}
        first: dict[str, int] = {}
        for row, label in labels:
            counts[label] = counts.get(label, 0) + 1
            first.setdefault(label, row)
        self.rows.append(
            {
                "column": column,
                "path": extjson.dumps([column]),
                "becomes": type_name(becomes),
                "types": list(counts),
                "counts": list(counts.values()),
                "first_rows": list(first.values()),
                "first": [str(row) for row in first.values()],
            }
        )

    def table(self) -> Any:
        """The report."""
        return pa.Table.from_pylist(self.rows, CONFLICTS)


def array_of(name: str, values: Sequence[Any], conflicts: Conflicts) -> Any:
    """The Arrow array of a column.

    Args:
        name: the column's name.
        values: plain values: numbers, text, times, lists, dicts, None.
        conflicts: what the column is added to where its values' types disagree; then it is JSON text.
    """
    kinds = set(map(type, values)) - {type(None)}
    if kinds and kinds <= {dt.datetime, dt.date}:
        return pa.array([_moment(value) for value in values], TIME)
    if kinds & {dt.datetime, dt.date}:
        values = [value.isoformat() if isinstance(value, (dt.datetime, dt.date)) else value for value in values]
    simple = _simple(kinds, values)
    if simple is not None:
        return pa.array(values, simple)
    seen = Seen()
    for value in values:
        seen |= seen_in(value)
    resolution = seen.resolve()
    if resolution.conflict:
        conflicts.add(name, resolution.type, values)
    return build([fitted(value, resolution.type) for value in values], resolution.type)


def _simple(kinds: set[type], values: Sequence[Any]) -> Any:
    """The type of a column that needs no closer look; None for all others."""
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {str}:
        return pa.string() if _encodable(values) else None
    if kinds == {float}:
        return pa.float64()
    if kinds in ({int}, {int, float}):
        whole = [value for value in values if type(value) is int]
        most = max(map(abs, whole))
        if kinds == {int} and most < 2**63:
            return pa.int64()
        return pa.float64() if kinds != {int} and most <= EXACT else None
    return None


def _encodable(values: Sequence[Any]) -> bool:
    try:
        for value in values:
            if value is not None and not value.isascii():
                value.encode()
    except UnicodeEncodeError:
        return False
    return True


def fitted(value: Any, type_: Any) -> Any:
    """A value as Arrow takes it for a type of the lattice."""
    if value is None:
        return None
    if isinstance(type_, pa.JsonType):
        return extjson.dumps(value)
    if pa.types.is_list(type_):
        return [fitted(item, type_.value_type) for item in value]
    if pa.types.is_struct(type_):
        return {field.name: fitted(value.get(field.name), field.type) for field in type_}
    if pa.types.is_floating(type_):
        return NONFINITE[value] if isinstance(value, str) else float(value)
    return value


def build(values: list[Any], type_: Any) -> Any:
    """The array of values that fit a type of the lattice."""
    return _retyped(pa.array(values, plain_type(type_)), type_)


def _retyped(array: Any, type_: Any) -> Any:
    """A plain array with ``arrow.json`` wherever the type has it; the buffers are shared, not copied."""
    if array.type == type_:
        return array
    if isinstance(type_, pa.JsonType):
        return pa.ExtensionArray.from_storage(type_, array)
    if pa.types.is_struct(type_):
        children = [_retyped(array.field(index), type_.field(index).type) for index in range(type_.num_fields)]
        mask = array.is_null() if array.null_count else None
        return pa.StructArray.from_arrays(children, fields=list(type_), mask=mask)
    validity, offsets, *_ = array.buffers()
    return pa.Array.from_buffers(
        type_,
        len(array),
        [validity, offsets],
        array.null_count,
        array.offset,
        children=[_retyped(array.values, type_.value_type)],
    )


def _moment(value: Any) -> dt.datetime | None:
    if value is None:
        return None
    if not isinstance(value, dt.datetime):
        return dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
    return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value
