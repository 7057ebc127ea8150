"""Compacting: an ended run's history as Parquet, where that loses nothing."""

from __future__ import annotations

import io
import json
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pyarrow.parquet as pq
import pytest
from store_client import Client

from runframe.server import LocalServer, open_local


def finish(client: Client, run: str = "r", exit_code: int = 0) -> None:
    client.stream(run=run, complete=True, exitcode=exit_code)


def urls(client: Client, run: str = "r") -> list[str]:
    answer = client.run('parquetHistory(liveKeys: ["_step"]) { parquetUrls liveData }', run)["parquetHistory"]
    assert bool(answer["liveData"]) != bool(answer["parquetUrls"]), "a history is in the file, or it is live"
    return list(answer["parquetUrls"])


def get(client: Client, url: str, **headers: str) -> httpx.Response:
    parts = urlsplit(url)
    return client.request("GET", f"{parts.path}?{parts.query}", auth=None, headers=headers)


def read(client: Client) -> list[dict[str, Any]]:
    (url,) = urls(client)
    answer = get(client, url)
    assert answer.status_code == 200
    return pq.read_table(io.BytesIO(answer.content)).to_pylist()


def test_an_ended_history_becomes_one_file_with_a_column_a_key(local: LocalServer, client: Client) -> None:
    rows = [{"loss": 0.5}, {"loss": float("nan"), "note": "so"}, {"loss": 2, "image": {"_type": "image-file", "w": 3}}]
    client.begin()
    client.log(rows)
    finish(client)
    (done,) = local.compact()
    assert (done.run_path, done.rows, done.reason) == ("local/p/r", 3, None)
    found = [{key: value for key, value in row.items() if value is not None} for row in read(client)]
    assert str(found) == str(
        [
            {"_step": 0, "loss": 0.5},
            {"_step": 1, "loss": float("nan"), "note": "so"},
            {"_step": 2, "loss": 2.0, "image": {"_type": "image-file", "w": 3}},
        ]
    )
    assert local.compact() == []


def test_ranges_of_the_file_need_no_key_and_no_other_signature_opens_it(local: LocalServer, client: Client) -> None:
    client.begin()
    client.log([{"loss": 1.0}])
    finish(client)
    local.compact()
    (url,) = urls(client)
    answer = get(client, url, Range="bytes=0-3")
    assert (answer.status_code, answer.content) == (206, b"PAR1")
    assert get(client, url.replace("token=", "token=x")).status_code == 403


def test_a_run_that_still_runs_stays_live(local: LocalServer, client: Client) -> None:
    client.begin()
    client.log([{"loss": 1.0}])
    assert local.compact() == [] and urls(client) == []


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([{"x": 1}, {"x": "one"}], "x"),
        ([{"x": 1}, {"x": True}], "x"),
        ([{"x": None}, {"x": 1}], "x"),
        ([{"x": 2**70}], "x"),
        ([{"x": 2**53 + 1}, {"x": 0.5}], "x"),
        ([{"x": {"a": None}}, {"x": {"a": 1}}], "x"),
        ([{"x": {}}], "x"),
        ([{"x": [1, None]}, {"x": [{"a": 1}]}], "x"),
    ],
)
def test_a_history_that_columns_would_change_stays_live_and_says_why(
    local: LocalServer, client: Client, rows: list[dict[str, Any]], named: str
) -> None:
    client.begin()
    client.log(rows)
    finish(client)
    (done,) = local.compact()
    assert done.reason is not None and named in done.reason and urls(client) == []
    assert not list(local.store.directory.glob(".compact-*"))


def test_keys_that_come_late_and_types_that_widen_across_row_groups(
    local: LocalServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runframe.server.compaction.ROW_GROUP", 2)
    client.begin()
    client.log([{"x": 1}, {"x": 2}, {"x": 0.5}, {"late": "yes"}, {"x": 4}])
    finish(client)
    assert [done.reason for done in local.compact()] == [None]
    assert [row["x"] for row in read(client)] == [1.0, 2.0, 0.5, None, 4.0]


def test_a_run_that_goes_on_is_live_again_and_stays_so(local: LocalServer, client: Client) -> None:
    client.begin()
    client.log([{"loss": 1.0}])
    finish(client)
    local.compact()
    (url,) = urls(client)
    client.log([{"loss": 0.5}], offset=1)
    assert urls(client) == []
    finish(client)
    assert local.compact() == [] and urls(client) == []
    assert get(client, url).status_code == 200  # whoever has the link may finish reading


def test_only_the_project_that_is_asked_for(local: LocalServer, client: Client) -> None:
    client.begin()
    client.log([{"loss": 1.0}])
    finish(client)
    assert local.compact("other") == []
    assert [done.run_path for done in local.compact("p")] == ["local/p/r"]


def test_a_store_of_the_first_version_gets_what_it_lacks(tmp_path: Path) -> None:
    with open_local(tmp_path) as local:
        Client(local).begin()
    with sqlite3.connect(tmp_path / "runframe.sqlite") as connection:
        connection.execute("DROP TABLE history_exports")
        connection.execute("PRAGMA user_version=1")
    connection.close()
    with open_local(tmp_path) as local:
        client = Client(local)
        client.log([{"loss": 1.0}])
        finish(client)
        assert [done.reason for done in local.compact()] == [None]
        assert json.loads(client.run("history(minStep: 0, maxStep: 9)")["history"][0])["loss"] == 1.0
