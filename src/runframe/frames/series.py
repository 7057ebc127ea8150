"""The numbers of histories as series: for each run and metric, values over an x axis."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from runframe.errors import FrameError, UsageError
from runframe.frames.frame import Frame
from runframe.frames.melt import IDENTITY, AxisOf, X, melt, numbers
from runframe.frames.patterns import Pattern, matcher
from runframe.frames.provenance import Provenance
from runframe.frames.schema import TEXT, unknown_column

AUTO = "auto"

_LONG_AXES = {"_step": "step", "step": "step", "_runtime": "runtime", "runtime": "runtime", "x": "x"}
_TIMES = ("_timestamp", "time")


@dataclass(frozen=True)
class Points:
    """Numbers of histories, a row a number, in the order of the source.

    Attributes:
        runs: the runs' ids, in the order in which they come.
        keys: the metrics' names, in the order in which they come.
        run: for each row, the number of its run; `key` that of its metric.
        x: where it stands; NaN where it has no place.
        value: the number; 0 where it is missing.
        missing: whether there is none: only with `nulls`.
        axis: for each row, the number of the name of its x axis; -1 where that is not known.
        axes: the names of the axes.
        others: how many values were no numbers, by metric.
        provenance: what the source says of itself.
    """

    runs: list[str]
    keys: list[str]
    run: Any
    key: Any
    x: Any
    value: Any
    missing: Any
    axis: Any
    axes: list[str]
    others: Mapping[str, int]
    provenance: Provenance | None

    def placed(self, source: str) -> Points:
        """The points that have a finite x; warns of what is left out."""
        numbers_of = set(np.unique(self.key).tolist())
        lost = {name: count for name, count in self.others.items() if count}
        if lost:
            shown = ", ".join(f"{name!r} ({count})" for name, count in list(lost.items())[:5])
            more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
            _warn(f"{source} takes numbers; values of other types are left out: {shown}{more}")
        fine = np.isfinite(self.x)
        if not fine.all():
            names = [self.keys[number] for number in sorted(numbers_of & set(np.unique(self.key[~fine]).tolist()))]
            shown = ", ".join(map(repr, names[:5])) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
            _warn(f"{source} leaves out {int((~fine).sum())} values that have no x, or none that is finite: {shown}")
        return replace(self.where(fine), others={})

    def where(self, rows: Any) -> Points:
        """The points that a mask tells."""
        names = ("run", "key", "x", "value", "missing", "axis")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})


def points_of(source: Any, x: str, keys: Sequence[str] | Pattern | None, *, nulls: bool = False) -> Points:
    """The numbers of a history.

    Args:
        source: a wide or long history as anything that speaks Arrow; or runs, or a run, whose histories are read.
        x: the x axis: a column, a metric, or "auto" for the one that each metric was defined with.
        keys: the metrics; None for all, a list of names, or a pattern.
        nulls: whether a null is a point without a value, and not a value of another type.

    Raises:
        UsageError: the source has no such axis or metric, or does not say which axis each metric has.
        FrameError: the source is no history.
    """
    if not isinstance(x, str) or not x:
        raise UsageError(f"x must be 'auto' or the name of a column or metric, not {x!r}")
    for reader in ("histories_frame", "history_frame"):
        if hasattr(source, reader):
            source = getattr(source, reader)(keys, shape="long", x=x)
            return _of_long(source, "x", None, nulls=False)
    frame = Frame.from_arrow(source)
    names = frame.columns
    if {"run_id", "key", "value"} <= set(names):
        return _of_long(frame, x, keys, nulls=nulls)
    if x == AUTO:
        axes = _axes_in(frame)
        metrics, axis_of = _chosen(list(axes), keys), _named_axis(axes)
    elif x in names:
        metrics, axis_of = _chosen([name for name in names if name not in (*IDENTITY, x)], keys), _constant(x)
    else:
        raise unknown_column(x, names, "the frame has")
    return _of_long(melt(frame, metrics, lambda run_id: axis_of), "x", None, nulls=False)


def _axes_in(frame: Frame) -> dict[str, str]:
    """The metrics of a wide frame with the axes that it says they have; "" where its runs disagree."""
    named = {field.name: (field.metadata or {}).get(X) for field in frame.schema}
    axes = {name: axis.decode() for name, axis in named.items() if axis is not None}
    if not axes and any(name not in IDENTITY for name in frame.columns):
        raise UsageError(
            "the frame does not say which x axis each metric has: read it with x='auto', or name one axis here"
        )
    return axes


def _named_axis(axes: Mapping[str, str]) -> AxisOf:
    def axis_of(key: str) -> str:
        if not axes[key]:
            raise UsageError(f"the runs have {key!r} over different x axes: read the history with shape='long'")
        return axes[key]

    return axis_of


def _constant(x: str) -> AxisOf:
    return lambda key: x


def _of_long(frame: Frame, x: str, keys: Sequence[str] | Pattern | None, *, nulls: bool) -> Points:
    """The numbers of a long history."""
    names = frame.columns
    column = _axis_column(names, x)
    reading = _Reading(column, "x_name" if column == "x" and "x_name" in names else None, nulls=nulls)
    wanted = [name for name in ("run_id", "key", "value", column or "step", reading.axis_column) if name]
    if column is None and "step" not in names:
        raise unknown_column(x, names, "the frame has")
    for batch in frame.to_batches():
        reading.take(batch, wanted)
    found = reading.points(frame.provenance, x if column is None else None)
    if keys is None:
        return found
    chosen = set(_chosen(found.keys, keys))
    here = np.array([name in chosen for name in found.keys], np.bool_)[found.key]
    others = {name: count for name, count in found.others.items() if name in chosen}
    return replace(found.where(here), others=others)


def _axis_column(names: Sequence[str], x: str) -> str | None:
    """The column that is the axis; None for a metric's own rows."""
    if x == AUTO:
        if "x" not in names:
            raise UsageError("the frame has no column 'x': read it with x='auto', or name one axis here")
        return "x"
    column = "time" if x in _TIMES else _LONG_AXES.get(x)
    return column if column in names else None


_PARTS = ("run", "key", "value", "missing", "x", "axis")


class _Reading:
    """Gathers points from the batches of a long frame."""

    def __init__(self, column: str | None, axis_column: str | None, *, nulls: bool) -> None:
        self.column = column
        self.axis_column = axis_column
        self._nulls = nulls
        self._runs: dict[str, int] = {}
        self._keys: dict[str, int] = {}
        self._axes: dict[str, int] = {}
        self._others: dict[str, int] = {}
        self._parts: list[dict[str, Any]] = []

    def take(self, batch: Any, columns: Sequence[str]) -> None:
        """Takes the numbers of a batch."""
        found = {name: batch.column(name) for name in columns}
        run, key = _codes(found["run_id"], self._runs), _codes(found["key"], self._keys)
        if (run < 0).any() or (key < 0).any():
            raise FrameError("the history has rows without a run_id or a key")
        values = found["value"]
        there = _is_valid(values)
        valid = np.ones(len(there), np.bool_) if self._nulls else there
        self._note_others(key, ~valid)
        part = {
            "missing": ~there[valid],
            "run": run[valid],
            "key": key[valid],
            "value": numbers(values).fill_null(0.0).to_numpy(zero_copy_only=False)[valid],
            "x": _places(found[self.column])[valid] if self.column else np.full(int(valid.sum()), np.nan),
        }
        if self.axis_column:
            part["axis"] = _codes(found[self.axis_column], self._axes)[valid]
        else:
            part["axis"] = np.full(len(part["run"]), -1, np.int64)
        if self.column is None:
            part["step"] = found["step"].fill_null(-1).to_numpy(zero_copy_only=False)[valid]
        self._parts.append(part)

    def _note_others(self, key: Any, others: Any) -> None:
        names = list(self._keys)
        for number, count in zip(*np.unique(key[others], return_counts=True), strict=True):
            self._others[names[number]] = self._others.get(names[number], 0) + int(count)

    def points(self, provenance: Provenance | None, metric: str | None) -> Points:
        """What was gathered; with `metric`, over the values of that metric in the same rows."""
        joined = {name: _joined([part[name] for part in self._parts]) for name in _PARTS}
        keys = list(self._keys)
        if metric is not None:
            if metric not in self._keys:
                raise unknown_column(metric, keys, "the metrics are")
            step = _joined([part["step"] for part in self._parts])
            joined["x"] = _metric_axis(joined, step, self._keys[metric])
            joined["axis"], self._axes = np.zeros(len(step), np.int64), {metric: 0}
        elif self.axis_column is None and self.column is not None:
            joined["axis"], self._axes = np.zeros(len(joined["run"]), np.int64), {self.column: 0}
        whole = {name: array.astype(np.int64) for name, array in joined.items() if name in ("run", "key", "axis")}
        return Points(
            runs=list(self._runs),
            keys=keys,
            x=joined["x"].astype(np.float64),
            value=joined["value"].astype(np.float64),
            missing=joined["missing"].astype(np.bool_),
            axes=list(self._axes),
            others=self._others,
            provenance=provenance,
            **whole,
        )


def _metric_axis(joined: Mapping[str, Any], step: Any, metric: int) -> Any:
    """The values of one metric in the rows (run and step) of all points; NaN where a row has none."""
    is_axis = joined["key"] == metric
    rows = np.stack([joined["run"].astype(np.int64), step.astype(np.int64)], axis=1)
    _, row = np.unique(rows, axis=0, return_inverse=True)
    row = row.reshape(-1)
    values = np.full(int(row.max()) + 1 if len(row) else 0, np.nan)
    values[row[is_axis]] = joined["value"][is_axis]
    return values[row]


def _chosen(names: Sequence[str], keys: Sequence[str] | Pattern | None) -> list[str]:
    if keys is None:
        return list(names)
    if isinstance(keys, (str, re.Pattern)) or callable(keys):
        found = list(filter(matcher(keys), names))
        if not found:
            raise UsageError(f"no metric matches {keys!r}; there are {', '.join(names[:20]) or 'none'}")
        return found
    for key in keys:
        if key not in names:
            raise unknown_column(key, list(names), "the metrics are")
    return list(dict.fromkeys(keys))


def _codes(array: Any, known: dict[str, int]) -> Any:
    """The numbers of an array's texts in a growing list of texts; -1 for null."""
    if not pa.types.is_dictionary(array.type):
        array = array.cast(TEXT).dictionary_encode()
    texts = array.dictionary.to_pylist()
    indices = array.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    numbers_of = np.full(len(texts) + 1, -1, np.int64)
    for index in np.unique(indices[indices >= 0]):
        numbers_of[index] = known.setdefault(texts[index], len(known))
    return numbers_of[indices]


def _places(array: Any) -> Any:
    """The values of an axis as floats, times as seconds since 1970; NaN for null."""
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.timestamp("us", array.type.tz)).cast(pa.int64())
        return array.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy(zero_copy_only=False) / 1e6
    return numbers(array).fill_null(np.nan).to_numpy(zero_copy_only=False)


def _is_valid(array: Any) -> Any:
    return array.is_valid().to_numpy(zero_copy_only=False)


def _joined(arrays: Sequence[Any]) -> Any:
    return np.concatenate(arrays) if arrays else np.zeros(0)


def _warn(message: str) -> None:
    from runframe.frames.callers import user_level

    warnings.warn(message, UserWarning, stacklevel=user_level())
