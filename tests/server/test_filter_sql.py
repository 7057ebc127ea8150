from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runframe.filters import FilterError, from_mongo, lookup_in, matches
from runframe.server.store import documents, times
from runframe.server.store.filter_sql import where
from runframe.server.store.fragments import FieldSQL
from runframe.server.store.functions import register
from runframe.server.store.run_columns import run_columns
from runframe.server.store.states import Grace
from runframe.server.store.tables import TABLES

COLUMNS = {
    "name": FieldSQL("r.name", "text", nullable=False),
    "display_name": FieldSQL("r.display_name", "text"),
    "created_at": FieldSQL("r.created_at", "time"),
    "duration": FieldSQL("r.duration", "number"),
    "tags": FieldSQL("r.tags", "list"),
    "config": FieldSQL("r.config", "entries"),
    "summary_metrics": FieldSQL("r.summary", "document"),
}

PARTS = ["a", "b", "a.b", "value", "", 'q"uote', "é", "x\\y", "0", "$[0]", "ns/loss"]
NUMBERS = st.one_of(
    st.sampled_from(
        [0, 1, -1, 0.5, 0.1 + 0.2, 5e-324, 2**53, 2**53 + 1, float(2**53), 2**63, 2**63 - 1, 2**70, -(2**64)]
    ),
    st.sampled_from([math.nan, math.inf, -math.inf, 1e308, -0.0]),
    st.floats(),
    st.integers(-(2**65), 2**65),
)
TEXTS = st.one_of(
    st.sampled_from(["", "a", "ab", "NaN", "\ue000NaN", "nul\0l", "é", "\U0001f600", "1", "a\n", "'; DROP TABLE r"]),
    st.text(max_size=3),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(PARTS), inner, max_size=3)),
    max_leaves=4,
)
MOMENTS = st.one_of(
    st.sampled_from([datetime(2024, 5, 31, 12, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)]),
    st.datetimes(timezones=st.just(UTC)),
)
OBJECTS = st.dictionaries(st.sampled_from(PARTS), VALUES, max_size=4)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "name": TEXTS,
    "display_name": st.none() | TEXTS,
    "created_at": st.none() | MOMENTS.map(lambda moment: moment.isoformat(timespec="microseconds")[:26] + "Z"),
    "duration": st.one_of(
        st.none(), st.sampled_from([0, 1, 0.5]), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False)
    ),
    "tags": st.lists(TEXTS, max_size=3),
    "config": st.dictionaries(
        st.sampled_from(PARTS), VALUES.map(lambda value: {"value": value, "desc": None}) | VALUES, max_size=4
    ),
    "summary_metrics": OBJECTS,
}
RUNS = st.fixed_dictionaries(FIELDS)

PATTERNS = st.sampled_from(["", "a", "^a", "b$", "[a-z]", "é|1", "(?i)A", r"\.", "^$"])


def conditions(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    ordered = values.filter(lambda value: value is not None and not isinstance(value, (list, dict)))
    plain = st.one_of(
        values.filter(lambda value: not isinstance(value, dict) or not any(key[:1] == "$" for key in value)),
        *(st.fixed_dictionaries({op: values}) for op in ("$eq", "$ne")),
        *(st.fixed_dictionaries({op: ordered}) for op in ("$gt", "$gte", "$lt", "$lte")),
        *(st.fixed_dictionaries({op: st.lists(values, max_size=3)}) for op in ("$in", "$nin")),
        st.fixed_dictionaries({"$exists": st.booleans()}),
    )
    negated = plain.filter(lambda condition: isinstance(condition, dict) and any(key[:1] == "$" for key in condition))
    return plain | negated.map(lambda condition: {"$not": condition})


def leaf(key: st.SearchStrategy[str], values: st.SearchStrategy[Any], *, text: bool = True) -> st.SearchStrategy[Any]:
    found = conditions(values)
    if text:
        found = found | st.fixed_dictionaries({"$regex": PATTERNS})
    return st.tuples(key, found).map(lambda pair: {pair[0]: pair[1]})


def key_below(name: str) -> st.SearchStrategy[str]:
    parts = st.lists(st.sampled_from([part.replace("\\", "\\\\") for part in PARTS]), min_size=1, max_size=3)
    return parts.map(lambda found: ".".join([name, *found]))


LEAVES = {
    "name": leaf(st.just("name"), SCALARS),
    "display_name": leaf(st.just("displayName"), st.none() | TEXTS | SCALARS),
    "created_at": leaf(st.just("createdAt"), st.none() | MOMENTS.map(datetime.isoformat), text=False),
    "duration": leaf(st.just("duration"), st.sampled_from([None, False, True, 0, 1, "1", 2**63]) | SCALARS),
    "tags": leaf(st.just("tags"), TEXTS | st.lists(TEXTS, max_size=2)),
    "config": leaf(key_below("config"), VALUES),
    "summary_metrics": leaf(key_below("summary_metrics"), VALUES),
}
FILTERS = st.recursive(
    st.one_of(st.just({}), *LEAVES.values()),
    lambda inner: st.one_of(
        st.fixed_dictionaries({group: st.lists(inner, max_size=3)}) for group in ("$and", "$or", "$nor")
    ),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as opened:
        register(opened)
        opened.execute(
            "CREATE TABLE r (id INTEGER PRIMARY KEY, name, display_name, created_at, duration, tags, config, summary)"
        )
        yield opened


def fill(connection: sqlite3.Connection, runs: list[dict[str, Any]]) -> None:
    connection.execute("DELETE FROM r")
    for number, run in enumerate(runs):
        stored = [documents.to_stored(run[name]) for name in ("tags", "config", "summary_metrics")]
        plain = [run[name] for name in ("name", "display_name", "created_at", "duration")]
        connection.execute("INSERT INTO r VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (number, *plain, *stored))


def ids(connection: sqlite3.Connection, document: dict[str, Any]) -> list[int]:
    found = where(from_mongo(document), COLUMNS)
    rows = connection.execute(f"SELECT id, ({found.text}) IS NULL FROM r WHERE {found.text}", found.parameters * 2)
    return [number for number, _ in rows.fetchall()]


def check(connection: sqlite3.Connection, runs: list[dict[str, Any]], document: dict[str, Any]) -> None:
    fill(connection, runs)
    predicate = from_mongo(document)
    expected = [number for number, run in enumerate(runs) if matches(predicate, lookup_in(run))]
    assert ids(connection, document) == expected
    contrary = [number for number in range(len(runs)) if number not in expected]
    assert ids(connection, {"$nor": [document]}) == contrary


@given(st.lists(RUNS, min_size=1, max_size=5), FILTERS)
@example([], {})
def test_sql_gives_the_runs_that_python_gives(
    connection: sqlite3.Connection, runs: list[dict[str, Any]], document: dict[str, Any]
) -> None:
    check(connection, runs, document)


@pytest.mark.parametrize("name", FIELDS)
@given(data=st.data())
def test_a_condition_on_one_field_is_the_same_in_sql(
    connection: sqlite3.Connection, name: str, data: st.DataObject
) -> None:
    values = data.draw(st.lists(FIELDS[name], min_size=1, max_size=8))
    check(connection, [run(**{name: value}) for value in values], data.draw(LEAVES[name]))


@pytest.mark.parametrize("value", [None, False, True, 0, 1, 0.5, "", "1", math.nan, math.inf, 2**63, [None], {}])
@pytest.mark.parametrize("op", ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin"])
def test_a_number_is_compared_with_every_kind_of_value(connection: sqlite3.Connection, op: Any, value: Any) -> None:
    if op in ("$gt", "$gte", "$lt", "$lte") and isinstance(value, (list, dict, type(None))):
        with pytest.raises(FilterError):
            from_mongo({"duration": {op: value}})
        return
    stored = [None, 0, 1, 0.5, -1, 2**63 - 1, math.inf]
    constant = [value, "other"] if op in ("$in", "$nin") else value
    check(connection, [run(duration=number) for number in stored], {"duration": {op: constant}})
    check(connection, [run(display_name=text) for text in (None, "", "1")], {"displayName": {op: constant}})


def run(**values: Any) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(("display_name", "created_at", "duration"))
    return {**empty, "name": "r", "tags": [], "config": {}, "summary_metrics": {}, **values}


LONG_LISTS = {
    "display_name": ([f"name {number}\n" for number in range(40_000)], "other"),
    "duration": ([number / 7 for number in range(40_000)], 0.01),
    "created_at": (
        [times.stored(datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=number)) for number in range(40_000)],
        "2023-12-31T00:00:00.000000Z",
    ),
}


@pytest.mark.parametrize("name", LONG_LISTS)
def test_a_list_of_any_length_can_be_asked_for(connection: sqlite3.Connection, name: str) -> None:
    values, other = LONG_LISTS[name]
    fill(connection, [run(**{name: values[777]}), run(**{name: other}), run()])
    assert ids(connection, {name: {"$in": values}}) == [0]
    assert ids(connection, {name: {"$nin": values}}) == [1, 2]


def test_many_conditions_fit_into_one_statement(connection: sqlite3.Connection) -> None:
    fill(connection, [run(name="r5"), run(name="r9999"), run(name="other")])
    assert ids(connection, {"$or": [{"name": f"r{number}"} for number in range(10_000)]}) == [0, 1]
    assert ids(connection, {"$and": [{"name": {"$ne": f"r{number}"}} for number in range(3_000)]}) == [1, 2]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"$or": [{"name": "x"}] * 10_001}, "10001 conditions"),
        ({"$and": [{"name": {"$in": ["x", "y"] * 50}}] * 301}, "30000 values"),
        ({"host": "x"}, "no 'host' of runs .*displayName"),
    ],
)
def test_what_a_statement_cannot_hold_is_refused(document: dict[str, Any], words: str) -> None:
    with pytest.raises(FilterError, match=words):
        where(from_mongo(document), COLUMNS)


@pytest.mark.parametrize("group", ["$and", "$or", "$nor", "$not"])
def test_any_nesting_is_answered_or_refused(connection: sqlite3.Connection, group: str) -> None:
    fill(connection, [run()])
    document: dict[str, Any] = {"name": "r"}
    for _ in range(8):
        others = [{"name": {"$ne": str(number)}} for number in range(60)]
        document = {group: document if group == "$not" else [document, *others]}
        assert ids(connection, document) == [0] * matches(from_mongo(document), lookup_in(run()))
    for _ in range(80):
        document = {group: document if group == "$not" else [document, {"name": "r"}]}
    with pytest.raises(FilterError, match="nested"):
        ids(connection, document)


def test_nothing_that_a_user_gave_is_in_the_text() -> None:
    odd = "'\"; DROP TABLE r --"
    document = {"name": odd, f"config.{odd}": {"$in": [odd]}, f"summary_metrics.{odd}.{odd}": {"$regex": odd}}
    found = where(from_mongo(document), COLUMNS)
    assert "DROP" not in found.text
    assert sum("DROP" in parameter for parameter in found.parameters) == 3


def test_a_plain_column_is_found_by_its_index(connection: sqlite3.Connection, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "store.sqlite")) as store:
        register(store)
        for statement in TABLES:
            store.execute(statement)
        found = where(from_mongo({"name": "x"}), run_columns(Grace()))
        plan = store.execute(
            f"EXPLAIN QUERY PLAN SELECT id FROM runs r WHERE project_id = 1 AND {found.text}", found.parameters
        ).fetchall()
        assert "project_id=? AND name=?" in plan[0][3]


def test_every_field_of_a_run_can_be_asked_for(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "store.sqlite")) as store:
        register(store)
        for statement in TABLES:
            store.execute(statement)
        now = times.now()
        store.execute("INSERT INTO entities VALUES (1, 'team', 'team', ?)", (now,))
        columns = "id, username, name, entity_id, created_at"
        store.execute(f"INSERT INTO users ({columns}) VALUES (1, 'ada', 'Ada', 1, ?)", (now,))
        store.execute("INSERT INTO projects VALUES (1, 1, 'demo', NULL, NULL, 1, ?, ?)", (now, now))
        values = {
            "project_id": 1,
            "user_id": 1,
            "name": "r1",
            "display_name": "first",
            "state": "running",
            "group_name": "g",
            "job_type": "j",
            "sweep_name": "s",
            "commit_hash": "c0",
            "host": "h",
            "notes": "n",
            "created_at": "2024-01-01T00:00:00.500000Z",
            "updated_at": "2024-01-01T00:01:00.000000Z",
            "heartbeat_at": "2024-01-01T00:01:01.200000Z",
            "tags": '["t"]',
            "config": '{"lr":{"value":1}}',
            "summary": '{"loss":"\ue000NaN"}',
            "history_keys": '{"keys":{"loss":{}}}',
        }
        store.execute(
            f"INSERT INTO runs ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})", tuple(values.values())
        )
        document = {
            "name": "r1",
            "displayName": "first",
            "state": "crashed",
            "group": "g",
            "jobType": "j",
            "sweep": "s",
            "commit": "c0",
            "host": "h",
            "notes": "n",
            "username": "ada",
            "entity": "team",
            "project": "demo",
            "createdAt": "2024-01-01T00:00:00.5Z",
            "updatedAt": {"$lt": "2024-01-01T00:01:01Z"},
            "heartbeatAt": {"$gt": "2024-01-01T00:01:01Z"},
            "duration": {"$gte": 60, "$lte": 61},
            "tags": "t",
            "config.lr": 1,
            "summary_metrics.loss": math.nan,
            "keys_info.keys.loss": {"$exists": True},
        }
        for key, condition in document.items():
            for filters, count in (({key: condition}, 1), ({"$nor": [{key: condition}]}, 0)):
                found = where(from_mongo(filters), run_columns(Grace()))
                answer = store.execute(f"SELECT count(*) FROM runs r WHERE {found.text}", found.parameters).fetchone()
                assert answer == (count,), key
