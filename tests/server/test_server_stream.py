"""file_stream: lines at offsets, and what is derived from them."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_client import STREAM, Client

from runframe.server.store import keys, lines

HISTORY = "wandb-history.jsonl"


def rows(count: int, start: int = 0) -> list[str]:
    return [json.dumps({"_step": step, "loss": step / 2}) for step in range(start, start + count)]


def test_a_run_and_its_project_are_made_when_lines_come_first(client: Client) -> None:
    client.stream({HISTORY: (0, rows(1))})
    assert [row["_step"] for row in client.history()] == [0]


def test_lines_are_kept_as_the_text_that_came(client: Client) -> None:
    texts = ['{"_step":0, "a":NaN,"b":-Infinity}', '{"b":9223372036854775807,"_step":1,"c":1e-7}']
    client.stream({HISTORY: (0, texts)})
    assert client.run("history(minStep: 0)")["history"] == texts


def test_a_request_sent_twice_changes_nothing(client: Client) -> None:
    request = {HISTORY: (0, rows(3)), "wandb-events.jsonl": (0, ['{"system.cpu": 1}']), "output.log": (0, ["a", "b"])}
    client.stream(request)
    before = everything(client)
    client.stream(request)
    client.stream({HISTORY: (1, rows(2, 1))})
    assert everything(client) == before


def everything(client: Client) -> Any:
    fields = "history(minStep: 0) events logLines { edges { node { number line } } } historyKeys historyLineCount"
    return client.run(fields + " eventsLineCount logLineCount systemMetrics summaryMetrics")


def test_other_lines_at_an_offset_replace_what_was_there(client: Client) -> None:
    client.stream({HISTORY: (0, ['{"_step": 0, "old": 1}', '{"_step": 1, "old": 1}'])})
    client.stream({HISTORY: (1, ['{"_step": 5, "new": "x"}']), "output.log": (0, ["10%", "x"])})
    client.stream({"output.log": (0, ["100%"])})
    assert [sorted(row) for row in client.history()] == [["_step", "old"], ["_step", "new"]]
    found = client.run("historyKeys logLines { edges { node { line } } }")
    assert found["historyKeys"]["lastStep"] == 5
    assert found["historyKeys"]["keys"]["old"] == {
        "typeCounts": [{"type": "number", "count": 1}],
        "previousValue": 1,
    }
    assert found["historyKeys"]["keys"]["new"] == {"typeCounts": [{"type": "string", "count": 1}]}
    assert [edge["node"]["line"] for edge in found["logLines"]["edges"]] == ["100%", "x"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6), st.integers(0, 3)), max_size=8))
def test_derived_counts_are_those_of_the_lines_whatever_was_overwritten(writes: list[tuple[int, int, int]]) -> None:
    import sqlite3

    from runframe.server.store.tables import TABLES

    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    for statement in TABLES:
        connection.execute(statement)
    connection.execute(
        "INSERT INTO runs (id, project_id, name, state, created_at, updated_at, heartbeat_at)"
        " VALUES (1, 1, 'r', 'running', '', '', '')"
    )
    for offset, count, kind in writes:
        values = [
            json.dumps({"_step": offset + index, f"k{kind}": [offset, "x", None, {"a": index}][kind]})
            for index in range(count)
        ]
        lines.write(connection, 1, HISTORY, "", offset, values)
    texts = list(lines.texts_by_step(connection, 1))
    expected: dict[tuple[str, str], int] = {}
    for text in texts:
        for leaf in keys.leaves(json.loads(text)):
            expected[leaf] = expected.get(leaf, 0) + 1
    run = connection.execute("SELECT history_keys, last_step, history_lines FROM runs").fetchone()
    found = json.loads(run["history_keys"]).get("keys", {})
    counted = {(key, entry["type"]): entry["count"] for key, info in found.items() for entry in info["typeCounts"]}
    assert counted == expected
    last = {key: number for text in texts for key, number in keys.numbers(json.loads(text))}
    assert {key: info["previousValue"] for key, info in found.items() if "previousValue" in info} == last
    steps = [json.loads(text)["_step"] for text in texts]
    assert run["last_step"] == (max(steps) if steps else None)
    assert run["history_lines"] == max((offset + count for offset, count, _ in writes), default=0)
    connection.close()


def test_the_keys_of_a_history_say_their_types(client: Client) -> None:
    row = {"n": 1, "s": "x", "b": True, "l": [1], "z": None, "o": {"deep": {"x": 1.5}}, "m": {"_type": "image-file"}}
    client.log([row])
    keys = client.run("historyKeys")["historyKeys"]["keys"]
    kinds = {key: [entry["type"] for entry in info["typeCounts"]] for key, info in keys.items()}
    assert kinds == {
        "_step": ["number"], "n": ["number"], "s": ["string"], "b": ["boolean"], "l": ["list"], "z": ["nil"],
        "o.deep.x": ["number"], "m": ["image-file"],
    }  # fmt: skip


def test_the_keys_of_a_history_say_the_last_number_that_json_can_hold(client: Client) -> None:
    client.log([{"a": 1, "b": {"c": 0.5}, "big": 2**62 + 1, "word": "x", "on": True}])
    client.log([{"a": float("nan"), "b": {"c": float("inf")}, "rare": 7}], offset=1)
    client.log([{"a": "x"}], offset=2)
    keys = client.run("historyKeys")["historyKeys"]["keys"]
    last = {key: info["previousValue"] for key, info in keys.items() if "previousValue" in info}
    assert last == {"_step": 2, "a": 1, "b.c": 0.5, "big": 2**62 + 1, "rare": 7}


def test_the_summary_is_replaced_whole(client: Client) -> None:
    client.stream({"wandb-summary.json": (0, ['{"a": NaN, "b": 1}'])})
    client.stream({"wandb-summary.json": (0, ['{"a": NaN, "c": 9007199254740993}'])})
    summary = json.loads(client.run("summaryMetrics")["summaryMetrics"])
    assert math.isnan(summary.pop("a")) and summary == {"c": 2**53 + 1}


def test_system_metrics_are_the_last_of_each(client: Client) -> None:
    events = ['{"_wandb":true,"_timestamp":1,"system.cpu":1,"system.gpu":NaN}', '{"_timestamp":2,"system.cpu":3}']
    client.stream({"wandb-events.jsonl": (0, events)})
    metrics = json.loads(client.run("systemMetrics")["systemMetrics"])
    assert math.isnan(metrics.pop("system.gpu")) and metrics == {"_timestamp": 2, "system.cpu": 3}
    assert client.run("events(samples: 10)")["events"] == events


@pytest.mark.parametrize(("code", "state"), [(0, "finished"), (1, "failed"), (255, "failed")])
def test_the_exit_code_decides_the_state(client: Client, code: int, state: str) -> None:
    client.begin()
    client.stream(complete=True, exitcode=code)
    assert client.run("state") == {"state": state}


def test_a_file_of_another_name_is_kept_too(client: Client) -> None:
    client.stream({"../../etc/passwd": (0, ["x"])})
    with client.local.store.read() as connection:
        assert connection.execute("SELECT file FROM streams").fetchone()[0] == "../../etc/passwd"


def test_gzip_bodies_are_taken(client: Client) -> None:
    body = gzip.compress(json.dumps({"files": {HISTORY: {"offset": 0, "content": rows(2)}}}).encode())
    answer = client.request("POST", STREAM, content=body, headers={"content-encoding": "gzip"})
    assert answer.status_code == 200
    assert len(client.history()) == 2


def test_a_body_of_tens_of_megabytes_is_taken(client: Client) -> None:
    line = json.dumps({"_step": 0, "text": "x" * (1 << 20)})
    client.stream({HISTORY: (0, [line] * 40)})
    assert client.run("historyLineCount") == {"historyLineCount": 40}


@pytest.mark.parametrize("body", [b"{}", b"null"])
def test_a_heartbeat_is_an_empty_request(client: Client, body: bytes) -> None:
    assert client.request("POST", STREAM, content=body).json() == {"stopped": False}
    assert client.run("state") == {"state": "running"}


def test_lines_are_there_after_the_store_is_opened_again(make_client: Callable[..., Client]) -> None:
    first = make_client()
    first.stream({HISTORY: (0, rows(3))})
    again = make_client()  # beside the first one, as another process would
    assert len(again.history()) == 3
    again.stream({HISTORY: (3, rows(1, 3))})
    assert len(first.history()) == 4


def test_a_line_without_a_step_has_its_offsets(client: Client) -> None:
    client.stream({HISTORY: (0, ['{"a": 1}', '{"a": 2, "_step": 1.0}'])})
    assert client.run("history(minStep: 1)")["history"] == ['{"a": 2, "_step": 1.0}']
