from __future__ import annotations

import math
from typing import Any

import pytest

from runframe.filters import MISSING, Predicate, compare, from_mongo, lookup_in, matches

NAN = math.nan
BIG = 2**53 + 1


@pytest.mark.parametrize(
    ("stored", "op", "value", "expected"),
    [
        # missing and null
        (MISSING, "$eq", None, True),
        (None, "$eq", None, True),
        (0, "$eq", None, False),
        (MISSING, "$ne", 1, True),
        (MISSING, "$ne", None, False),
        (MISSING, "$in", [None], True),
        (MISSING, "$nin", [1], True),
        (MISSING, "$exists", False, True),
        (None, "$exists", True, True),
        (MISSING, "$gte", 0, False),
        (None, "$lte", 0, False),
        (MISSING, "$regex", "", False),
        # types in their brackets
        (1, "$eq", 1.0, True),
        (1, "$eq", True, False),
        (True, "$eq", 1, False),
        (True, "$eq", True, True),
        ("1", "$eq", 1, False),
        ("1", "$gt", 0, False),
        (True, "$gt", 0, False),
        (True, "$gt", False, True),
        (5, "$lt", "a", False),
        ("b", "$gt", "a", True),
        ("\U00010000", "$gt", "\uffff", True),
        (BIG, "$eq", float(BIG), False),
        (BIG, "$gt", float(BIG), True),
        (2**70, "$gt", 2**69, True),
        # NaN and infinity
        (NAN, "$eq", NAN, True),
        (NAN, "$in", [1, NAN], True),
        (NAN, "$ne", NAN, False),
        (NAN, "$gte", NAN, True),
        (NAN, "$gt", NAN, False),
        (NAN, "$lt", 1, False),
        (NAN, "$gte", 1, False),
        (1, "$lte", NAN, False),
        (math.inf, "$gt", 2**2000, True),
        # lists and objects
        (["a", "b"], "$eq", "a", True),
        (["a", "b"], "$eq", ["a", "b"], True),
        (["a", "b"], "$eq", ["b", "a"], False),
        ([["a"]], "$eq", ["a"], True),
        (["a"], "$ne", "a", False),
        ([], "$ne", "a", True),
        ([], "$eq", None, False),
        ([None], "$eq", None, True),
        (["a"], "$nin", ["b", "a"], False),
        ([1, 5], "$gt", 4, True),
        ([1, "5"], "$gt", 4, False),
        (["xa", 1], "$regex", "^x", True),
        ([], "$exists", True, True),
        ({"a": 1, "b": [NAN]}, "$eq", {"b": [NAN], "a": 1.0}, True),
        ({"a": 1}, "$eq", {"a": 1, "b": None}, False),
        ({"a": 1}, "$eq", {"a": True}, False),
        # patterns
        ("foobar", "$regex", "ob", True),
        ("foobar", "$regex", "^ob", False),
        ("foobar", "$regex", "bar$", True),
        (5, "$regex", "5", False),
    ],
)
def test_an_operator_means_what_it_means_in_mongodb(stored: Any, op: Any, value: Any, expected: bool) -> None:
    assert compare(stored, op, value) is expected


RUN = {
    "name": "r1",
    "group": None,
    "tags": ["base", "big"],
    "created_at": "2024-05-31T12:00:00.000000Z",
    "config": {"lr": {"value": 0.1, "desc": None}},
    "summary_metrics": {"val.loss": NAN, "val": {"acc": 0.9}},
}


def holds(document: dict[str, Any], run: dict[str, Any] = RUN) -> bool:
    predicate: Predicate = from_mongo(document)
    return matches(predicate, lookup_in(run))


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"name": "r1", "config.lr": 0.1},
        {"$or": [{"name": "x"}, {"tags": "big"}]},
        {"$nor": [{"name": "x"}, {"tags": "small"}]},
        {"$and": []},
        {"$nor": []},
        {"$and": [None]},
        {"config.lr": {"$not": {"$gt": 0.1}}},
        {"config.nothing": {"$not": {"$gt": 0.1}}},
        {"$not": {"name": "x"}},
        {"group": None},
        {"group": {"$exists": False}},
        {"createdAt": "2024-05-31T14:00:00+02:00"},
        {"createdAt": {"$lt": "2024-06-01"}},
        {"createdAt": {"$in": ["2024-05-31T12:00"]}},
        {"heartbeatAt": {"$ne": "2024-05-31"}},
        {"summary_metrics.val.loss": {"$ne": 1}},
        {"summary_metrics.val.acc": {"$gte": 0.9}},
    ],
)
def test_a_run_is_matched(document: dict[str, Any]) -> None:
    assert holds(document)


@pytest.mark.parametrize(
    "document",
    [
        {"$or": []},
        {"tags": {"$in": []}},
        {"name": "r1", "config.lr": 0.2},
        {"$nor": [{"name": "x"}, {"tags": "big"}]},
        {"heartbeatAt": {"$lt": "2100-01-01"}},
        {"createdAt": {"$gt": "2024-05-31T14:00:00+02:00"}},
        {"config.lr.desc": {"$exists": True}},
    ],
)
def test_a_run_is_not_matched(document: dict[str, Any]) -> None:
    assert not holds(document)


def test_a_text_stands_for_the_float_that_json_has_not() -> None:
    for text, value in (("NaN", math.nan), ("Infinity", math.inf), ("-Infinity", -math.inf)):
        assert compare(value, "$eq", text)
        assert compare(value, "$in", [1, text])
        assert not compare(value, "$ne", text)
        assert compare(text, "$eq", text)
        assert not compare(1.5, "$eq", text)
    assert not compare(math.inf, "$eq", "NaN")
    assert not compare(1.0, "$eq", "1.0")
