"""Files of a run."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from pathlib import Path

import pytest

from runframe import Api, CommError, NotFoundError
from runframe.resources.files import File, Files
from runframe.resources.run import Run

NAMES = ["media/a/b.txt", "report.json"]


@pytest.fixture
def run(api: Api) -> Run:
    return api.run("digits/run-1")


def test_files_are_listed_with_their_length(run: Run) -> None:
    files = run.files()
    assert len(files) == 2
    assert repr(files) == "<Files local/digits/run-1 (2)>"
    assert sorted(file.name for file in files) == NAMES
    assert [file.name for file in run.files(["report.json", "nope"])] == ["report.json"]
    assert [file.name for file in run.files(pattern="%.txt")] == ["media/a/b.txt"]
    assert len(run.files(names=["report.json"])) == 2


def test_a_number_in_the_second_place_is_a_page_size(run: Run) -> None:
    files = run.files(None, 1)
    assert (files.per_page, files[0].name, len(files.objects)) == (1, "media/a/b.txt", 1)
    assert len(list(files)) == 2


def test_names_and_a_pattern_do_not_go_together(run: Run) -> None:
    with pytest.raises(CommError, match="not both"):
        run.files(names=["a"], pattern="%")


def test_a_file_knows_what_the_server_says(run: Run) -> None:
    file = run.file("report.json")
    assert (file.name, file.size, file.run) == ("report.json", 8, run)
    assert file.size_bytes == file.sizeBytes
    assert file.md5 == b64encode(hashlib.md5(b'{"n": 1}').digest()).decode()
    assert repr(file).startswith("<File report.json (")
    assert repr(file).endswith(" 8.0B>")


@pytest.mark.parametrize(
    ("size", "said"), [(0, "0.0B"), (1023, "1023.0B"), (1536, "1.5KiB"), (2**20, "1.0MiB"), (2**60, "1.0EiB")]
)
def test_sizes_are_readable(run: Run, size: int, said: str) -> None:
    assert repr(File(run.client, {"name": "f", "sizeBytes": size})) == f"<File f (None) {said}>"


def test_a_missing_file_is_named(run: Run) -> None:
    with pytest.raises(NotFoundError, match=r"local/digits/run-1 has no file 'nope.txt'"):
        run.file("nope.txt")


def test_the_files_of_a_missing_run_are_none(api: Api) -> None:
    files = Files(api.client, Run(api.client, "local", "digits", "nope", {}))
    assert len(files) == 0
    assert list(files) == []


def test_a_download_is_an_open_text_file(run: Run, tmp_path: Path) -> None:
    with run.file("report.json").download(str(tmp_path)) as file:
        assert json.load(file) == {"n": 1}
    with run.file("media/a/b.txt").download(str(tmp_path)) as file:
        assert file.name == str(tmp_path / "media" / "a" / "b.txt")
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == NAMES


def test_a_file_that_is_there_is_kept_unless_asked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("mine")
    with pytest.raises(ValueError, match="replace=True") as caught:
        run.file("report.json").download(str(tmp_path))
    assert isinstance(caught.value, CommError)
    with run.file("report.json").download(str(tmp_path), exist_ok=True) as file:
        assert file.read() == "mine"
    with run.file("report.json").download(str(tmp_path), replace=True) as file:
        assert file.read() == '{"n": 1}'


@pytest.mark.parametrize("name", ["../out.txt", "/etc/out.txt", "a/../../out.txt", ""])
def test_names_cannot_lead_out_of_the_folder(run: Run, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="Invalid path"):
        File(run.client, {"name": name, "url": "/x"}, run).download(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_another_api_may_fetch(run: Run, api: Api, tmp_path: Path) -> None:
    run.file("report.json").download(str(tmp_path), api=api).close()
    assert (tmp_path / "report.json").exists()


def test_a_failed_download_leaves_nothing(run: Run, tmp_path: Path) -> None:
    file = run.file("report.json")
    file._attrs["md5"] = "AAAAAAAAAAAAAAAAAAAAAA=="
    with pytest.raises(CommError):
        file.download(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_the_place_in_a_bucket() -> None:
    amazon = {"name": "f", "url": "http://h/f", "directUrl": "https://mine.s3.eu-west-1.amazonaws.com/a/b?sig=1"}
    assert File(None, amazon).path_uri == "s3://mine/a/b"  # type: ignore[arg-type]
    reference = {"name": "f", "url": "gs://b/f", "directUrl": "gs://b/f"}
    assert File(None, reference).path_uri == "gs://b/f"  # type: ignore[arg-type]
    with pytest.warns(UserWarning, match="not in S3"):
        assert File(None, {"name": "f", "url": "u", "directUrl": ""}).path_uri == ""  # type: ignore[arg-type]


def test_files_are_columns_too(run: Run) -> None:
    table = run.files().to_polars(["run_id", "name", "size"])
    assert table.sort("name").rows() == [("run-1", "media/a/b.txt", 4), ("run-1", "report.json", 8)]
    assert run.files().to_arrow().schema.equals(Files.SCHEMA.arrow)
