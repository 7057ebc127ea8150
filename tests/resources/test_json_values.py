"""Python values as JSON values."""

from __future__ import annotations

import datetime as dt
import enum
import math

import numpy as np
import pytest

from runframe.resources.config import join_config, parse_document, split_config
from runframe.resources.values import to_json_value


class Colour(enum.Enum):
    RED = 1


class Level(enum.IntEnum):
    HIGH = 2


class Count(int):
    pass


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        (True, True),
        (2**70, 2**70),
        (Count(3), 3),
        (math.inf, math.inf),
        (np.float32(0.5), 0.5),
        (np.int64(2**62 + 1), 2**62 + 1),
        (np.bool_(True), True),
        (np.float64(1.5), 1.5),
        (np.array([7]), 7),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        ({"a": (1, {2})}, {"a": [1, [2]]}),
        (b"text", "text"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "2026-01-02T00:00:00+00:00"),
        (Colour.RED, "RED"),
        (Level.HIGH, "HIGH"),
        (math.sqrt, "math.sqrt"),
    ],
)
def test_each_kind_has_its_form(given: object, expected: object) -> None:
    found = to_json_value(given)
    assert found == expected
    assert type(found) is type(expected)


def test_nan_stays_a_value() -> None:
    assert math.isnan(to_json_value({"deep": [math.nan]})["deep"][0])


def test_a_large_array_becomes_its_statistics() -> None:
    found = to_json_value(np.arange(101.0))
    assert found["_type"] == "numpy.ndarray"
    assert (found["size"], found["min"], found["max"], found["mean"], found["10%"]) == (101, 0.0, 100.0, 50.0, 10.0)


def test_anything_else_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no JSON form"):
        to_json_value([object()])


def test_documents_are_text_dicts_or_nothing() -> None:
    assert parse_document(None, "config") == parse_document("", "config") == parse_document("{}", "config") == {}
    assert parse_document('{"a": "x\ty", "n": NaN}', "summary")["a"] == "x\ty"
    with pytest.raises(TypeError, match="summary"):
        parse_document("[1]", "summary")


def test_configs_survive_the_way_there_and_back() -> None:
    stored = {"_wandb": {"value": {"m": []}}, "wandb_version": 1, "a": {"value": {"value": 2}}, "b": 3, "_mine": 0}
    config, raw = split_config(stored)
    assert config == {"a": {"value": 2}, "b": 3, "_mine": 0}
    assert raw == {"_wandb": {"m": []}, "wandb_version": 1, **config}
    assert split_config(parse_document(join_config(config, raw), "config")) == (config, {"_wandb": {"m": []}, **config})
