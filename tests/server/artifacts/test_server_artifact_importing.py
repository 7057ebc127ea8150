"""The artifacts of offline runs: imported with their staged files, named where something is missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from artifact_writer import Writer
from served_process import Official, ServerProcess
from store_client import Client

from runframe.server import ImportedRun, LocalServer, open_local

pytestmark = [pytest.mark.sdk, pytest.mark.slow]

LOG = """
import wandb
def draft(name, files, kind="dataset", **rest):
    made = wandb.Artifact(name, kind, **rest)
    for path, text in files.items():
        with made.new_file(path) as file:
            file.write(text)
    return made
with wandb.init(project="p", id="one") as run:
    for text in "01":
        made = draft("data", {"a.txt": text, "sub/b.txt": "b"}, metadata={"text": text})
        made.add_reference("https://example.invalid/x", name="ref", checksum=False)
        run.log_artifact(made, aliases=["best"], tags=["t"])
    run.log({"t": wandb.Table(columns=["a"], data=[[1]])})
    run.upsert_artifact(draft("shared", {"p": "p"}), distributed_id="D")
    run.finish_artifact(draft("shared", {"q": "q"}), distributed_id="D")
    growing = wandb.Table(columns=["a"], log_mode="INCREMENTAL")
    for value in range(2):
        growing.add_data(value)
        run.log({"growing": growing})
"""


@dataclass(frozen=True)
class Recorded:
    """A log, and the folder in which the SDK staged the files."""

    log: Path
    staging: Path


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    home = tmp_path_factory.mktemp("recorded")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
    folders = {name: str(home) for name in ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR")}
    environment = kept | folders | {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}
    subprocess.run([sys.executable, "-c", LOG], env=environment, cwd=home, check=True, timeout=120)
    (log,) = home.rglob("*.wandb")
    return Recorded(log, home / "artifacts" / "staging")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalServer]:
    with open_local(tmp_path / "imported") as server:
        yield server


def imported(store: LocalServer, recorded: Recorded) -> ImportedRun:
    (run,) = store.import_logs([recorded.log])
    return run


def listing(writer: Writer) -> dict[str, int]:
    query = """{ project(name: "p") { artifactCollections { edges { node { name artifacts { totalCount } } } } } }"""
    edges = writer.client.graphql(query)["project"]["artifactCollections"]["edges"]
    return {edge["node"]["name"]: edge["node"]["artifacts"]["totalCount"] for edge in edges}


WHOLE = {"data": 2, "run-one-t": 1, "shared": 1, "run-one-incr-growing": 2}


def test_versions_come_with_their_files(store: LocalServer, recorded: Recorded) -> None:
    run, writer = imported(store, recorded), Writer(Client(store))
    assert (run.artifacts, run.notes) == (7, [])
    assert listing(writer) == WHOLE
    assert writer.aliases("data:v1") == ["best", "latest"]
    found = writer.artifact("metadata description tags { name } createdBy { ... on Run { name } }", "data:v1")
    assert (json.loads(found["metadata"]), found["tags"], found["createdBy"]) == (
        {"text": "1"},
        [{"name": "t"}],
        {"name": "one"},
    )
    edges = writer.artifact("files { edges { node { name directUrl } } }", "data:v1")["files"]["edges"]
    urls = {edge["node"]["name"]: edge["node"]["directUrl"] for edge in edges}
    assert writer.client.request("GET", urls["a.txt"], auth=None).content == b"1"
    assert urls["ref"] == "https://example.invalid/x"
    assert set(writer.manifest("shared:v0")["contents"]) == {"p", "q"}
    assert len(writer.manifest("run-one-incr-growing:v1")["contents"]) == 2
    assert not any("local_path" in entry for entry in writer.manifest("data:v1")["contents"].values())


def test_a_log_that_is_imported_again_adds_nothing(store: LocalServer, recorded: Recorded) -> None:
    imported(store, recorded)
    writer = Writer(Client(store))
    newer = writer.log("data", {"a.txt": b"2"})
    assert (imported(store, recorded).notes, listing(writer)) == ([], {**WHOLE, "data": 3})
    assert writer.artifact("id", "data:latest")["id"] == newer
    query = '{ project(name: "p") { run(name: "one") { outputArtifacts { totalCount } } } }'
    assert writer.client.graphql(query)["project"]["run"]["outputArtifacts"]["totalCount"] == 6


def test_an_artifact_whose_files_are_gone_is_left_out_and_named(
    store: LocalServer, recorded: Recorded, tmp_path: Path
) -> None:
    away = tmp_path / "away"
    shutil.move(recorded.staging, away)
    try:
        run = imported(store, recorded)
    finally:
        shutil.move(away, recorded.staging)
    assert (run.artifacts, len(run.notes)) == (0, 7)
    assert all("is left out" in note for note in run.notes)
    assert "'data'" in run.notes[0] and "'a.txt'" in run.notes[0]
    assert imported(store, recorded).artifacts == 7


def test_a_staged_file_that_was_changed_is_not_taken(store: LocalServer, recorded: Recorded) -> None:
    (changed,) = [path for path in recorded.staging.iterdir() if path.read_bytes() == b"1"]
    changed.chmod(0o600)
    changed.write_bytes(b"X")
    try:
        run = imported(store, recorded)
    finally:
        changed.write_bytes(b"1")
    assert run.artifacts == 6
    assert [note for note in run.notes if "digest" in note and "'data'" in note] == run.notes


def test_an_artifact_that_does_not_fit_is_left_out_and_the_run_is_kept(store: LocalServer, recorded: Recorded) -> None:
    writer = Writer(Client(store))
    writer.log("data", {"x": b"0"}, artifactTypeName="model")
    run = imported(store, recorded)
    assert (run.artifacts, len(run.notes)) == (5, 2)
    assert "'model'" in run.notes[0]
    assert run.state == "finished"


def test_what_a_run_used_is_noted_where_the_store_has_it(store: LocalServer, tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "other")
    try:
        Official(server, tmp_path).run("""
            with wandb.init(project="p", id="maker") as run:
                for name in ("here", "elsewhere"):
                    made = wandb.Artifact(name, "dataset")
                    with made.new_file("x") as file:
                        file.write("0")
                    run.log_artifact(made).wait()
            with wandb.init(project="p", id="user") as run:
                run.use_artifact("here:latest")
                run.use_artifact("elsewhere:v0")
        """)
    finally:
        server.stop()
    writer = Writer(Client(store))
    writer.log("here", {"x": b"0"})
    (log,) = tmp_path.rglob("run-user.wandb")
    (run,) = store.import_logs([log])
    assert run.notes == ["The run used the artifact 'elsewhere:v0', which is not in this store."]
    query = """{ project(name: "p") { run(name: "user") { inputArtifacts { edges { node {
        artifactSequence { name } } } } } } }"""
    edges = writer.client.graphql(query)["project"]["run"]["inputArtifacts"]["edges"]
    assert [edge["node"]["artifactSequence"]["name"] for edge in edges] == ["here"]
