from __future__ import annotations

from typing import Any

import pytest

from runframe.filters import MISSING, RUN_FIELDS, resolve, resolve_entry


@pytest.mark.parametrize(
    ("document", "path", "expected"),
    [
        ({"a": {"b": 1}}, "a.b", 1),
        ({"a.b": 2}, "a.b", 2),
        ({"a": {"b": 1}, "a.b": 2}, "a.b", 1),
        ({"a": {"c": 1}, "a.b": 2}, "a.b", 2),
        ({"a": {"b": None}, "a.b": 2}, "a.b", None),
        ({"a": 5, "a.b": {"c": 3}}, "a.b.c", 3),
        ({"keys": {"a.b": {}}}, "keys.a.b", {}),
        ({"a.b.c": 4}, "a.b.c", 4),
        ({"a": [{"b": 1}, {"b": 2}]}, "a.1.b", 2),
        ({"a": [1]}, "a.1", MISSING),
        ({"a": [1]}, "a.-1", MISSING),
        ({"a": [{"b": 1}]}, "a.b", MISSING),
        ({"a": {"0": 7}}, "a.0", 7),
        ({"": {"": 1}}, ".", 1),
        ({"a": "text"}, "a.b", MISSING),
        ([], "a", MISSING),
    ],
)
def test_a_path_leads_through_steps_first_and_joined_keys_second(document: Any, path: str, expected: Any) -> None:
    assert resolve(document, path.split(".")) == expected


CONFIG = {
    "lr": {"value": 0.1, "desc": None},
    "optimizer": {"value": {"name": "adam", "value": 3, "desc": "d"}},
    "data.path": {"value": "/d"},
    "deep": {"value": {"value": {"x": 1}}},
    "bare": 5,
    "object": {"no": "wrapper"},
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("lr", 0.1),
        ("lr.value", 0.1),
        ("lr.desc", MISSING),
        ("optimizer.name", "adam"),
        ("optimizer.value.name", "adam"),
        ("optimizer.desc", "d"),
        ("optimizer.value", CONFIG["optimizer"]["value"]),  # type: ignore[index]
        ("optimizer.value.value", 3),
        ("data.path", "/d"),
        ("data.path.value", "/d"),
        ("deep.value.x", 1),
        ("bare", 5),
        ("bare.value", 5),
        ("object.no", "wrapper"),
        ("missing", MISSING),
    ],
)
def test_every_spelling_of_a_config_key_reaches_the_stored_value(path: str, expected: Any) -> None:
    assert resolve_entry(CONFIG, path.split(".")) == expected


@pytest.mark.parametrize("name", RUN_FIELDS.kinds)
def test_a_field_answers_to_both_its_spellings(name: str) -> None:
    below = ".k" if RUN_FIELDS.kinds[name] in ("entries", "document") else ""
    expected = (name, "k") if below else (name,)
    camel = name.split("_")[0] + "".join(word.capitalize() for word in name.split("_")[1:])
    assert RUN_FIELDS.path(name + below) == RUN_FIELDS.path(camel + below) == expected
