"""Reading histories: ranges are whole, samples are spread and keep both ends."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_client import Client

from runframe.server.history import spread, value_at


@given(st.integers(0, 500), st.integers(2, 600))
def test_a_sample_keeps_both_ends_and_spreads_evenly(length: int, count: int) -> None:
    chosen = spread(range(length), count)
    assert chosen == sorted(set(chosen)) and len(chosen) == min(length, count)
    if length:
        assert (chosen[0], chosen[-1]) == (0, length - 1)
    gaps = {right - left for left, right in pairwise(chosen)}
    assert not gaps or max(gaps) - min(gaps) <= 1


def sampled(client: Client, **spec: Any) -> list[dict[str, Any]]:
    query = 'query Q($s: [JSONString!]!) { project(name: "p") { run(name: "r") { sampledHistory(specs: $s) } } }'
    rows: list[dict[str, Any]] = client.graphql(query, s=[json.dumps(spec)])["project"]["run"]["sampledHistory"][0]
    return rows


@pytest.fixture
def logged(client: Client) -> Client:
    client.log(
        [
            {"_step": 2 * index, "loss": float(index), **({"rare": index} if index % 10 == 0 else {})}
            for index in range(100)
        ]
    )
    return client


def steps(client: Client, arguments: str) -> list[int]:
    return [json.loads(line)["_step"] for line in client.run(f"history({arguments})")["history"]]


def test_a_range_of_steps_has_its_first_and_not_its_last(logged: Client) -> None:
    assert steps(logged, "minStep: 4, maxStep: 10, samples: 1000") == [4, 6, 8]


def test_a_range_is_answered_whole_whatever_number_of_samples_it_names(logged: Client) -> None:
    assert len(steps(logged, "minStep: 0, maxStep: 1000, samples: 3")) == 100


@pytest.mark.parametrize("huge", [2**63, 2**70])
def test_bounds_beyond_64_bits_are_bounds(logged: Client, huge: int) -> None:
    assert len(steps(logged, f"minStep: -{huge}, maxStep: {huge}")) == 100


def test_a_sample_of_the_history(logged: Client) -> None:
    assert steps(logged, "samples: 3") == [0, 98, 198] or steps(logged, "samples: 3") == [0, 100, 198]
    assert len(steps(logged, "samples: 100")) == len(steps(logged, "samples: 1000")) == 100
    assert steps(logged, "samples: 1") == [0] and steps(logged, "samples: 0") == []


def test_chosen_keys_give_the_rows_that_have_all_of_them(logged: Client) -> None:
    rows = sampled(logged, keys=["_step", "rare", "loss"], samples=500)
    assert rows == [{"_step": 2 * index, "rare": index, "loss": float(index)} for index in range(0, 100, 10)]
    assert sampled(logged, keys=["none"], samples=500) == []
    assert len(sampled(logged, keys=["loss"], samples=7)) == 7


def test_chosen_keys_in_a_range_have_both_its_ends(logged: Client) -> None:
    rows = sampled(logged, keys=["_step", "loss"], minStep=4, maxStep=8, samples=2)
    assert [row["_step"] for row in rows] == [4, 6, 8]


def test_values_that_json_has_no_form_for(client: Client) -> None:
    line = '{"_step":0,"a":NaN,"b":[Infinity,{"c":-Infinity}],"big":12345678901234567890123,"i":9223372036854775807}'
    client.stream({"wandb-history.jsonl": (0, [line])})
    expected = {"a": "NaN", "b": ["Infinity", {"c": "-Infinity"}], "big": 12345678901234567890123, "i": 2**63 - 1}
    assert sampled(client, keys=["a", "b", "big", "i"], samples=1) == [expected]


@pytest.mark.parametrize(
    ("row", "key", "value"),
    [
        ({"a": {"b": 1}}, "a.b", 1),
        ({"a.b": 2}, "a.b", 2),
        ({"a.b": 2, "a": {"b": 1}}, "a.b", 2),
        ({"a.b": {"c.d": 3}}, "a.b.c.d", 3),
        ({"a": 1, "a.b": {"c": 2}}, "a.b.c", 2),
        ({"": {"": 4}}, ".", 4),
        ({"a": None}, "a", None),
    ],
)
def test_a_key_is_itself_or_a_path_joined_with_dots(row: dict[str, Any], key: str, value: Any) -> None:
    assert value_at(row, key) == value


def test_two_writers_lines_are_read_by_step(client: Client) -> None:
    for writer, first in (("one", 0), ("two", 1)):
        lines = [json.dumps({"_step": first + 2 * index, "w": writer}) for index in range(3)]
        client.stream({"wandb-history.jsonl": (0, lines)}, headers={"x-wandb-async-client-id": writer})
    assert [row["w"] for row in client.history()] == ["one", "two"] * 3
    assert steps(client, "samples: 2") == [0, 5]
    assert client.run("historyLineCount") == {"historyLineCount": 6}


def test_all_history_is_live_from_its_first_step_on(client: Client) -> None:
    asked = 'parquetHistory(liveKeys: ["_step"]) { parquetUrls liveData }'
    client.stream({})
    assert client.run(asked) == {"parquetHistory": {"parquetUrls": [], "liveData": []}}
    client.stream({"wandb-history.jsonl": (0, [json.dumps({"_step": step}) for step in (7, 3, 5)])})
    assert client.run(asked) == {"parquetHistory": {"parquetUrls": [], "liveData": [{"_step": 3}]}}


LINES = [
    "2026-11-23T12:00:00.000001 plain",
    "ERROR 2026-11-23T12:00:00.000002 to stderr",
    "2026-11-23T12:00:00.000003 [rank 0] labelled",
    "no time",
    '{"ts": "2026-11-23T12:00:00.000004", "content": "structured", "level": "error", "label": "l"}',
    "{not json",
    "",
]
PARTS = [
    ("2026-11-23T12:00:00.000001", "", "", "plain"),
    ("2026-11-23T12:00:00.000002", "error", "", "to stderr"),
    ("2026-11-23T12:00:00.000003", "", "rank 0", "labelled"),
    ("", "", "", "no time"),
    ("2026-11-23T12:00:00.000004", "error", "l", "structured"),
    ("", "", "", "{not json"),
    ("", "", "", ""),
]
LOG = """logLineCount logLines(%s) { edges { node { number timestamp level label line } }
    pageInfo { endCursor hasNextPage } }"""


def test_console_lines_are_taken_apart_and_paged(client: Client) -> None:
    client.stream({"output.log": (0, LINES)})
    found: list[dict[str, Any]] = []
    after, more = "", True
    while more:
        page = client.run(LOG % f'first: 2, after: "{after}", useImprovedPagination: true')["logLines"]
        found += [edge["node"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert [node["number"] for node in found] == list(range(7))
    assert [(node["timestamp"], node["level"], node["label"], node["line"]) for node in found] == PARTS


def test_the_tail_of_the_console(client: Client) -> None:
    client.stream({"output.log": (0, [str(number) for number in range(50)])})
    page = client.run(LOG % "last: 3")
    assert page["logLineCount"] == 50
    assert [edge["node"]["line"] for edge in page["logLines"]["edges"]] == ["47", "48", "49"]
