"""Drafts: what they say of themselves, and putting things in and taking them out."""

from __future__ import annotations

import copy
import datetime as dt
import gc
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from runframe import Artifact, ArtifactFinalizedError, ArtifactNotLoggedError, ArtifactTTL, Error, Table

LOGGED_ONLY = [
    "entity", "project", "version", "qualified_name", "collection", "source_entity", "source_project",
    "source_version", "source_qualified_name", "source_collection", "aliases", "tags", "commit_hash", "file_count",
    "created_at", "updated_at", "url", "linked_artifacts", "source_artifact", "history_step", "linked_at", "ttl",
]  # fmt: skip
LOGGED_METHODS: list[tuple[str, tuple[Any, ...]]] = [
    ("get", ("x",)), ("get_entry", ("x",)), ("get_path", ("x",)), ("table", ("x",)), ("files", ()), ("file", ()),
    ("download", ()), ("checkout", ()), ("verify", ()), ("wait", ()), ("json_encode", ()), ("new_draft", ()),
    ("used_by", ()), ("logged_by", ()), ("delete", ()), ("unlink", ()),
]  # fmt: skip


def test_a_draft_says_what_it_can() -> None:
    draft = Artifact("x", "dataset", "text", {"a": 1}, incremental=True, use_as="in")
    assert (draft.name, draft.source_name, draft.type, draft.description) == ("x", "x", "dataset", "text")
    assert (draft.id, draft.state, draft.is_draft(), draft.is_link) == (None, "PENDING", True, False)
    assert (draft.incremental, draft.use_as, draft.distributed_id) == (True, "in", None)
    assert (draft.digest, draft.size, len(draft.manifest)) == ("64e7c61456b10382e2f3b571ac24b659", 0, 0)
    assert draft.digest_algorithm == "MANIFEST_MD5"
    assert repr(draft) == "<Artifact x>"


@pytest.mark.parametrize("name", LOGGED_ONLY)
def test_a_draft_lacks_what_only_the_server_knows(name: str) -> None:
    draft = Artifact("x", "dataset")
    with pytest.raises(ArtifactNotLoggedError, match=f"Artifact.{name}") as caught:
        getattr(draft, name)
    assert (caught.value.obj, caught.value.name) == (draft, f"Artifact.{name}")
    assert not hasattr(draft, name)
    assert getattr(draft, name, "none") == "none"


@pytest.mark.parametrize(("name", "arguments"), LOGGED_METHODS)
def test_a_draft_refuses_what_needs_the_server(name: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ArtifactNotLoggedError, match=f"Artifact.{name}.*draft") as caught:
        getattr(Artifact("x", "dataset"), name)(*arguments)
    assert isinstance(caught.value, (AttributeError, Error))


def test_aliases_and_tags_of_a_draft_cannot_be_set() -> None:
    draft = Artifact("x", "dataset")
    for name in ("aliases", "tags"):
        with pytest.raises(ArtifactNotLoggedError):
            setattr(draft, name, ["a"])


def test_a_time_to_live_is_known_once_it_is_set() -> None:
    draft = Artifact("x", "dataset")
    draft.ttl = dt.timedelta(hours=1, milliseconds=900)
    assert draft.ttl == dt.timedelta(hours=1)
    draft.ttl = None
    assert draft.ttl is None
    draft.ttl = ArtifactTTL.INHERIT
    assert not hasattr(draft, "ttl")


@pytest.mark.parametrize("ttl", [dt.timedelta(0), dt.timedelta(-1), 5])
def test_a_time_to_live_is_above_zero(ttl: Any) -> None:
    with pytest.raises(ValueError, match="ttl"):
        Artifact("x", "dataset").ttl = ttl


def test_a_history_has_no_time_to_live() -> None:
    draft = Artifact("x", "dataset")
    draft._type = "wandb-history"
    with pytest.raises(ValueError, match="history"):
        draft.ttl = None


# Files.


def test_a_file_is_entered_with_digest_and_size(folder: Path) -> None:
    draft = Artifact("x", "dataset")
    entry = draft.add_file(str(folder / "a.txt"))
    assert (entry.path, entry.digest, entry.size, entry.ref) == ("a.txt", "n5+Q2+Pl7hIYyGuIOdsZlQ==", 6, None)
    assert draft.add_file(str(folder / "a.txt"), "in/it.txt").path == "in/it.txt"
    assert draft.digest == draft.manifest.digest()
    assert draft.size == 12


def test_a_mutable_file_may_change_before_the_draft_is_saved(folder: Path) -> None:
    draft = Artifact("x", "dataset")
    kept = draft.add_file(str(folder / "a.txt"))
    in_place = draft.add_file(str(folder / "B.txt"), policy="immutable")
    (folder / "a.txt").write_text("changed")
    assert kept.local_path is not None
    assert Path(kept.local_path).read_text() == "alpha\n"
    assert in_place.local_path == str(folder / "B.txt")
    with pytest.raises(ValueError, match="policy"):
        draft.add_file(str(folder / "a.txt"), policy="other")  # type: ignore[arg-type]


def test_what_a_forgotten_draft_kept_is_removed(folder: Path, tmp_path: Path) -> None:
    draft = Artifact("x", "dataset")
    draft.add_file(str(folder / "a.txt"))
    staging = tmp_path / "data" / "artifacts" / "staging"
    assert len(list(staging.iterdir())) == 1
    del draft
    gc.collect()
    assert list(staging.iterdir()) == []


def test_a_copy_of_a_draft_has_its_files_for_as_long_as_it_is_there(folder: Path) -> None:
    draft = Artifact("x", "dataset")
    draft.add_file(str(folder / "a.txt"))
    other = copy.deepcopy(draft)
    other.remove("a.txt")
    assert len(draft.manifest) == 1
    third = copy.deepcopy(draft)
    del draft, other
    gc.collect()
    assert Path(third.manifest.entries["a.txt"].local_path or "").read_text() == "alpha\n"


def test_a_file_may_be_named_by_its_content(folder: Path) -> None:
    draft = Artifact("x", "dataset")
    assert draft.add_file(str(folder / "a.txt"), "q/x.table.json", is_tmp=True).path == (
        "q/9f9f90dbe3e5ee1218c8.table.json"
    )


def test_the_same_path_takes_the_same_content_only(folder: Path) -> None:
    draft = Artifact("x", "dataset")
    draft.add_file(str(folder / "a.txt"))
    draft.add_file(str(folder / "a.txt"))
    with pytest.raises(ValueError, match=r"another file at 'a.txt'"):
        draft.add_file(str(folder / "B.txt"), "a.txt")
    assert draft.add_file(str(folder / "B.txt"), "a.txt", overwrite=True).size == 4


@pytest.mark.parametrize("name", ["nope", "sub"])
def test_what_is_no_file_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not a file"):
        Artifact("x", "dataset").add_file(str(folder / name))


def test_a_folder_is_added_with_all_that_is_below_it(folder: Path) -> None:
    (folder / "link").symlink_to(folder / "sub")
    draft = Artifact("x", "dataset")
    draft.add_dir(str(folder), "in")
    assert sorted(draft.manifest.entries) == [
        "in/B.txt", "in/a.txt", "in/empty", "in/link/b.bin", "in/sub/b.bin",
    ]  # fmt: skip
    assert draft.get_added_local_path_name(str(folder / "a.txt")) == "in/a.txt"
    assert draft.get_added_local_path_name("elsewhere") is None


def test_a_link_that_leads_back_up_is_not_followed_for_ever(folder: Path) -> None:
    (folder / "sub" / "up").symlink_to(folder)
    draft = Artifact("x", "dataset")
    draft.add_dir(str(folder))
    assert sorted(draft.manifest.entries) == ["B.txt", "a.txt", "empty", "sub/b.bin"]


def test_a_folder_replaces_other_files_only_when_merged(folder: Path) -> None:
    draft = Artifact("x", "dataset")
    draft.add_file(str(folder / "B.txt"), "a.txt")
    with pytest.raises(ValueError, match=r"'a.txt'"):
        draft.add_dir(str(folder))
    draft.add_dir(str(folder), merge=True)
    assert draft.manifest.entries["a.txt"].size == 6
    with pytest.raises(ValueError, match="not a folder"):
        draft.add_dir(str(folder / "a.txt"))


def test_a_new_file_is_in_the_draft_when_its_block_ended_well() -> None:
    draft = Artifact("x", "dataset")
    with draft.new_file("deep/er/n.txt") as file:
        file.write("é")
        assert "deep/er/n.txt" not in draft.manifest
    with draft.new_file("n.bin", "xb") as file:
        file.write(b"\x00\x01")
    assert {path: entry.size for path, entry in draft.manifest.entries.items()} == {"deep/er/n.txt": 2, "n.bin": 2}
    assert draft.manifest.entries["n.bin"].skip_cache
    with pytest.raises(KeyError), draft.new_file("bad"):
        raise KeyError
    assert "bad" not in draft.manifest


def test_a_new_file_replaces_another_only_when_asked() -> None:
    draft = Artifact("x", "dataset")
    with draft.new_file("n.txt") as file:
        file.write("one")
    with pytest.raises(ValueError, match="already"), draft.new_file("n.txt"):
        pass
    with draft.new_file("n.txt", "w") as file:
        file.write("other")
    assert draft.size == 5


def test_entries_are_removed_by_path_folder_and_entry(folder: Path) -> None:
    draft = Artifact("x", "dataset")
    draft.add_dir(str(folder), "in")
    draft.remove("in/sub/")
    draft.remove("in/a.txt")
    draft.remove(draft.manifest.entries["in/empty"])
    assert list(draft.manifest.entries) == ["in/B.txt"]
    with pytest.raises(FileNotFoundError, match="'nope'"):
        draft.remove("nope")


# Objects.


def test_a_table_is_added_under_a_name_that_tells_its_kind() -> None:
    draft = Artifact("x", "dataset")
    table = Table(columns=["a"], data=[[1]])
    entry = draft.add(table, "t")
    assert entry.path == "t.table.json"
    assert draft.add(table, "other") is entry
    assert draft.add(Table(columns=["b"], data=[[1]]), "t.table.json") is entry
    assert draft.add(Table(columns=["b"], data=[[1]]), "t", overwrite=True).digest != entry.digest
    draft["u"] = pl.DataFrame({"a": [1]})
    assert list(draft.manifest.entries) == ["t.table.json", "u.table.json"]


def test_a_table_in_the_media_folder_is_named_by_its_content() -> None:
    entry = Artifact("x", "dataset").add(Table(columns=["a"], data=[[1]]), "media/tables/t")
    folder, _, last = entry.path.rpartition("/")
    assert folder == "media/tables"
    assert last.endswith(".table.json")
    assert len(last) == 20 + len(".table.json")


@pytest.mark.parametrize("thing", [5, {"a": 1}, "text", None])
def test_other_things_are_no_objects_of_an_artifact(thing: Any) -> None:
    with pytest.raises(TypeError, match=type(thing).__name__):
        Artifact("x", "dataset").add(thing, "x")


# The end.


def test_a_finalized_draft_keeps_its_content(folder: Path) -> None:
    draft = Artifact("x", "dataset")
    draft.add_file(str(folder / "a.txt"))
    draft.finalize()
    changes: list[tuple[str, tuple[Any, ...]]] = [
        ("add_file", (str(folder / "B.txt"),)),
        ("add_dir", (str(folder),)),
        ("add_reference", ("foo://x", "y")),
        ("add", (Table(), "t")),
        ("remove", ("a.txt",)),
    ]
    for name, arguments in changes:
        with pytest.raises(ArtifactFinalizedError, match=f"Artifact.{name}"):
            getattr(draft, name)(*arguments)
    with pytest.raises(ArtifactFinalizedError), draft.new_file("n"):
        pass
    draft.description = "still"
    draft.metadata = {"b": 2}
    assert list(draft.manifest.entries) == ["a.txt"]


def test_only_md5_digests_are_written() -> None:
    with pytest.warns(UserWarning, match="MD5"):
        draft = Artifact("x", "dataset", digest_algorithm="XXH128")
    assert draft.digest_algorithm == "MANIFEST_MD5"
    region = Artifact("x", "dataset", storage_region="eu").manifest.storage_policy
    assert (region.layout, region.region) == ("V2", "eu")
