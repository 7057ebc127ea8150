"""The folder of a dataset: swapped in whole, never over something else."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest

from runframe.errors import UsageError
from runframe.export import target as targets
from runframe.export.state import STATE, open_state
from runframe.export.target import FORMAT, MANIFEST, check_target, publish, read_manifest, recover


def fill(folder: Path, text: str, path: str = "ada/digits") -> None:
    """What an export leaves: a manifest that names its files, and the files."""
    (folder / "runs").mkdir()
    (folder / "runs" / "runs.parquet").write_text(text)
    tables = {"runs": {"files": [{"path": "runs/runs.parquet"}]}}
    manifest = {"format": FORMAT, "source": {"path": path}, "tables": tables}
    (folder / MANIFEST).write_text(json.dumps(manifest))


def write(target: Path, text: str, path: str = "ada/digits") -> None:
    with open_state(target) as state:
        new = state.new_folder()
        fill(new, text, path)
        with state.put_away():
            publish(new, target, path)


def rows(target: Path) -> str:
    return (target / "runs" / "runs.parquet").read_text()


@pytest.fixture(params=["at once", "one after the other"])
def renaming(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Systems that can give two folders each other's names at once, and systems that can't."""
    if request.param != "at once":
        monkeypatch.setattr(targets, "_renameat2", lambda: None)


@pytest.mark.usefixtures("renaming")
def test_a_dataset_appears_where_its_state_is(tmp_path: Path) -> None:
    write(tmp_path / "deep" / "dataset", "rows")
    assert rows(tmp_path / "deep" / "dataset") == "rows"
    assert [each.name for each in (tmp_path / "deep").iterdir()] == ["dataset"]
    assert {each.name for each in (tmp_path / "deep" / "dataset").iterdir()} == {"runs", MANIFEST, STATE}


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "dataset").mkdir()
    write(tmp_path / "dataset", "rows")
    assert read_manifest(tmp_path / "dataset") is not None


@pytest.mark.usefixtures("renaming")
def test_a_dataset_of_the_same_project_is_replaced_and_the_state_stays(tmp_path: Path) -> None:
    write(tmp_path / "dataset", "old")
    with open_state(tmp_path / "dataset") as state:
        state.catalog.set("note", "kept")
    write(tmp_path / "dataset", "new")
    assert rows(tmp_path / "dataset") == "new"
    assert [each.name for each in tmp_path.iterdir()] == ["dataset"]
    with open_state(tmp_path / "dataset") as state:
        assert state.catalog.get("note") == "kept"


def test_nothing_is_left_behind_when_nothing_was_listed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), open_state(tmp_path / "deep" / "dataset"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_two_processes_do_not_write_to_one_folder(tmp_path: Path) -> None:
    with open_state(tmp_path), pytest.raises(UsageError, match="another export is writing"), open_state(tmp_path):
        pass


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.usefixtures("renaming")
@pytest.mark.parametrize("step", range(4))
def test_a_kill_at_any_rename_leaves_the_old_dataset_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    target = tmp_path / "dataset"
    write(target, "old")
    with open_state(target) as state:
        new = state.new_folder()
        fill(new, "new")
        real = Path.rename
        done = 0

        def rename(self: Path, other: Path) -> Path:
            nonlocal done
            if done == step:
                raise Killed
            done += 1
            return real(self, other)

        with monkeypatch.context() as patch, state.put_away():
            patch.setattr(Path, "rename", rename)
            with suppress(Killed):
                publish(new, target, "ada/digits")
            patch.undo()
            recover(target)
    assert rows(target) in ("old", "new")
    assert [each.name for each in tmp_path.iterdir()] == ["dataset"]
    assert (target / STATE / "state.sqlite").exists()


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dataset").write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        check_target(tmp_path / "dataset", "ada/digits")


def test_a_folder_with_anything_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match="already holds something"):
        check_target(tmp_path, "ada/digits")


def test_a_dataset_of_another_project_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "dataset", "rows")
    with pytest.raises(UsageError, match="holds the export of ada/digits"):
        check_target(tmp_path / "dataset", "ada/wine")


def test_a_dataset_with_files_of_others_in_it_is_refused_and_they_are_named(tmp_path: Path) -> None:
    write(tmp_path / "dataset", "rows")
    (tmp_path / "dataset" / "notes.md").write_text("mine")
    with pytest.raises(UsageError, match=r"notes\.md"):
        write(tmp_path / "dataset", "new")
    assert (tmp_path / "dataset" / "notes.md").read_text() == "mine"


def test_something_that_arrives_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "dataset"
    with open_state(target) as state:
        fill(state.new_folder(), "rows")
        (target / "notes.md").write_text("mine")
        with pytest.raises(UsageError), state.put_away():
            publish(state.folder / "new", target, "ada/digits")
    assert (target / "notes.md").read_text() == "mine"
    assert not (target / "runs").exists()


def test_a_folder_that_only_looks_like_a_state_is_refused(tmp_path: Path) -> None:
    (tmp_path / STATE).mkdir()
    (tmp_path / STATE / "notes.md").write_text("mine")
    with pytest.raises(UsageError, match="already holds something"):
        check_target(tmp_path, "ada/digits")
