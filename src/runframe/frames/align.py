"""Series of many runs brought to one grid of x values; how is always said, never guessed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from runframe.errors import FrameError, UsageError
from runframe.frames.frame import Frame
from runframe.frames.patterns import Pattern
from runframe.frames.provenance import Provenance
from runframe.frames.schema import CATEGORY, DOUBLE, Column, Schema
from runframe.frames.series import Points, points_of

Method = Literal["exact", "previous", "linear"]
Beyond = Literal["null", "hold"]
Duplicates = Literal["error", "first", "last", "mean"]

ALIGNED = Schema(
    "aligned series",
    [
        Column("run_id", CATEGORY, "run_id", "Id of the run."),
        Column("key", CATEGORY, "key", "Name of the metric."),
        Column("x_name", CATEGORY, "x_name", "Name of the x axis; null where the source does not say."),
        Column("x", DOUBLE, "x", "A point of the grid."),
        Column("value", DOUBLE, "value", "The run's value there; null where it has none."),
    ],
)
"""The columns of an aligned frame: for each run and metric every point of the metric's grid."""


def align(
    source: Any,
    x: str,
    *,
    grid: Literal["union"] | int | Sequence[float],
    method: Method,
    keys: Sequence[str] | Pattern | None = None,
    beyond: Beyond = "null",
    duplicates: Duplicates = "error",
) -> Frame:
    """Brings the series of runs to one grid, so that they can be compared and averaged point by point.

    A series is what one run logged of one metric. Only numbers (and booleans, as 0 and 1) take part; values of other
    types, and values without a finite x, are left out with a warning. NaN is a value like others. Nothing is
    extrapolated: before a series' first point and after its last one there is null, unless `beyond` says otherwise.
    The series are held in memory, 40 bytes a value.

    Args:
        source: a wide or long history (`history_frame`, `histories_frame`, a polars or pandas frame, …); or runs, or
            a run, whose histories are read.
        x: the axis: "auto" for the one that `define_metric` gave to each metric, `_step`, `_runtime`, `_timestamp`, or
            a metric.
        grid: "union" for every x at which any run has a value of the metric; a number of points, evenly spread
            between the smallest and the largest x of the metric over all runs; or the points themselves.
        method: "exact" takes a value only where it was logged; "previous" takes the last one logged up to the point;
            "linear" interpolates between the two around it.
        keys: the metrics; None for all of the source, a list of names, or a pattern.
        beyond: what stands after a series' last point: "null", or its last value ("hold").
        duplicates: what becomes of several values of one series at one x: "error", or the "first", "last" or "mean".

    Returns:
        A frame with the columns of `ALIGNED`: runs and metrics in the order in which they come, x ascending.

    Raises:
        UsageError: an argument is malformed, or the runs have a metric over different axes.
        FrameError: the source is no history, or a series has several values at one x.
    """
    points_on = _Grid.checked(grid)
    for name, value, allowed in (
        ("method", method, ("exact", "previous", "linear")),
        ("beyond", beyond, ("null", "hold")),
        ("duplicates", duplicates, ("error", "first", "last", "mean")),
    ):
        if value not in allowed:
            raise UsageError(f"{name} must be {', '.join(map(repr, allowed[:-1]))} or {allowed[-1]!r}, not {value!r}")
    points = points_of(source, x, keys).placed("align")
    _check_axes(points)
    table = _aligned(points, points_on, method, beyond, duplicates)
    said = grid if isinstance(grid, (str, int)) else f"{len(points_on.given)} points"
    query = f"align(x={x!r}, grid={said!r}, method={method!r}, beyond={beyond!r}, duplicates={duplicates!r})"
    own = source._runs if isinstance(source, Frame) else None
    runs = source if hasattr(source, "histories_frame") else own
    return framed(table, points.provenance, query, runs)


@dataclass(frozen=True)
class _Grid:
    """The points that were asked for: given, or a number of them; neither is the union."""

    given: Any = ()
    count: int | None = None

    @classmethod
    def checked(cls, grid: Any) -> _Grid:
        if isinstance(grid, str):
            if grid != "union":
                raise UsageError(f"grid must be 'union', a number of points, or the points, not {grid!r}")
            return cls()
        if isinstance(grid, bool) or grid is None:
            raise UsageError(f"grid must be 'union', a number of points, or the points, not {grid!r}")
        if hasattr(grid, "__index__") and not hasattr(grid, "__len__"):
            if grid < 1:
                raise UsageError(f"grid must have at least one point, not {grid}")
            return cls(count=int(grid))
        try:
            given = np.asarray(grid, dtype=np.float64)
        except (TypeError, ValueError):
            raise UsageError(f"grid must be 'union', a number of points, or the points, not {grid!r:.80}") from None
        if given.ndim != 1 or not np.isfinite(given).all():
            raise UsageError("the points of a grid must be a list of finite numbers")
        return cls(given=np.unique(given))

    def over(self, x: Any) -> Any:
        """The grid of a metric whose series have these x values, in order."""
        if self.count is not None:
            return np.linspace(x.min(), x.max(), self.count) if len(x) else np.zeros(0)
        return np.unique(x) if isinstance(self.given, tuple) else self.given


def _check_axes(points: Points) -> None:
    """Refuses metrics that different runs have over different axes: their x values do not go together."""
    for number, key in enumerate(points.keys):
        here = points.key == number
        axes = np.unique(points.axis[here])
        if len(axes) > 1:
            shown = []
            for axis in axes[:2]:
                run = points.runs[int(points.run[here & (points.axis == axis)][0])]
                shown.append(f"{points.axes[axis] if axis >= 0 else 'none'!r} in {run}")
            raise UsageError(f"the runs have {key!r} over different x axes: {' and '.join(shown)}; name one as x")


def _aligned(points: Points, grid: _Grid, method: Method, beyond: Beyond, duplicates: Duplicates) -> pa.Table:
    order = np.lexsort((points.x, points.key, points.run))
    run, key, x, value = (array[order] for array in (points.run, points.key, points.x, points.value))
    grids = {int(number): grid.over(points.x[points.key == number]) for number in np.unique(points.key)}
    axes = {int(number): int(points.axis[points.key == number][0]) for number in grids}
    runs: list[Any] = []
    keys: list[Any] = []
    names: list[Any] = []
    xs: list[Any] = []
    values: list[Any] = []
    for start, stop in _segments(run, key):
        number = int(key[start])
        series = _Series(points.runs[run[start]], points.keys[number], x[start:stop], value[start:stop])
        found = series.single(duplicates).at(grids[number], method, beyond)
        xs.append(grids[number])
        values.append(found)
        for codes, code in ((runs, int(run[start])), (keys, number), (names, axes[number])):
            codes.append(np.full(len(found), code, np.int32))
    return pa.Table.from_arrays(
        [
            _named(_joined(runs, np.int32), points.runs),
            _named(_joined(keys, np.int32), points.keys),
            _named(_joined(names, np.int32), points.axes),
            pa.array(_joined(xs, np.float64)),
            pa.concat_arrays(values) if values else pa.nulls(0, DOUBLE),
        ],
        schema=ALIGNED.arrow,
    )


@dataclass(frozen=True)
class _Series:
    """One run's values of one metric, x ascending."""

    run: str
    key: str
    x: Any
    value: Any

    def single(self, duplicates: Duplicates) -> _Series:
        """The series with one value an x."""
        new = np.concatenate([[True], np.diff(self.x) != 0])
        if new.all():
            return self
        if duplicates == "error":
            place = self.x[int(np.argmin(new))]
            raise FrameError(
                f"{self.key!r} of {self.run} has several values at x={place:g}: "
                "pass duplicates='first', 'last' or 'mean', or another x",
                path=self.run,
            )
        starts = np.flatnonzero(new)
        if duplicates == "mean":
            with np.errstate(invalid="ignore"):
                value = np.add.reduceat(self.value, starts) / np.diff([*starts, len(new)])
        else:
            value = self.value[starts if duplicates == "first" else np.append(starts[1:], len(new)) - 1]
        return replace(self, x=self.x[starts], value=value)

    def at(self, grid: Any, method: Method, beyond: Beyond) -> Any:
        """The values at the points of a grid, as an Arrow array: null where there is none."""
        before = np.searchsorted(self.x, grid, side="right") - 1
        low = np.maximum(before, 0)
        hit = (before >= 0) & (self.x[low] == grid)
        value = self.value[low].copy()
        after = grid > self.x[-1]
        if method == "exact":
            known = hit
        else:
            known = (before >= 0) & ~after
            if method == "linear":
                between = known & ~hit
                value[between] = self._between(low[between], grid[between])
        if beyond == "hold":
            value[after] = self.value[-1]
            known = known | after
        return pa.array(value, mask=~known)

    def _between(self, low: Any, grid: Any) -> Any:
        share = (grid - self.x[low]) / (self.x[low + 1] - self.x[low])
        with np.errstate(invalid="ignore", over="ignore"):
            # Weighted so, and not by a difference, two values that are alike and infinite give that value.
            low_part, high_part = (1.0 - share) * self.value[low], share * self.value[low + 1]
            return low_part + high_part


def _segments(*codes: Any) -> Iterator[tuple[int, int]]:
    """Where runs of equal codes begin and end."""
    if not len(codes[0]):
        return
    new = np.any([np.diff(array) != 0 for array in codes], axis=0)
    bounds = [0, *(np.flatnonzero(new) + 1).tolist(), len(codes[0])]
    yield from pairwise(bounds)


def _named(codes: Any, names: Sequence[str]) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), pa.array(names, pa.string()))


def _joined(arrays: Sequence[Any], dtype: Any) -> Any:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype)


def framed(table: pa.Table, given: Provenance | None, query: str, runs: Any = None) -> Frame:
    """The frame of a result, which is as complete as its source was."""
    said = None
    if given is not None:
        read = given.rows if given.rows_read is None else given.rows_read
        asked = " · ".join(filter(None, [given.query, query]))
        said = replace(given, rows=table.num_rows, rows_read=read, query=asked, conflicts=0)
    return Frame(table.schema, table.to_batches, said, num_rows=table.num_rows, runs=runs)
