"""Changing versions: descriptions, metadata, tags, aliases, deletion; and the runs that logged and used them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from artifact_writer import Writer
from store_client import Client

UPDATE = """mutation U($input: UpdateArtifactInput!, $includeAliases: Boolean = true) {
    result: updateArtifact(input: $input) { artifact { __typename id description metadata
    ttlDurationSeconds ttlIsInherited updatedAt tags { name } aliases @include(if: $includeAliases) { alias } } } }"""
ADD = "mutation A($input: AddAliasesInput!) { result: addAliases(input: $input) { success } }"
REMOVE = "mutation A($input: DeleteAliasesInput!) { result: deleteAliases(input: $input) { success } }"
DELETE = "mutation D($input: DeleteArtifactInput!) { result: deleteArtifact(input: $input) { artifact { id state } } }"
USE = "mutation U($input: UseArtifactInput!) { useArtifact(input: $input) { artifact { id digest state } } }"
LINEAGE = """query L($id: ID!) { artifact(id: $id) { state createdBy { __typename ... on Run { name project { name } }
    ... on User { username } } usedBy { edges { node { __typename id name project { name } } } } } }"""
RUN_PAGE = """query R($after: String, $first: Int) { project(name: "p") { run(name: "r") {
    artifacts: outputArtifacts(after: $after, first: $first) { totalCount pageInfo { endCursor hasNextPage }
    edges { cursor version node { artifactSequence { name } versionIndex } } } } } }"""


def update(client: Client, artifact: str, **fields: Any) -> Any:
    return client.graphql(UPDATE, input={"artifactID": artifact, **fields})["result"]["artifact"]


def aliases(artifact: str, *given: str, collection: str = "data") -> dict[str, Any]:
    path = {"entityName": "local", "projectName": "p", "artifactCollectionName": collection}
    return {"artifactID": artifact, "aliases": [{**path, "alias": alias} for alias in given]}


def use(client: Client, artifact: str, run: str = "r", **fields: Any) -> Any:
    given = {"entityName": "local", "projectName": "p", "runName": run, "artifactID": artifact, **fields}
    return client.graphql(USE, input=given)["useArtifact"]["artifact"]


def used(client: Client, run: str = "r") -> list[str]:
    edges = client.run("inputArtifacts { edges { version node { artifactSequence { name } } } }", run)["inputArtifacts"]
    return [f"{edge['node']['artifactSequence']['name']}:{edge['version']}" for edge in edges["edges"]]


def test_what_is_not_given_stays(writer: Writer, client: Client) -> None:
    artifact = writer.log("data", {"x": b"0"}, description="first", metadata='{"a": 1}')
    changed = update(client, artifact, metadata='{"b": [1, 2]}', ttlDurationSeconds=3600)
    assert (changed["description"], json.loads(changed["metadata"])) == ("first", {"b": [1, 2]})
    assert (changed["ttlDurationSeconds"], changed["ttlIsInherited"]) == (3600, False)
    kept = update(client, artifact, description="", ttlDurationSeconds=None)
    assert (kept["description"], kept["ttlDurationSeconds"]) == ("", 3600)


@pytest.mark.parametrize(("seconds", "inherited"), [(-1, True), (-2, False), (1, False)])
def test_a_time_to_live_is_set(writer: Writer, client: Client, seconds: int, inherited: bool) -> None:
    changed = update(client, writer.log("data", {"x": b"0"}), ttlDurationSeconds=seconds)
    assert (changed["ttlDurationSeconds"], changed["ttlIsInherited"]) == (seconds, inherited)


def test_tags_are_added_and_deleted(writer: Writer, client: Client) -> None:
    artifact = writer.log("data", {"x": b"0"})
    changed = update(client, artifact, tagsToAdd=[{"tagName": "a b"}, {"tagName": "c"}, {"tagName": "c"}])
    assert changed["tags"] == [{"name": "a b"}, {"name": "c"}]
    changed = update(client, artifact, tagsToAdd=[{"tagName": "d"}], tagsToDelete=[{"tagName": "c"}, {"tagName": "x"}])
    assert changed["tags"] == [{"name": "a b"}, {"name": "d"}]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"tagsToAdd": [{"tagName": " "}]}, "Invalid tag"),
        ({"metadata": "1"}, "metadata"),
        ({"ttlDurationSeconds": 0}, "ttlDurationSeconds"),
        ({"aliases": [{"artifactCollectionName": "data", "alias": "a/b"}]}, "a/b"),
    ],
)
def test_a_change_that_cannot_be_changes_nothing(
    writer: Writer, client: Client, fields: dict[str, Any], named: str
) -> None:
    artifact = writer.log("data", {"x": b"0"}, description="first")
    assert named in client.refused(UPDATE, input={"artifactID": artifact, "description": "second", **fields})
    assert writer.artifact("description", "data:v0") == {"description": "first"}


def test_aliases_given_with_a_change_take_the_place_of_those_before(writer: Writer, client: Client) -> None:
    artifact = writer.log("data", {"x": b"0"}, aliases=["latest", "old"])
    changed = update(client, artifact, aliases=[{"artifactCollectionName": "data", "alias": "new"}])
    assert sorted(alias["alias"] for alias in changed["aliases"]) == ["new", "v0"]


def test_an_alias_stands_for_one_version_of_a_collection(writer: Writer, client: Client) -> None:
    first, second = writer.log("data", {"x": b"0"}), writer.log("data", {"x": b"1"})
    other = writer.log("other", {"x": b"0"})
    for input_ in (aliases(first, "best", "good"), aliases(second, "best"), aliases(other, "best", collection="other")):
        assert client.graphql(ADD, input=input_) == {"result": {"success": True}}
    assert (writer.aliases("data:v0"), writer.aliases("data:v1"), writer.aliases("other:v0")) == (
        ["good"],
        ["best", "latest"],
        ["best", "latest"],
    )
    client.graphql(REMOVE, input=aliases(first, "best", "good"))  # "best" is the second one's
    assert (writer.aliases("data:v0"), writer.aliases("data:v1")) == ([], ["best", "latest"])


def test_the_number_of_a_version_is_nobodys_to_give_or_take(writer: Writer, client: Client) -> None:
    first = writer.log("data", {"x": b"0"})
    writer.log("data", {"x": b"1"})
    assert "v1" in client.refused(ADD, input=aliases(first, "v1"))
    assert "v0" in client.refused(REMOVE, input=aliases(first, "v0"))
    assert client.graphql(ADD, input=aliases(first, "v0")) == {"result": {"success": True}}
    assert (writer.version("data:v0"), writer.version("data:v1")) == (0, 1)


def test_an_alias_where_the_version_is_not_is_refused(writer: Writer, client: Client) -> None:
    artifact = writer.log("data", {"x": b"0"})
    writer.log("other", {"x": b"0"})
    for collection in ("other", "nope"):
        assert f"local/p/{collection}" in client.refused(ADD, input=aliases(artifact, "best", collection=collection))


def test_a_version_with_aliases_is_deleted_only_with_them(writer: Writer, client: Client) -> None:
    artifact = writer.log("data", {"x": b"0"}, aliases=["latest", "best"])
    message = client.refused(DELETE, input={"artifactID": artifact})
    assert "'latest'" in message and "'best'" in message and "v0" not in message
    deleted = client.graphql(DELETE, input={"artifactID": artifact, "deleteAliases": True})["result"]["artifact"]
    assert deleted == {"id": artifact, "state": "DELETED"}
    assert (writer.version("data:v0"), writer.version("data:latest"), writer.version("data")) == (None, None, None)


def test_a_version_without_aliases_is_deleted_and_its_number_is_not_given_again(writer: Writer, client: Client) -> None:
    writer.log("data", {"x": b"0"})
    writer.log("data", {"x": b"1"})
    client.graphql(DELETE, input={"artifactID": writer.artifact("id", "data:v0")["id"]})
    assert writer.version("data:v0") is None
    client.graphql(DELETE, input={"artifactID": writer.artifact("id", "data:v1")["id"], "deleteAliases": True})
    writer.log("data", {"x": b"1"})
    assert writer.version("data:latest") == 2


def test_a_deleted_version_is_kept_for_its_id_alone(writer: Writer, client: Client) -> None:
    artifact = writer.log("data", {"x": b"0"}, runName="r")
    use(client, artifact)
    client.graphql(DELETE, input={"artifactID": artifact, "deleteAliases": True})
    found = client.graphql(LINEAGE, id=artifact)["artifact"]
    assert (found["state"], found["usedBy"]["edges"]) == ("DELETED", [])
    assert client.run("outputArtifacts { totalCount } inputArtifacts { totalCount }") == {
        "outputArtifacts": {"totalCount": 0},
        "inputArtifacts": {"totalCount": 0},
    }


def test_the_bytes_that_another_version_has_too_stay(writer: Writer, client: Client) -> None:
    artifact = writer.log("data", {"x": b"0"})
    writer.log("other", {"y": b"0"})
    client.graphql(DELETE, input={"artifactID": artifact, "deleteAliases": True})
    url = writer.artifact("files { edges { node { directUrl } } }", "other:v0")["files"]["edges"][0]["node"][
        "directUrl"
    ]
    assert client.request("GET", url, auth=None).content == b"0"


def test_a_version_knows_the_run_that_logged_it_and_the_runs_that_used_it(writer: Writer, client: Client) -> None:
    artifact = writer.log("data", {"x": b"0"}, runName="r")
    client.begin("user")
    assert use(client, artifact, "user") == use(client, artifact, "user", usedAs="input")
    found = client.graphql(LINEAGE, id=artifact)["artifact"]
    assert found["createdBy"] == {"__typename": "Run", "name": "r", "project": {"name": "p"}}
    assert [(edge["node"]["__typename"], edge["node"]["name"]) for edge in found["usedBy"]["edges"]] == [
        ("Run", "user")
    ]
    assert used(client, "user") == ["data:v0"]


def test_a_version_that_no_run_logged_was_made_by_a_user(writer: Writer, client: Client) -> None:
    artifact = writer.log("data", {"x": b"0"})
    assert client.graphql(LINEAGE, id=artifact)["artifact"]["createdBy"] == {"__typename": "User", "username": "local"}


def test_a_run_logged_what_it_logged_again(writer: Writer, client: Client) -> None:
    writer.log("data", {"x": b"0"}, runName="r")
    client.begin("again")
    artifact = writer.log("data", {"x": b"0"}, runName="again")
    assert client.run("outputArtifacts { totalCount }", "again")["outputArtifacts"]["totalCount"] == 1
    assert client.graphql(LINEAGE, id=artifact)["artifact"]["createdBy"]["name"] == "r"


def test_what_a_run_logged_comes_in_pages(writer: Writer, client: Client) -> None:
    for name in ("a", "b", "c"):
        writer.log(name, {"x": b"0"}, runName="r")
    writer.create("pending", "d" * 32, runName="r")
    page = client.graphql(RUN_PAGE, first=2)["project"]["run"]["artifacts"]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (3, True)
    rest = client.graphql(RUN_PAGE, after=page["pageInfo"]["endCursor"])["project"]["run"]["artifacts"]
    edges = page["edges"] + rest["edges"]
    assert [edge["node"]["artifactSequence"]["name"] for edge in edges] == ["a", "b", "c"]
    assert all(edge["cursor"] and edge["version"] == "v0" for edge in edges)


def test_what_cannot_be_used_is_refused(writer: Writer, client: Client) -> None:
    pending = writer.create("data", "d" * 32)["id"]
    artifact = writer.log("other", {"x": b"0"})
    fields = {"entityName": "local", "projectName": "p", "runName": "r", "artifactID": artifact}
    for changed, named in (
        ({"artifactID": pending}, "PENDING"),
        ({"artifactID": "x"}, "'x'"),
        ({"runName": "nobody"}, "nobody"),
        ({"projectName": "nowhere"}, "nowhere"),
    ):
        assert named in client.refused(USE, input={**fields, **changed})


def test_runs_are_found_by_what_they_logged_and_used(writer: Writer, client: Client) -> None:
    query = (
        'query R($filters: JSONString) { project(name: "p") { runs(filters: $filters) { edges { node { name } } } } }'
    )
    artifact = writer.log("data", {"x": b"0"}, runName="r")
    client.begin("user")
    use(client, artifact, "user")
    for key, expected in (("outputArtifacts", ["r"]), ("inputArtifacts", ["user"])):
        edges = client.graphql(query, filters=json.dumps({key: "local/p/data:v0"}))["project"]["runs"]["edges"]
        assert [edge["node"]["name"] for edge in edges] == expected


@pytest.mark.parametrize("with_artifacts", [False, True])
def test_a_deleted_run_takes_what_it_made_with_it_if_asked_to(
    writer: Writer, client: Client, with_artifacts: bool
) -> None:
    used_one = writer.log("input", {"x": b"0"})
    use(client, used_one)
    made = writer.log("data", {"x": b"1"}, runName="r", aliases=["latest", "best"])
    query = "mutation D($input: DeleteRunInput!) { deleteRun(input: $input) { clientMutationId } }"
    client.graphql(query, input={"id": client.run("id")["id"], "deleteArtifacts": with_artifacts})
    assert writer.version("data:v0") == (None if with_artifacts else 0)
    assert writer.version("input:v0") == 0
    assert client.graphql(LINEAGE, id=used_one)["artifact"]["usedBy"]["edges"] == []
    assert client.graphql(LINEAGE, id=made)["artifact"]["createdBy"]["__typename"] == "User"


def test_a_run_that_begins_anew_has_logged_and_used_nothing(writer: Writer, client: Client) -> None:
    artifact = writer.log("data", {"x": b"0"}, runName="r")
    use(client, artifact)
    client.log([{"a": 1}])
    client.begin()
    counts = client.run("outputArtifacts { totalCount } inputArtifacts { totalCount }")
    assert counts == {"outputArtifacts": {"totalCount": 0}, "inputArtifacts": {"totalCount": 0}}
    assert writer.version("data:v0") == 0


@pytest.mark.parametrize("query", [UPDATE, DELETE, ADD])
def test_an_id_that_is_no_artifacts_is_refused_by_name(writer: Writer, client: Client, query: str) -> None:
    given: dict[str, Any] = {"artifactID": client.run("id")["id"]}
    if query == ADD:
        given["aliases"] = []
    assert given["artifactID"] in client.refused(query, input=given)
