"""History and system metrics as lines."""

from __future__ import annotations

import math

import pytest

from runframe import extjson
from runframe.errors import LogError
from runframe.offline import Shift
from runframe.offline.records import record
from runframe.offline.rows import events_line, history_line, number_text

from .logwriter import history, item, message, timestamp, varint


def line(*items: bytes, step: int = 0, shift: Shift | None = None) -> str:
    payload = record(history(*items, step=step))[1]
    return history_line(payload, shift) if shift else history_line(payload)


def test_nested_keys_become_objects_and_dots_stay_in_keys() -> None:
    text = line(item(("a", "b.c", "d"), 1), item(("a", "e"), 2), item(("f.g",), 3), item("plain", 4))
    assert text == '{"a":{"b.c":{"d":1},"e":2},"f.g":3,"plain":4,"_step":0}'


def test_the_json_text_is_handed_on_as_it_is() -> None:
    big = str(2**64 + 1)
    text = line(item("n", text="NaN"), item("i", text="-Infinity"), item("big", text=big), item("f", text="1e-07"))
    assert text == f'{{"n":NaN,"i":-Infinity,"big":{big},"f":1e-07,"_step":0}}'


def test_a_step_in_the_record_alone_is_added() -> None:
    assert line(item("x", 1), step=7) == '{"x":1,"_step":7}'
    assert line(item(("_step",), 3), step=7) == '{"_step":3}'


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ((3, 0), "null"),
        ((4, True), "true"),
        ((4, False), "false"),
        ((5, (2**63 - 1) << 1), str(2**63 - 1)),
        ((5, 9), "-5"),
        ((6, 0.1), "0.1"),
        ((6, 123456.0), "123456"),
        ((6, math.nan), "NaN"),
        ((6, -math.inf), "-Infinity"),
        ((7, 'é "\u2028'), '"é \\"\u2028"'),
        ((8, '{"k":[1,2.5]}'), '{"k":[1,2.5]}'),
    ],
)
def test_a_typed_value_goes_before_value_json(typed: tuple[int, object], expected: str) -> None:
    assert line(message((2, "k"), typed, (16, '"old"'))) == f'{{"k":{expected},"_step":0}}'
    assert line(message((2, "k"), typed)) == f'{{"k":{expected},"_step":0}}'


def test_a_later_item_of_the_same_key_wins_and_objects_are_joined() -> None:
    assert line(item("x", 1), item("x", 2)) == '{"x":2,"_step":0}'
    assert line(item("x", {"a": 1}), item(("x", "b"), 2)) == '{"x":{"a":1,"b":2},"_step":0}'
    assert line(item(("x", "b"), 2), item("x", {"a": {"c": 1}})) == '{"x":{"b":2,"a":{"c":1}},"_step":0}'
    assert line(item("x", 1), item(("x", "b"), 2)) == '{"x":{"b":2},"_step":0}'


def test_values_and_keys_of_any_length_are_read() -> None:
    key, text = "k" * 300, "v" * 70_000
    assert extjson.loads(line(item((key,), text), item(("s",), "x" * 124))) == {key: text, "s": "x" * 124, "_step": 0}


def test_a_line_is_one_line() -> None:
    assert line(item("x", text='{\n "a": 1}')) == '{"x":{"a":1},"_step":0}'


def test_a_resumed_run_shifts_step_and_runtime() -> None:
    shift = Shift(step=10, runtime=2.5)
    text = line(item(("_step",), 3), item(("_runtime",), 1.25), item(("_timestamp",), 5.0), shift=shift)
    assert extjson.loads(text) == {"_step": 13, "_runtime": 3.75, "_timestamp": 5.0}


def test_system_metrics_have_their_prefix_and_the_time_since_the_start() -> None:
    start = 1_700_000_000_250_000_000
    stats = message((2, timestamp(1_700_000_001, 750_000_000)), (3, item("cpu", 12.5)), (3, item("gpu.0.x", 4.0)))
    assert extjson.loads(events_line(stats, start)) == {
        "_wandb": True,
        "_timestamp": 1_700_000_001.75,
        "_runtime": 1.5,
        "system.cpu": 12.5,
        "system.gpu.0.x": 4,
    }


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (-0.0, "-0.0"), (-3.0, "-3"), (1e6, "1000000.0"), (1e300, "1e+300"), (0.5, "0.5")]
)
def test_whole_numbers_lose_their_fraction(value: float, text: str) -> None:
    assert number_text(value) == text


def test_a_damaged_history_record_is_no_silent_row() -> None:
    broken = varint(1 << 3 | 2) + b"\x7fshort"
    with pytest.raises(ValueError, match="needs 127 bytes"):
        history_line(broken)
    assert issubclass(LogError, ValueError)
