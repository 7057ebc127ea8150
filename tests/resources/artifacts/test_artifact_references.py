"""References: what is entered of what lies elsewhere, and bringing it here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from object_stores import GCS, S3, Handler, Objects, Web, serving

from runframe import Api, Artifact, CommError, NotFoundError
from runframe.resources.artifacts.entry import ManifestEntry

Serve = Callable[[type[Handler], dict[str, bytes]], tuple[str, Objects]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts servers, and gives the address and the objects of each."""
    with ExitStack() as stack:

        def start(handler: type[Handler], content: dict[str, bytes]) -> tuple[str, Objects]:
            objects = Objects(content)
            return stack.enter_context(serving(handler, objects)), objects

        yield start


def saved(api: Api, *references: tuple[str, str | None]) -> Artifact:
    artifact = Artifact("refs", "dataset")
    for uri, name in references:
        artifact.add_reference(uri, name)
    artifact.save(api=api)
    return api.artifact("refs:latest")


def facts(entries: object) -> list[tuple[str, str, str | None, int | None]]:
    assert isinstance(entries, list)
    return [(entry.path, entry.digest, entry.ref, entry.size) for entry in entries]


# URIs.


@pytest.mark.parametrize("uri", ["nope", "", "/a/b", 5])
def test_a_reference_is_a_uri(uri: str) -> None:
    with pytest.raises(ValueError, match="URI"):
        Artifact("x", "dataset").add_reference(uri)


def test_an_unknown_scheme_needs_a_name_and_is_kept_unchecked(own: Api) -> None:
    artifact = Artifact("x", "dataset")
    with pytest.raises(ValueError, match="need a name"):
        artifact.add_reference("foo://bar")
    with pytest.warns(UserWarning, match="unchecked") as caught:
        (entry,) = artifact.add_reference("foo://bar", "n")
    assert caught[0].filename == __file__
    assert (entry.digest, entry.ref, entry.size) == ("foo://bar", "foo://bar", None)
    artifact.add_reference("foo://bar", "m", checksum=False)
    artifact.save(api=own)
    with pytest.raises(ValueError, match="nothing is known"):
        artifact.download("out")


# Files.


def test_a_file_is_referred_to_with_its_digest(folder: Path) -> None:
    artifact = Artifact("x", "dataset")
    uri = f"file://{folder}/a.txt"
    assert facts(artifact.add_reference(uri)) == [("a.txt", "n5+Q2+Pl7hIYyGuIOdsZlQ==", uri, 6)]
    assert artifact.add_reference(uri, "in/b")[0].path == "in/b"
    assert artifact.add_reference(uri, "c", checksum=False)[0].digest not in ("n5+Q2+Pl7hIYyGuIOdsZlQ==", uri)
    with pytest.raises(ValueError, match="no file and no folder"):
        artifact.add_reference(f"file://{folder}/nope")


def test_a_folder_is_an_entry_a_file(folder: Path) -> None:
    artifact = Artifact("x", "dataset")
    uri = f"file://{folder}"
    entries = artifact.add_reference(uri, "in")
    assert [(entry.path, entry.ref) for entry in entries] == [
        ("in/B.txt", f"{uri}/B.txt"),
        ("in/a.txt", f"{uri}/a.txt"),
        ("in/empty", f"{uri}/empty"),
        ("in/sub/b.bin", f"{uri}/sub/b.bin"),
    ]
    assert Artifact("y", "dataset").add_reference(uri)[0].path == "B.txt"
    with pytest.raises(ValueError, match="max_objects"):
        Artifact("z", "dataset").add_reference(uri, max_objects=3)


def test_a_file_is_copied_from_where_it_is(own: Api, folder: Path, tmp_path: Path) -> None:
    artifact = saved(own, (f"file://{folder}", None))
    artifact.download(tmp_path / "out")
    assert (tmp_path / "out" / "sub" / "b.bin").read_bytes() == b"\x00\x01\x02"
    assert artifact.get_entry("a.txt").ref_target() == f"file://{folder}/a.txt"
    assert (artifact.size, artifact.file_count) == (13, 4)


def test_a_file_that_changed_is_told(own: Api, folder: Path, tmp_path: Path) -> None:
    artifact = saved(own, (f"file://{folder}/a.txt", None))
    (folder / "a.txt").write_text("changed")
    with pytest.raises(ValueError, match="digest mismatch"):
        artifact.download(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_that_is_gone_is_an_error_or_a_warning(own: Api, folder: Path, tmp_path: Path) -> None:
    artifact = saved(own, (f"file://{folder}/a.txt", None), (f"file://{folder}/B.txt", None))
    (folder / "a.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"a.txt is not there any more") as caught:
        artifact.download(tmp_path / "out")
    assert isinstance(caught.value, CommError)
    with pytest.warns(UserWarning, match="not there any more"):
        artifact.download(tmp_path / "other", allow_missing_references=True)
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["B.txt"]


def test_references_are_not_verified(own: Api, folder: Path, tmp_path: Path) -> None:
    artifact = saved(own, (f"file://{folder}/a.txt", None))
    artifact.download(tmp_path / "out")
    with pytest.warns(UserWarning, match="can't be checked"):
        artifact.verify(str(tmp_path / "out"))


# The web.


def test_a_page_is_referred_to_by_its_etag(own: Api, serve: Serve, tmp_path: Path) -> None:
    host, objects = serve(Web, {"/d/x.csv": b"1,2\n", "/plain/y.csv": b"3\n"})
    tagged, plain = f"http://{host}/d/x.csv", f"http://{host}/plain/y.csv"
    artifact = saved(own, (tagged, None), (plain, "y"))
    entry = artifact.get_entry("x.csv")
    assert (entry.digest, entry.size, entry.extra) == (
        objects.etag("/d/x.csv"),
        4,
        {"etag": f'"{objects.etag("/d/x.csv")}"'},
    )
    assert (artifact.get_entry("y").digest, artifact.get_entry("y").extra) == (plain, {})
    artifact.download(tmp_path / "out")
    assert (tmp_path / "out" / "x.csv").read_bytes() == b"1,2\n"
    assert (tmp_path / "out" / "y").read_bytes() == b"3\n"


def test_a_page_is_cached_by_its_etag(own: Api, serve: Serve, tmp_path: Path) -> None:
    host, objects = serve(Web, {"/x.csv": b"1,2\n"})
    artifact = saved(own, (f"http://{host}/x.csv", None))
    artifact.download(tmp_path / "one")
    objects.clear()
    artifact.download(tmp_path / "two")
    assert (tmp_path / "two" / "x.csv").read_bytes() == b"1,2\n"


def test_a_page_that_changed_or_went_is_told(own: Api, serve: Serve, tmp_path: Path) -> None:
    host, objects = serve(Web, {"/x.csv": b"1,2\n"})
    artifact = saved(own, (f"http://{host}/x.csv", None))
    objects["/x.csv"] = b"3,4\n"
    with pytest.raises(ValueError, match="digest mismatch"):
        artifact.download(tmp_path / "out")
    del objects["/x.csv"]
    with pytest.raises(FileNotFoundError):
        artifact.download(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
    with pytest.raises(NotFoundError):
        Artifact("x", "dataset").add_reference(f"http://{host}/x.csv")


def test_a_page_need_not_be_looked_at() -> None:
    (entry,) = Artifact("x", "dataset").add_reference("https://host.invalid/d/x.csv", checksum=False)
    assert (entry.path, entry.digest, entry.size) == ("x.csv", "https://host.invalid/d/x.csv", None)


# Buckets.


@pytest.fixture
def s3(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Objects:
    """The objects of an S3."""
    host, objects = serve(S3, {"bkt/d/x.csv": b"1,2\n", "bkt/d/sub/y.csv": b"3\n", "bkt/d/empty": b""})
    settings = {"AWS_S3_ENDPOINT_URL": f"http://{host}", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    for name, value in {**settings, "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}.items():
        monkeypatch.setenv(name, value)
    return objects


@pytest.fixture
def gcs(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Objects:
    """The objects of a Google Cloud Storage."""
    host, objects = serve(GCS, {"bkt/d/x.csv": b"1,2\n"})
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
    return objects


@pytest.fixture(params=["s3", "gs"])
def bucket(request: pytest.FixtureRequest) -> tuple[str, Objects]:
    """A scheme, and the objects behind it."""
    return request.param, request.getfixturevalue("s3" if request.param == "s3" else "gcs")


def test_an_object_is_referred_to_by_its_etag(own: Api, bucket: tuple[str, Objects], tmp_path: Path) -> None:
    scheme, objects = bucket
    uri = f"{scheme}://bkt/d/x.csv"
    artifact = saved(own, (uri, None))
    entry = artifact.get_entry("x.csv")
    assert (entry.digest, entry.size, entry.ref) == (objects.etag("bkt/d/x.csv"), 4, uri)
    assert entry.extra["versionID"] == ("version1" if scheme == "s3" else "17")
    artifact.download(tmp_path / "out")
    assert (tmp_path / "out" / "x.csv").read_bytes() == b"1,2\n"


def test_an_object_that_changed_or_went_is_told(own: Api, bucket: tuple[str, Objects], tmp_path: Path) -> None:
    scheme, objects = bucket
    artifact = saved(own, (f"{scheme}://bkt/d/x.csv", None))
    objects["bkt/d/x.csv"] = b"3,4\n"
    with pytest.raises(ValueError, match="digest mismatch"):
        artifact.download(tmp_path / "out")
    objects.clear()
    with pytest.raises(FileNotFoundError):
        artifact.download(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_prefix_is_an_entry_an_object(s3: Objects) -> None:
    entries = Artifact("x", "dataset").add_reference("s3://bkt/d", "in")
    assert [(entry.path, entry.ref, entry.size) for entry in entries] == [
        ("in/sub/y.csv", "s3://bkt/d/sub/y.csv", 2),
        ("in/x.csv", "s3://bkt/d/x.csv", 4),
    ]
    assert [entry.path for entry in Artifact("y", "dataset").add_reference("s3://bkt/d/")] == ["sub/y.csv", "x.csv"]
    with pytest.raises(ValueError, match="max_objects"):
        Artifact("z", "dataset").add_reference("s3://bkt/d", max_objects=1)
    s3.clear()
    with pytest.raises(ValueError, match="no object"):
        Artifact("z", "dataset").add_reference("s3://bkt/d/")


@pytest.mark.parametrize(
    ("uri", "name"),
    [("s3://bkt/d/x.csv", "d/x.csv"), ("gs://bkt", "bkt"), ("https://acc.blob.core.windows.net/c/d/x", "d/x")],
)
def test_an_object_need_not_be_looked_at(uri: str, name: str) -> None:
    (entry,) = Artifact("x", "dataset").add_reference(uri, checksum=False)
    assert (entry.path, entry.digest, entry.ref) == (name, uri, uri)


# Other artifacts.


@pytest.fixture
def source(own: Api, draft: Artifact) -> Artifact:
    """A logged artifact to refer to."""
    draft.save(api=own)
    return own.artifact("data:v0")


def test_an_entry_of_another_artifact_is_found_there(own: Api, source: Artifact, tmp_path: Path) -> None:
    second = Artifact("second", "dataset")
    (entry,) = second.add_reference(source.get_entry("sub/b.bin"))
    assert (entry.path, entry.digest, entry.size) == ("b.bin", "uV9n9h67A2GWIteY9F/C0w==", 0)
    second.save(api=own)
    assert (Path(second.download(tmp_path / "out", skip_cache=True)) / "b.bin").read_bytes() == b"\x00\x01\x02"
    assert second.get_entry("b.bin").ref_target() == source.get_entry("sub/b.bin").ref_url()


def test_references_to_references_lead_to_the_end(own: Api, source: Artifact) -> None:
    second = Artifact("second", "dataset")
    second.add_reference(source.get_entry("a.txt"), "middle")
    second.save(api=own)
    third = Artifact("third", "dataset")
    third._client = own.client
    (entry,) = third.add_reference(second.get_entry("middle"), "end")
    assert entry.ref == source.get_entry("a.txt").ref_url()


@pytest.mark.parametrize(
    ("uri", "message"), [("wandb-artifact://zz/a", "malformed"), ("wandb-artifact://4142/a", "Could not find")]
)
def test_references_that_lead_nowhere(own: Api, uri: str, message: str) -> None:
    artifact = Artifact("x", "dataset")
    artifact._client = own.client
    with pytest.raises(ValueError, match=message):
        artifact.add_reference(uri)


def test_a_missing_entry_of_another_artifact_is_named(own: Api, source: Artifact) -> None:
    artifact = Artifact("x", "dataset")
    artifact._client = own.client
    with pytest.raises(NotFoundError, match="'nope'"):
        artifact.add_reference(source.get_entry("a.txt").ref_url().replace("a.txt", "nope"))


def test_a_draft_is_referred_to_by_the_name_it_has_until_it_is_saved(own: Api, draft: Artifact) -> None:
    second = Artifact("second", "dataset")
    second.add_reference(f"wandb-client-artifact://{draft.client_id}/a.txt")
    with pytest.raises(ValueError, match="no draft with such an entry"):
        second.add_reference(f"wandb-client-artifact://{draft.client_id}/nope")
    with pytest.raises(ValueError, match="never saved"):
        second.save(api=own)
    draft.save(api=own)
    second.save(api=own)
    assert second.get_entry("a.txt").ref == draft.get_entry("a.txt").ref_url()
    assert (Path(second.download("out")) / "a.txt").read_bytes() == b"alpha\n"


def test_entries_that_belong_to_nothing_are_no_targets() -> None:
    with pytest.raises(NotImplementedError):
        Artifact("x", "dataset").add_reference(ManifestEntry("a", "b"))
