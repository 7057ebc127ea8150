"""Logged versions: finding them, what they say of themselves, changing and deleting them."""

from __future__ import annotations

import base64
import copy
import datetime as dt
import pickle
from pathlib import Path
from typing import Any

import pytest

from runframe import (
    Api,
    ArgumentError,
    Artifact,
    ArtifactFinalizedError,
    ArtifactTTL,
    CommError,
    NotFoundError,
    PathError,
    TransportError,
)
from runframe.errors import AuthenticationError, ServerError
from runframe.resources.artifacts.finding import exists

# Finding.


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("p/data:first", ("data:first", "v0")),
        ("p/data:v0", ("data:v0", "v0")),
        ("p/data:latest", ("data:latest", "v1")),
        ("p/data", ("data:v1", "v1")),
        ("local/p/net:v0", ("net:v0", "v0")),
        ("p/zoo:champion", ("zoo:champion", "v0")),
    ],
)
def test_a_version_is_found_by_its_names(api: Api, name: str, found: tuple[str, str]) -> None:
    artifact = api.artifact(name)
    assert (artifact.name, artifact.version) == found
    assert artifact.qualified_name == f"local/p/{found[0]}"


def test_project_and_entity_come_from_the_settings(stocked: Path) -> None:
    with Api({"base_url": f"local:{stocked}", "project": "p", "entity": "local"}) as api:
        assert api.artifact("data:v0").qualified_name == "local/p/data:v0"
    with (
        Api({"base_url": f"local:{stocked}", "entity": "nobody"}) as api,
        pytest.raises(NotFoundError, match="nobody/p"),
    ):
        api.artifact("p/data")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("p/nope", "local/p/nope"),
        ("p/data:v9", "local/p/data:v9"),
        ("x/y/z:v1", "x/y"),
        ("data", "local/uncategorized"),
    ],
)
def test_what_is_not_there_is_named(api: Api, name: str, message: str) -> None:
    with pytest.raises(NotFoundError, match=message) as caught:
        api.artifact(name)
    assert isinstance(caught.value, (CommError, ValueError))
    assert not api.artifact_exists(name)


@pytest.mark.parametrize("name", ["a/b/c/d", "", "p/data:", None, "https://host/p/data"])
def test_a_malformed_name_is_refused(api: Api, name: Any) -> None:
    with pytest.raises(PathError) as caught:
        api.artifact(name)
    assert isinstance(caught.value, CommError)
    assert isinstance(caught.value, ValueError)
    assert not api.artifact_exists(name)


def test_another_type_is_refused(api: Api) -> None:
    assert api.artifact("p/data", type="dataset").type == "dataset"
    with pytest.raises(ArgumentError, match="'dataset', not of type 'model'"):
        api.artifact("p/data", "model")
    assert api.artifact_exists("p/data:v0", "dataset")
    assert not api.artifact_exists("p/data:v0", "model")


@pytest.mark.parametrize(
    ("error", "known"),
    [
        (NotFoundError("no"), False),
        (ServerError("no", status=200), False),
        (TransportError("cut off"), None),
        (AuthenticationError("who?"), None),
        (ServerError("late", status=504), None),
        (ServerError("busy", status=429), None),
    ],
)
def test_a_server_that_cannot_tell_is_no_no(error: CommError, known: bool | None) -> None:
    def find() -> None:
        raise error

    if known is None:
        with pytest.raises(type(error)):
            exists(find)
    else:
        assert exists(find) is known


# Facts.


def test_a_version_says_what_the_server_knows(api: Api) -> None:
    artifact = api.artifact("p/data:first")
    assert (artifact.entity, artifact.project, artifact.type, artifact.state) == ("local", "p", "dataset", "COMMITTED")
    assert (artifact.description, artifact.metadata) == ("rows", {"rows": 3, "deep": {"a": [1, 2]}})
    assert (artifact.aliases, artifact.tags) == (["first", "best"], ["red", "big one"])
    assert (artifact.file_count, artifact.size) == (5, artifact.manifest.size())
    assert (artifact.digest, artifact.digest_algorithm) == (artifact.manifest.digest(), "MANIFEST_MD5")
    assert artifact.source_qualified_name == "local/p/data:v0"
    assert (artifact.is_link, artifact.linked_at, artifact.use_as, artifact.incremental) == (False, None, None, False)
    assert dt.datetime.fromisoformat(artifact.created_at) <= dt.datetime.fromisoformat(artifact.updated_at)
    assert artifact.url.endswith("/local/p/artifacts/dataset/data/v0")
    assert repr(artifact) == f"<Artifact {artifact.id}>"
    assert artifact.commit_hash


def test_a_time_to_live_comes_back(api: Api) -> None:
    assert api.artifact("p/net:v0").ttl == dt.timedelta(days=3)
    assert api.artifact("p/data:v0").ttl is None


def test_the_content_of_a_version_stays(api: Api) -> None:
    artifact = api.artifact("p/data:v1")
    with pytest.raises(ArtifactFinalizedError, match="new_draft"):
        artifact.add_file("x")
    with pytest.raises(ArtifactFinalizedError):
        artifact.remove("a.txt")


def test_what_stands_for_a_version_in_a_config(api: Api) -> None:
    artifact = api.artifact("p/zoo:champion")
    assert artifact.json_encode() == {
        "_type": "artifactVersion",
        "_version": "v0",
        "id": artifact.id,
        "version": "v0",
        "sequenceName": "net",
        "usedAs": None,
    }


def test_copies_and_pickles_are_the_same_version(api: Api) -> None:
    artifact = api.artifact("p/data:v0")
    for other in (copy.copy(artifact), copy.deepcopy(artifact)):
        assert (other.id, other.metadata, other.digest) == (artifact.id, artifact.metadata, artifact.digest)
    assert copy.deepcopy(artifact).metadata is not artifact.metadata


def test_a_pickle_opens_its_server_again(api: Api, tmp_path: Path) -> None:
    artifact = pickle.loads(pickle.dumps(api.artifact("p/data:v0")))
    assert artifact.get_entry("a.txt").size == 6
    artifact.connection().session.close()


# Entries and files.


def test_entries_are_found_with_and_without_their_ending(api: Api) -> None:
    artifact = api.artifact("p/data:v0")
    assert artifact.get_entry("sub/b.bin").size == 3
    assert artifact.get_entry("./tab").path == artifact.get_entry("tab.table.json").path == "tab.table.json"
    assert artifact.get_entry("a.txt").parent_artifact() is artifact
    for name in ("nope", "sub"):
        with pytest.raises(KeyError, match=name):
            artifact.get_entry(name)
    with pytest.warns(DeprecationWarning, match="get_entry"):
        assert artifact.get_path("a.txt").path == "a.txt"


def test_an_entry_has_an_address_for_other_artifacts(api: Api) -> None:
    artifact = api.artifact("p/data:v0")
    url = artifact.get_entry("a.txt").ref_url()
    assert artifact.id is not None
    assert url == f"wandb-artifact://{base64.b64decode(artifact.id).hex()}/a.txt"


def test_files_are_listed_as_the_server_has_them(api: Api) -> None:
    files = api.artifact("p/data:v0").files(per_page=2)
    assert [file.name for file in files] == ["B.txt", "a.txt", "empty", "sub/b.bin", "tab.table.json"]
    assert (len(files), files.path) == (5, ["local", "p", "data:v0"])
    assert (files[1].size, files[1].md5, files[1].mimetype) == (6, "n5+Q2+Pl7hIYyGuIOdsZlQ==", "text/plain")
    some = api.artifact("p/data:v0").files(names=["a.txt", "nope"])
    assert ([file.name for file in some], len(some)) == (["a.txt"], 1)
    assert repr(files) == "<ArtifactFiles local/p/data:v0 (5)>"


def test_a_listing_goes_on_where_another_one_stopped(api: Api) -> None:
    first = api.artifact("p/data:v0").files(per_page=2)
    assert next(first).name == "B.txt"
    rest = api.artifact("p/data:v0").files(start=first.cursor)
    assert [file.name for file in rest] == ["empty", "sub/b.bin", "tab.table.json"]


def test_files_are_columns_too(api: Api) -> None:
    files = api.artifact("p/data:v0").files()
    table = files.to_polars(["artifact", "name", "size"])
    assert table.rows()[:2] == [("data:v0", "B.txt", 4), ("data:v0", "a.txt", 6)]
    assert files.to_arrow().schema.equals(files.schema)


def test_a_listed_file_can_be_downloaded(api: Api, tmp_path: Path) -> None:
    file = next(iter(api.artifact("p/data:v0").files(names=["sub/b.bin"])))
    file.download(str(tmp_path / "out")).close()
    assert (tmp_path / "out" / "sub" / "b.bin").read_bytes() == b"\x00\x01\x02"


# Changing.


@pytest.fixture
def saved(own: Api, draft: Artifact) -> Artifact:
    draft.save(api=own, tags=["red"])
    return own.artifact("data:v0")


def test_changes_are_seen_when_they_are_saved(own: Api, saved: Artifact) -> None:
    saved.aliases.append("best")
    saved.tags = ["blue", "green"]
    saved.metadata["deep"] = {"x": 1}
    saved.description = "new"
    saved.ttl = dt.timedelta(days=2)
    assert own.artifact("data:v0").description is None
    saved.save()
    for artifact in (saved, own.artifact("data:v0")):
        assert (artifact.aliases, artifact.tags) == (["latest", "best"], ["blue", "green"])
        assert (artifact.metadata, artifact.description) == ({"deep": {"x": 1}}, "new")
        assert artifact.ttl == dt.timedelta(days=2)
    assert (saved.name, saved.version) == ("data:v0", "v0")


def test_aliases_that_are_left_out_are_removed(own: Api, saved: Artifact) -> None:
    saved.aliases = ["only"]
    saved.save()
    assert own.artifact("data:only").aliases == ["only"]
    assert not own.artifact_exists("data:latest")
    with pytest.raises(ValueError, match="alias"):
        saved.aliases = ["a/b"]
    with pytest.raises(ValueError, match="tag"):
        saved.tags = ["a/b"]


def test_a_time_to_live_can_be_given_up(own: Api, saved: Artifact) -> None:
    saved.ttl = None
    saved.save()
    assert own.artifact("data").ttl is None
    saved.ttl = ArtifactTTL.INHERIT
    with pytest.raises(AttributeError, match="inherits"):
        _ = saved.ttl
    saved.save()
    assert saved.ttl is None


def test_what_the_server_refuses_is_an_error_that_names_it(saved: Artifact) -> None:
    saved._aliases.append("v7")
    with pytest.raises(CommError, match=r"'v7' of local/p/data:v0"):
        saved.save()


def test_a_version_with_aliases_is_deleted_only_with_them(own: Api, saved: Artifact) -> None:
    with pytest.raises(CommError, match="aliases"):
        saved.delete()
    saved.delete(delete_aliases=True)
    assert not own.artifact_exists("data:v0")


def test_older_servers_are_asked_by_name(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    client, query = api.client, api.client.query

    def older(noun: str, operation: str, variables: Any) -> dict[str, Any]:
        if operation == "ArtifactMembershipByName":
            raise ServerError("Cannot query field 'artifactCollectionMembership' on type 'Project'.", status=400)
        return query(noun, operation, variables)

    monkeypatch.setattr(client, "query", older)
    artifact = api.artifact("p/data:first")
    assert (artifact.name, artifact.version, artifact.aliases) == ("data:first", "v0", ["first", "best"])
    with pytest.raises(NotFoundError):
        api.artifact("p/nope")
