"""The folder of a dataset: swapped in whole, never over something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runframe.errors import UsageError
from runframe.export.target import FORMAT, MANIFEST, check_target, new_dataset, read_manifest


def fill(folder: Path, text: str, path: str = "ada/digits") -> None:
    """What an export leaves: a manifest that names its files, and the files."""
    (folder / "runs").mkdir()
    (folder / "runs" / "runs.parquet").write_text(text)
    tables = {"runs": {"files": [{"path": "runs/runs.parquet"}]}}
    manifest = {"format": FORMAT, "source": {"path": path}, "tables": tables}
    (folder / MANIFEST).write_text(json.dumps(manifest))


def write(target: Path, text: str, path: str = "ada/digits") -> None:
    with new_dataset(target, path) as part:
        fill(part, text, path)


def test_the_folder_appears_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "dataset"
    with new_dataset(target, "ada/digits") as part:
        fill(part, "rows")
        assert not target.exists()
        assert part.parent == target.parent and part.name.startswith(".")
    assert (target / "runs" / "runs.parquet").read_text() == "rows"
    assert [each.name for each in target.parent.iterdir()] == ["dataset"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "dataset").mkdir()
    write(tmp_path / "dataset", "rows")
    assert read_manifest(tmp_path / "dataset") is not None


def test_a_dataset_of_the_same_project_is_replaced(tmp_path: Path) -> None:
    write(tmp_path / "dataset", "old")
    write(tmp_path / "dataset", "new")
    assert (tmp_path / "dataset" / "runs" / "runs.parquet").read_text() == "new"
    assert [each.name for each in tmp_path.iterdir()] == ["dataset"]


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_behind_when_the_block_is_left_by_an_exception(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    with pytest.raises(failure), new_dataset(tmp_path / "deep" / "dataset", "ada/digits") as part:
        fill(part, "half")
        raise failure
    assert list(tmp_path.iterdir()) == []


def test_the_old_dataset_stays_when_the_new_one_fails(tmp_path: Path) -> None:
    write(tmp_path / "dataset", "old")
    with pytest.raises(RuntimeError), new_dataset(tmp_path / "dataset", "ada/digits") as part:
        fill(part, "half")
        raise RuntimeError
    assert (tmp_path / "dataset" / "runs" / "runs.parquet").read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["dataset"]


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
    with pytest.raises(UsageError), new_dataset(target, "ada/digits") as part:
        fill(part, "rows")
        target.mkdir()
        (target / "notes.md").write_text("mine")
    assert (target / "notes.md").read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir()] == ["dataset"]
