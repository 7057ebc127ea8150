"""The reserved config entry: telemetry, metric definitions, environment."""

from __future__ import annotations

from typing import Any

import pytest

from runframe.offline.records import Metric, decode
from runframe.offline.reserved import Metrics, environment, rfc3339, telemetry

from .logwriter import message, timestamp


def entry(*definitions: bytes) -> list[dict[str, Any]]:
    metrics = Metrics()
    for definition in definitions:
        metrics.add(decode(Metric, definition))
    return metrics.entry()


def options(*numbers: int) -> tuple[int, bytes]:
    return 6, message(*((number, True) for number in numbers))


def summary(*numbers: int) -> tuple[int, bytes]:
    return 7, message(*((number, True) for number in numbers))


def test_a_step_metric_is_named_by_its_place_in_the_list() -> None:
    assert entry(
        message((1, "loss"), options(3), summary(1, 2)),
        message((1, "acc"), (4, "epoch"), options(1, 3), summary(2)),
        message((1, "f1"), (4, "epoch"), options(3)),
    ) == [
        {"1": "loss", "6": [3], "7": [1, 2]},
        {"1": "acc", "5": 3, "6": [1, 3], "7": [2]},
        {"1": "epoch", "6": [], "7": []},
        {"1": "f1", "5": 3, "6": [3], "7": []},
    ]


def test_a_glob_comes_last_unexpanded_and_is_never_defined_itself() -> None:
    rows = entry(
        message((2, "val/*"), (4, "val/step"), options(1, 3), summary(1)),
        message((1, "val/step"), options(3)),
        message((1, "val/loss"), options(1, 3), (10, True)),
    )
    assert rows == [
        {"1": "val/step", "6": [3], "7": []},
        {"2": "val/*", "5": 1, "6": [1], "7": [1]},
    ]


def test_a_second_definition_extends_the_first() -> None:
    rows = entry(
        message((1, "x"), (4, "step"), options(1, 3), summary(6)),
        message((1, "x"), options(2, 3), summary(3), (8, 2)),
    )
    assert rows[0] == {"1": "x", "5": 2, "6": [1, 2, 3], "7": [3], "8": 2}


def test_a_second_definition_that_overwrites_replaces_it() -> None:
    rows = entry(
        message((1, "x"), (4, "step"), options(1, 3), summary(3)),
        message((1, "x"), options(3), summary(2), (9, message((1, True)))),
    )
    assert rows == [{"1": "x", "6": [3], "7": [2]}]


def test_a_metric_that_is_its_own_step_ends() -> None:
    assert entry(message((1, "x"), (4, "x"), options(3))) == [{"1": "x", "5": 1, "6": [3], "7": []}]


def test_telemetry_is_joined_and_keyed_by_number() -> None:
    first = message((3, message((4, True), (7, False))), (4, "3.11.7"), (5, "0.30.0"))
    second = message((3, message((2, True))), (5, "0.31.0"), (9, message((1, "label"))), (200, message((1, "id"))))
    assert telemetry(first + second, "0.31.0") == {
        "3": [2, 4],
        "4": "3.11.7",
        "5": "0.31.0",
        "9": {"1": "label"},
        "12": "0.31.0",
    }


def test_environment_has_the_json_names_and_types_of_the_sdk() -> None:
    first = message((1, "Linux"), (3, timestamp(1_700_000_000, 227_806_000)), (5, "--lr"), (5, "1"), (199, "w"))
    disks = [(20, message((1, name), (2, message((1, 2**40), (2, size))))) for name, size in (("/", 7), ("/b", 0))]
    second = message((9, message((1, "url"), (2, "c0ffee"))), (16, 2), *disks, (22, message((3, "M1"))), (199, "w"))
    assert environment(first + second) == {
        "os": "Linux",
        "startedAt": "2023-11-14T22:13:20.227806Z",
        "args": ["--lr", "1"],
        "git": {"remote": "url", "commit": "c0ffee"},
        "cpu_count": 2,
        "disk": {"/": {"total": str(2**40), "used": "7"}, "/b": {"total": str(2**40)}},
        "cpu": {"model": "M1"},
        "writerId": "w",
    }


@pytest.mark.parametrize(
    ("nanos", "text"), [(0, "00Z"), (5_000_000, "00.005Z"), (227_806_000, "00.227806Z"), (1, "00.000000001Z")]
)
def test_a_moment_has_the_decimals_that_it_needs(nanos: int, text: str) -> None:
    assert rfc3339(0, nanos) == f"1970-01-01T00:00:{text}"
