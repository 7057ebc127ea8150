"""Tables of several runs as one frame: the union of their columns, each with one type over all of them.

A table is turned into Arrow arrays when it is read, and waits in memory up to a budget, beyond it in a temporary file.
When all have been seen the lattice decides each column's type, as if all tables had been one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from runframe import extjson
from runframe.frames.conflicts import CONFLICTS
from runframe.frames.schema import CATEGORY, TIME, is_json, type_name
from runframe.frames.spool import Spool
from runframe.frames.storage import plain_array
from runframe.frames.types import Kind, Seen, kind_of, seen_in
from runframe.resources.artifacts.tables.arrow import Conflicts, array_of, build, fitted

RUN = "run_id"
MEMORY_BUDGET = 64 * 2**20
_TIMES = "timestamp"


@dataclass
class _Column:
    """What was seen in one column of all tables.

    Attributes:
        seen: by the lattice, times left out.
        counts: how often each type was seen.
        first: the row and the run in which each type was seen first.
    """

    seen: Seen = field(default_factory=Seen)
    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, tuple[int, str]] = field(default_factory=dict)

    def look_at(self, values: Sequence[Any], run_id: str, base: int) -> None:
        for row, value in enumerate(values):
            if value is None:
                continue
            if isinstance(value, (dt.datetime, dt.date)):
                label = _TIMES
            else:
                seen = _plain_seen(value)
                label = str(seen)
                self.seen |= seen
            self.counts[label] = self.counts.get(label, 0) + 1
            self.first.setdefault(label, (base + row, run_id))

    def resolve(self) -> tuple[Any, bool]:
        """The column's type, and whether its values' types disagreed."""
        if _TIMES not in self.counts:
            resolution = self.seen.resolve()
            return resolution.type, resolution.conflict
        if len(self.counts) == 1:
            return TIME, False
        # Beside other values a time is text.
        type_ = (self.seen | Seen(frozenset({Kind.TEXT}))).type
        return type_, True


_KNOWN = {kind: Seen(frozenset({kind})) for kind in Kind}


def _plain_seen(value: Any) -> Seen:
    return seen_in(value) if isinstance(value, (list, dict)) else _KNOWN[kind_of(value)]


class JoinedTables:
    """The rows of tables that were logged by different runs, one after the other."""

    def __init__(self) -> None:
        self._spool = Spool(MEMORY_BUDGET)
        self._columns: dict[str, _Column] = {}
        self.rows = 0

    def add(self, run_id: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Takes the table of a run: its columns' names, and rows of plain values."""
        arrays = [pa.DictionaryArray.from_arrays(pa.array([0] * len(rows), pa.int32()), pa.array([run_id]))]
        names = []
        for index, name in enumerate(columns):
            values = [row[index] for row in rows]
            self._columns.setdefault(name, _Column()).look_at(values, run_id, self.rows)
            arrays.append(_held(name, values))
            names.append(name)
        fields = [pa.field(str(index), array.type) for index, array in enumerate(arrays)]
        schema = pa.schema(fields, metadata={b"columns": extjson.dumps(names).encode()})
        self._spool.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
        self.rows += len(rows)

    @property
    def schema(self) -> Any:
        """The union of the columns, in the order in which they came, after `run_id`."""
        types = {name: column.resolve()[0] for name, column in self._columns.items()}
        return pa.schema([pa.field(RUN, CATEGORY), *(pa.field(_free(name), type_) for name, type_ in types.items())])

    def batches(self) -> Iterator[Any]:
        """The rows, a table at a time, in the schema of all."""
        schema = self.schema
        for batch in self._spool:
            found = dict(zip(extjson.loads(batch.schema.metadata[b"columns"]), batch.columns[1:], strict=True))
            arrays = [batch.column(0).cast(CATEGORY)]
            for name, each in zip(self._columns, list(schema)[1:], strict=True):
                array = found.get(name)
                arrays.append(pa.nulls(batch.num_rows, each.type) if array is None else _retyped(array, each.type))
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def conflicts(self) -> Any:
        """The columns whose values' types disagreed, as a frame's `conflicts` shows them."""
        rows = []
        for name, column in self._columns.items():
            type_, conflict = column.resolve()
            if conflict:
                rows.append(
                    {
                        "column": _free(name),
                        "path": extjson.dumps([name]),
                        "becomes": type_name(type_),
                        "types": list(column.counts),
                        "counts": list(column.counts.values()),
                        "first_rows": [row for row, _ in column.first.values()],
                        "first": [run_id for _, run_id in column.first.values()],
                    }
                )
        return pa.Table.from_pylist(rows, CONFLICTS)


def _free(name: str) -> str:
    """The name of a table's column beside `run_id`."""
    return "\\" + name if name.lstrip("\\") == RUN else name


def _held(name: str, values: Sequence[Any]) -> Any:
    """The values of one table's column, in a form from which each can be told again."""
    array = array_of(name, values, Conflicts())
    # "NaN" beside numbers is a number, but beside other tables' values it may turn out to be text.
    if any(_spells_number(value, array.type) for value in values):
        return build([fitted(value, pa.json_()) for value in values], pa.json_())
    return array


def _spells_number(value: Any, type_: Any) -> bool:
    """Whether a text stands in the value where the type has a double."""
    if pa.types.is_list(type_) and isinstance(value, list):
        return any(_spells_number(item, type_.value_type) for item in value)
    if pa.types.is_struct(type_) and isinstance(value, dict):
        return any(_spells_number(value.get(field.name), field.type) for field in type_)
    return isinstance(value, str) and pa.types.is_floating(type_)


def _retyped(array: Any, type_: Any) -> Any:
    if array.type == type_:
        return array
    values = [_plain(value, array.type) for value in plain_array(array).to_pylist()]
    if pa.types.is_string(type_):
        return pa.array(values, type_)
    return build([fitted(value, type_) for value in values], type_)


def _plain(value: Any, type_: Any) -> Any:
    """A value from Arrow as it was in its table, but for times, which are text."""
    if value is None:
        return None
    if is_json(type_):
        return extjson.loads(value)
    if pa.types.is_struct(type_):
        return {each.name: _plain(value[each.name], each.type) for each in type_ if value[each.name] is not None}
    if pa.types.is_list(type_):
        return [_plain(item, type_.value_type) for item in value]
    return value.isoformat() if isinstance(value, dt.datetime) else value
