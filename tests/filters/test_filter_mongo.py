from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runframe.errors import UsageError
from runframe.filters import Always, And, Compare, FilterError, Nor, Not, Or, Predicate, from_mongo, to_mongo


@pytest.mark.parametrize("empty", [None, {}])
def test_an_empty_filter_is_always(empty: dict[str, Any] | None) -> None:
    assert from_mongo(empty) == Always()


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"state": "finished"}, Compare(("state",), "$eq", "finished")),
        ({"jobType": "a"}, Compare(("job_type",), "$eq", "a")),
        ({"job_type": "a"}, Compare(("job_type",), "$eq", "a")),
        ({"sweepName": "s"}, Compare(("sweep",), "$eq", "s")),
        ({"config.a.b": {"x": 1}}, Compare(("config", "a", "b"), "$eq", {"x": 1})),
        ({"config.a": {}}, Compare(("config", "a"), "$eq", {})),
        ({"config.": 1}, Compare(("config", ""), "$eq", 1)),
        ({"summary_metrics.val\\.loss": 1}, Compare(("summary_metrics", "val.loss"), "$eq", 1)),
        (
            {"created_at": "2024-01-02T03:00:00+01:00"},
            Compare(("created_at",), "$eq", datetime(2024, 1, 2, 2, tzinfo=UTC)),
        ),
        ({"createdAt": None}, Compare(("created_at",), "$eq", None)),
        (
            {"config.a": {"$gt": 1, "$lt": 2}},
            And((Compare(("config", "a"), "$gt", 1), Compare(("config", "a"), "$lt", 2))),
        ),
        ({"config.a": {"$not": {"$gt": 1}}}, Not(Compare(("config", "a"), "$gt", 1))),
        ({"$not": {"state": "x"}}, Not(Compare(("state",), "$eq", "x"))),
        ({"$or": [{"state": "x"}, None]}, Or((Compare(("state",), "$eq", "x"),))),
        ({"$nor": []}, Nor(())),
        ({"state": {"$exists": 1}}, Compare(("state",), "$exists", True)),
    ],
)
def test_a_document_becomes_a_tree(document: dict[str, Any], expected: Predicate) -> None:
    assert from_mongo(document) == expected


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"sate": "x"}, ["'sate'", "state", "config.sate", "displayName"]),
        ({"summary.loss": 1}, ["'summary'", "summary_metrics"]),
        ({"config": 1}, ["'config'", "key below"]),
        ({"tags.a": 1}, ["'tags'", "no keys below"]),
        ({"state": {"$gtt": 1}}, ["'$gtt'", "'state'", "$gt", "$regex"]),
        ({"state": {"$eq": 1, "x": 2}}, ["'x'", "'state'"]),
        ({"$where": "1"}, ["'$where'", "$and"]),
        ({"$in": [1]}, ["'$in'", "below a field"]),
        ({"$and": {}}, ["'$and'", "list", "{} (dict)"]),
        ({"$or": ["x"]}, ["'$or'", "'x' (str)"]),
        ({"state": {"$in": "x"}}, ["'$in'", "'state'", "list", "'x' (str)"]),
        ({"state": {"$nin": None}}, ["'$nin'", "list"]),
        ({"state": {"$regex": "(a"}}, ["'$regex'", "'state'", "'(a'"]),
        ({"state": {"$regex": 1}}, ["'$regex'", "text"]),
        ({"createdAt": {"$regex": "2024"}}, ["'$regex'", "'createdAt'", "$gt"]),
        ({"createdAt": {"$gt": "yesterday"}}, ["'createdAt'", "ISO 8601", "'yesterday'"]),
        ({"createdAt": {"$gt": 5}}, ["'createdAt'", "ISO 8601"]),
        ({"config.a": {"$gt": None}}, ["'$gt'", "None"]),
        ({"config.a": {"$lt": [1]}}, ["'$lt'", "[1]"]),
        ({"config.a": {"$exists": "yes"}}, ["'$exists'", "'yes'"]),
        ({"config.a": {"$not": 1}}, ["'$not'", "'config.a'"]),
        ({"config.a": {1, 2}}, ["'config.a'", "JSON"]),
        ({"config.a": "\ud800"}, ["'config.a'", "Unicode"]),
        ({"config.\ud800": 1}, ["Unicode"]),
        ({1: 2}, ["keys", "1 (int)"]),
        ([{"state": "x"}], ["dict", "(list)"]),
    ],
)
def test_what_cannot_be_understood_is_named(document: Any, words: list[str]) -> None:
    with pytest.raises(FilterError) as caught:
        from_mongo(document)
    assert isinstance(caught.value, UsageError) and isinstance(caught.value, ValueError)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("wrap", [lambda inner: {"$and": [inner]}, lambda inner: {"config.a": inner}])
def test_nesting_without_end_is_refused(wrap: Callable[[Any], dict[str, Any]]) -> None:
    document: dict[str, Any] = {"state": "x"}
    for _ in range(5000):
        document = wrap(document)
    with pytest.raises(FilterError, match="nested"):
        from_mongo(document)


KEYS = st.one_of(
    st.sampled_from(["state", "displayName", "tags", "duration"]),
    st.lists(st.text(max_size=4), min_size=1, max_size=3).map(
        lambda parts: ".".join(["config", *(part.replace("\\", "\\\\").replace(".", "\\.") for part in parts)])
    ),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5))
CONDITIONS = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=2),
    st.fixed_dictionaries(
        {}, optional={"$in": st.lists(SCALARS, max_size=2), "$gt": st.integers(), "$exists": st.booleans()}
    ),
    st.fixed_dictionaries({"$not": st.fixed_dictionaries({"$regex": st.just("^a")})}),
)
DOCUMENTS = st.recursive(
    st.dictionaries(KEYS, CONDITIONS, max_size=2),
    lambda inner: st.one_of(
        st.fixed_dictionaries({operator: st.lists(inner, max_size=2)}) for operator in ("$and", "$or", "$nor")
    ),
    max_leaves=5,
)


@given(DOCUMENTS)
def test_a_tree_survives_the_way_to_mongo_and_back(document: dict[str, Any]) -> None:
    predicate = from_mongo(document)
    text = json.dumps(to_mongo(predicate))
    assert from_mongo(json.loads(text)) == predicate


def test_fields_are_spelt_as_documented_on_the_way_out() -> None:
    predicate = from_mongo({"job_type": "a", "created_at": {"$gt": "2024-01-01"}, "summary_metrics.a\\.b": 1})
    assert to_mongo(predicate) == {
        "$and": [{"jobType": "a"}, {"createdAt": {"$gt": "2024-01-01T00:00:00Z"}}, {"summary_metrics.a\\.b": 1}]
    }
    assert to_mongo(Not(predicate))["$nor"] == [to_mongo(predicate)]
