"""The download cache: where things are, and that they are whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from runframe.cache import Cache, cache_folder, copy_file, data_folder, written

DIGEST = "n5+Q2+Pl7hIYyGuIOdsZlQ=="


def test_places_are_those_of_the_official_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path))
    cache = Cache.of_user()
    assert cache.root == tmp_path / "artifacts"
    assert cache.by_digest(DIGEST) == tmp_path / "artifacts/obj/md5/9f/9f90dbe3e5ee1218c86b8839db1995"
    assert cache.by_digest(DIGEST, "xxh128").parts[-3] == "xxh128"
    both = hashlib.sha256(b"u").digest() + hashlib.sha256(b"e").digest()
    name = hashlib.sha256(both).hexdigest()
    assert cache.by_etag("u", "e") == tmp_path / "artifacts/obj/etag" / name[:2] / name[2:]


@pytest.mark.parametrize(("function", "variable"), [(cache_folder, "WANDB_CACHE_DIR"), (data_folder, "WANDB_DATA_DIR")])
def test_folders_come_from_the_environment_or_from_the_home(
    function: object, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (variable, "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert callable(function)
    assert tmp_path in function().parents
    assert function().name == "wandb"
    monkeypatch.setenv(variable, str(tmp_path / "mine"))
    assert function() == tmp_path / "mine"


def test_something_is_there_when_its_size_is_right(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    path = cache.by_digest(DIGEST)
    assert not cache.has(path, None)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"alpha\n")
    assert cache.has(path, 6)
    assert cache.has(path, None)
    assert not cache.has(path, 7)
    cache.drop(path)
    cache.drop(path)
    assert not path.exists()


def test_a_cache_that_cannot_be_made_is_not_usable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert not Cache(tmp_path / "file").usable()
    assert Cache(tmp_path / "folder").usable()


def test_a_copy_is_whole_and_digested_on_the_way(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"alpha\n")
    target = tmp_path / "deep" / "target"
    assert copy_file(tmp_path / "source", target) is None
    assert copy_file(tmp_path / "source", target, hashlib.md5) == hashlib.md5(b"alpha\n").digest()
    assert [path.name for path in target.parent.iterdir()] == ["target"]


def test_a_file_that_fails_half_way_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"before")
    with pytest.raises(RuntimeError), written(target) as file:
        file.write(b"half")
        raise RuntimeError
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("target", b"before")]
