"""Series brought to one grid, and averaged over runs: equal to what plain Python says."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from runframe import Frame, FrameError, UsageError, aggregate, align
from runframe.frames.provenance import Provenance
from runframe.frames.quantiles import normal_quantile, t_quantile

Series = list[tuple[float, float]]


def long(series: dict[tuple[str, str], Series], **more: Any) -> pa.Table:
    """A long history of runs' metrics, values as they are given."""
    rows = [(run, key, x, value) for (run, key), points in series.items() for x, value in points]
    names = ["run_id", "key", "x", "value"]
    types = [pa.string(), pa.string(), pa.float64(), pa.float64()]
    arrays = [pa.array([row[index] for row in rows], kind) for index, kind in enumerate(types)]
    return pa.table(dict(zip(names, arrays, strict=True)) | more)


def values(frame: Frame, run: str, key: str) -> list[float | None]:
    return [row["value"] for row in rows_of(frame) if (row["run_id"], row["key"]) == (run, key)]


def rows_of(frame: Frame) -> list[dict[str, Any]]:
    return list(frame.to_arrow().to_pylist())


def plainly(points: Series, grid: Sequence[float], method: str, beyond: str) -> list[float | None]:
    """The definition of each method, point by point."""
    ordered = sorted(points)
    found: list[float | None] = []
    for place in grid:
        at = [value for x, value in ordered if x == place]
        before = [(x, value) for x, value in ordered if x <= place]
        after = [(x, value) for x, value in ordered if x > place]
        if at:
            found.append(at[0])
        elif not after and beyond == "hold":
            found.append(before[-1][1])
        elif not before or not after or method == "exact":
            found.append(None)
        elif method == "previous":
            found.append(before[-1][1])
        else:
            share = (place - before[-1][0]) / (after[0][0] - before[-1][0])
            found.append((1 - share) * before[-1][1] + share * after[0][1])
    return found


def alike(left: Sequence[float | None], right: Sequence[float | None]) -> bool:
    return len(left) == len(right) and all(
        a is b is None or (a is not None and b is not None and (a == b or math.isclose(a, b) or (a != a and b != b)))
        for a, b in zip(left, right, strict=True)
    )


POINTS = st.dictionaries(
    st.integers(0, 12).map(float), st.floats(-1e6, 1e6) | st.just(math.nan), min_size=1, max_size=6
)
MANY = st.dictionaries(st.tuples(st.sampled_from("ab"), st.sampled_from("kl")), POINTS, min_size=1, max_size=4)


@given(
    many=MANY,
    grid=st.lists(st.floats(-2, 14), min_size=1, max_size=5) | st.just("union") | st.integers(1, 5),
    method=st.sampled_from(["exact", "previous", "linear"]),
    beyond=st.sampled_from(["null", "hold"]),
)
@settings(deadline=None)
def test_aligned_values_are_those_of_the_definition(many: Any, grid: Any, method: Any, beyond: Any) -> None:
    series = {place: list(points.items()) for place, points in many.items()}
    frame = align(long(series), "x", grid=grid, method=method, beyond=beyond)
    for (run, key), points in series.items():
        xs = [x for (_, other), found in series.items() if other == key for x, _ in found]
        expected = sorted(set(xs)) if grid == "union" else sorted(set(grid)) if isinstance(grid, list) else None
        if expected is None:
            assert isinstance(grid, int)
            low, high = min(xs), max(xs)
            expected = [low + (high - low) * index / (grid - 1) for index in range(grid)] if grid > 1 else [low]
        got = [row for row in rows_of(frame) if (row["run_id"], row["key"]) == (run, key)]
        assert alike([row["x"] for row in got], expected)
        assert alike([row["value"] for row in got], plainly(points, [row["x"] for row in got], method, beyond))


def test_the_order_of_the_source_does_not_matter_within_a_series() -> None:
    frame = align(long({("a", "k"): [(2, 5.0), (0, 1.0), (1, 3.0)]}), "x", grid="union", method="exact")
    assert values(frame, "a", "k") == [1.0, 3.0, 5.0]


def test_columns_and_their_types() -> None:
    frame = align(long({("a", "k"): [(0, 1.0)]}), "x", grid="union", method="exact")
    text = pa.dictionary(pa.int32(), pa.string())
    assert dict(zip(frame.columns, frame.schema.types, strict=True)) == {
        "run_id": text, "key": text, "x_name": text, "x": pa.float64(), "value": pa.float64(),
    }  # fmt: skip
    assert rows_of(frame) == [{"run_id": "a", "key": "k", "x_name": "x", "x": 0.0, "value": 1.0}]
    assert align(long({}), "x", grid="union", method="exact").num_rows == 0
    assert align(long({}), "x", grid=3, method="linear").num_rows == 0


@pytest.mark.parametrize(("choice", "expected"), [("first", [1.0, 9.0]), ("last", [3.0, 9.0]), ("mean", [2.0, 9.0])])
def test_several_values_at_one_x_are_a_choice(choice: Any, expected: list[float]) -> None:
    table = long({("a", "k"): [(0, 1.0), (0, 2.0), (5, 9.0), (0, 3.0)]})
    assert values(align(table, "x", grid="union", method="exact", duplicates=choice), "a", "k") == expected
    with pytest.raises(FrameError, match="'k' of a has several values at x=0") as caught:
        align(table, "x", grid="union", method="exact")
    assert caught.value.path == "a"


def test_infinities_stay_what_they_are() -> None:
    table = long({("a", "k"): [(0, math.inf), (2, math.inf), (4, 0.0)]})
    assert values(align(table, "x", grid=[1, 3, 4], method="linear"), "a", "k") == [math.inf, math.inf, 0.0]


def test_what_has_no_x_is_warned_of() -> None:
    table = long({("a", "k"): [(0, 1.0), (math.nan, 2.0), (math.inf, 3.0)]})
    with pytest.warns(UserWarning, match="leaves out 2 values that have no x, or none that is finite: 'k'") as seen:
        assert align(table, "x", grid="union", method="exact").num_rows == 1
    assert seen[0].filename == __file__


def test_what_is_no_number_is_warned_of() -> None:
    table = long({("a", "k"): [(0, 1.0)], ("a", "word"): [(0, None)]})  # type: ignore[list-item]
    with pytest.warns(UserWarning, match=r"values of other types are left out: 'word' \(1\)"):
        assert align(table, "x", grid="union", method="exact").num_rows == 1
    assert align(table, "x", grid="union", method="exact", keys=["k"]).num_rows == 1


WIDE = {
    "run_id": ["a", "a", "b"],
    "_step": [0, 1, 0],
    "epoch": [10, 20, 10],
    "loss": [1.0, None, 3.0],
    "acc": [1, 2, 3],
}


@pytest.mark.parametrize("make", [pa.table, pl.DataFrame, lambda data: pd.DataFrame(data)])
def test_a_wide_frame_of_any_library_is_a_history_too(make: Any) -> None:
    frame = align(make(WIDE), "epoch", grid="union", method="previous")
    if make in (pa.table, pl.DataFrame):  # in pandas a null of floats is NaN
        assert [(row["run_id"], row["key"], row["x"], row["value"]) for row in rows_of(frame)] == [
            ("a", "loss", 10.0, 1.0), ("a", "acc", 10.0, 1.0), ("a", "acc", 20.0, 2.0), ("b", "loss", 10.0, 3.0),
            ("b", "acc", 10.0, 3.0), ("b", "acc", 20.0, None),
        ]  # fmt: skip
    assert {row["x_name"] for row in rows_of(frame)} == {"epoch"}
    assert values(align(make(WIDE), "_step", grid=[0, 1], method="exact", keys="a*"), "a", "acc") == [1.0, 2.0]


def test_a_long_frame_has_axes_by_name() -> None:
    table = pa.table(
        {
            "run_id": ["a"] * 4, "key": ["epoch", "loss", "epoch", "loss"], "step": [0, 0, 1, 1],
            "time": pa.array([1_500_000, 1_500_000, 2_500_000, 2_500_000], pa.timestamp("us", "UTC")),
            "value": [10.0, 1.0, 20.0, 2.0],
        }
    )  # fmt: skip
    by = {x: align(table, x, grid="union", method="exact", keys=["loss"]) for x in ("_step", "time", "epoch")}
    assert {x: [row["x"] for row in rows_of(frame)] for x, frame in by.items()} == {
        "_step": [0.0, 1.0], "time": [1.5, 2.5], "epoch": [10.0, 20.0],
    }  # fmt: skip
    with pytest.raises(UsageError, match="did you mean 'epoch'"):
        align(table, "epohc", grid="union", method="exact")
    with pytest.raises(UsageError, match="no column 'x'"):
        align(table, "auto", grid="union", method="exact")


def test_metrics_over_different_axes_do_not_go_together() -> None:
    table = long({("a", "k"): [(0, 1.0)], ("b", "k"): [(0, 1.0)]}, x_name=pa.array(["epoch", "_step"]))
    with pytest.raises(UsageError, match="'k' over different x axes: 'epoch' in a and '_step' in b"):
        align(table, "auto", grid="union", method="exact")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"grid": "all"}, "'all'"),
        ({"grid": 0}, "not 0"),
        ({"grid": True}, "True"),
        ({"grid": None}, "None"),
        ({"grid": [1, math.nan]}, "finite"),
        ({"grid": ["a"]}, "grid must be"),
        ({"method": "cubic"}, "'cubic'"),
        ({"beyond": "stop"}, "'stop'"),
        ({"duplicates": "drop"}, "'drop'"),
        ({"keys": ["kk"]}, "did you mean 'k'"),
        ({"keys": "z*"}, r"'z\*'"),
        ({"x": ""}, "x must be"),
    ],
)
def test_choices_are_checked(arguments: dict[str, Any], said: str) -> None:
    chosen = {"x": "x", "grid": "union", "method": "exact"} | arguments
    with pytest.raises(UsageError, match=said):
        align(long({("a", "k"): [(0, 1.0)]}), **chosen)


def test_choices_have_no_defaults() -> None:
    with pytest.raises(TypeError):
        align(long({}), "x", grid="union")  # type: ignore[call-arg]


# Over runs.


def seeds(count: int) -> pa.Table:
    return pa.table(
        {
            "id": [f"r{number}" for number in range(count)],
            "config.seed": list(range(count)),
            "config.lr": [0.1 if number % 2 else 0.2 for number in range(count)],
        }
    )


@given(
    data=st.data(),
    level=st.sampled_from([0.5, 0.9, 0.95]),
    ddof=st.integers(0, 2),
    interval=st.sampled_from(["t", "normal"]),
)
@settings(deadline=None)
def test_statistics_are_those_of_plain_python(data: Any, level: float, ddof: int, interval: Any) -> None:
    numbers = st.none() | st.floats(-1e3, 1e3)
    series = {(f"r{number}", "k"): [(x, data.draw(numbers)) for x in (0.0, 1.0)] for number in range(5)}
    frame = aggregate(long(series), "lr", runs=seeds(5), level=level, ddof=ddof, interval=interval)
    assert frame.columns == ["lr", "key", "x", "mean", "std", "ci_low", "ci_high", "count"]
    rows = rows_of(frame)
    assert [(row["lr"], row["x"]) for row in rows] == [(0.2, 0.0), (0.2, 1.0), (0.1, 0.0), (0.1, 1.0)]
    for row in rows:
        group = range(row["lr"] == 0.1, 5, 2)
        found = [
            value for number in group for x, value in series[f"r{number}", "k"] if x == row["x"] and value is not None
        ]
        assert row["count"] == len(found)
        if not found:
            assert row["mean"] is row["std"] is row["ci_low"] is None
            continue
        mean = statistics.fmean(found)
        assert math.isclose(row["mean"], mean, abs_tol=1e-9)
        if len(found) <= ddof:
            assert row["std"] is row["ci_high"] is None
            continue
        std = math.sqrt(sum((value - mean) ** 2 for value in found) / (len(found) - ddof))
        assert math.isclose(row["std"], std, abs_tol=1e-9)
        if len(found) == 1:
            assert row["ci_low"] is None
            continue
        quantile = (
            student.ppf(0.5 + level / 2, len(found) - 1)
            if interval == "t"
            else statistics.NormalDist().inv_cdf(0.5 + level / 2)
        )
        half = quantile * std / math.sqrt(len(found))
        assert math.isclose(row["ci_low"], mean - half, abs_tol=1e-6)
        assert math.isclose(row["ci_high"], mean + half, abs_tol=1e-6)


def test_nan_is_kept_or_left_out_as_asked() -> None:
    table = long({("r0", "k"): [(0, math.nan)], ("r1", "k"): [(0, 2.0)], ("r2", "k"): [(0, 4.0)]})
    (kept,) = rows_of(aggregate(table, runs=seeds(3)))
    assert (math.isnan(kept["mean"]), math.isnan(kept["std"]), kept["count"]) == (True, True, 3)
    (left,) = rows_of(aggregate(table, runs=seeds(3), nan="omit"))
    assert (left["mean"], left["count"]) == (3.0, 2)


def test_one_infinity_makes_the_mean_infinite() -> None:
    table = long({("r0", "k"): [(0, math.inf)], ("r1", "k"): [(0, 2.0)]})
    (row,) = rows_of(aggregate(table, over="run_id"))
    assert row["mean"] == math.inf
    assert math.isnan(row["std"])


def test_runs_that_nothing_tells_apart_are_refused() -> None:
    table = long({("r0", "k"): [(0, 1.0)], ("r1", "k"): [(0, 2.0)]})
    runs = pa.table({"run_id": ["r0", "r1"], "seed": [1, 1]})
    with pytest.raises(FrameError, match=r"r0 and r1 are in one group and have the same 'seed' \(1\)"):
        aggregate(table, runs=runs)
    assert rows_of(aggregate(table, over="run_id"))[0]["count"] == 2
    with pytest.raises(FrameError, match="several values of a metric at one x"):
        aggregate(long({("r0", "k"): [(0, 1.0), (0, 2.0)]}), over="run_id")


def test_a_run_without_a_seed_is_refused() -> None:
    table = long({("r0", "k"): [(0, 1.0)]})
    with pytest.raises(FrameError, match="r0 has no 'seed'"):
        aggregate(table, runs=pa.table({"id": ["r0"], "seed": pa.array([None], pa.int64())}))
    with pytest.raises(FrameError, match="does not tell of r0"):
        aggregate(table, runs=pa.table({"id": ["r9"], "seed": [1]}))
    with pytest.raises(UsageError, match=r"no column 'seed'.*runs="):
        aggregate(table)
    with pytest.raises(UsageError, match="did you mean 'seed'"):
        aggregate(table, over="sed", runs=pa.table({"id": ["r0"], "seed": [1]}))
    with pytest.raises(UsageError, match="'id' or 'run_id'"):
        aggregate(table, runs=pa.table({"seed": [1]}))


def test_columns_of_the_history_tell_of_the_runs_too() -> None:
    series = {("r0", "k"): [(0, 1.0), (1, 2.0)], ("r1", "k"): [(0, 3.0)]}
    table = long(series, seed=pa.array([0, 0, 1]), tags=pa.array([["x"], ["x"], ["x"]]))
    rows = rows_of(aggregate(table, ["tags"]))
    assert [(row["tags"], row["x"], row["mean"], row["count"]) for row in rows] == [
        (["x"], 0.0, 2.0, 2),
        (["x"], 1.0, 2.0, 1),
    ]
    with pytest.raises(FrameError, match="r0 has several values of 'seed': 0 and 5"):
        aggregate(table.set_column(4, "seed", pa.array([0, 5, 1])))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"level": 1}, "level"),
        ({"level": "0.95"}, "level"),
        ({"interval": "z"}, "'z'"),
        ({"ddof": -1}, "-1"),
        ({"nan": "drop"}, "'drop'"),
        ({"by": ["mean"], "runs": pa.table({"id": ["r0"], "mean": [1]})}, "'mean' cannot be in by="),
    ],
)
def test_choices_of_statistics_are_checked(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        aggregate(long({("r0", "k"): [(0, 1.0)]}), over="run_id", **arguments)
    with pytest.raises(UsageError, match="no column 'x'"):
        aggregate(pa.table({"run_id": ["a"], "key": ["k"], "value": [1.0]}), over="run_id")


def test_a_result_is_as_complete_as_its_source() -> None:
    source = Frame.from_arrow(long({("a", "k"): [(0, 1.0)]}), Provenance("live", source="e/p", rows=1, server_rows=1))
    aligned = align(source, "x", grid="union", method="exact")
    said = aggregate(aligned, over="run_id").provenance
    assert said is not None
    assert (said.completeness, said.source, said.rows, said.rows_read, said.server_rows) == ("live", "e/p", 1, 1, 1)
    assert said.query is not None
    assert "align(x='x'" in said.query
    assert "aggregate(by=[]" in said.query
    with pytest.raises(FrameError):
        aligned.require_complete()


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 30, 200, 10_000])
@pytest.mark.parametrize("probability", [0.025, 0.5, 0.6, 0.9, 0.975, 0.995, 0.9999])
def test_quantiles_are_those_of_the_books(freedom: int, probability: float) -> None:
    assert math.isclose(
        t_quantile(probability, freedom), student.ppf(probability, freedom), rel_tol=1e-9, abs_tol=1e-12
    )
    assert math.isclose(normal_quantile(0.975), 1.959963984540054)
