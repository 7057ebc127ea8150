"""Runs, files and projects have every member that the official client's have, and say the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import runframe
from runframe.server import open_local
from runframe.testing import Server, serving

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.slow,
    # The official package's own modules warn while they are imported and used; so do both clients' deprecated names.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*no rows are given:UserWarning"),
]

DOCUMENTED_BY_OTHERS = {"sweep", "sweeps"}
KINDS = {"CommError", "ValueError", "KeyError", "IndexError", "TypeError", "AttributeError"}
RUN = [
    "id", "name", "state", "entity", "project", "path", "url", "dir", "config", "rawconfig", "json_config", "tags",
    "notes", "description", "group", "job_type", "commit", "created_at", "heartbeat_at", "read_only", "storage_id",
    "sweep_name", "summary_metrics", "system_metrics", "history_line_count", "history_keys", "lastHistoryStep",
    "metadata", "username", "server_provides_internal_id_field",
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with two runs of the official SDK."""
    root = tmp_path_factory.mktemp("printed")
    with open_local(root / "store") as local, serving(local, root / "home") as server:
        program = Path(__file__).with_name("printing.py")
        subprocess.run(
            [sys.executable, str(program)], env=server.environment, cwd=root, check=True, timeout=120,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        yield server


@pytest.fixture
def official(server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    server.use(monkeypatch)
    import wandb

    return wandb.Api(timeout=60)


@pytest.fixture
def ours(server: Server, official: Any) -> runframe.Api:
    return server.api()


def outcome(action: Callable[[Any], Any], api: Any) -> Any:
    """What it gives, or the error that it raises."""
    try:
        return action(api)
    except Exception as error:
        return error


def kinds(outcome: Any) -> set[str]:
    """By which of the names that people catch an error answers."""
    return {kind.__name__ for kind in type(outcome).__mro__} & KINDS


def public(thing: Any) -> set[str]:
    return {name for name in dir(thing) if not name.startswith("_")} - DOCUMENTED_BY_OTHERS


def test_no_public_member_is_missing(official: Any, ours: runframe.Api) -> None:
    for make in (
        lambda api: api.run("printed/talker"),
        lambda api: api.runs("printed"),
        lambda api: api.run("printed/talker").files(),
        lambda api: api.run("printed/talker").file("output.log"),
        lambda api: api.project("printed"),
        lambda api: api.projects(),
        lambda api: api.run("printed/talker").console_logs(),
        lambda api: next(iter(api.run("printed/talker").console_logs())),
    ):
        theirs, own = make(official), make(ours)
        assert public(theirs) - public(own) == set(), type(own)
        assert public(type(theirs)) - public(type(own)) == set(), type(own)


def test_a_run_says_the_same(official: Any, ours: runframe.Api) -> None:
    for run_id in ("talker", "silent"):
        theirs, own = official.run(f"printed/{run_id}"), ours.run(f"printed/{run_id}")
        assert {name: getattr(own, name) for name in RUN} == {name: getattr(theirs, name) for name in RUN}
        assert repr(own) == repr(theirs)
        assert own.summary._json_dict == theirs.summary._json_dict
        assert (own.user.name, own.user.username) == (theirs.user.name, theirs.user.username)


def test_a_project_says_the_same(official: Any, ours: runframe.Api) -> None:
    for name in ("id", "name", "entity", "path", "url", "created_at", "is_benchmark", "entity_name"):
        assert getattr(ours.project("printed"), name) == getattr(official.project("printed"), name)
    theirs, own = official.project("printed").owner, ours.project("printed").owner
    assert (own.username, own.teams, own.api_keys) == (theirs.username, theirs.teams, theirs.api_keys)


def console(api: Any, **arguments: Any) -> list[tuple[Any, ...]]:
    lines = api.run("printed/talker").console_logs(**arguments)
    return [(line.number, line.timestamp, line.level, line.label, line.content) for line in lines]


def test_console_lines_are_the_same_however_they_are_paged(official: Any, ours: runframe.Api) -> None:
    expected = console(official)
    assert len(expected) >= 41
    assert console(ours) == expected
    assert console(ours, per_page=7) == expected
    assert console(ours, last=5) == console(official, last=5) == expected[-5:]
    assert next(line for line in expected if line[4] == "to stderr")[2] == "error"


ACTIONS: dict[str, Callable[[Any], Any]] = {
    "iframe": lambda api: api.run("printed/talker").to_html(),
    "hidden iframe": lambda api: api.run("printed/talker").to_html(height=99, hidden=True),
    "iframe of a project": lambda api: api.project("printed").to_html(300, True),
    "notebook": lambda api: api.run("printed/talker")._repr_html_(),
    "no iframe of a file": lambda api: api.run("printed/talker").file("output.log").to_html(),
    "nothing shown": lambda api: [
        api.run("printed/talker").display(),
        api.project("printed").display(300, hidden=True),
    ],
    "camel": lambda api: api.run("printed/talker").snake_to_camel("created_at"),
    "no console": lambda api: list(api.run("printed/silent").console_logs()),
    "console without length": lambda api: len(api.run("printed/talker").console_logs()),
    "one line": lambda api: api.run("printed/talker").console_logs()[2].content,
    "lines": lambda api: [line.number for line in api.run("printed/talker").console_logs(per_page=2)[1:4]],
    "no tail": lambda api: list(api.run("printed/talker").console_logs(last=0)),
    "no page": lambda api: list(api.run("printed/talker").console_logs(per_page=0)),
    "not asked yet": lambda api: repr(api.run("printed/talker").console_logs(last=0)),
    "a state it can't have": lambda api: api.run("printed/talker").update_state("running"),
    "a file that isn't there": lambda api: api.run("printed/talker").upload_file("nowhere.txt"),
    "a folder": lambda api: api.run("printed/talker").upload_file("."),
    "deprecated scan": lambda api: [row["loss"] for row in api.run("printed/talker").beta_scan_history()],
    "live rows": lambda api: api.run("printed/talker").download_history_exports("exports", False).contains_live_data,
    "files exported": lambda api: api.run("printed/talker").download_history_exports("exports", False).paths,
    "bad keys": lambda api: api.runs("printed").histories(keys="loss"),
    "keys and system": lambda api: api.runs("printed").histories(keys=["loss"], stream="system"),
    "bad format": lambda api: api.runs("printed").histories(format="parquet"),
    "no such element": lambda api: api.runs("printed")[9],
    "no index": lambda api: api.runs("printed")["talker"],
    "cursor": lambda api: [api.runs("printed").cursor, bool(list(api.runs("printed"))), api.runs("printed").cursor],
    "position": lambda api: [list(runs := api.runs("printed", per_page=1)), runs.index, runs.more][1:],
    "page of objects": lambda api: [next(runs := api.runs("printed", per_page=1)).id, len(runs.convert_objects())],
    "variables": lambda api: [
        next(runs := api.runs("printed", per_page=1)).id,
        runs.update_variables(),
        runs.variables,
    ],
    "documents": lambda api: [type(api.runs("printed").QUERY), type(api.projects().QUERY)],
}


@pytest.mark.parametrize("name", ACTIONS)
def test_both_do_the_same(
    name: str, official: Any, ours: runframe.Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own, theirs = outcome(ACTIONS[name], ours), outcome(ACTIONS[name], official)
    if isinstance(theirs, Exception):
        assert kinds(theirs) and kinds(own) >= kinds(theirs)
    else:
        assert own == theirs


def test_what_is_written_by_one_is_seen_by_the_other(
    server: Server, official: Any, ours: runframe.Api, tmp_path: Path
) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "ü x.txt").write_text("höh", encoding="utf-8")
    own = ours.run("printed/talker").upload_file(str(tmp_path / "deep" / "ü x.txt"), root=str(tmp_path))
    theirs = official.run("printed/talker").file("deep/ü x.txt")
    assert (own.name, own.size, own.md5, own.mimetype) == (theirs.name, theirs.size, theirs.md5, theirs.mimetype)
    with theirs.download(str(tmp_path / "back")) as file:
        assert file.read() == "höh"
    made = runframe.Run.create(ours, "queued", "printed", state="pending")
    assert (made.state, official.run("printed/queued").state) == ("pending", "pending")
    assert made.update_state("failed") is True
    assert (made.state, ours.run("printed/queued").state) == ("failed", "failed")
    official.flush()
    assert official.run("printed/queued").state == "failed"
