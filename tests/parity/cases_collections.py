"""Types of artifacts, collections, and the listings of all of them."""

from __future__ import annotations

from typing import Any

from artifact_making import logged, seen_facts
from case import Cases, Read, Write


def described(collection: Any) -> list[Any]:
    return [collection, collection.is_sequence(), repr(collection)]


def collection_changed(api: Any, project: str) -> None:
    logged(api, project)
    collection = api.artifact_collection("dataset", f"{project}/made")
    collection.description, collection.tags, collection.name = "text", ["a", "b c"], "renamed"
    collection.save()
    collection.tags = ["b c", "d"]
    collection.type = "model"
    collection.save()


def deleted(api: Any, project: str) -> None:
    logged(api, project).delete(delete_aliases=True)
    logged(api, project, "kept")
    logged(api, project, "gone")
    api.artifact_collection("dataset", f"{project}/gone").delete()


def before_and_after(listing: Any, name: str) -> list[Any]:
    """An attribute of a listing before anything is read, and when all of it is."""
    before = getattr(listing, name)
    list(listing)
    return [before, getattr(listing, name)]


CASES: Cases = {
    "Api.artifact_type": {
        "one": Read(lambda api: api.artifact_type("dataset", "par")),
        "of an entity's project": Read(lambda api: api.artifact_type("dataset", "local/par")),
        "that is not there": Read(lambda api: api.artifact_type("nope", "par")),
        "of no project": Read(lambda api: api.artifact_type("dataset", "none")),
        "without a project": Read(lambda api: api.artifact_type("dataset")),
    },
    "Api.artifact_types": {
        "of a project": Read(lambda api: api.artifact_types("par")),
        "of no project": Read(lambda api: list(api.artifact_types("none"))),
        "of an empty project": Read(lambda api: list(api.artifact_types("empty"))),
        "shown": Read(lambda api: [repr(found) for found in api.artifact_types("local/par")]),
    },
    "Api.artifact_collection": {
        "a sequence": Read(lambda api: described(api.artifact_collection("dataset", "par/data"))),
        "a portfolio": Read(lambda api: described(api.artifact_collection("model", "local/par/zoo"))),
        "of another type": Read(lambda api: api.artifact_collection("model", "par/data")),
        "that is not there": Read(lambda api: api.artifact_collection("model", "par/nope")),
        "with an alias": Read(lambda api: api.artifact_collection("dataset", "par/data:v0")),
        "of no project": Read(lambda api: api.artifact_collection("dataset", "none/data")),
    },
    "Api.artifact_collection_exists": {
        "some": Read(
            lambda api: [
                api.artifact_collection_exists(name, kind)
                for name, kind in (("par/data", "dataset"), ("par/data", "model"), ("par/nope", "dataset"), ("x", "y"))
            ]
        )
    },
    "Api.artifact_collections": {
        **{
            f"of {kind}": Read(lambda api, kind=kind: api.artifact_collections("par", kind))
            for kind in ("dataset", "model", "run_table", "nope")
        },
        "of no project": Read(lambda api: list(api.artifact_collections("none", "dataset"))),
        "in pages": Read(lambda api: [found.name for found in api.artifact_collections("par", "dataset", per_page=1)]),
    },
    "Api.artifacts": {
        "of a collection": Read(lambda api: api.artifacts("dataset", "par/data")),
        "of a portfolio": Read(lambda api: api.artifacts("model", "par/zoo")),
        "of nothing": Read(lambda api: list(api.artifacts("dataset", "par/nope"))),
        "of another type": Read(lambda api: list(api.artifacts("model", "par/data"))),
        "with tags": Read(lambda api: [found.name for found in api.artifacts("dataset", "par/data", tags=["red"])]),
        "with tags of none": Read(lambda api: list(api.artifacts("dataset", "par/data", tags=["red", "zz"]))),
        "in pages": Read(lambda api: [found.name for found in api.artifacts("dataset", "par/data", per_page=1)]),
        "in an order": Read(
            lambda api: [found.name for found in api.artifacts("dataset", "par/data", order="created_at")]
        ),
        "in no order": Read(lambda api: list(api.artifacts("dataset", "par/data", order="a b"))),
    },
    "Api.artifact_versions": {"as artifacts": Read(lambda api: api.artifact_versions("dataset", "par/data"))},
    "ArtifactType.load": {
        "again": Read(lambda api: [(kind := api.artifact_type("dataset", "par")).load() and 1, kind])
    },
    "ArtifactType.collections": {"of a type": Read(lambda api: api.artifact_type("dataset", "par").collections())},
    "ArtifactType.collection": {
        "one": Read(lambda api: api.artifact_type("dataset", "par").collection("data")),
        "that is not there": Read(lambda api: api.artifact_type("dataset", "par").collection("nope")),
    },
    "ArtifactCollection.is_sequence": {
        "of both kinds": Read(lambda api: [found.is_sequence() for found in api.artifact_collections("par", "model")])
    },
    "ArtifactCollection.artifacts": {
        "of a sequence": Read(
            lambda api: [found.name for found in api.artifact_collection("dataset", "par/data").artifacts()]
        ),
        "of a portfolio": Read(lambda api: api.artifact_collection("model", "par/zoo").artifacts(per_page=1)),
    },
    "ArtifactCollection.load": {
        "again": Read(
            lambda api: [(found := api.artifact_collection("dataset", "par/data")).load(), found][1],
            # Its `load` wants what only itself knows.
            theirs=lambda api: api.artifact_collection("dataset", "par/data"),
        )
    },
    "ArtifactCollection.save": {
        "all that can be changed": Write(
            collection_changed,
            lambda api, p: [
                (found := api.artifact_collection("model", f"{p}/renamed")).description,
                sorted(found.tags),
                found.type,
                api.artifact_collection_exists(f"{p}/made", "dataset"),
                [each.name for each in found.artifacts()],
            ],
            ["text", ["b c", "d"], "model", False, ["renamed:v0"]],
        ),
        "tags that cannot be": Read(
            lambda api: setattr(api.artifact_collection("dataset", "par/data"), "tags", ["a/b"])
        ),
        "a portfolio's type": Read(lambda api: setattr(api.artifact_collection("model", "par/zoo"), "type", "x")),
    },
    "ArtifactCollection.change_type": {
        "of a sequence": Write(
            lambda api, p: [logged(api, p), api.artifact_collection("dataset", f"{p}/made").change_type("model")],
            seen_facts("type"),
            ["model"],
        ),
        "of a portfolio": Read(lambda api: api.artifact_collection("model", "par/zoo").change_type("x")),
    },
    "ArtifactCollection.delete": {
        "one, and a version": Write(
            deleted,
            lambda api, p: (
                [api.artifact_exists(f"{p}/{name}:v0") for name in ("made", "kept", "gone")]
                + [found.name for found in api.artifact_collections(p, "dataset") if found.name != "made"]
            ),
            [False, True, False, "kept"],
        )
    },
    "ArtifactTypes.__getitem__": {"one": Read(lambda api: api.artifact_types("par")[0].name)},
    "ArtifactTypes.more": {"before and after": Read(lambda api: before_and_after(api.artifact_types("par"), "more"))},
    "ArtifactTypes.cursor": {"before": Read(lambda api: api.artifact_types("par").cursor)},
    "ArtifactTypes.per_page": {"as documented": Read(lambda api: api.artifact_types("par").per_page)},
    "ArtifactCollections.__len__": {
        "all": Read(lambda api: len(api.artifact_collections("par", "dataset", per_page=1)))
    },
    "ArtifactCollections.__getitem__": {
        "one and some": Read(
            lambda api: [
                (found := api.artifact_collections("par", "dataset", per_page=1))[0].name,
                [x.name for x in found[0:2]],
            ]
        )
    },
    "ArtifactCollections.more": {
        "before and after": Read(lambda api: before_and_after(api.artifact_collections("par", "model"), "more"))
    },
    "ArtifactCollections.cursor": {"before": Read(lambda api: api.artifact_collections("par", "model").cursor)},
    "ArtifactCollections.per_page": {
        "as documented": Read(
            lambda api: [api.artifact_collections("par", "x", **more).per_page for more in ({}, {"per_page": 7})]
        )
    },
    "Artifacts.__len__": {
        "all, whatever the tags": Read(
            lambda api: [
                len(api.artifacts("dataset", "par/data", per_page=1)),
                len(api.artifacts("dataset", "par/data", tags=["red"])),
            ]
        )
    },
    "Artifacts.__getitem__": {
        "one and some": Read(
            lambda api: [
                (found := api.artifacts("dataset", "par/data", per_page=1))[1].name,
                [x.name for x in found[0:2]],
            ]
        )
    },
    "Artifacts.more": {
        "before and after": Read(lambda api: before_and_after(api.artifacts("dataset", "par/data"), "more"))
    },
    "Artifacts.cursor": {"before": Read(lambda api: api.artifacts("dataset", "par/data").cursor)},
    "Artifacts.per_page": {
        "as documented": Read(
            lambda api: [api.artifacts("x", "par/x", **more).per_page for more in ({}, {"per_page": 7})]
        )
    },
    "RunArtifacts.__len__": {"all": Read(lambda api: len(api.run("par/logger").logged_artifacts(per_page=2)))},
    "RunArtifacts.__getitem__": {
        "one and some": Read(
            lambda api: [(found := api.run("par/logger").logged_artifacts())[0].name, [x.name for x in found[0:2]]]
        )
    },
    "RunArtifacts.more": {
        "before and after": Read(lambda api: before_and_after(api.run("par/logger").logged_artifacts(), "more"))
    },
    "RunArtifacts.cursor": {"before": Read(lambda api: api.run("par/logger").used_artifacts().cursor)},
    "RunArtifacts.per_page": {
        "as documented": Read(
            lambda api: [(run := api.run("par/user")).used_artifacts().per_page, run.logged_artifacts(7).per_page]
        )
    },
    "ArtifactFiles.__len__": {"all": Read(lambda api: len(api.artifact("par/data:v0").files(per_page=2)))},
    "ArtifactFiles.__getitem__": {"one": Read(lambda api: api.artifact("par/data:v0").files()[0].name)},
    "ArtifactFiles.more": {
        "before and after": Read(lambda api: before_and_after(api.artifact("par/data:v0").files(), "more"))
    },
    "ArtifactFiles.cursor": {"before": Read(lambda api: api.artifact("par/data:v0").files().cursor)},
    "ArtifactFiles.per_page": {
        "as documented": Read(
            lambda api: [api.artifact("par/data:v0").files(None, *more).per_page for more in ([], [7])]
        )
    },
}
