"""Config and summary: changes applied in order, and the files made of them."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runframe.offline.documents import apply_config, apply_summary, config_yaml, metadata_json, summary_json
from runframe.offline.records import Changes, Item


def change(path: str | tuple[str, ...], value: Any) -> Changes:
    keys = {"key": path} if isinstance(path, str) else {"nested_key": list(path)}
    return Changes(update=[Item(**keys, value_json=json.dumps(value))])  # type: ignore[arg-type]


def removal(*path: str) -> Changes:
    return Changes(remove=[Item(nested_key=list(path))])


def folded(apply: Any, *records: Changes) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for record in records:
        apply(document, record)
    return document


def test_a_config_object_is_joined_with_the_one_before() -> None:
    changes = (change("opt", {"name": "sgd", "m": {"b": 0.9}}), change("opt", {"name": "adam", "m": {"c": 1}}))
    assert folded(apply_config, *changes) == {"opt": {"name": "adam", "m": {"b": 0.9, "c": 1}}}


def test_a_config_value_replaces_an_object_and_an_object_a_value() -> None:
    assert folded(apply_config, change("a", {"x": 1}), change("a", 5)) == {"a": 5}
    assert folded(apply_config, change("a", 5), change("a", {"x": 1})) == {"a": {"x": 1}}


def test_config_keys_are_removed_at_any_depth() -> None:
    changes = (change("a", {"x": 1, "y": {"z": 2}}), removal("a", "y", "z"), removal("gone"), removal("a", "x", "deep"))
    assert folded(apply_config, *changes) == {"a": {"x": 1, "y": {}}}


def test_empty_objects_and_lists_are_kept() -> None:
    assert folded(apply_config, change("e", {}), change("d", {"e": {}, "l": []})) == {"e": {}, "d": {"e": {}, "l": []}}


def test_a_summary_value_replaces_what_was_there() -> None:
    changes = (change("n", {"x": {"y": 1}}), change("n", {"x": {"z": 2}}), change(("loss",), {"min": 0.5}))
    assert folded(apply_summary, *changes) == {"n": {"x": {"z": 2}}, "loss": {"min": 0.5}}


def test_a_nested_summary_key_leaves_its_siblings() -> None:
    changes = (change("a", {"x": 1, "w": {"v": 1}}), change(("a", "y"), 2), removal("a", "w", "v"))
    assert folded(apply_summary, *changes) == {"a": {"x": 1, "w": {}, "y": 2}}


def test_a_removed_summary_key_can_come_back() -> None:
    changes = (change(("img", "p"), 2), Changes(remove=[Item(key="img")]), change(("img", "q"), 3))
    assert folded(apply_summary, *changes) == {"img": {"q": 3}}


def test_null_takes_a_summary_key_away() -> None:
    assert folded(apply_summary, change("s", "t"), change("s", None), change("never", None)) == {}


def test_updates_of_a_record_come_before_its_removals() -> None:
    record = Changes(update=[Item(key="x", value_json="1")], remove=[Item(key="x")])
    assert folded(apply_summary, record) == {}


def test_the_summary_file_keeps_nan_and_big_integers() -> None:
    assert (
        summary_json({"a": math.nan, "b": 2**70, "c": "é"}) == '{"a":NaN,"b":1180591620717411303424,"c":"é"}'.encode()
    )


def test_the_metadata_file_is_json() -> None:
    assert json.loads(metadata_json({"os": "é", "disk": {"/": {"total": "1"}}})) == {
        "os": "é",
        "disk": {"/": {"total": "1"}},
    }


def test_the_config_file_is_yaml() -> None:
    config = {"opt": {"value": {"betas": [0.9, {"x": 1}, []], "lr": 1e-07}}, "y": {"value": "no"}, "n": {"value": None}}
    assert config_yaml(config).decode() == (
        '"n":\n    value: null\n'
        "opt:\n    value:\n        betas:\n            - 0.9\n            -   x: 1\n            - []\n"
        "        lr: 1.0e-07\n"
        '"y":\n    value: "no"\n'
    )
    assert config_yaml({}) == b"{}\n"


DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=8), DOCUMENTS, min_size=1, max_size=5))
def test_a_yaml_reader_gets_the_config_back(config: dict[str, Any]) -> None:
    assert yaml.safe_load(config_yaml(config)) == config


@pytest.mark.parametrize(
    "text",
    ["null", "Yes", "1.5", "0x1F", "2024-01-01", "a: b", "- x", "#c", "~", "\x85", "\u2028\n ", "é😀", " a", "a "],
)
def test_texts_that_yaml_would_misread_are_quoted(text: str) -> None:
    assert yaml.safe_load(config_yaml({text: text})) == {text: text}


def test_yaml_has_nan_and_infinity() -> None:
    assert config_yaml({"a": [math.nan, math.inf, -math.inf]}) == b"a:\n    - .nan\n    - .inf\n    - -.inf\n"
