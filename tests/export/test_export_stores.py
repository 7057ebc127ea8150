"""Datasets in object stores: what is there by its manifest is whole, and is what a folder would hold."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.dataset as ds
import pytest
from datasets import assert_equal, assert_whole, table
from pyarrow import fs

from runframe import Api, UsageError
from runframe.cli import main
from runframe.export import known_dataset, plan_export, remote
from runframe.export.stores import ArrowStore, Store, is_remote, local_path, open_store

Record = Callable[..., None]
URL = "memory://bucket/digits"


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The store behind memory:// URLs, empty; and a cache that is empty too."""
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path / "cache"))
    filesystem = fsspec.filesystem("memory")
    filesystem.store.clear()
    yield filesystem
    filesystem.store.clear()
    filesystem.pseudo_dirs[:] = [""]


@pytest.fixture
def made(recorder: Record, runframe_api: Api) -> Api:
    recorder("a", [{"loss": 1 / (step + 1)} for step in range(5)])
    recorder("b", [{"loss": 0.5, "note": "né"}])
    return runframe_api


class Traced(ArrowStore):
    """A folder below a file system of pyarrow, as a store that notes what is done, and may break off."""

    def __init__(self, folder: Path, breaks_at: int | None = None) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(fs.SubTreeFileSystem(str(folder), fs.LocalFileSystem()), "bucket/made")
        self.done: list[tuple[str, str]] = []
        self.breaks_at = breaks_at

    def _note(self, what: str, name: str) -> None:
        if len(self.done) == self.breaks_at:
            raise OSError("the network is gone")
        self.done.append((what, name))

    def put(self, source: Path, name: str) -> None:
        self._note("put", name)
        super().put(source, name)

    def remove(self, name: str) -> None:
        self._note("remove", name)
        super().remove(name)


@pytest.fixture
def traced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Traced]:
    def open_(breaks_at: int | None = None) -> Traced:
        store = Traced(tmp_path / "s", breaks_at)
        monkeypatch.setattr(remote, "open_store", lambda url: store)
        return store

    return open_


def fetched(store: Store, folder: Path) -> Path:
    """A copy of all that is in a store but the state."""
    for name in store.sizes():
        if not name.startswith("_runframe/"):
            store.fetch(name, folder / name)
    return folder


def forget(tmp_path: Path) -> None:
    """Makes this machine another one, which has no copy."""
    (tmp_path / "cache").rename(tmp_path / f"cache-{len(list(tmp_path.iterdir()))}")


def test_a_store_holds_what_a_folder_would(demo: Api, tmp_path: Path) -> None:
    report = demo.export("digits", to=URL, tables="all", files=["*.yaml"])
    demo.export("digits", to=tmp_path / "d", tables="all", files=["*.yaml"])
    copy = fetched(open_store(URL), tmp_path / "copy")
    assert_equal(copy, tmp_path / "d")
    assert_whole(copy)
    contents = {path.relative_to(copy): path.read_bytes() for path in (copy / "file_contents").rglob("*.*")}
    assert contents
    assert contents == {name: (tmp_path / "d" / name).read_bytes() for name in contents}
    assert (report.target, report.rows) == (URL, 577)


def test_readers_read_it_by_the_files_of_its_manifest(demo: Api) -> None:
    demo.export("digits", to=URL)
    filesystem = fs.PyFileSystem(fs.FSSpecHandler(fsspec.filesystem("memory")))
    manifest = json.loads(fsspec.filesystem("memory").cat_file("/bucket/digits/manifest.json"))
    files = [f"/bucket/digits/{file['path']}" for file in manifest["tables"]["history"]["files"]]
    assert ds.dataset(files, filesystem=filesystem).count_rows() == 577


def test_an_export_that_is_made_again_changes_nothing(demo: Api, memory: Any) -> None:
    demo.export("digits", to=URL)
    before = {name: each.modified for name, each in memory.store.items()}
    report = demo.export("digits", to=URL)
    assert (report.changed, report.fetched) == (False, 0)
    assert {name: each.modified for name, each in memory.store.items()} == before


def test_another_machine_goes_on_with_what_is_there(made: Api, recorder: Record, tmp_path: Path) -> None:
    made.export("made", to=URL)
    forget(tmp_path)
    assert (made.export("made", to=URL).fetched, made.export("made", to=URL).changed) == (0, False)
    made.run("made/a").delete()
    recorder("c", [{"loss": 2.0}])
    forget(tmp_path)
    report = made.export("made", to=URL)
    assert (report.fetched, report.deleted) == (1, ["a"])
    copy = fetched(open_store(URL), tmp_path / "copy")
    assert sorted(set(table(copy, "history")["run_id"].to_pylist())) == ["a", "b", "c"]


def test_what_another_machine_wrote_since_is_not_overlooked(made: Api, recorder: Record, tmp_path: Path) -> None:
    made.export("made", to=URL)
    mine = tmp_path / "cache"
    mine.rename(tmp_path / "mine")
    recorder("c", [{"loss": 2.0}])
    made.export("made", to=URL)
    mine.rename(tmp_path / "theirs")
    (tmp_path / "mine").rename(mine)
    report = made.export("made", to=URL)
    assert (report.fetched, report.changed, report.runs) == (0, False, 3)


def test_the_manifest_comes_after_the_data_and_before_anything_is_removed(
    made: Api, recorder: Record, traced: Callable[..., Traced]
) -> None:
    store = traced()
    made.export("made", to="x://bucket/made")
    recorder("c", [{"loss": 2.0}])
    store.done.clear()
    made.export("made", to="x://bucket/made")
    kinds = ["manifest" if name == "manifest.json" else what for what, name in store.done]
    at = kinds.index("manifest")
    assert "remove" not in kinds[:at]
    assert set(kinds[at + 1 : -1]) == {"remove"}
    assert store.done[-1] == ("put", remote.PUSHED)


@pytest.mark.parametrize("again", ["here", "elsewhere"])
@pytest.mark.parametrize("step", range(8))
def test_a_push_that_breaks_off_leaves_the_old_dataset_or_the_new_one_and_is_mended(
    made: Api, recorder: Record, traced: Callable[..., Traced], tmp_path: Path, step: int, again: str
) -> None:
    url = "x://bucket/made"
    store = traced()
    made.export("made", to=url)
    made.export("made", to=tmp_path / "old")
    recorder("c", [{"loss": 2.0, "new": True}])
    made.export("made", to=tmp_path / "new")
    store = traced(step)
    with pytest.raises(OSError, match="the network is gone"):
        made.export("made", to=url)
    copy = fetched(store, tmp_path / "copy")
    for_readers = json.loads((copy / "manifest.json").read_text())
    assert_equal(copy, tmp_path / ("new" if "new" in for_readers["tables"]["history"]["columns"] else "old"))
    if again == "elsewhere":
        forget(tmp_path)
    store = traced()
    made.export("made", to=url)
    mended = fetched(store, tmp_path / "mended")
    assert_equal(mended, tmp_path / "new")
    assert_whole(mended)


@pytest.mark.parametrize("step", [0, 1, 4, 6])
def test_a_first_push_that_breaks_off_is_gone_on_with(
    made: Api, traced: Callable[..., Traced], tmp_path: Path, step: int
) -> None:
    store = traced(step)
    with pytest.raises(OSError, match="the network is gone"):
        made.export("made", to="x://bucket/made")
    forget(tmp_path)
    store = traced()
    made.export("made", to="x://bucket/made")
    made.export("made", to=tmp_path / "d")
    assert_equal(fetched(store, tmp_path / "copy"), tmp_path / "d")


def test_contents_that_changed_under_their_name_are_put_again(
    recorder: Record, runframe_api: Api, tmp_path: Path
) -> None:
    recorder("a", [{"loss": 1.0}], exit_code=None)
    made = runframe_api
    run, file = made.run("made/a"), tmp_path / "note.txt"
    for text in ("one", "two"):
        file.write_text(text)
        run.upload_file(str(file), root=str(tmp_path))
        made.export("made", to=URL, files=["note.txt"])
        assert open_store(URL).read("file_contents/a/note.txt") == text.encode()


def test_a_place_that_holds_something_else_is_refused(made: Api, memory: Any) -> None:
    memory.pipe_file("/bucket/digits/thesis.tex", b"mine")
    with pytest.raises(UsageError, match="memory://bucket/digits already holds something that is no export"):
        made.export("made", to=URL)
    memory.rm_file("/bucket/digits/thesis.tex")
    made.export("made", to=URL)
    memory.pipe_file("/bucket/digits/runs/notes.md", b"mine")
    with pytest.raises(UsageError, match=r"files that the export did not write \(runs/notes\.md\)"):
        made.export("made", to=URL)
    assert memory.cat_file("/bucket/digits/runs/notes.md") == b"mine"


def test_another_project_or_filter_is_refused_by_its_url(made: Api, demo: Api) -> None:
    made.export("made", to=URL)
    with pytest.raises(UsageError, match="memory://bucket/digits holds the export of local/made"):
        demo.export("digits", to=URL)
    with pytest.raises(UsageError, match="memory://bucket/digits holds the runs of local/made; give"):
        made.runs("made", filters={"name": "b"}).to_parquet(URL)


def test_runs_plans_and_known_datasets_take_urls(made: Api) -> None:
    assert known_dataset(URL) is None
    assert plan_export(made, "made", to=URL).fetch == 2
    assert open_store(URL).sizes() == {}
    report = made.runs("made", filters={"name": "b"}).to_parquet(URL)
    assert (report.target, report.runs) == (URL, 1)
    known = known_dataset(URL)
    assert known is not None
    assert (known.path, known.tables) == ("local/made", ("runs", "history"))
    with pytest.raises(UsageError, match="a single file goes to a folder of this machine"):
        made.runs("made").to_parquet("memory://bucket/runs.parquet")


def test_the_command_exports_and_syncs_to_a_url(demo_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--to", URL, "--base-url", f"local:{demo_store}"]
    assert main(["export", "local/digits", *where]) == 0
    assert main(["sync", *where]) == 0
    one, two = capsys.readouterr().out.splitlines()
    assert one.endswith(f"-> {URL}")
    assert "unchanged" in two


def test_a_file_url_is_a_folder(made: Api, tmp_path: Path) -> None:
    made.export("made", to=(tmp_path / "ein Ordner").as_uri())
    assert_whole(tmp_path / "ein Ordner")
    assert not is_remote("file:///a") and not is_remote("a/b") and not is_remote(Path("a"))
    assert local_path("file://localhost/a%20b") == Path("/a b")
    with pytest.raises(UsageError, match="names the machine 'data'"):
        local_path("file://data/folder")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("foo://bucket/x", "foo://bucket/x cannot be opened: Protocol not known: foo"),
        ("memory://", "names no place for a dataset"),
        ("az://bucket/x", "az://bucket/x cannot be opened: .*adlfs"),
    ],
)
def test_urls_that_lead_nowhere(url: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(UsageError, match=said):
        open_store(url)


def test_the_stores_of_pyarrow_need_no_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "ada")
    for url in ("s3://bucket/x?region=eu-west-1", "gs://bucket/x", "abfs://box@ada.dfs.core.windows.net/x", "az://b/x"):
        assert isinstance(open_store(url), ArrowStore)
    with pytest.raises(UsageError, match=r"pip install 'runframe\[cloud\]'"):
        open_store(URL)
