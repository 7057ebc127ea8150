"""Links between versions, collections and runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runframe import Api, ArgumentError, Artifact, CommError, NotFoundError, PathError


def test_a_link_is_the_same_version_under_another_name(api: Api) -> None:
    link, source = api.artifact("p/zoo:champion"), api.artifact("p/net:v0")
    assert (link.is_link, source.is_link) == (True, False)
    assert (link.id, link.digest, link.source_qualified_name) == (source.id, source.digest, "local/p/net:v0")
    assert (link.qualified_name, link.version, link.aliases) == ("local/p/zoo:champion", "v0", ["latest", "champion"])
    assert link.source_artifact.qualified_name == "local/p/net:v0"
    assert source.source_artifact is source
    assert link.linked_at is not None
    assert (repr(link.collection), repr(link.source_collection)) == (
        "<ArtifactCollection zoo (model)>",
        "<ArtifactCollection net (model)>",
    )
    assert link.url.endswith("/local/registry/model?selectionPath=local%2Fp%2Fzoo&view=membership&version=v0")


def test_a_version_knows_its_links(api: Api) -> None:
    (link,) = api.artifact("p/net:v0").linked_artifacts
    assert (link.qualified_name, link.is_link, link.aliases) == (
        "local/p/zoo:v0",
        True,
        ["v0", "latest", "champion"],
    )
    assert api.artifact("p/zoo:champion").linked_artifacts == []
    assert api.artifact("p/data:v0").linked_artifacts == []


def test_linking_makes_the_portfolio(own: Api, draft: Artifact) -> None:
    draft.save(api=own)
    link = draft.link("shelf", aliases=["prod"])
    assert (link.qualified_name, link.is_link, link.aliases) == ("local/p/shelf:v0", True, ["latest", "prod"])
    assert own.artifact("shelf:prod").id == draft.id
    assert draft.link("q/shelf").qualified_name == "local/q/shelf:v0"
    assert not own.artifact_collection("dataset", "shelf").is_sequence()


def test_a_draft_is_saved_before_it_is_linked(own: Api, folder: Path) -> None:
    artifact = Artifact("data", "dataset")
    artifact.add_file(str(folder / "a.txt"))
    assert artifact.link("shelf", api=own).source_name == "data:v0"


def test_a_link_can_be_taken_away(own: Api, draft: Artifact) -> None:
    draft.save(api=own)
    draft.link("one").unlink()
    draft.link("two").delete()
    assert draft.linked_artifacts == []
    assert own.artifact_exists("data:v0")
    with pytest.raises(ArgumentError, match="no link"):
        draft.unlink()


def test_what_belongs_to_the_source_is_told_so(own: Api, draft: Artifact) -> None:
    draft.save(api=own)
    link = draft.link("shelf")
    with pytest.warns(UserWarning, match=r"that of local/p/data:v0") as caught:
        link.description = "new"
    assert caught[0].filename == __file__
    with pytest.raises(ValueError, match="link"):
        link.ttl = None
    link.aliases.append("extra")
    link.save()
    assert own.artifact("data:v0").description == "new"
    assert (own.artifact("shelf:v0").aliases, own.artifact("data:v0").aliases) == (["latest", "extra"], ["latest"])
    assert link.linked_at is not None


@pytest.mark.parametrize("target", ["a/b/c/d", "", "p/x:v1"])
def test_a_malformed_target_is_refused(api: Api, target: str) -> None:
    with pytest.raises(PathError):
        api.artifact("p/net:v0").link(target)


@pytest.mark.parametrize("name", ["wandb-registry-models/zoo", "acme/wandb-registry-models/zoo:v1"])
def test_a_registry_needs_an_organisation(api: Api, name: str) -> None:
    with pytest.raises(ValueError, match="no organisation") as caught:
        api.artifact(name)
    assert isinstance(caught.value, CommError)


# Runs.


def test_versions_know_their_runs(api: Api) -> None:
    artifact = api.artifact("p/data:v0")
    creator = artifact.logged_by()
    assert creator is not None
    assert (creator.id, creator.project, creator.state, creator.config) == ("logger", "p", "running", {})
    assert [(run.id, run.name) for run in artifact.used_by()] == [("user", "user")]
    assert api.artifact("p/data:v1").used_by() == []


def test_runs_know_their_versions(api: Api) -> None:
    logged = api.run("p/logger").logged_artifacts(per_page=1)
    assert [artifact.qualified_name for artifact in logged] == ["local/p/data:v0", "local/p/data:v1"]
    assert (len(logged), repr(logged)) == (2, "<RunArtifacts logged by local/p/logger>")
    used = api.run("p/user").used_artifacts()
    assert [(artifact.name, artifact.aliases) for artifact in used] == [("data:v0", ["first", "best"])]
    assert api.run("p/logger").logged_artifacts().to_polars(["name", "version", "aliases"]).rows() == [
        ("data:v0", "v0", ["first", "best"]),
        ("data:v1", "v1", ["latest"]),
    ]


def test_the_versions_of_a_run_that_is_gone(api: Api) -> None:
    run = api.run("p/user")
    run._id = "gone"
    with pytest.raises(NotFoundError, match="local/p/gone"):
        list(run.logged_artifacts())


def test_a_run_can_use_and_log_what_is_there(own: Api, draft: Artifact) -> None:
    draft.save(api=own)
    run = own.create_run("r", "p")
    artifact = own.artifact("data:v0")
    assert run.use_artifact(artifact, use_as="training") is artifact
    assert artifact.json_encode()["usedAs"] == "training"
    assert [found.id for found in run.used_artifacts()] == [artifact.id]
    assert run.log_artifact(artifact, aliases=["again"], tags=["red"]) is artifact
    assert [found.id for found in run.logged_artifacts()] == [artifact.id]
    assert (own.artifact("data:again").version, own.artifact("data").tags) == ("v0", ["red"])


@pytest.mark.parametrize("thing", ["data:v0", None, 5])
def test_only_artifacts_are_used_and_logged(own: Api, thing: Any) -> None:
    run = own.create_run("r", "p")
    for method in (run.use_artifact, run.log_artifact):
        with pytest.raises(ValueError, match=type(thing).__name__) as caught:
            method(thing)
        assert isinstance(caught.value, CommError)


def test_a_draft_is_not_used_or_logged_so(own: Api, draft: Artifact) -> None:
    run = own.create_run("r", "p")
    for method in (run.use_artifact, run.log_artifact):
        with pytest.raises(ValueError, match=r"save\(run=run\)"):
            method(draft)


def test_a_run_logs_versions_of_its_own_project_alone(own: Api, draft: Artifact) -> None:
    draft.save(api=own)
    with pytest.raises(ValueError, match="same project"):
        own.create_run("r", "q").log_artifact(draft)


def test_deleting_a_run_may_delete_what_it_logged(own: Api, draft: Artifact) -> None:
    run = own.create_run("r", "p")
    draft.save(run=run)
    run.delete(delete_artifacts=True)
    assert not own.artifact_exists("data:v0")
