"""What `define_metric` said, decoded from a run's raw config."""

from __future__ import annotations

from typing import Any

import pytest

from runframe import Api
from runframe.resources.history.axes import MetricDefinition, MetricDefinitions

# As the official SDK 0.31.0 wrote it, from calls that name step metrics before and after their own definition.
LOGGED = [
    {"1": "epoch", "6": [3], "7": []},
    {"1": "val/special", "5": 3, "6": [3], "7": [2]},
    {"1": "other", "6": [], "7": []},
    {"1": "a.b", "5": 1, "6": [1, 3], "7": []},
    {"1": r"c\.d", "5": 1, "6": [1, 3], "7": []},
    {"1": "hid", "6": [2, 3], "7": []},
    {"1": "best", "6": [3], "7": [2, 3, 5], "8": 2},
    {"2": "val/*", "5": 1, "6": [1], "7": [1]},
    {"2": "*", "5": 10, "6": [1], "7": []},
    {"1": "global", "6": [], "7": []},
]


def decoded(entries: Any) -> MetricDefinitions:
    return MetricDefinitions.from_config({"_wandb": {"m": entries}})


def test_definitions_are_decoded() -> None:
    found = decoded(LOGGED)
    assert len(found) == 10
    assert found[0] == MetricDefinition("epoch", defined=True)
    assert found[1] == MetricDefinition("val/special", step_metric="other", summary=("max",), defined=True)
    assert found[5] == MetricDefinition("hid", hidden=True, defined=True)
    assert found[6].summary == ("max", "mean", "last")
    assert found[6].goal == "maximize"
    assert found[7] == MetricDefinition("val/*", True, "epoch", step_sync=True, summary=("min",))
    assert found.axes == ["other", "epoch", "global"]


@pytest.mark.parametrize(
    ("key", "axis"),
    [
        ("epoch", "_step"),
        ("val/loss", "epoch"),
        ("val/special", "other"),
        ("a.b", "epoch"),
        (r"c\.d", "epoch"),
        ("c.d", "global"),
        ("loss", "global"),
        ("hid", "_step"),
        ("_runtime", "_step"),
        ("global", "_step"),
    ],
)
def test_a_metric_has_its_own_axis_else_that_of_the_longest_pattern(key: str, axis: str) -> None:
    assert decoded(LOGGED).x_axis(key) == axis


def test_signs_of_other_patterns_are_plain_in_names() -> None:
    found = decoded([{"2": "acc[0]/?/*", "4": "epoch"}])
    assert found.x_axis("acc[0]/?/train") == "epoch"
    assert found.x_axis("acc0/x/train") == "_step"


@pytest.mark.parametrize(
    "entries",
    [None, {}, "m", [None, 3, {}, {"1": 5}, {"6": [1]}], [{"1": 7, "2": None}]],
)
def test_what_is_no_definition_is_none(entries: Any) -> None:
    assert len(decoded(entries)) == 0


def test_a_step_metric_that_is_not_there_is_none() -> None:
    for place in (0, -1, 3, "1", None, True and 2):
        assert decoded([{"1": "loss", "5": place}, {"2": "x*"}])[0].step_metric is None


def test_definitions_are_a_frame() -> None:
    rows = decoded(LOGGED).frame().to_polars().to_dicts()
    assert rows[7] == {
        "name": "val/*", "is_pattern": True, "step_metric": "epoch", "step_sync": True, "summary": ["min"],
        "goal": None, "hidden": False, "defined": False,
    }  # fmt: skip
    assert decoded([]).frame().to_polars().shape == (0, 8)


def test_equal_definitions_are_equal_and_hash_alike() -> None:
    assert decoded(LOGGED) == decoded(list(LOGGED))
    assert hash(decoded(LOGGED)) == hash(decoded(list(LOGGED)))
    assert decoded(LOGGED) != decoded(LOGGED[:-1])
    assert repr(decoded(LOGGED[:1])) == "<MetricDefinitions epoch>"


def test_a_run_without_definitions_has_none(api: Api) -> None:
    assert list(api.run("digits/run-0").metric_definitions) == []
