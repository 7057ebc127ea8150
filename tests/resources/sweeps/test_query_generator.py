"""Filters and orders of reports, from and to those of runs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sweep_store import leaf

from runframe import QueryGenerator
from runframe.errors import UsageError

GENERATOR = QueryGenerator()
PATHS = [
    ("config", "lr.value", "config.lr.value"),
    ("summary", "val.acc", "summary_metrics.val.acc"),
    ("keys_info", "loss", "keys_info.keys.loss"),
    ("tags", "best", "tags.best"),
    ("run", "createdAt", "createdAt"),
]
LEAVES = [
    (leaf("config", "lr", "=", 1), {"config.lr": 1}),
    (leaf("run", "name", "=", None), {"name": None}),
    (leaf("run", "name", "!=", None), {"name": {"$ne": None}}),
    (leaf("summary", "a.b", "<=", 0.5), {"summary_metrics.a.b": {"$lte": 0.5}}),
    (leaf("run", "state", "IN", ["a", "b"]), {"state": {"$in": ["a", "b"]}}),
    (leaf("run", "state", "NIN", []), {"state": {"$nin": []}}),
    (leaf("run", "name", "REGEX", "^a"), {"name": {"$regex": "^a"}}),
    (leaf("run", "a", ">", 1, disabled=False), {"a": {"$gt": 1}}),
]
NOTHING = [
    leaf("config", "", "=", 1),
    leaf("config", "lr", "=", 1, disabled=True),
    leaf("config", "lr", ">", None),
    {"key": {"section": "run", "name": "a"}, "op": "IN"},
    {},
]


@pytest.mark.parametrize(
    ("key", "order"),
    [
        ("loss", "-summary_metrics.loss"),
        ("+val.acc", "+summary_metrics.val.acc"),
        ("-config.lr.value", "-config.lr.value"),
        ("config.lr", "-config.lr"),
        ("+summary_metrics.a", "+summary_metrics.a"),
        ("tags.x", "-tags.x"),
        ("config", "-summary_metrics.config"),
        ("", "-summary_metrics."),
        ("+createdAt", None),
        ("updatedAt", None),
        ("-name", None),
        ("sweep", None),
    ],
)
def test_orders_are_written_out(key: str, order: str | None) -> None:
    assert QueryGenerator.format_order_key(key) == GENERATOR.format_order_key(key) == order


@pytest.mark.parametrize(("section", "name", "path"), PATHS)
def test_keys_are_paths(section: str, name: str, path: str) -> None:
    key = {"section": section, "name": name}
    assert GENERATOR.key_to_server_path(key) == path
    assert GENERATOR.server_path_to_key(path) == key


@given(st.sampled_from([section for section, _, _ in PATHS if section != "run"]), st.text())
def test_a_path_leads_back_to_its_key(section: str, name: str) -> None:
    key = {"section": section, "name": name}
    assert GENERATOR.server_path_to_key(GENERATOR.key_to_server_path(key)) == key


def test_an_unknown_section_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Invalid key: .*'nonsense'.* must be run, config"):
        GENERATOR.key_to_server_path({"section": "nonsense", "name": "x"})


@pytest.mark.parametrize(("filter", "mongo"), LEAVES)
def test_leaves_are_translated_both_ways(filter: dict[str, Any], mongo: dict[str, Any]) -> None:
    assert GENERATOR.filter_to_mongo(filter) == mongo
    assert GENERATOR.mongo_to_filter(mongo) == {name: filter[name] for name in ("key", "op", "value")}


@pytest.mark.parametrize("filter", NOTHING)
def test_leaves_that_say_nothing_are_none(filter: dict[str, Any]) -> None:
    assert GENERATOR.filter_to_mongo(filter) is None
    group = {"op": "AND", "filters": [filter]}
    assert GENERATOR.filter_to_mongo(group) == {"$and": [None]}


def test_tags_are_had_or_not() -> None:
    assert GENERATOR.filter_to_mongo(leaf("tags", "best", "=", True)) == {"tags": "best"}
    without = {"$or": [{"tags": None}, {"tags": {"$ne": "best"}}]}
    assert GENERATOR.filter_to_mongo(leaf("tags", "best", "=", False)) == without
    assert GENERATOR.filter_to_mongo(leaf("tags", "x", "IN", ["a", "b"])) == {"tags": {"$in": ["a", "b"]}}


def test_groups_are_translated_both_ways() -> None:
    leaves = [leaf("config", "lr", ">", 1), leaf("run", "state", "=", "finished")]
    group = {"op": "OR", "filters": [{"op": "AND", "filters": leaves}, {"op": "AND", "filters": []}]}
    mongo = {"$or": [{"$and": [{"config.lr": {"$gt": 1}}, {"state": "finished"}]}, {"$and": []}]}
    assert GENERATOR.filter_to_mongo(group) == mongo
    assert GENERATOR.mongo_to_filter(mongo) == group
    assert GENERATOR.mongo_to_filter(None) is GENERATOR.mongo_to_filter({}) is None


def test_unknown_operators_are_refused() -> None:
    for call in (
        lambda: GENERATOR.filter_to_mongo(leaf("run", "a", "~", 1)),
        lambda: GENERATOR.filter_to_mongo({"op": "XOR", "filters": []}),
        lambda: GENERATOR.mongo_to_filter({"a": {"$exists": True}}),
    ):
        with pytest.raises(KeyError, match="there is no operator"):
            call()


def test_orders_are_keys() -> None:
    keys = [
        {"key": {"section": "run", "name": "createdAt"}, "ascending": False},
        {"key": {"section": "run", "name": "config.a"}, "ascending": True},
    ]
    assert GENERATOR.keys_to_order({"keys": keys}) == ["-createdAt", "+config.a"]
    assert GENERATOR.order_to_keys(["-createdAt", "+config.a"]) == {"keys": keys}
    assert GENERATOR.keys_to_order({"keys": [{"key": {"section": "summary", "name": "a"}}]}) == ["-summary_metrics.a"]
    for unsigned in ("createdAt", ""):
        with pytest.raises(UsageError, match="must begin with"):
            GENERATOR.order_to_keys([unsigned])
