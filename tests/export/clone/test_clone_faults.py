"""Clones that are killed, refused, or cannot have everything: what is there is whole, and the rest is said."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from comparing import contents
from servers import Countdown, Watched, error, plain

from runframe import Api
from runframe.server import open_local
from runframe.testing import serving
from runframe.testing.serving import Server

PATH = "local/digits"
Open = Callable[[Path], Api]


@contextmanager
def served(folder: Path, home: Path, change: Callable[[Any], Any] = lambda app: app) -> Iterator[Server]:
    """A store over HTTP, with an app around its own."""
    with open_local(folder) as local:
        local.app = change(local.app)
        with serving(local, home) as server:
            yield server


@pytest.mark.parametrize("requests", [3, 30, 55, 100])
def test_a_clone_that_was_killed_goes_on_where_it_was(
    filled: Path, empty: Path, tmp_path: Path, opened: Open, requests: int
) -> None:
    countdown = Countdown(requests)
    with served(empty, tmp_path / "home", lambda app: Watched(app, began=countdown)) as server:
        command = [sys.executable, "-m", "runframe", "clone", PATH, "--from", f"local:{filled}", "--to", server.url]
        process = subprocess.Popen([*command, "--quiet"], env=server.environment, stdout=subprocess.DEVNULL)
        assert countdown.reached.wait(60)
        process.kill()
        assert process.wait(20) == -signal.SIGKILL
        states = {run.id: run.state for run in server.api().runs("local/digits")} if requests > 12 else {}
    whole = {run[0]: run for run in contents(filled, "digits")["runs"]}
    ended = {name for name, state in states.items() if state == "finished"}
    for run in contents(empty, "digits")["runs"] if ended else ():
        assert run[0] not in ended or run == whole[run[0]], "it is said to have ended, and is not whole"
    with opened(filled) as here, opened(empty) as there:
        report = here.clone(PATH, to=there)
    assert report.complete, str(report)
    before, after = contents(filled, "digits"), contents(empty, "digits")
    assert before == after
    with opened(filled) as here, opened(empty) as there:
        assert here.clone(PATH, to=there).unchanged == 5


def test_what_is_refused_of_a_run_is_named_and_the_rest_is_there(filled: Path, empty: Path, tmp_path: Path) -> None:
    def look(operation: str, variables: dict[str, Any]) -> tuple[int, Any] | None:
        mine = operation == "CloneRunFiles" and variables["input"]["runName"] == "first"
        return (403, error("the disk is full of owls")) if mine else None

    with (
        served(filled, tmp_path / "left") as source,
        served(empty, tmp_path / "right", lambda app: Watched(app, look=look)) as target,
    ):
        report = source.api().clone(PATH, to=target.api())
        assert [(failure.kind, failure.name) for failure in report.failures] == [("run", "first")]
        assert "owls" in report.failures[0].reason
        api = target.api()
        assert api.run(f"{PATH}/first").state == "running"
        assert api.run(f"{PATH}/second").state == "failed"
        assert api.artifact(f"{PATH}/data:best").digest
    with served(filled, tmp_path / "left") as source, served(empty, tmp_path / "right") as target:
        report = source.api().clone(PATH, to=target.api())
    assert report.complete, str(report)
    assert contents(filled, "digits") == contents(empty, "digits")


def test_a_refused_commit_leaves_no_version(filled: Path, empty: Path, tmp_path: Path) -> None:
    def look(operation: str, variables: dict[str, Any]) -> tuple[int, Any] | None:
        return (400, error("no room for versions")) if operation == "CommitArtifact" else None

    with (
        served(filled, tmp_path / "left") as source,
        served(empty, tmp_path / "right", lambda app: Watched(app, look=look)) as target,
    ):
        report = source.api().clone(PATH, to=target.api())
        failed = {failure.name for failure in report.failures if failure.kind == "artifact"}
        assert failed == {"data:v0", "data:v2", "model:v0", "run-first-table:v0"}
        assert report.artifacts == 0
        assert not target.api().artifact_exists(f"{PATH}/model:v0")
    assert contents(empty, "digits")["versions"] == []


def blob(store: Path, query: str) -> Path:
    """The file that holds a content."""
    with closing(sqlite3.connect(store / "runframe.sqlite")) as connection:
        sha256 = connection.execute(query).fetchone()[0]
    return next(path for path in (store / "blobs").rglob("*") if path.name == sha256 or path.name == sha256[2:])


NOTES = "SELECT sha256 FROM files WHERE name = 'notes.txt'"
WEIGHTS = """SELECT sha256 FROM artifact_contents JOIN artifact_entries ON digest = md5 WHERE path = 'weights.bin'"""


def spoil(path: Path) -> None:
    """Other bytes, as many."""
    content = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(bytes(255 - byte for byte in content))


@pytest.mark.parametrize("damage", [Path.unlink, spoil], ids=["missing", "spoilt"])
def test_contents_that_the_source_lost_are_named_and_nothing_half_is_claimed(
    source: Path, empty: Path, opened: Open, damage: Callable[[Path], None]
) -> None:
    for query in (NOTES, WEIGHTS):
        damage(blob(source, query))
    with opened(source) as here, opened(empty) as there:
        report = here.clone(PATH, to=there)
        assert [(loss.what, loss.names) for loss in report.losses if loss.kind == "run"][:1] == [
            ("file notes.txt", ("first",))
        ]
        assert [failure.name for failure in report.failures] == ["model:v0"]
        assert "weights.bin" in report.failures[0].reason
        assert not report.complete
        names = {file.name for file in there.run(f"{PATH}/first").files()}
        assert "notes.txt" not in names and "empty.bin" in names
        assert not there.artifact_exists(f"{PATH}/model:v0")
        assert there.artifact_exists(f"{PATH}/data:v2")
        # Again: the same is missing, and nothing else is sent.
        again = here.clone(PATH, to=there)
        assert [failure.name for failure in again.failures] == ["model:v0"]
        assert (again.runs, again.rows, again.files, again.artifacts) == (0, 0, 0, 0)


def test_a_server_without_the_extension_gets_all_that_the_protocol_takes(
    filled: Path, empty: Path, tmp_path: Path
) -> None:
    with served(filled, tmp_path / "left") as source, served(empty, tmp_path / "right", plain) as target:
        report = source.api().clone(PATH, to=target.api())
        assert report.failures == [], str(report)
        said = {(loss.kind, loss.what) for loss in report.losses}
        assert said == {
            ("run", "created_at and heartbeat_at"),
            ("sweep", "its id and times"),
            ("artifact", "created_at and updated_at"),
            ("artifact", "its number"),
            ("collection", "created_at"),
            ("report", "created_at and updated_at"),
            ("project", "created_at"),
        }
        first = contents(empty, "digits")
        again = source.api().clone(PATH, to=target.api())
    before, after = contents(filled, "digits"), contents(empty, "digits")
    assert first == after, "the second clone changed something"
    assert sorted(map(repr, again.losses)) == sorted(map(repr, report.losses))
    assert (again.runs, again.updated, again.rows, again.files, again.artifacts, again.sweeps) == (0,) * 6
    assert before["lines"] == after["lines"]
    assert [file[:-1] for file in before["files"]] == [file[:-1] for file in after["files"]]
    timeless = [[*run[:7], *run[8:12], *run[15:]] for run in before["runs"]]
    assert timeless == [[*run[:7], *run[8:12], *run[15:]] for run in after["runs"]]
    renamed = {"data:v0": "data:v0", "data:v2": "data:v1"}
    aliases = {(row[0], row[1], renamed.get(row[2], row[2])) for row in before["aliases"] if row[1] != "v2"}
    assert aliases - {("data", "v1", "data:v1")} == set(after["aliases"]) - {("data", "v1", "data:v1")}
    assert len(after["sweeps"]) == 1
    (sweep,) = {run[7] for run in after["runs"] if run[0].startswith("trial")}
    assert sweep == after["sweeps"][0][0] != before["sweeps"][0][0]


def test_a_target_that_goes_away_ends_the_clone_with_its_name(filled: Path, empty: Path, tmp_path: Path) -> None:
    """A key that is refused in the middle ends it at once: nothing is tried run by run."""
    asked: list[str] = []

    def look(operation: str, variables: dict[str, Any]) -> tuple[int, Any] | None:
        asked.append(operation)
        return (401, error("the key was revoked")) if operation == "CloneUpsertRun" else None

    with (
        served(filled, tmp_path / "left") as source,
        served(empty, tmp_path / "right", lambda app: Watched(app, look=look)) as target,
    ):
        from runframe.errors import AuthenticationError

        with pytest.raises(AuthenticationError, match="revoked"):
            source.api().clone(PATH, to=target.api())
    assert asked.count("CloneUpsertRun") <= 6
    assert "CreateArtifact" not in asked
