"""What a server is told of a predicate holds for every row that the predicate holds for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runframe.filters import RUN_FIELDS, Always, FilterError, from_mongo, lookup_in, matches
from runframe.frames.predicate import fields_of
from runframe.resources.pushdown import as_filter, both, pushable
from runframe.resources.runs import Runs

FIELDS = fields_of(Runs.SCHEMA)
NOON = "2026-05-01T12:00:00Z"
AFTER = "2026-05-01T12:00:00.000001Z"


def told(where: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    predicate, whole = pushable(from_mongo(where, FIELDS), Runs.SCHEMA)
    return as_filter(predicate), whole


@pytest.mark.parametrize(
    ("where", "sent"),
    [
        ({"id": "a", "name": "b"}, {"$and": [{"name": "a"}, {"displayName": "b"}]}),
        ({"job_type": {"$in": ["x", None]}}, {"jobType": {"$in": ["x", None]}}),
        ({"state": {"$ne": "failed"}}, {"state": {"$ne": "failed"}}),
        ({"tags": {"$not": {"$eq": "x"}}}, {"tags": {"$not": {"$eq": "x"}}}),
        ({"config.lr": {"$gt": 0.1, "$lte": 2}}, {"$and": [{"config.lr": {"$gt": 0.1}}, {"config.lr": {"$lte": 2}}]}),
        ({"config.a.b": "x"}, {"config.a.b": "x"}),
        ({"summary.x/y": {"$exists": True}}, {"summary_metrics.x/y": {"$exists": True}}),
        ({"summary_metrics.loss": float("inf")}, {"summary_metrics.loss": "Infinity"}),
        ({"created_at": {"$gt": NOON}}, {"createdAt": {"$gte": NOON}}),
        ({"created_at": {"$lte": NOON}}, {"createdAt": {"$lt": AFTER}}),
        ({"created_at": NOON}, {"$and": [{"createdAt": {"$gte": NOON}}, {"createdAt": {"$lt": AFTER}}]}),
        ({"$nor": [{"state": "failed"}, {"group": "x"}]}, None),
        ({"$or": [{"state": "failed"}, {"config.lr": 1}]}, {"$or": [{"state": "failed"}, {"config.lr": 1}]}),
        ({"name": {"$regex": "a.c"}}, {"displayName": {"$regex": "a.c"}}),
    ],
)
def test_what_servers_agree_on_is_told(where: dict[str, Any], sent: dict[str, Any] | None) -> None:
    found, whole = told(where)
    assert whole
    assert found == (sent or {"$and": [{"state": {"$not": {"$eq": "failed"}}}, {"group": {"$not": {"$eq": "x"}}}]})


@pytest.mark.parametrize(
    "where",
    [
        {r"config.a\.b": 1},
        {"config.lr": {"$ne": 1}},
        {"config.lr": {"$nin": [1]}},
        {"config.lr": None},
        {"config.lr": {"$in": [1, None]}},
        {"config.lr": {"$exists": False}},
        {"config.lr": {"$not": {"$gt": 1}}},
        {"config.a.value": 1},
        {"config.lr": {"$gt": float("nan")}},
        {"config.opt": {"$gt": "a"}},
        {"config.list": [1, 2]},
        {"name": {"$gt": "a"}},
        {"name": {"$regex": "^a"}},
        {"config.opt": {"$regex": r"b$"}},
        {"created_at": {"$not": {"$gt": NOON}}},
        {"created_at": {"$ne": NOON}},
        {"read_only": True},
        {"history_line_count": {"$gt": 1}},
        {"system_metrics.cpu": 1},
        {"$or": [{"state": "failed"}, {"read_only": True}]},
    ],
    ids=str,
)
def test_what_they_may_mean_otherwise_is_checked_here_alone(where: dict[str, Any]) -> None:
    assert told(where) == ({}, False)
    found, whole = told({"$and": [{"state": "failed"}, where]})
    assert (found, whole) == ({"state": "failed"}, False)


def test_a_filter_that_was_given_stays() -> None:
    assert both({}, {"state": "x"}) == '{"state": "x"}'
    assert both({"group": "g"}, {"state": "x"}) == '{"$and": [{"group": "g"}, {"state": "x"}]}'
    assert both({"group": "g"}, {}) == '{"group": "g"}'


def test_names_are_the_columns_and_w_and_bs_own_where_they_are_clear() -> None:
    for name in ("displayName", "jobType", "createdAt", "sweep", "username"):
        assert from_mongo({name: None}, FIELDS) != Always()
    with pytest.raises(FilterError, match=r"nme.*name"):
        from_mongo({"nme": 1}, FIELDS)
    with pytest.raises(FilterError, match="needs a key"):
        from_mongo({"config": 1}, FIELDS)


SCALARS = st.sampled_from([None, True, 0, 1, 1.5, float("nan"), float("inf"), "a", "b", "NaN", ""])
TIMES = st.integers(-2, 2).map(lambda micros: datetime(2026, 5, 1, 12, tzinfo=UTC) + timedelta(microseconds=micros))
DOCUMENTS = st.dictionaries(
    st.sampled_from(["x", "y", "a.b", "value"]),
    st.one_of(SCALARS, st.lists(SCALARS, max_size=2), st.dictionaries(st.sampled_from(["x", "value"]), SCALARS)),
    max_size=3,
)
TEXTS = {"name": "id", "display_name": "name", "state": "state", "group": "group"}


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """A run, under the names that the server gives its fields."""
    record: dict[str, Any] = {name: draw(st.sampled_from(["a", "b", None])) for name in TEXTS}
    record["tags"] = draw(st.lists(st.sampled_from(["a", "b"]), max_size=2))
    record["created_at"] = draw(TIMES)
    record["config"] = {key: {"value": value} for key, value in draw(DOCUMENTS).items()}
    record["summary_metrics"] = draw(DOCUMENTS)
    return record


@st.composite
def conditions(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    if depth and draw(st.booleans()):
        group = draw(st.sampled_from(["$and", "$or", "$nor", "$not"]))
        if group == "$not":
            return {"$not": draw(conditions(depth - 1))}
        return {group: draw(st.lists(conditions(depth - 1), min_size=1, max_size=3))}
    place = draw(st.sampled_from(["text", "tags", "time", "document"]))
    op = draw(st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin"]))
    if place == "time":
        name, values = "created_at", TIMES
    elif place == "document":
        keys = draw(st.sampled_from(["x", "y", r"a\.b", "y.x", "x.value", "value"]))
        name, values = f"{draw(st.sampled_from(['config', 'summary']))}.{keys}", SCALARS
    else:
        name = "tags" if place == "tags" else draw(st.sampled_from(sorted(TEXTS.values())))
        values = st.sampled_from(["a", "b"])
    if op in ("$in", "$nin"):
        return {name: {op: draw(st.lists(values, max_size=3))}}
    if op in ("$eq", "$ne") or place != "document":
        return {name: {op: draw(values)}}
    return {name: {op: draw(values.filter(lambda value: value is not None))}}


@given(record=records(), where=conditions())
def test_no_row_that_fits_is_left_out(record: dict[str, Any], where: dict[str, Any]) -> None:
    predicate = from_mongo(where, FIELDS)
    pushed, whole = pushable(predicate, Runs.SCHEMA)
    sent = from_mongo(as_filter(pushed), RUN_FIELDS)
    ours = {**record, **{ours: record[theirs] for theirs, ours in TEXTS.items()}, "summary": record["summary_metrics"]}
    here, there = matches(predicate, lookup_in(ours, FIELDS)), matches(sent, lookup_in(record))
    assert there or not here
    if whole and "created_at" not in str(where):
        assert here == there
