"""Mean, spread and confidence of series over the runs that only differ by chance, as in their seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from runframe import extjson
from runframe.errors import FrameError, UsageError
from runframe.frames.align import framed
from runframe.frames.frame import Frame
from runframe.frames.quantiles import normal_quantile, t_quantile
from runframe.frames.schema import unknown_column
from runframe.frames.series import Points, points_of
from runframe.frames.storage import plain_table

Interval = Literal["t", "normal"]
NaN = Literal["keep", "omit"]

RUN = "run_id"


def aggregate(
    source: Any,
    by: Sequence[str] | str = (),
    over: str = "seed",
    *,
    runs: Any = None,
    level: float = 0.95,
    interval: Interval = "t",
    ddof: int = 1,
    nan: NaN = "keep",
) -> Frame:
    """Statistics of aligned series over runs: one value a group, metric and x.

    Args:
        source: what `align` gave; or any long frame with `run_id`, `key`, `x` and `value`. It may have columns that
            tell of the runs as well.
        by: what tells the groups apart: columns that tell of the runs. One name, a list, or an empty list for one
            group of all runs.
        over: what tells the runs of a group apart: a column with one value a run. "run_id" takes each run by itself.
        runs: what tells of the runs, by `id` or `run_id`: runs (`api.runs(…)`), or a frame of them. A name may leave
            out its ``config.``. None for the runs whose histories these are, where the frame knows them: as what
            `Runs.histories_frame` gave, or `align` of that.
        level: of the confidence interval of the mean, between 0 and 1.
        interval: "t" (Student's, with count - 1 degrees of freedom) or "normal".
        ddof: what is subtracted from the count in the divisor of the variance: 1 for a sample, 0 for all there is.
        nan: "keep" makes the statistics NaN where a value is; "omit" leaves such values out of them and of the count.

    Returns:
        A frame with the columns `by`, then `key`, `x`, `mean`, `std`, `ci_low`, `ci_high`, `count`. Groups and metrics
        stand in the order in which they come, x ascends. Null values are not counted; where nothing is left, `count`
        is 0 and all else null. `std` is null where the count is not above `ddof`, the interval also where it is 1.

    Raises:
        UsageError: an argument is malformed, or a name is unknown.
        FrameError: two runs of a group have the same value of `over`, or a run has none.
    """
    by = [by] if isinstance(by, str) else list(by)
    _check(level, interval, ddof, nan)
    frame = Frame.from_arrow(source)
    if missing := [name for name in (RUN, "key", "x", "value") if name not in frame.columns]:
        raise UsageError(f"aggregate takes what align gives; the frame has no column {missing[0]!r}")
    # In an aligned frame null is a point without a value; in a history it is a value of another type.
    points = points_of(frame, "x", None, nulls="type" not in frame.columns).placed("aggregate")
    told = _Told(points.runs, by, over, frame, frame._runs if runs is None else runs)
    statistics = _statistics(points, told, nan)
    table = statistics.table(told, points.keys, _Spread(level, interval, ddof))
    query = f"aggregate(by={by!r}, over={over!r}, level={level!r}, interval={interval!r}, ddof={ddof!r}, nan={nan!r})"
    return framed(table, points.provenance, query)


def _check(level: Any, interval: Any, ddof: Any, nan: Any) -> None:
    if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < 1:
        raise UsageError(f"level must be between 0 and 1, as in 0.95, not {level!r}")
    if interval not in ("t", "normal"):
        raise UsageError(f"interval must be 't' or 'normal', not {interval!r}")
    if isinstance(ddof, bool) or not isinstance(ddof, int) or ddof < 0:
        raise UsageError(f"ddof must be 0, 1, …, not {ddof!r}")
    if nan not in ("keep", "omit"):
        raise UsageError(f"nan must be 'keep' or 'omit', not {nan!r}")


class _Told:
    """What is told of each run: its group, and what it is called in it.

    Attributes:
        group: the number of each run's group.
        name: what tells each run from the others of its group, as text.
        columns: the columns of the groups, by name, a row a group.
    """

    def __init__(self, run_ids: Sequence[str], by: Sequence[str], over: str, frame: Frame, runs: Any) -> None:
        self._run_ids = run_ids
        names = list(dict.fromkeys([*by, over]))
        table = _table_of_runs(run_ids, names, frame, runs)
        self.name = [_text(value) for value in table.column(over).to_pylist()]
        for run_id, value in zip(run_ids, table.column(over).to_pylist(), strict=True):
            if value is None:
                raise FrameError(
                    f"{run_id} has no {over!r}: give it one, leave the run out, or pass over='run_id'", path=run_id
                )
        self.over = over
        self.by = list(by)
        columns = [table.column(name).to_pylist() for name in by]
        keys = [tuple(map(_text, row)) for row in zip(*columns, strict=True)] if by else [()] * len(run_ids)
        groups: dict[tuple[str, ...], int] = {}
        first: list[int] = []
        group = []
        for row, key in enumerate(keys):
            if key not in groups:
                groups[key] = len(groups)
                first.append(row)
            group.append(groups[key])
        self.group = np.array(group, np.int64)
        self.columns = table.select(list(by)).take(pa.array(first, pa.int64()))

    def twins(self, left: int, right: int) -> FrameError:
        """The error of two runs that nothing tells apart."""
        one, other = self._run_ids[left], self._run_ids[right]
        if left == right:
            return FrameError(f"{one} has several values of a metric at one x: align the series first", path=one)
        return FrameError(
            f"{one} and {other} are in one group and have the same {self.over!r} ({self.name[left]}): name what else "
            "tells them apart in by=, or pass over='run_id'",
            path=one,
        )


def _table_of_runs(run_ids: Sequence[str], names: Sequence[str], frame: Frame, runs: Any) -> pa.Table:
    """A row a run, with the columns asked for under the names asked for."""
    found = {RUN: pa.chunked_array([pa.array(run_ids, pa.string())])}
    own = [name for name in names if name in frame.columns and name != RUN]
    if own:
        found |= _constant_columns(run_ids, own, frame)
    rest = [name for name in names if name not in found]
    if rest:
        if runs is None:
            known = [name for name in frame.columns if name not in ("key", "x", "x_name", "value")]
            raise UsageError(f"{unknown_column(rest[0], known, 'the frame has').message}; runs= says more of the runs")
        found |= _columns_of_runs(run_ids, rest, runs)
    return pa.table({name: found[name] for name in names}) if names else pa.table({RUN: found[RUN]})


def _constant_columns(run_ids: Sequence[str], names: Sequence[str], frame: Frame) -> dict[str, Any]:
    """Columns of the history that have one value a run."""
    table = plain_table(frame.to_arrow()).select([RUN, *names])
    ids = table.column(RUN).to_pylist()
    first: dict[str, int] = {}
    for row, run_id in enumerate(ids):
        first.setdefault(run_id, row)
    for name in names:
        values = [_text(value) for value in table.column(name).to_pylist()]
        for row, run_id in enumerate(ids):
            if values[row] != values[first[run_id]]:
                raise FrameError(
                    f"{run_id} has several values of {name!r}: {values[first[run_id]]} and {values[row]}", path=run_id
                )
    rows = pa.array([first.get(run_id) for run_id in run_ids], pa.int64())
    return {name: table.column(name).take(rows) for name in names}


def _columns_of_runs(run_ids: Sequence[str], names: Sequence[str], runs: Any) -> dict[str, Any]:
    """Columns of a table of runs; a name may leave out its ``config.``."""
    if hasattr(runs, "SCHEMA") and hasattr(runs, "frame"):
        asked = [_full_name(name, runs.SCHEMA.names) for name in names]
        frame = runs.frame(list(dict.fromkeys(["id", *asked])))
    else:
        frame = Frame.from_arrow(runs)
        asked = [name if name in frame.columns else f"config.{name}" for name in names]
    identity = next((name for name in (RUN, "id") if name in frame.columns), None)
    if identity is None:
        raise UsageError("runs= needs a column 'id' or 'run_id'")
    for name, column in zip(names, asked, strict=True):
        if column not in frame.columns:
            raise unknown_column(name, frame.columns, "runs have")
    table = plain_table(frame.to_arrow())
    place = {run_id: row for row, run_id in enumerate(table.column(identity).to_pylist())}
    if unknown := [run_id for run_id in run_ids if run_id not in place]:
        raise FrameError(f"runs= does not tell of {unknown[0]}", path=unknown[0])
    rows = pa.array([place[run_id] for run_id in run_ids], pa.int64())
    return {name: table.column(column).take(rows) for name, column in zip(names, asked, strict=True)}


def _full_name(name: str, known: Sequence[str]) -> str:
    return name if name in known or name.partition(".")[0] in known else f"config.{name}"


def _text(value: Any) -> str:
    """A value as text that is the same for the same values: what groups are told apart by."""
    if isinstance(value, (list, dict)):
        return extjson.dumps(value)
    return f"{value!r}" if isinstance(value, str) else str(value)


@dataclass(frozen=True)
class _Spread:
    """How the spread of values is told."""

    level: float
    interval: Interval
    ddof: int

    def half_widths(self, std: Any, count: Any) -> Any:
        """Half the width of the confidence interval of each mean; NaN where there is none."""
        probability = 0.5 + self.level / 2.0
        factor = np.full(len(count), np.nan)
        for number in np.unique(count[count > 1]):
            quantile = (
                normal_quantile(probability) if self.interval == "normal" else t_quantile(probability, int(number) - 1)
            )
            factor[count == number] = quantile / np.sqrt(number)
        with np.errstate(invalid="ignore"):
            return factor * std


@dataclass(frozen=True)
class _Statistics:
    """The sums over the runs of each group, metric and x."""

    group: Any
    key: Any
    x: Any
    count: Any
    mean: Any
    squares: Any

    def table(self, told: _Told, keys: Sequence[str], spread: _Spread) -> pa.Table:
        """The result."""
        with np.errstate(invalid="ignore", divide="ignore"):
            std = np.sqrt(self.squares / np.maximum(self.count - spread.ddof, 0))
        has_std = self.count > spread.ddof
        half = spread.half_widths(np.where(has_std, std, np.nan), self.count)
        has_interval = has_std & (self.count > 1)
        columns: Mapping[str, Any] = {name: told.columns.column(name).take(pa.array(self.group)) for name in told.by}
        with np.errstate(invalid="ignore"):
            found = {
                "key": pa.DictionaryArray.from_arrays(pa.array(self.key.astype(np.int32)), pa.array(keys, pa.string())),
                "x": pa.array(self.x),
                "mean": pa.array(self.mean, mask=self.count == 0),
                "std": pa.array(std, mask=~has_std),
                "ci_low": pa.array(self.mean - half, mask=~has_interval),
                "ci_high": pa.array(self.mean + half, mask=~has_interval),
                "count": pa.array(self.count),
            }
        if clash := [name for name in columns if name in found]:
            raise UsageError(f"{clash[0]!r} cannot be in by=: it is a column of the result")
        return pa.table({**columns, **found})


def _statistics(points: Points, told: _Told, nan: NaN) -> _Statistics:
    group = told.group[points.run] if len(points.run) else np.zeros(0, np.int64)
    texts = {text: number for number, text in enumerate(dict.fromkeys(told.name))}
    names = np.array([texts[name] for name in told.name], np.int64)
    name = names[points.run] if len(points.run) else group
    order = np.lexsort((name, points.x, points.key, group))
    group, key, x, name, run = (array[order] for array in (group, points.key, points.x, name, points.run))
    value = points.value[order]
    same = (np.diff(group) == 0) & (np.diff(key) == 0) & (np.diff(x) == 0)
    if (twins := same & (np.diff(name) == 0)).any():
        place = int(np.argmax(twins))
        raise told.twins(int(run[place]), int(run[place + 1]))
    starts = np.flatnonzero(np.concatenate([[True], ~same])) if len(x) else np.zeros(0, np.int64)
    counts = np.isfinite(value) | np.isinf(value) if nan == "omit" else np.ones(len(value), np.bool_)
    counts &= ~points.missing[order]
    weight = counts.astype(np.int64)
    where = np.repeat(np.arange(len(starts)), np.diff([*starts, len(x)])) if len(starts) else starts
    count = _sums(weight, starts)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        mean = _sums(np.where(counts, value, 0.0), starts) / count
        squares = _sums(np.where(counts, (value - mean[where]) ** 2, 0.0), starts)
    return _Statistics(group[starts], key[starts], x[starts], count, mean, squares)


def _sums(values: Any, starts: Any) -> Any:
    return np.add.reduceat(values, starts) if len(starts) else values[:0]
