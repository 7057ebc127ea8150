"""Types, collections and the versions in them: as objects, as pages, as columns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from runframe import Api, ArgumentError, Artifact, CommError, Frame, NotFoundError
from runframe.resources.artifacts.columns import COLLECTIONS, TYPES, VERSIONS

# Types.


def test_types_are_listed_and_found(api: Api) -> None:
    types = api.artifact_types("p")
    assert [(found.name, found.type, found.entity, found.project) for found in types] == [
        ("dataset", "dataset", "local", "p"),
        ("model", "model", "local", "p"),
    ]
    found = api.artifact_type("model", "local/p")
    assert (found.id, repr(found), found.description) == (types[1].id, "<ArtifactType model>", None)
    assert [collection.name for collection in found.collections()] == ["net", "zoo"]
    assert found.collection("net").name == "net"
    assert [found.name for found in api.project("p").artifacts_types()] == ["dataset", "model"]
    assert not hasattr(types, "__len__")


def test_types_are_columns_too(api: Api) -> None:
    table = api.artifact_types("p").to_polars()
    assert table.columns == TYPES.names
    assert table.select("name", "entity", "project").rows() == [("dataset", "local", "p"), ("model", "local", "p")]


def test_missing_types_are_named(api: Api) -> None:
    with pytest.raises(NotFoundError, match="'nope' in local/p"):
        api.artifact_type("nope", "p")
    with pytest.raises(NotFoundError, match="local/nope"):
        api.artifact_type("dataset", "nope")
    with pytest.raises(NotFoundError, match="local/nope"):
        list(api.artifact_types("nope"))
    with pytest.raises(NotFoundError, match="uncategorized"):
        list(api.artifact_types())


# Collections.


def test_collections_are_listed_and_found(api: Api) -> None:
    collections = api.artifact_collections("p", "model", per_page=1)
    assert (len(collections), [found.name for found in collections]) == (2, ["net", "zoo"])
    assert repr(collections) == "<ArtifactCollections local/p (model)>"
    net, zoo = collections
    assert (net.is_sequence(), zoo.is_sequence()) == (True, False)
    found = api.artifact_collection("dataset", "p/data")
    assert (found.name, found.type, found.entity, found.project) == ("data", "dataset", "local", "p")
    assert (found.description, found.tags, found.organization) == (None, [], None)
    assert sorted(found.aliases) == ["best", "first", "latest", "v0", "v1"]
    assert found.created_at <= (found.updated_at or "")
    assert repr(found) == "<ArtifactCollection data (dataset)>"
    assert found.project_id
    assert found.project_internal_id


def test_collections_are_filtered_and_ordered(api: Api) -> None:
    listed = api.artifact_collections("p", "model", order="-name")
    assert [found.name for found in listed] == ["zoo", "net"]
    kind = api.artifact_type("model", "p")
    assert [found.name for found in kind.collections(filters={"name": "zoo"})] == ["zoo"]
    everything = api.project("p").collections(order="name")
    assert [found.name for found in everything] == ["data", "net", "zoo"]
    assert len(everything) == 3
    assert [found.type for found in api.project("p").collections({"name": {"$regex": "^d"}})] == ["dataset"]


def test_collections_are_columns_too(api: Api) -> None:
    table = api.artifact_collections("p", "model").to_polars()
    assert table.columns == COLLECTIONS.names
    assert table.select("name", "type", "project", "is_sequence", "tags").rows() == [
        ("net", "model", "p", True, []),
        ("zoo", "model", "p", False, []),
    ]


@pytest.mark.parametrize(("kind", "name"), [("model", "p/data"), ("dataset", "p/nope"), ("dataset", "nope/data")])
def test_missing_collections_are_named(api: Api, kind: str, name: str) -> None:
    with pytest.raises(NotFoundError, match=r"nope|data"):
        api.artifact_collection(kind, name)
    assert not api.artifact_collection_exists(name, kind)


def test_existing_collections_exist(api: Api) -> None:
    assert api.artifact_collection_exists("p/data", "dataset")
    assert api.artifact_collection_exists("local/p/zoo", "model")
    with pytest.raises(CommError, match="'nope' in local/p"):
        list(api.artifact_collections("p", "nope"))


@pytest.fixture
def saved(own: Api, draft: Artifact) -> Artifact:
    draft.save(api=own)
    return draft


def test_a_collection_is_changed_when_it_is_saved(own: Api, saved: Artifact) -> None:
    collection = own.artifact_collection("dataset", "data")
    collection.name, collection.description = "renamed", "text"
    collection.tags = ["a", "b"]
    collection.save()
    collection.tags = ["b", "c"]
    collection.type = "rows"
    collection.save()
    found = own.artifact_collection("rows", "renamed")
    assert (found.description, sorted(found.tags), found.id) == ("text", ["b", "c"], collection.id)
    assert [artifact.name for artifact in collection.artifacts()] == ["renamed:v0"]
    assert own.artifact("renamed").type == "rows"


def test_what_was_not_saved_is_lost_on_loading(own: Api, saved: Artifact) -> None:
    collection = own.artifact_collection("dataset", "data")
    collection.name = "renamed"
    assert [artifact.name for artifact in collection.artifacts()] == ["data:v0"]
    collection.load()
    assert collection.name == "data"


def test_reserved_and_impossible_changes_are_refused(own: Api, saved: Artifact) -> None:
    collection = own.artifact_collection("dataset", "data")
    collection.type = "job"
    with pytest.raises(ArgumentError, match="reserved"):
        collection.save()
    for name in ("", "a/b", "x" * 129):
        with pytest.raises(ValueError, match="can't be called"):
            collection.name = name
    with pytest.raises(ValueError, match="tag"):
        collection.tags = ["a/b"]


def test_the_type_of_a_portfolio_stays(own: Api, saved: Artifact) -> None:
    saved.link("shelf")
    shelf = own.artifact_collection("dataset", "shelf")
    with pytest.raises(ValueError, match="portfolio"):
        shelf.type = "rows"
    with pytest.warns(DeprecationWarning, match="change_type"), pytest.raises(ValueError, match="portfolio"):
        shelf.change_type("rows")
    shelf.description, shelf.tags = "linked", ["red"]
    shelf.save()
    again = own.artifact_collection("dataset", "shelf")
    assert (again.description, again.tags) == ("linked", ["red"])


def test_a_type_can_be_changed_at_once(own: Api, saved: Artifact) -> None:
    collection = own.artifact_collection("dataset", "data")
    with pytest.warns(DeprecationWarning) as caught:
        collection.change_type("rows")
    assert caught[0].filename == __file__
    assert own.artifact_collection("rows", "data").type == collection.type == "rows"


def test_a_collection_goes_with_its_versions_a_portfolio_without(own: Api, saved: Artifact) -> None:
    saved.link("shelf")
    own.artifact_collection("dataset", "shelf").delete()
    assert own.artifact_exists("data:v0")
    assert not own.artifact_collection_exists("shelf", "dataset")
    own.artifact_collection("dataset", "data").delete()
    assert not own.artifact_exists("data:v0")


# Versions.


def test_versions_are_listed_newest_first(api: Api) -> None:
    versions = api.artifacts("dataset", "p/data", per_page=1)
    assert (len(versions), [artifact.name for artifact in versions]) == (2, ["data:v1", "data:v0"])
    assert versions[1].aliases == ["first", "best"]
    assert (versions[1].version, versions[1].metadata["rows"]) == ("v0", 3)
    assert repr(versions) == "<Artifacts local/p/data>"
    assert [artifact.name for artifact in api.artifacts("model", "p/zoo")] == ["zoo:v0"]
    assert api.artifacts("model", "p/zoo")[0].is_link


def test_versions_are_chosen_by_tags_past_pages_without_any(own: Api, folder: Path) -> None:
    run = own.create_run("r", "p")
    for number in range(6):
        artifact = Artifact("data", "dataset", metadata={"n": number})
        with artifact.new_file("n") as file:
            file.write(str(number))
        artifact.save(run=run, tags=["rare", "odd"] if number in (0, 4) else ["common"])
    rare = own.artifacts("dataset", "data", per_page=1, tags=["rare", "odd"])
    assert [artifact.version for artifact in rare] == ["v4", "v0"]
    assert len(rare) == 6
    assert [artifact.version for artifact in own.artifacts("dataset", "data", tags="common")] == [
        "v5",
        "v3",
        "v2",
        "v1",
    ]
    assert list(own.artifacts("dataset", "data", tags=["rare", "common"])) == []
    listed = own.artifacts("dataset", "data", per_page=1, tags=["rare"])
    assert [json.loads(text) for text in listed.to_polars()["metadata"]] == [{"n": 4}, {"n": 0}]
    assert Frame.from_arrow(listed.to_arrow()).require_complete().num_rows == 2


@pytest.mark.parametrize(
    ("order", "names"), [("created_at", ["data:v0", "data:v1"]), ("-created_at", ["data:v1", "data:v0"])]
)
def test_versions_are_ordered(api: Api, order: str, names: list[str]) -> None:
    assert [artifact.name for artifact in api.artifacts("dataset", "p/data", order=order)] == names


@pytest.mark.parametrize("order", ["a b", "+", "-1", 5])
def test_an_order_is_the_name_of_a_field(api: Api, order: Any) -> None:
    with pytest.raises(CommError, match="order"):
        api.artifacts("dataset", "p/data", order=order)


def test_a_listing_of_versions_goes_on_where_another_one_stopped(api: Api) -> None:
    first = api.artifacts("dataset", "p/data", per_page=1)
    assert (next(first).name, first.more) == ("data:v1", True)
    assert [artifact.name for artifact in api.artifacts("dataset", "p/data", start=first.cursor)] == ["data:v0"]


def test_versions_are_columns_too(api: Api) -> None:
    versions = api.artifacts("dataset", "p/data")
    table = versions.to_polars()
    assert table.columns == VERSIONS.names
    row = table.row(1, named=True)
    artifact = api.artifact("p/data:v0")
    for name in ("id", "name", "entity", "project", "version", "type", "aliases", "tags", "state", "digest", "size"):
        assert row[name] == getattr(artifact, name), name
    assert (row["collection"], row["source_name"], row["ttl_seconds"]) == ("data", "data:v0", None)
    assert api.artifacts("model", "p/net").to_polars(["ttl_seconds"]).item() == 3 * 24 * 3600
    assert pl.DataFrame(versions).height == 2
    assert versions.to_arrow().schema.equals(VERSIONS.arrow)
    assert versions.to_pandas()["file_count"].tolist() == [1, 5]


def test_the_old_name_of_a_listing_warns(api: Api) -> None:
    with pytest.warns(DeprecationWarning, match="artifacts") as caught:
        versions = api.artifact_versions("dataset", "p/data")
    assert caught[0].filename == __file__
    assert [artifact.name for artifact in versions] == ["data:v1", "data:v0"]


@pytest.mark.parametrize(("kind", "name"), [("dataset", "p/nope"), ("nope", "p/data"), ("dataset", "nope/data")])
def test_versions_of_what_is_not_there(api: Api, kind: str, name: str) -> None:
    with pytest.raises(NotFoundError, match="nope"):
        list(api.artifacts(kind, name))
