"""The folder: private, shared between processes, refused where it is something else."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_client import Client

from runframe.errors import UsageError
from runframe.server import open_local
from runframe.server.store import documents, ids, users
from runframe.server.store.blobs import Blobs
from runframe.server.store.states import Grace


def test_a_store_is_made_with_a_key_that_stays(tmp_path: Path) -> None:
    with open_local(tmp_path / "a" / "store") as first:
        key = first.api_key
    assert len(key) >= 40 and key.isalnum() and key.isascii()
    with open_local(tmp_path / "a" / "store", create=False) as second:
        assert (second.api_key, second.entity) == (key, "local")
    with open_local(tmp_path / "b") as other:
        assert other.api_key != key


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_nobody_else_can_read_the_folder(tmp_path: Path) -> None:
    with open_local(tmp_path / "store"):
        assert stat.S_IMODE((tmp_path / "store").stat().st_mode) == 0o700
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    (shared / "mine.txt").touch()
    with open_local(shared):
        assert stat.S_IMODE((shared / "runframe.sqlite").stat().st_mode) == 0o600


def test_a_folder_that_is_no_store_is_not_made_one_unless_asked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no runframe store"):
        open_local(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()


def test_a_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "runframe.sqlite")
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    with pytest.raises(UsageError, match="another program"):
        open_local(tmp_path)
    (tmp_path / "runframe.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(UsageError, match="not a runframe store"):
        open_local(tmp_path)


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    open_local(tmp_path / "store").close()
    connection = sqlite3.connect(tmp_path / "store" / "runframe.sqlite")
    connection.execute("PRAGMA user_version=999")
    connection.close()
    with pytest.raises(UsageError, match="newer runframe"):
        open_local(tmp_path / "store")


def test_a_path_that_cannot_be_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot hold a store"):
        open_local(tmp_path / "file")


WRITER = """
import json, sys
from runframe.server import open_local
from runframe.server.stream import take
with open_local(sys.argv[1]) as local:
    for offset in range(60):
        line = json.dumps({"_step": offset, "writer": sys.argv[2]})
        body = {"files": {"wandb-history.jsonl": {"offset": offset, "content": [line]}}}
        take(local.store, local.store.owner.user, ("local", "p", sys.argv[2]), body, None)
"""


def test_several_processes_make_and_write_one_store_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path / "store")]
    writers = [subprocess.Popen([*command, f"w{number}"]) for number in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    with open_local(tmp_path / "store", create=False) as local:
        client = Client(local)
        assert [len(client.history(f"w{number}")) for number in range(3)] == [60, 60, 60]
        with local.store.read() as connection:
            assert connection.execute("SELECT count(*) FROM users").fetchone()[0] == 1


def test_lines_are_written_through_to_the_disk(client: Client) -> None:
    with client.local.store.write() as connection:
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_transaction_that_raises_leaves_nothing(client: Client) -> None:
    with pytest.raises(ZeroDivisionError), client.local.store.write() as connection:
        users.ensure_entity(connection, "half")
        raise ZeroDivisionError
    with client.local.store.read() as connection:
        assert users.find_entity(connection, "half") is None


def test_a_second_key_opens_the_store_for_its_user(client: Client) -> None:
    key = users.new_key()
    with client.local.store.write() as connection:
        users.add_key(connection, users.create_user(connection, "ada", email="a@b"), key)
    answer = client.request(
        "POST", "/graphql", json={"query": "{ viewer { username entity admin } }"}, auth=("api", key)
    )
    assert answer.json()["data"]["viewer"] == {"username": "ada", "entity": "ada", "admin": False}
    with client.local.store.read() as connection:
        assert key not in str([tuple(row) for row in connection.execute("SELECT * FROM api_keys")])


def silence(client: Client, seconds: float, run: str = "r") -> None:
    past = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() - seconds))
    with client.local.store.write() as connection:
        connection.execute("UPDATE runs SET heartbeat_at = ? WHERE name = ?", (past, run))


def states(client: Client, name: str) -> list[str]:
    query = 'query Q($f: JSONString) { project(name: "p") { runs(filters: $f) { edges { node { name } } } } }'
    edges = client.graphql(query, f=f'{{"state": "{name}"}}')["project"]["runs"]["edges"]
    return [edge["node"]["name"] for edge in edges]


def test_a_run_that_falls_silent_has_crashed_also_in_filters(make_client: Callable[..., Client]) -> None:
    client = make_client(grace=Grace(running=60))
    client.begin()
    silence(client, 50)
    assert client.run("state") == {"state": "running"} and states(client, "running") == ["r"]
    silence(client, 70)
    assert client.run("state") == {"state": "crashed"} and states(client, "crashed") == ["r"]
    assert states(client, "running") == []
    client.stream()
    assert client.run("state") == {"state": "running"}


def test_five_minutes_is_how_long_a_run_may_be_silent(client: Client) -> None:
    client.begin()
    silence(client, 290)
    assert client.run("state") == {"state": "running"}
    silence(client, 310)
    assert client.run("state") == {"state": "crashed"}


def test_a_run_that_announced_its_preemption_may_be_silent_for_longer(client: Client) -> None:
    client.begin()
    client.stream(preempting=True)
    silence(client, 400)
    assert client.run("state") == {"state": "preempting"}
    silence(client, 4000)
    assert client.run("state") == {"state": "preempted"}
    client.stream(complete=True, exitcode=1)
    assert client.run("state") == {"state": "preempted"}


def test_a_finished_run_may_be_silent_for_ever(client: Client) -> None:
    client.begin()
    client.stream(complete=True, exitcode=0)
    silence(client, 10**8)
    assert client.run("state") == {"state": "finished"}


UPDATE = "mutation U($input: UpdateRunStateInput!) { updateRunState(input: $input) { success } }"


def test_a_state_can_be_set_where_it_may_follow(client: Client) -> None:
    identity = client.begin()["bucket"]["id"]
    for state in ("failed", "pending", "failed"):
        assert client.graphql(UPDATE, input={"id": identity, "state": state})["updateRunState"] == {"success": True}
        assert client.run("state") == {"state": state}
    assert "asleep" in client.refused(UPDATE, input={"id": identity, "state": "asleep"})
    client.stream(complete=True, exitcode=0)
    assert "is finished" in client.refused(UPDATE, input={"id": identity, "state": "failed"})
    assert "no run's" in client.refused(UPDATE, input={"id": "x", "state": "failed"})


def test_a_sweeps_runs_keep_their_state(client: Client) -> None:
    identity = client.begin(sweep="s1")["bucket"]["id"]
    assert "sweep" in client.refused(UPDATE, input={"id": identity, "state": "failed"})


def test_part_files_of_killed_writers_are_swept_when_they_are_old(tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    for name, age in (("old", 10**6), ("young", 10)):
        (parts / name).touch()
        os.utime(parts / name, (time.time() - age,) * 2)
    Blobs(tmp_path)
    assert [part.name for part in parts.iterdir()] == ["young"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text() | st.just("\ue000NaN"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_documents_come_back_as_they_were_and_sqlite_reads_them(value: object) -> None:
    text = documents.to_stored(value)
    connection = sqlite3.connect(":memory:")
    try:
        (stored, valid) = connection.execute("SELECT ?1, json_valid(?1)", (text,)).fetchone()
    finally:
        connection.close()
    assert valid == 1
    assert repr(documents.from_stored(stored)) == repr(value)


@given(st.integers(0, 2**62), st.sampled_from(["Run", "File"]))
def test_node_ids_come_back_for_their_kind_alone(number: int, kind: str) -> None:
    assert ids.decode(kind, ids.encode(kind, number)) == number
    assert ids.decode("Other", ids.encode(kind, number)) is None


@given(st.text())
def test_any_text_is_an_id_or_none(text: str) -> None:
    assert ids.decode("Run", text) is None or text
