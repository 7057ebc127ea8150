"""Importing offline runs gives what `wandb sync` gives, as often as it is done."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from served_process import Official, ServerProcess
from store_client import Client

from runframe.errors import LogError, UsageError
from runframe.server import ImportedRun, LocalServer, open_local

pytestmark = [pytest.mark.sdk, pytest.mark.slow]

LOG = """
import pathlib
import numpy as np
config = {"optimizer": {"lr": 0.1}, "big": 2**62 + 1, "a.dot": 1.5}
with wandb.init(project="off", id="one", mode="offline", name="the name", group="g", job_type="t", tags=["a"],
                notes="n", config=config) as run:
    run.define_metric("acc", summary="max")
    for step in range(40):
        run.log({"loss": 1 / (step + 1), "big": 2**62 + step, "n": {"x": step}, "acc": float(step % 7),
                 "odd": float("nan") if step == 3 else float("inf") if step == 4 else 1.5})
    run.log({"image": wandb.Image(np.zeros((4, 4, 3), dtype=np.uint8))})
    pathlib.Path("saved.txt").write_text("saved")
    run.save("saved.txt", policy="end")
    run.alert("careful", "something", level="WARN")
    print("hello")
failed = wandb.init(project="off", id="failed", mode="offline")
failed.finish(exit_code=3)
first = wandb.init(project="off", id="again", mode="offline", config={"a": 1})
for step in range(3):
    first.log({"loss": step})
print("first")
first.finish()
second = wandb.init(project="off", id="again", mode="offline", resume="allow", config={"b": 2})
for step in range(2):
    second.log({"loss": 10 + step})
print("second")
second.finish()
result = True
"""


@dataclass(frozen=True)
class Logs:
    """A folder of logs, and a store that the official client synced it to."""

    folder: Path
    synced: Path

    def of(self, run: str) -> list[Path]:
        return sorted(self.folder.glob(f"*-{run}"))


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logs]:
    home = tmp_path_factory.mktemp("offline")
    server = ServerProcess(home / "store")
    try:
        official = Official(server, home)
        official.run(LOG)
        wandb = [sys.executable, "-m", "wandb"]
        for folder in sorted((home / "wandb").glob("offline-run-*")):
            subprocess.run([*wandb, "sync", str(folder)], env=official.environment, cwd=home, check=True, timeout=60)
    finally:
        server.stop()
    yield Logs(home / "wandb", home / "store")


def contents(client: Client, run: str) -> dict[str, Any]:
    """What a run holds, parsed; times of the server's own and what only a sync uploads left out."""
    fields = """displayName state group jobType notes tags host jobProgram sweepName commit config summaryMetrics
        systemMetrics historyKeys historyLineCount eventsLineCount logLineCount
        history(minStep: 0) events(samples: 1000)
        logLines { edges { node { number timestamp level line } } }
        files { edges { node { name sizeBytes md5 } } }"""
    query = f'{{ project(name: "off") {{ run(name: "{run}") {{ {fields} }} }} }}'
    found: dict[str, Any] = client.graphql(query)["project"]["run"]
    for name in ("config", "summaryMetrics", "systemMetrics"):
        found[name] = json.loads(found[name])
    for name in ("history", "events"):
        found[name] = [json.loads(line) for line in found[name]]
    found["files"] = {edge["node"]["name"]: edge["node"] for edge in found["files"]["edges"]}
    return found


def same(left: Any, right: Any) -> bool:
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    return bool(left == right)


def everything(local: LocalServer) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of the store that an import writes, without the numbers that are given out anew each time."""
    queries = {
        "runs": "SELECT name, display_name, state, exit_code, group_name, job_type, tags, notes, config, summary,"
        " system_metrics, history_keys, last_step, history_lines, event_lines, log_lines, created_at, heartbeat_at,"
        " updated_at, host, program FROM runs ORDER BY name",
        "lines": "SELECT r.name, s.file, l.id - (s.id << 33), l.step, l.text FROM lines l JOIN streams s"
        " ON s.id = l.stream_id JOIN runs r ON r.id = s.run_id ORDER BY 1, 2, 3",
        "files": "SELECT r.name, f.name, f.sha256, f.md5, f.size FROM files f JOIN runs r ON r.id = f.run_id"
        " ORDER BY 1, 2",
        "alerts": "SELECT r.name, a.title, a.text, a.severity FROM alerts a JOIN runs r ON r.id = a.run_id",
        "imports": "SELECT r.name, i.started_at, history_offset FROM imports i JOIN runs r ON r.id = i.run_id"
        " ORDER BY 1, 2",
    }
    with local.store.read() as connection:
        return {name: [tuple(row) for row in connection.execute(query)] for name, query in queries.items()}


@pytest.fixture
def imported(logs: Logs, local: LocalServer) -> list[ImportedRun]:
    return local.import_logs([logs.folder])


def test_it_says_what_came_of_each_log(logs: Logs, imported: list[ImportedRun]) -> None:
    found = [(run.run_path, run.rows, run.state) for run in imported]
    assert found == [
        ("local/off/one", 41, "finished"),
        ("local/off/failed", 0, "failed"),
        ("local/off/again", 3, "finished"),
        ("local/off/again", 2, "finished"),
    ]
    assert all(run.tear is None and run.path.suffix == ".wandb" for run in imported)
    assert imported[0].files >= 6


SAME = [
    "displayName", "group", "jobType", "notes", "tags", "host", "sweepName", "commit", "state", "summaryMetrics",
    "systemMetrics", "historyKeys", "historyLineCount", "eventsLineCount", "logLineCount", "history", "events",
]  # fmt: skip


@pytest.mark.parametrize("run", ["one", "failed"])
def test_an_imported_run_is_what_the_official_sync_makes_of_it(
    logs: Logs, imported: list[ImportedRun], client: Client, run: str
) -> None:
    mine = contents(client, run)
    with open_local(logs.synced, create=False) as synced:
        theirs = contents(Client(synced), run)
    for name in SAME:
        assert same(mine[name], theirs[name]), name
    for node in (mine, theirs):
        node["lines"] = [(edge["node"]["number"], edge["node"]["line"]) for edge in node["logLines"]["edges"]]
        node["config"]["_wandb"] = {key: node["config"]["_wandb"]["value"].get(key) for key in ("m", "cli_version")}
    assert mine["lines"] == theirs["lines"]
    assert same(mine["config"], theirs["config"])
    assert mine["files"].keys() == theirs["files"].keys()
    for name in mine["files"]:
        if name.startswith("media/") or name in ("saved.txt", "requirements.txt"):
            assert mine["files"][name] == theirs["files"][name]


def test_times_are_those_of_the_log(imported: list[ImportedRun], client: Client) -> None:
    times = client.graphql('{ project(name: "off") { run(name: "one") { createdAt heartbeatAt } } }')["project"]["run"]
    rows = contents(client, "one")["history"]
    from datetime import datetime

    started, ended = (datetime.fromisoformat(times[name]).timestamp() for name in ("createdAt", "heartbeatAt"))
    assert started <= rows[0]["_timestamp"] and rows[-1]["_timestamp"] - 1e-3 <= ended < started + 60


def test_a_resumed_run_goes_on_where_its_first_log_ended(imported: list[ImportedRun], client: Client) -> None:
    found = contents(client, "again")
    assert [(row["_step"], row["loss"]) for row in found["history"]] == [(0, 0), (1, 1), (2, 2), (3, 10), (4, 11)]
    runtimes = [row["_runtime"] for row in found["history"]]
    assert runtimes == sorted(runtimes)
    assert [edge["node"]["line"] for edge in found["logLines"]["edges"]] == ["first", "second"]
    config = {key: entry["value"] for key, entry in found["config"].items() if key != "_wandb"}
    assert config == {"a": 1, "b": 2} and found["summaryMetrics"]["loss"] == 11


@pytest.mark.parametrize("which", ["all", "the first log", "the last log", "one run"])
def test_importing_again_changes_nothing(
    logs: Logs, imported: list[ImportedRun], local: LocalServer, which: str
) -> None:
    before = everything(local)
    again = {"all": [logs.folder], "the first log": logs.of("again")[:1], "the last log": logs.of("again")[1:],
             "one run": logs.of("one")}[which]  # fmt: skip
    local.import_logs(again)
    assert everything(local) == before


def test_an_import_replaces_what_was_logged_to_the_same_run(logs: Logs, local: LocalServer, client: Client) -> None:
    client.begin("one", modelName="off", tags=["other"])
    local.import_logs(logs.of("one"))
    found = contents(client, "one")
    assert (found["tags"], len(found["history"])) == (["a"], 41)


def test_names_can_be_given(logs: Logs, local: LocalServer) -> None:
    (run,) = local.import_logs(logs.of("failed"), entity="team", project="other")
    assert run.run_path == "team/other/failed"


def test_a_torn_log_is_read_up_to_the_tear(logs: Logs, local: LocalServer, client: Client, tmp_path: Path) -> None:
    folder = tmp_path / "torn"
    shutil.copytree(logs.of("one")[0], folder)
    (log,) = folder.glob("*.wandb")
    log.write_bytes(log.read_bytes()[: -log.stat().st_size // 3])
    (run,) = local.import_logs([folder])
    assert run.tear is not None and run.state == "crashed" and 0 < run.rows < 41
    found = contents(client, "one")
    assert found["state"] == "crashed"
    assert [row["_step"] for row in found["history"]] == list(range(run.rows))


def test_nothing_is_imported_unless_all_can_be_read(logs: Logs, local: LocalServer, tmp_path: Path) -> None:
    broken = tmp_path / "broken.wandb"
    broken.write_bytes(b"no log at all")
    with pytest.raises(LogError, match=r"broken\.wandb"):
        local.import_logs([logs.folder, broken])
    with pytest.raises(UsageError, match="nowhere"):
        local.import_logs([logs.folder, tmp_path / "nowhere"])
    assert everything(local)["runs"] == []


def test_names_in_a_log_cannot_leave_the_store(logs: Logs, local: LocalServer) -> None:
    with pytest.raises(LogError, match="a/b"):
        local.import_logs(logs.of("failed"), project="a/b")
