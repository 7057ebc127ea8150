"""`runframe clone`: the ways to name two places, what is printed, and the exit status."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from runframe import Api
from runframe.server import open_local
from runframe.testing import serving


@pytest.fixture
def backup(tmp_path: Path) -> str:
    return f"local:{tmp_path / 'backup'}"


def ids(address: str, path: str = "local/digits") -> set[str]:
    with Api(address) as api:
        return {run.id for run in api.runs(path)}


def test_a_project_goes_into_a_new_store_and_again_without_a_change(run: Any, local: str, backup: str) -> None:
    said = run("clone", "local/digits", "--from", local, "--to", backup)
    assert said.status == 0, said.out + said.err
    assert said.lines[:2] == ["local/digits -> local/digits", "runs: 16 new, 0 brought up to date, 0 unchanged"]
    assert said.lines[-1] == "everything is there as it was"
    assert ids(backup) == ids(local)
    again = run("clone", "local/digits", "--from", local, "--to", backup)
    assert (again.status, again.lines[1]) == (0, "runs: 0 new, 0 brought up to date, 16 unchanged")


def test_both_places_can_be_named_whole(run: Any, local: str, backup: str) -> None:
    said = run("clone", f"{local}::local/digits/mlp-1", f"{backup}::team/copy", "--json")
    assert said.status == 0, said.out + said.err
    report = json.loads(said.out)
    assert (report["source"], report["target"], report["runs"]) == ("local/digits/mlp-1", "team/copy", 1)
    assert report["complete"] is True and report["losses"] == []
    assert ids(backup, "team/copy") == {"mlp-1"}


def test_a_store_alone_keeps_the_path(run: Any, local: str, backup: str) -> None:
    assert run("clone", "local/digits/mlp-1", backup, "--from", local).status == 0
    assert ids(backup) == {"mlp-1"}


def test_another_project_of_the_same_server(run: Any, demo_store: Path, tmp_path: Path) -> None:
    store = shutil.copytree(demo_store, tmp_path / "store")
    assert run("clone", "local/digits", "copy", "--from", f"local:{store}").status == 0
    assert ids(f"local:{store}", "local/copy") == ids(f"local:{store}")


def test_what_did_not_survive_is_printed_and_has_status_1(run: Any, local: str, backup: str, tmp_path: Path) -> None:
    run("clone", "local/digits/mlp-1", "--from", local, "--to", backup)
    with Api(backup) as api:
        api.run("local/digits/mlp-1").delete()
        api.create_run("mlp-1", "digits").config["other"] = 1
    said = run("clone", "local/digits", "--from", local, "--to", backup)
    assert said.status == 1
    assert said.lines[-2] == "not cloned:"
    assert "run mlp-1: it is another run than local/digits/mlp-1; --overwrite" in said.lines[-1]
    assert run("clone", "local/digits", "--from", local, "--to", backup, "--overwrite").status == 0
    assert ids(backup) == ids(local)


def test_over_http_with_a_key_for_each(
    run: Any, demo_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        open_local(demo_store) as left,
        open_local(tmp_path / "right") as right,
        serving(left, tmp_path / "a") as here,
        serving(right, tmp_path / "b") as there,
    ):
        words = ("clone", "local/digits/mlp-1", "--from", here.url, "--to", there.url)
        monkeypatch.setenv("WANDB_API_KEY", here.api_key)
        monkeypatch.setenv("WANDB_BASE_URL", here.url)
        # The key of the environment is not shown to the other server.
        assert f"no API key for {there.url}: give --to-key, set RUNFRAME_TO_KEY" in run(*words).complaint
        assert run(*words, "--to-key", there.api_key).status == 0
        monkeypatch.setenv("RUNFRAME_TO_KEY", there.api_key)
        assert run(*words).status == 0
        assert [each.id for each in there.api().runs("local/digits")] == ["mlp-1"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("local/digits", "--to", "local:{tmp}/x", "--from", "local:{tmp}/none"), "there is no folder"),
        (("local/nothing", "--from", "{local}", "--to", "local:{tmp}/x"), "could not find local/nothing"),
        (("local/digits/none", "--from", "{local}", "--to", "local:{tmp}/x"), "could not find run"),
        (("local/digits", "--from", "{local}"), "into itself"),
        (("{local}", "--to", "local:{tmp}/x"), "names no project"),
        (("{local}::local/digits", "--from", "{local}"), "both name a server"),
        (("local/digits", "a/b/c", "--from", "{local}"), "'a/b/c' is no project"),
        (("a/b/c/d", "--from", "{local}", "--to", "local:{tmp}/x"), "a/b/c/d"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    run: Any, local: str, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    call = run("clone", *(word.format(local=local, tmp=tmp_path) for word in words))
    assert call.status == 2
    assert said in call.complaint
