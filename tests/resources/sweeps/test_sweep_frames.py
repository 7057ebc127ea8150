"""The runs of a sweep as a frame: parameters and the metric, best first."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sweep_store import PLAIN, UPSERT_RUN, UPSERT_SWEEP, make_sweep, send

from runframe import Api, Sweep, extjson
from runframe.resources.sweep_frames import Target, _best_first, parameters_of, target_of


def rows_of(sweep: Sweep) -> list[dict[str, Any]]:
    return list(sweep.frame().to_arrow().to_pylist())


def trial(api: Api, sweep: str, name: str, config: Mapping[str, Any], summary: Mapping[str, Any], **more: Any) -> None:
    wrapped = {key: {"value": value} for key, value in config.items()}
    texts = {"config": extjson.dumps(wrapped), "summaryMetrics": extjson.dumps(summary)}
    send(api, UPSERT_RUN, **({"modelName": "p", "name": name, "sweep": sweep, "state": "finished"} | texts | more))


def test_the_best_run_is_first_and_one_without_the_metric_last(grid: Sweep) -> None:
    frame = grid.frame()
    assert frame.columns == ["id", "name", "state", "created_at", "summary.val.acc", "config.lr"]
    rows = rows_of(grid)
    assert [row["summary.val.acc"] for row in rows] == [0.75, 0.5, 0.25, None]
    assert rows[0]["id"] == grid.best_run().id  # type: ignore[union-attr]
    configs = {run.id: run.config["lr"] for run in grid.runs}
    assert {row["id"]: row["config.lr"] for row in rows} == configs
    assert frame.schema.field("config.lr").type == pa.float64()
    assert json.loads(frame.schema.field("summary.val.acc").metadata[b"runframe.path"]) == ["summary", "val", "acc"]
    assert frame.require_complete().provenance.server_rows == 4  # type: ignore[union-attr]
    assert "best first by -val.acc" in repr(frame)


def test_a_metric_without_a_goal_is_best_where_it_is_lowest(api: Api) -> None:
    [loss] = [sweep for sweep in api.project("p").sweeps() if sweep.name == "renamed later"]
    assert [row["summary.loss"] for row in rows_of(loss)] == [1.0, 2.0, 3.0]


def test_nan_and_infinities_have_their_places(own: Api) -> None:
    config = {
        "metric": {"name": "loss", "goal": "minimize"},
        "parameters": {"x": {"min": 0, "max": 20}},
        "method": "random",
    }
    sweep = make_sweep(own, config)
    values = [math.nan, 2, None, math.inf, -math.inf, True, "text", [1], 10**400, 0.5, math.nan]
    for number, value in enumerate(values):
        trial(own, sweep, f"r{number}", {"x": number}, {"loss": value})
    assert [row["id"] for row in rows_of(own.sweep(f"p/{sweep}"))] == [
        "r4", "r9", "r5", "r1", "r3", "r0", "r10", "r2", "r6", "r7", "r8",
    ]  # fmt: skip


@pytest.mark.parametrize(("goal", "expected"), [("maximize", [0.9, 0.8, 0.5]), ("minimize", [0.1, 0.4, 0.5])])
def test_a_summary_of_several_numbers_gives_the_best_of_the_run(own: Api, goal: str, expected: list[float]) -> None:
    sweep = make_sweep(own, {**PLAIN, "metric": {"name": "val/acc", "goal": goal}})
    trial(own, sweep, "a", {"x": 1}, {"val/acc": {"max": 0.9, "min": 0.1, "last": 0.3}})
    trial(own, sweep, "b", {"x": 1}, {"val/acc": {"max": 0.8, "min": 0.4}})
    trial(own, sweep, "c", {"x": 1}, {"val/acc": {"last": 0.5}})
    assert [row["summary.val/acc"] for row in rows_of(own.sweep(f"p/{sweep}"))] == expected


def test_parameters_are_those_of_the_sweep_in_its_order(own: Api) -> None:
    parameters = {
        "zeta": {"value": 1},
        "opt": {"parameters": {"lr": {"min": 0.0, "max": 1.0}, "deep": {"parameters": {"m": {"value": 2}}}}},
        "a.dot": {"values": [1]},
        "unused": {"value": 0},
        "alpha": {"value": {"k": 1}},
    }
    text = json.dumps({"method": "random", "metric": {"name": "loss"}, "parameters": parameters})
    sweep = send(own, UPSERT_SWEEP, projectName="p", config=text)["sweep"]["name"]
    config = {"opt": {"lr": 0.5, "deep": {"m": 2}}, "zeta": 1, "a.dot": 3, "other": 9, "alpha": {"k": 1, "l": "x"}}
    trial(own, sweep, "r", config, {"loss": 1})
    frame = own.sweep(f"p/{sweep}").frame()
    assert frame.columns[5:] == [
        "config.zeta", "config.opt.lr", "config.opt.deep.m", r"config.a\.dot", "config.unused", "config.alpha.k",
        "config.alpha.l",
    ]  # fmt: skip
    assert [column[0].as_py() for column in frame.to_arrow().columns[5:]] == [1, 0.5, 2, 3, None, 1, "x"]


def test_a_sweep_without_a_metric_says_so(own: Api) -> None:
    sweep = make_sweep(own, PLAIN)
    trial(own, sweep, "first", {"x": 1, "y": {"z": 2}}, {"loss": 2})
    trial(own, sweep, "second", {"x": 2}, {"loss": 1})
    with pytest.warns(UserWarning, match="has no metric in its config") as seen:
        frame = own.sweep(f"p/{sweep}").frame()
    assert seen[0].filename == __file__
    assert frame.columns == ["id", "name", "state", "created_at", "config.x"]
    assert frame.to_arrow()["id"].to_pylist() == ["first", "second"]


def test_a_sweep_without_runs_is_an_empty_frame(own: Api) -> None:
    sweep = make_sweep(own, {**PLAIN, "metric": {"name": "loss"}})
    frame = own.sweep(f"p/{sweep}").frame()
    assert frame.columns == ["id", "name", "state", "created_at", "summary.loss", "config.x"]
    assert frame.num_rows == 0


def test_a_sweep_that_goes_on_is_live(own: Api) -> None:
    sweep = make_sweep(own, {**PLAIN, "metric": {"name": "loss"}})
    trial(own, sweep, "r", {"x": 1}, {"loss": 2}, state="running")
    assert own.sweep(f"p/{sweep}").frame().provenance.completeness == "live"  # type: ignore[union-attr]


@pytest.mark.parametrize("config", [{}, {"metric": "loss"}, {"metric": {}}, {"metric": {"goal": "maximize"}}])
def test_a_config_may_have_no_metric(config: dict[str, Any]) -> None:
    assert target_of(config) is None


def test_parameters_may_be_malformed() -> None:
    assert list(parameters_of({"parameters": ["x"]})) == []
    assert list(parameters_of({"parameters": {"x": 3, 4: None}})) == [("x",), ("4",)]


@given(values=st.lists(st.none() | st.floats()), maximize=st.booleans())
def test_the_order_is_that_of_plain_python(values: list[float | None], maximize: bool) -> None:
    found = [values[row] for row in _best_first(values, Target("m", maximize))]
    numbers = [value for value in values if value is not None and value == value]
    nans, nulls = sum(value != value for value in values if value is not None), values.count(None)
    assert found[: len(numbers)] == sorted(numbers, reverse=maximize)
    assert all(math.isnan(value) for value in found[len(numbers) : len(numbers) + nans])  # type: ignore[arg-type]
    assert found[len(numbers) + nans :] == [None] * nulls
