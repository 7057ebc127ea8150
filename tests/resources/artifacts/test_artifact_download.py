"""Bringing artifacts to this machine: folders, the cache, what is checked, what is refused."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runframe import Api, Artifact, CommError, TransportError
from runframe.progress import Progress
from runframe.resources.artifacts.download import safe_path
from runframe.resources.artifacts.entry import ManifestEntry
from runframe.resources.artifacts.manifest import Manifest, StoragePolicy
from runframe.resources.client import Client
from runframe.server import LocalServer, open_local
from runframe.wire import Limits, Session

CONTENT = {"B.txt": b"beta", "a.txt": b"alpha\n", "empty": b"", "sub/b.bin": b"\x00\x01\x02"}


def content_of(folder: str | Path) -> dict[str, bytes]:
    """What is in a folder: path to bytes."""
    root = Path(folder)
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def saved(own: Api, draft: Artifact) -> Artifact:
    draft.save(api=own)
    return own.artifact("data:latest")


@pytest.fixture
def cached(tmp_path: Path) -> Callable[[], list[Path]]:
    """Lists what is in the cache."""
    return lambda: sorted(path for path in (tmp_path / "cache").rglob("*") if path.is_file())


# Where to.


def test_everything_is_brought_to_the_folder_that_is_given(saved: Artifact, tmp_path: Path) -> None:
    assert saved.download(str(tmp_path / "out")) == str(tmp_path / "out")
    assert content_of(tmp_path / "out") == CONTENT
    assert saved.download(tmp_path / "out") == str(tmp_path / "out")


def test_the_default_folder_is_named_by_source_and_version(
    own: Api, saved: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    assert saved.download() == str(work / "artifacts" / "data:v0")
    assert saved.link("shelf").download() == str(work / "artifacts" / "data:v0")
    monkeypatch.setenv("WANDB_ARTIFACT_DIR", str(tmp_path / "elsewhere"))
    assert saved.download() == str(tmp_path / "elsewhere" / "data:v0")


def test_a_folder_that_another_system_wrote_is_used(saved: Artifact, tmp_path: Path) -> None:
    (tmp_path / "work" / "artifacts" / "data-v0").mkdir(parents=True)
    assert saved.download() == str(tmp_path / "work" / "artifacts" / "data-v0")


def test_a_prefix_chooses_what_is_brought(saved: Artifact, tmp_path: Path) -> None:
    saved.download(tmp_path / "out", path_prefix="su")
    assert list(content_of(tmp_path / "out")) == ["sub/b.bin"]


def test_one_entry_is_brought_under_its_path(saved: Artifact, tmp_path: Path) -> None:
    entry = saved.get_entry("sub/b.bin")
    assert entry.download(str(tmp_path / "one")) == str(tmp_path / "one" / "sub" / "b.bin")
    assert entry.download("here") == "here/sub/b.bin"
    assert entry.download() == str(tmp_path / "work" / "artifacts" / "data:v0" / "sub" / "b.bin")


def test_the_only_file_of_an_artifact(own: Api, folder: Path) -> None:
    single = Artifact("one", "dataset")
    single.add_file(str(folder / "a.txt"))
    single.save(api=own)
    assert own.artifact("one:latest").file() == "./artifacts/one:latest/a.txt"
    assert Path(single.file("out")).read_bytes() == b"alpha\n"


def test_several_files_are_no_single_one(saved: Artifact) -> None:
    with pytest.raises(ValueError, match="4 files"):
        saved.file()


# What is there already.


def test_right_files_stay_wrong_ones_are_replaced_others_are_left_alone(saved: Artifact, tmp_path: Path) -> None:
    out = tmp_path / "out"
    saved.download(out)
    before = (out / "a.txt").stat()
    (out / "B.txt").write_text("beth")
    (out / "mine.txt").write_text("mine")
    saved.download(out)
    assert (out / "a.txt").stat().st_mtime_ns == before.st_mtime_ns
    assert content_of(out) == {**CONTENT, "mine.txt": b"mine"}


def test_a_checkout_holds_nothing_else(saved: Artifact, tmp_path: Path) -> None:
    out = tmp_path / "work" / "artifacts" / "data"
    out.mkdir(parents=True)
    (out / "mine.txt").write_text("mine")
    assert saved.checkout() == str(out)
    assert content_of(out) == CONTENT
    assert content_of(saved.checkout(str(tmp_path / "out"))) == CONTENT


def test_a_folder_is_verified_without_fetching(saved: Artifact, tmp_path: Path) -> None:
    out = tmp_path / "out"
    saved.download(out)
    saved.verify(str(out))
    (out / "more").write_text("x")
    with pytest.raises(ValueError, match="more is no file"):
        saved.verify(str(out))
    (out / "more").unlink()
    (out / "a.txt").write_text("ALPHA\n")
    with pytest.raises(ValueError, match=r"mismatch: 'a.txt'"):
        saved.verify(str(out))
    (out / "a.txt").unlink()
    with pytest.raises(FileNotFoundError):
        saved.verify(str(out))


# The cache.


def test_content_is_cached_by_its_digest(saved: Artifact, tmp_path: Path, cached: Callable[[], list[Path]]) -> None:
    for path in cached():
        path.unlink()
    saved.download(tmp_path / "out")
    kept = tmp_path / "cache" / "artifacts" / "obj" / "md5" / "9f" / "9f90dbe3e5ee1218c86b8839db1995"
    assert kept in cached()
    assert kept.read_bytes() == b"alpha\n"
    assert len(cached()) == 4


def test_what_is_cached_is_not_fetched(own: Api, saved: Artifact, tmp_path: Path) -> None:
    saved.download(tmp_path / "one")
    _ = saved.manifest
    own.close()
    saved.download(tmp_path / "two")
    assert content_of(tmp_path / "two") == CONTENT


def test_what_rotted_in_the_cache_is_fetched_anew(
    saved: Artifact, tmp_path: Path, cached: Callable[[], list[Path]]
) -> None:
    for path in cached():
        path.write_bytes(path.read_bytes()[::-1])
    saved.download(tmp_path / "out")
    assert content_of(tmp_path / "out") == CONTENT
    assert {hashlib.md5(path.read_bytes()).hexdigest()[2:] for path in cached()} == {path.name for path in cached()}


def test_the_cache_can_be_left_out(saved: Artifact, tmp_path: Path, cached: Callable[[], list[Path]]) -> None:
    for path in cached():
        path.unlink()
    saved.download(tmp_path / "out", skip_cache=True)
    assert content_of(tmp_path / "out") == CONTENT
    assert cached() == []


def test_a_cache_that_cannot_be_written_is_not_needed(
    saved: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path / "file"))
    saved.download(tmp_path / "out")
    assert content_of(tmp_path / "out") == CONTENT


# The server.


class Watched:
    """A server's app that counts downloads, and answers some of them as it is told."""

    def __init__(self, local: LocalServer) -> None:
        self.local, self.api_key = local, local.api_key
        self.paths: Counter[str] = Counter()
        self.answer: Callable[[str], bytes | int | None] = lambda path: None

    async def app(self, scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        path = scope["path"]
        if scope["method"] == "GET":
            self.paths[path.split("/")[1 if "V2" in path else 2]] += 1
        given = self.answer(path) if scope["method"] == "GET" else None
        if given is None:
            await self.local.app(scope, receive, send)
            return
        status, body = (given, b"no") if isinstance(given, int) else (200, given)
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def watched(own: Api, draft: Artifact, tmp_path: Path) -> Iterator[tuple[Watched, Artifact]]:
    """A server that is watched, and an artifact on it that is in no cache."""
    (tmp_path / "files" / "twin.txt").write_bytes(b"alpha\n")
    draft.add_file(str(tmp_path / "files" / "twin.txt"))
    draft.save(api=own)
    own.close()
    with open_local(tmp_path / "store") as local:
        app = Watched(local)
        limits = Limits(soft_deadline=0.1, first_wait=0.01)
        with Session(
            "local", api_key=None, user_agent="W&B Public Client t", limits=limits, open_app=lambda: app
        ) as session:
            client = Client(session, "http://local/", {"project": "p"})
            from runframe.resources.artifacts.finding import by_name

            yield app, by_name(client, "data:v0", lambda: "local")


def test_each_content_is_fetched_once(watched: tuple[Watched, Artifact], tmp_path: Path) -> None:
    app, artifact = watched
    artifact.download(tmp_path / "out", skip_cache=True)
    assert content_of(tmp_path / "out") == {**CONTENT, "twin.txt": b"alpha\n"}
    assert app.paths["artifact-contents"] == 4


def test_an_address_that_is_refused_is_made_up_for_by_the_server_itself(
    watched: tuple[Watched, Artifact], tmp_path: Path
) -> None:
    app, artifact = watched
    app.answer = lambda path: 403 if "artifact-contents" in path and path.endswith("a.txt") else None
    artifact.download(tmp_path / "out", skip_cache=True)
    assert content_of(tmp_path / "out")["a.txt"] == b"alpha\n"
    assert app.paths["artifactsV2"] == 1


def test_other_content_than_was_promised_is_an_error_and_leaves_nothing(
    watched: tuple[Watched, Artifact], tmp_path: Path
) -> None:
    app, artifact = watched
    app.answer = lambda path: b"ALPHA\n" if path.endswith("a.txt") else None
    with pytest.raises(TransportError, match="md5"):
        artifact.download(tmp_path / "out", skip_cache=True)
    assert content_of(tmp_path / "out") == {
        "B.txt": b"beta", "empty": b"", "sub/b.bin": b"\x00\x01\x02",
    }  # fmt: skip


def test_a_file_that_cannot_be_had_is_an_error_after_all_others_came(
    watched: tuple[Watched, Artifact], tmp_path: Path
) -> None:
    app, artifact = watched
    app.answer = lambda path: 404 if path.endswith("a.txt") else None
    with pytest.raises(CommError):
        artifact.download(tmp_path / "out", skip_cache=True)
    assert set(content_of(tmp_path / "out")) == {"B.txt", "empty", "sub/b.bin"}


def test_a_server_that_lists_no_files_still_hands_them_out(watched: tuple[Watched, Artifact], tmp_path: Path) -> None:
    app, artifact = watched
    artifact._version = "v9"
    artifact.download(tmp_path / "out", skip_cache=True)
    assert len(content_of(tmp_path / "out")) == 5
    assert app.paths["artifactsV2"] == 4


def test_an_older_storage_layout_has_other_addresses(watched: tuple[Watched, Artifact], tmp_path: Path) -> None:
    app, artifact = watched
    artifact._version = "v9"
    artifact.manifest.storage_policy = StoragePolicy(config={})
    artifact.download(tmp_path / "out", skip_cache=True)
    assert len(content_of(tmp_path / "out")) == 5
    assert app.paths["artifactsV2"] == 0


# What is refused.


@pytest.mark.parametrize("path", ["/etc/passwd", "../out.txt", "a/../../b", "."])
def test_paths_that_lead_out_of_the_folder_are_not_written(saved: Artifact, tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="leads out"):
        safe_path(path)
    entry = ManifestEntry(path, "n5+Q2+Pl7hIYyGuIOdsZlQ==", size=6, _parent=saved)
    with pytest.raises(ValueError, match="leads out"):
        entry.download(str(tmp_path / "deep" / "out"))
    assert content_of(tmp_path / "deep") == {}


def test_a_path_that_is_a_file_and_a_folder_is_told(saved: Artifact, tmp_path: Path) -> None:
    manifest = Manifest()
    manifest.entries = {**saved.manifest.entries, "sub": ManifestEntry("sub", "n5+Q2+Pl7hIYyGuIOdsZlQ==", size=6)}
    saved._manifest = manifest
    with pytest.warns(UserWarning, match="'sub' is a file and a folder") as caught:
        saved.download(tmp_path / "out")
    assert caught[0].filename == __file__
    assert content_of(tmp_path / "out") == CONTENT


def test_entries_with_newer_digests_are_checked_too(saved: Artifact, tmp_path: Path) -> None:
    pytest.importorskip("xxhash")
    entry = saved.manifest.entries["a.txt"]
    entry.digest, entry.extra = "iQyKXFrSqKLtup6UeFNGow==", {"alg": "XXH128"}
    entry.download(str(tmp_path / "out"))
    assert content_of(tmp_path / "out") == {"a.txt": b"alpha\n"}
    entry.digest = "AQyKXFrSqKLtup6UeFNGow=="
    with pytest.raises(TransportError, match="digest"):
        entry.download(str(tmp_path / "other"))
    assert content_of(tmp_path / "other") == {}


def test_progress_is_told(saved: Artifact, tmp_path: Path) -> None:
    seen: list[Progress] = []
    saved.download(tmp_path / "out", progress=seen.append)
    assert (seen[-1].done, seen[-1].total, seen[-1].finished) == (4, 4, True)
