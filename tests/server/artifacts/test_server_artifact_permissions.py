"""Everybody with a key reads artifacts; who may write to a project changes what is in it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from artifact_writer import COMMIT, CREATE, FILES, MANIFEST, Writer, md5
from store_client import Client

from runframe.server import LocalServer
from runframe.server.store import users

KEY = "A" * 40
LINK = "mutation L($input: LinkArtifactInput!) { linkArtifact(input: $input) { versionIndex } }"
ALIASES = "mutation A($input: AddAliasesInput!) { addAliases(input: $input) { success } }"
USE = "mutation U($input: UseArtifactInput!) { useArtifact(input: $input) { artifact { id } } }"


class Stranger(Client):
    """A client with the key of a user who belongs to nothing but her own entity."""

    def request(self, method: str, url: str, *, auth: Any = ..., **rest: Any) -> httpx.Response:
        return super().request(method, url, auth=("api", KEY) if auth is ... else auth, **rest)


@pytest.fixture
def stranger(local: LocalServer) -> Stranger:
    with local.store.write() as connection:
        users.add_key(connection, users.create_user(connection, "ada", email="a@b"), KEY)
    return Stranger(local)


def path(name: str, entity: str = "local") -> dict[str, str]:
    return {"entityName": entity, "projectName": "p", "artifactCollectionName": name}


def test_a_stranger_reads(writer: Writer, stranger: Stranger) -> None:
    writer.log("data", {"a": b"0"})
    query = """{ project(name: "p", entityName: "local") { artifact(name: "data:v0") {
        files { edges { node { directUrl } } } } } }"""
    (edge,) = stranger.graphql(query)["project"]["artifact"]["files"]["edges"]
    assert stranger.request("GET", edge["node"]["directUrl"]).content == b"0"


def test_a_stranger_changes_nothing(writer: Writer, stranger: Stranger) -> None:
    artifact = writer.log("data", {"a": b"0"}, runName="r")
    pending = writer.create("data", "d" * 32)["id"]
    writer.client.graphql(LINK, input={"artifactID": artifact, "artifactPortfolioName": "prod", "projectName": "p"})
    sequence, portfolio = (writer.collection("id", name)["id"] for name in ("data", "prod"))
    created = {"entityName": "local", "projectName": "p", "artifactTypeName": "dataset", "digest": "d" * 32}
    spec = {"artifactID": pending, "name": "a", "md5": md5(b"0")}
    tags = {**path("data"), "tags": [{"tagName": "t"}]}
    attempts: list[tuple[str, dict[str, Any]]] = [
        (CREATE, {"input": {**created, "artifactCollectionName": "data"}}),
        (MANIFEST, {"artifactID": pending, "digest": "", "type": "FULL", "includeUpload": False}),
        (FILES, {"input": {"artifactFiles": [spec]}}),
        (COMMIT, {"artifactID": pending}),
        (ALIASES, {"input": {"artifactID": artifact, "aliases": [{**path("data"), "alias": "best"}]}}),
        (LINK, {"input": {"artifactID": artifact, "artifactPortfolioID": portfolio}}),
        (LINK, {"input": {"artifactID": artifact, "artifactPortfolioName": "x", **_project()}}),
        (USE, {"input": {"artifactID": artifact, "runName": "r", **_project()}}),
        (_mutation("updateArtifact", "UpdateArtifactInput", "artifact { id }"), {"input": {"artifactID": artifact}}),
        (_mutation("deleteArtifact", "DeleteArtifactInput", "artifact { id }"), {"input": {"artifactID": artifact}}),
        (
            _mutation("unlinkArtifact", "UnlinkArtifactInput", "success"),
            {"input": {"artifactID": artifact, "artifactPortfolioID": portfolio}},
        ),
        (_collection("updateArtifactSequence"), {"input": {"artifactSequenceID": sequence, "name": "x"}}),
        (_collection("updateArtifactPortfolio"), {"input": {"artifactPortfolioID": portfolio, "name": "x"}}),
        (_collection("deleteArtifactSequence"), {"input": {"artifactSequenceID": sequence}}),
        (_collection("deleteArtifactPortfolio"), {"input": {"artifactPortfolioID": portfolio}}),
        (
            _collection("moveArtifactSequence"),
            {"input": {"artifactSequenceID": sequence, "destinationArtifactTypeName": "x"}},
        ),
        (_tags("createArtifactCollectionTagAssignments", "tags { id }"), {"input": tags}),
        (_tags("deleteArtifactCollectionTagAssignments", "success"), {"input": tags}),
    ]
    for query, variables in attempts:
        assert "permission denied" in stranger.refused(query, **variables), query
    assert (writer.aliases("data:v0"), writer.version("prod:v0")) == (["latest", "latest"], 0)


def test_a_stranger_links_and_uses_in_a_project_of_her_own(writer: Writer, stranger: Stranger) -> None:
    artifact = writer.log("data", {"a": b"0"})
    mine = {"entityName": "ada", "projectName": "p"}
    stranger.begin("hers", entityName="ada")
    assert stranger.graphql(LINK, input={"artifactID": artifact, "artifactPortfolioName": "prod", **mine})
    aliases = [{**path("prod", "ada"), "alias": "best"}]
    assert stranger.graphql(ALIASES, input={"artifactID": artifact, "aliases": aliases})
    assert stranger.graphql(USE, input={"artifactID": artifact, "runName": "hers", **mine})


def _project() -> dict[str, str]:
    return {"entityName": "local", "projectName": "p"}


def _mutation(name: str, kind: str, fields: str) -> str:
    return f"mutation M($input: {kind}!) {{ {name}(input: $input) {{ {fields} }} }}"


def _collection(name: str) -> str:
    return _mutation(name, name[0].upper() + name[1:] + "Input", "artifactCollection { id }")


def _tags(name: str, fields: str) -> str:
    return _mutation(name, name[0].upper() + name[1:] + "Input", fields)
