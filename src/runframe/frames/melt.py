"""From wide to long: a row a value instead of a column a metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runframe import extjson
from runframe.errors import FrameError
from runframe.frames.frame import Frame
from runframe.frames.provenance import Provenance
from runframe.frames.schema import CATEGORY, DOUBLE, INT, JSON, TEXT, TIME, Column, Schema, is_json
from runframe.frames.storage import plain_array
from runframe.frames.types import EXACT

RUN, STEP, RUNTIME, TIMESTAMP = "run_id", "_step", "_runtime", "_timestamp"
IDENTITY = (RUN, STEP, RUNTIME, TIMESTAMP)
"""The columns of a wide history that say which row it is; all others are metrics."""

X = b"runframe.x"
"""The field metadata of a metric in a wide frame: the column that is its x axis; empty where runs disagree on it."""

AxisOf = Callable[[str], str | None]
"""Gives a metric's x axis: the name of a column of the wide frame; None for none."""

LONG = Schema(
    "long history",
    [
        Column("run_id", CATEGORY, "run_id", "Id of the run."),
        Column("key", CATEGORY, "key", "Name of the metric: the column's name in the wide frame."),
        Column("step", INT, "step", "The row's step (`_step`)."),
        Column("time", TIME, "time", "When it was logged (`_timestamp`)."),
        Column("value", DOUBLE, "value", "Numbers, and booleans as 0 and 1; null for all other values."),
        Column("text", TEXT, "text", "Texts; null for all other values."),
        Column(
            "json", JSON, "json",
            "Lists, media and objects as JSON; also integers that no double holds exactly, beside the nearest double "
            "in `value`.",
        ),
        Column("type", CATEGORY, "type", "`bool`, `int64`, `double`, `string` or `json`: what the value is."),
        Column("runtime", DOUBLE, "runtime", "Seconds since the run began (`_runtime`)."),
    ],
)  # fmt: skip
"""The columns of a long history. A null is no value, and has no row."""

X_COLUMNS = (
    Column("x_name", CATEGORY, "x_name", "Name of the metric's x axis."),
    Column("x", DOUBLE, "x", "Its value in the same row; null where the row has none."),
)
"""The columns that a long history has besides where an x axis was asked for."""

_KINDS = ("bool", "int64", "double", "string", "json")


def melt(
    wide: Frame,
    keys: Sequence[str] | None = None,
    axes: Callable[[str], AxisOf] | None = None,
    provenance: Callable[[], Provenance | None] | None = None,
) -> Frame:
    """The long form of a wide history: runs and rows in their order, within a row the keys in the columns' order.

    Args:
        wide: a frame with `run_id`, and where there are `_step`, `_timestamp` and `_runtime`.
        keys: the columns that become rows; None for all but `IDENTITY`.
        axes: gives for a run's id the x axes of its metrics; None for no columns `x_name` and `x`. It is called when
            the frame is read. Runs with equal axes should get the very same object.
        provenance: what the frame says of itself; by default what the wide frame does.

    Raises:
        FrameError: the frame has no column `run_id`.
    """
    names = wide.columns
    if RUN not in names:
        raise FrameError(f"a history needs a column 'run_id'; the frame has {', '.join(names[:20]) or 'no columns'}")
    types = dict(zip(names, wide.schema.types, strict=True))
    time = TIMESTAMP if _is_number(types.get(TIMESTAMP)) else None
    runtime = RUNTIME if _is_number(types.get(RUNTIME)) else None
    passing = {RUN, STEP, time, runtime}
    metrics = [name for name in names if name not in passing] if keys is None else list(keys)
    schema = LONG if axes is None else Schema(LONG.name, [*LONG, *X_COLUMNS])
    melting = _Melting(metrics, schema, time, runtime, axes)

    def said() -> Provenance | None:
        given = wide.provenance if provenance is None else provenance()
        return None if given is None else replace(given, rows=None, conflicts=0)

    given = said()
    return Frame(
        schema.arrow,
        lambda: (melting.batch(batch) for batch in wide.to_batches()),
        None if given is None else lambda: said() or given,
    )


def numbers(array: Any) -> Any:
    """An array's numbers as doubles: null where a value is none, or is infinitely far from what a double holds."""
    array = plain_array(array)
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), DOUBLE)
    if pa.types.is_boolean(array.type) or _is_number(array.type):
        return array.cast(DOUBLE, safe=False)
    if pa.types.is_string(array.type):
        return pa.array([_number_in(text) for text in array.to_pylist()], DOUBLE)
    return pa.nulls(len(array), DOUBLE)


@dataclass(frozen=True)
class _Piece:
    """The values of one column, or of those of one kind in it: where they stand, and what they are."""

    column: int
    rows: Any
    kinds: Any
    value: Any
    text: Any
    json: Any


class _Melting:
    """One call of `melt`."""

    def __init__(
        self,
        metrics: Sequence[str],
        schema: Schema,
        time: str | None,
        runtime: str | None,
        axes: Callable[[str], AxisOf] | None,
    ) -> None:
        self._metrics = metrics
        self._schema = schema
        self._time = time
        self._runtime = runtime
        self._axes = axes
        self._keys = pa.array(metrics, pa.string())

    def batch(self, wide: Any) -> Any:
        """The long form of a wide batch."""
        pieces = [
            piece
            for number, name in enumerate(self._metrics)
            if (piece := _piece(number, wide.column(name))) is not None
        ]
        rows = _joined([piece.rows for piece in pieces], np.int64)
        columns = np.repeat([piece.column for piece in pieces], [len(piece.rows) for piece in pieces]).astype(np.int32)
        order = np.argsort(rows, kind="stable")
        rows, columns = rows[order], columns[order]
        at, here = pa.array(rows), pa.array(order)
        kinds = _joined([piece.kinds for piece in pieces], np.int32)[order]
        found = {
            "run_id": _category(wide.column(RUN)).take(at),
            "key": pa.DictionaryArray.from_arrays(pa.array(columns), self._keys),
            "step": _column(wide, STEP, INT).take(at),
            "time": _times(_column(wide, self._time, DOUBLE).take(at)),
            "value": _concat([piece.value for piece in pieces], DOUBLE).take(here),
            "text": _concat([piece.text for piece in pieces], TEXT).take(here),
            "json": pa.ExtensionArray.from_storage(JSON, _concat([piece.json for piece in pieces], TEXT).take(here)),
            "type": pa.DictionaryArray.from_arrays(pa.array(kinds), pa.array(_KINDS, pa.string())),
            "runtime": _column(wide, self._runtime, DOUBLE).take(at),
        }
        if self._axes is not None:
            found["x_name"], found["x"] = self._x(wide, rows, columns)
        schema = self._schema.arrow
        return pa.RecordBatch.from_arrays([found[name] for name in schema.names], schema=schema)

    def _x(self, wide: Any, rows: Any, columns: Any) -> tuple[Any, Any]:
        """The name and the value of each value's x axis."""
        group_of_row, groups = self._groups(wide)
        names: dict[str, int] = {}
        table = np.full((len(groups), len(self._metrics)), -1, np.int32)
        for number, axis_of in enumerate(groups):
            for column in np.unique(columns):
                name = axis_of(self._metrics[column])
                if name is not None:
                    table[number, column] = names.setdefault(name, len(names))
        codes = table[group_of_row[rows], columns]
        x, known = np.zeros(len(rows)), np.zeros(len(rows), np.bool_)
        for name, code in names.items():
            index = wide.schema.get_field_index(name)
            if index < 0:
                continue
            axis = numbers(wide.column(index))
            here = codes == code
            x[here] = axis.fill_null(0.0).to_numpy(zero_copy_only=False)[rows[here]]
            known[here] = axis.is_valid().to_numpy(zero_copy_only=False)[rows[here]]
        named = pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), pa.array(list(names), pa.string()))
        return named, pa.array(x, mask=~known)

    def _groups(self, wide: Any) -> tuple[Any, list[AxisOf]]:
        """The rows' runs by what their axes are: the number of each row's group, and the groups."""
        assert self._axes is not None
        runs = _category(wide.column(RUN))
        groups: dict[int, tuple[int, AxisOf]] = {}
        of_run = []
        for run_id in runs.dictionary.to_pylist():
            axis_of = self._axes(run_id)
            of_run.append(groups.setdefault(id(axis_of), (len(groups), axis_of))[0])
        found = [axis_of for _, axis_of in groups.values()]
        return np.array(of_run, np.int64)[runs.indices.to_numpy(zero_copy_only=False)], found


def _piece(number: int, array: Any) -> _Piece | None:
    """The values of a column; None where it has none."""
    valid = array.is_valid().to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(valid)
    if not len(rows) or pa.types.is_null(array.type):
        return None
    if len(rows) < len(array):
        array = array.take(pa.array(rows))
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    none = pa.nulls(len(array), TEXT)
    type_ = array.type
    if pa.types.is_boolean(type_) or pa.types.is_integer(type_) or pa.types.is_floating(type_):
        kind = "bool" if pa.types.is_boolean(type_) else "int64" if pa.types.is_integer(type_) else "double"
        exact = _inexact(array) if kind == "int64" else none
        return _Piece(number, rows, _all(kind, rows), array.cast(DOUBLE, safe=False), none, exact)
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return _Piece(number, rows, _all("string", rows), pa.nulls(len(array), DOUBLE), array.cast(TEXT), none)
    return _of_python(number, rows, array)


def _of_python(number: int, rows: Any, array: Any) -> _Piece:
    """The values of a column that holds JSON, lists or structs, each as what it is."""
    parts = [_parted(_plain(value, array.type)) for value in plain_array(array).to_pylist()]
    kinds, value, text, json = zip(*parts, strict=True)
    return _Piece(
        number,
        rows,
        np.array([_KINDS.index(kind) for kind in kinds], np.int32),
        pa.array(value, DOUBLE),
        pa.array(text, TEXT),
        pa.array(json, TEXT),
    )


def _parted(value: Any) -> tuple[str, float | None, str | None, str | None]:
    """A JSON value as kind, number, text and JSON."""
    if isinstance(value, bool):
        return "bool", float(value), None, None
    if isinstance(value, int):
        exact = -EXACT <= value <= EXACT
        return "int64" if -(2**63) <= value < 2**63 else "json", _double(value), None, None if exact else str(value)
    if isinstance(value, float):
        return "double", value, None, None
    if isinstance(value, str) and _is_unicode(value):
        return "string", None, value, None
    return "json", None, None, extjson.dumps(value)


def _plain(value: Any, type_: Any) -> Any:
    """A Python value from Arrow with its JSON texts decoded, and without a struct's fields that it lacks."""
    if value is None:
        return None
    if is_json(type_):
        return extjson.loads(value)
    if pa.types.is_struct(type_):
        return {field.name: _plain(value[field.name], field.type) for field in type_ if value[field.name] is not None}
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return [_plain(item, type_.value_type) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _inexact(array: Any) -> Any:
    """The text of integers that no double holds, null for all others."""
    values = array.cast(INT).to_numpy(zero_copy_only=False)
    far = (values > EXACT) | (values < -EXACT)
    if not far.any():
        return pa.nulls(len(array), TEXT)
    return pa.array([str(value) if beyond else None for value, beyond in zip(values.tolist(), far, strict=True)], TEXT)


def _number_in(text: str | None) -> float | None:
    """The number that a JSON text is."""
    try:
        value = None if text is None else extjson.loads(text)
    except ValueError:
        return None
    return _double(value) if isinstance(value, (int, float)) else None


def _double(value: float) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_number(type_: Any) -> bool:
    return type_ is not None and bool(pa.types.is_integer(type_) or pa.types.is_floating(type_))


def _category(array: Any) -> Any:
    if not pa.types.is_dictionary(array.type):
        array = array.cast(TEXT).dictionary_encode()
    return array.cast(CATEGORY)


def _column(wide: Any, name: str | None, type_: Any) -> Any:
    index = -1 if name is None else wide.schema.get_field_index(name)
    return pa.nulls(wide.num_rows, type_) if index < 0 else wide.column(index).cast(type_)


def _times(seconds: Any) -> Any:
    """Times from seconds since 1970; null for what is no time that Arrow can hold."""
    fitting = pc.and_(pc.is_finite(seconds), pc.less(pc.abs(seconds), 9e12))
    micros = pc.round(pc.multiply(pc.if_else(fitting, seconds, None), 1e6))
    return micros.cast(INT).cast(pa.timestamp("us")).cast(TIME)


def _all(kind: str, rows: Any) -> Any:
    return np.full(len(rows), _KINDS.index(kind), np.int32)


def _joined(arrays: list[Any], dtype: Any) -> Any:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype)


def _concat(arrays: list[Any], type_: Any) -> Any:
    return pa.concat_arrays(arrays) if arrays else pa.nulls(0, type_)
