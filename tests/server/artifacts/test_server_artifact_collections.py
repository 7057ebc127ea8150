"""Collections: listing, renaming, moving, tagging and deleting them; portfolios and links."""

from __future__ import annotations

import json
from typing import Any

import pytest
from artifact_writer import Writer
from store_client import Client

COLLECTION = """__typename id name description state createdAt updatedAt project { name entity { name } }
    type: defaultArtifactType { name } tags { edges { node { id name } } }"""
LIST = f"""query L($after: String, $first: Int, $filters: JSONString, $order: String) {{ project(name: "p") {{
    artifactCollections(after: $after, first: $first, filters: $filters, order: $order) {{ totalCount
    pageInfo {{ endCursor hasNextPage }} edges {{ cursor node {{ {COLLECTION} }} }} }} }} }}"""
LINK = """mutation L($input: LinkArtifactInput!) { result: linkArtifact(input: $input) { versionIndex
    artifactMembership { versionIndex aliases { alias } artifactCollection { __typename name }
    artifact { id versionIndex } } } }"""
UNLINK = """mutation U($a: ID!, $p: ID!) { result: unlinkArtifact(input: {artifactID: $a, artifactPortfolioID: $p}) {
    success } }"""
UPDATE = """mutation U($input: UpdateArtifact{0}Input!) {{ result: updateArtifact{0}(input: $input) {{
    artifactCollection {{ {1} }} }} }}"""
DELETE = """mutation D($id: ID!) {{ result: deleteArtifact{0}(input: {{artifact{0}ID: $id}}) {{ artifactCollection {{
    __typename state }} }} }}"""
MOVE = f"""mutation M($id: ID!, $type: String!) {{ result: moveArtifactSequence(input: {{artifactSequenceID: $id,
    destinationArtifactTypeName: $type}}) {{ artifactCollection {{ {COLLECTION} }} }} }}"""
TAG = """mutation T($name: String!, $tags: [TagInput!]!) { result: createArtifactCollectionTagAssignments(input: {
    entityName: "local", projectName: "p", artifactCollectionName: $name, tags: $tags}) {
    tags { __typename id name } } }"""
UNTAG = """mutation T($name: String!, $tags: [TagInput!]!) { result: deleteArtifactCollectionTagAssignments(input: {
    entityName: "local", projectName: "p", artifactCollectionName: $name, tags: $tags}) { success } }"""


def link(client: Client, artifact: str, name: str = "prod", *aliases: str, project: str = "p") -> Any:
    given = [{"artifactCollectionName": name, "alias": alias} for alias in aliases]
    fields = {"artifactID": artifact, "artifactPortfolioName": name, "entityName": "local", "projectName": project}
    return client.graphql(LINK, input={**fields, "aliases": given})["result"]


def names(client: Client, **variables: Any) -> list[str]:
    edges = client.graphql(LIST, **variables)["project"]["artifactCollections"]["edges"]
    return [edge["node"]["name"] for edge in edges]


def test_collections_are_listed_in_pages(writer: Writer, client: Client) -> None:
    for name in ("c", "a", "b"):
        writer.log(name, {"x": b"0"})
    page = client.graphql(LIST, first=2)["project"]["artifactCollections"]
    assert page["totalCount"] == 3
    rest = client.graphql(LIST, after=page["pageInfo"]["endCursor"])["project"]["artifactCollections"]
    assert [edge["node"]["name"] for edge in page["edges"] + rest["edges"]] == ["c", "a", "b"]
    assert all(edge["cursor"] for edge in page["edges"])


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"name": "a"}, ["a"]),
        ({"name": {"$regex": "^[ab]$"}}, ["b", "a"]),
        ({"tag": "gold"}, ["b"]),
        ({"type": "model"}, ["m"]),
        ({"createdAt": {"$gt": "2000-01-01"}}, ["m", "b", "a"]),
    ],
)
def test_collections_are_filtered_and_ordered(
    writer: Writer, client: Client, filters: Any, expected: list[str]
) -> None:
    for name in ("a", "b"):
        writer.log(name, {"x": b"0"})
    writer.log("m", {"x": b"0"}, artifactTypeName="model")
    client.graphql(TAG, name="b", tags=[{"tagName": "gold"}])
    assert names(client, filters=json.dumps(filters), order="-name") == expected


def test_a_collection_is_renamed_and_described(writer: Writer, client: Client) -> None:
    writer.log("data", {"x": b"0"})
    node_id = writer.collection("id", "data")["id"]
    query = UPDATE.format("Sequence", COLLECTION)
    changed = client.graphql(query, input={"artifactSequenceID": node_id, "name": "new", "description": "d"})
    found = changed["result"]["artifactCollection"]
    assert (found["__typename"], found["name"], found["description"]) == ("ArtifactSequence", "new", "d")
    assert (writer.version("new:latest"), writer.version("data:latest")) == (0, None)
    kept = client.graphql(query, input={"artifactSequenceID": node_id})["result"]["artifactCollection"]
    assert (kept["name"], kept["description"]) == ("new", "d")


@pytest.mark.parametrize("name", ["taken", "a/b", "a:b", "", "x" * 129])
def test_a_name_that_is_taken_or_cannot_be_one_is_refused(writer: Writer, client: Client, name: str) -> None:
    writer.log("data", {"x": b"0"})
    writer.log("taken", {"x": b"0"})
    fields = {"artifactSequenceID": writer.collection("id", "data")["id"], "name": name}
    assert repr(name) in client.refused(UPDATE.format("Sequence", "id"), input=fields)
    assert writer.version("data:latest") == 0


def test_a_sequence_moves_to_another_type_with_its_versions(writer: Writer, client: Client) -> None:
    writer.log("data", {"x": b"0"})
    node_id = writer.collection("id", "data")["id"]
    moved = client.graphql(MOVE, id=node_id, type="other")["result"]["artifactCollection"]
    assert moved["type"] == {"name": "other"}
    assert writer.artifact("artifactType { name }", "data:v0")["artifactType"] == {"name": "other"}


def test_a_sequence_with_linked_versions_does_not_move(writer: Writer, client: Client) -> None:
    link(client, writer.log("data", {"x": b"0"}))
    node_id = writer.collection("id", "data")["id"]
    assert "'prod'" in client.refused(MOVE, id=node_id, type="other")
    assert writer.collection("defaultArtifactType { name }", "data")["defaultArtifactType"] == {"name": "dataset"}


def test_tags_are_put_on_collections_and_taken_away(writer: Writer, client: Client) -> None:
    writer.log("data", {"x": b"0"})
    given = [{"tagName": "a b"}, {"tagName": "c"}, {"tagName": "c"}]
    added = client.graphql(TAG, name="data", tags=given)["result"]["tags"]
    assert [(tag["__typename"], tag["name"]) for tag in added] == [("Tag", "a b"), ("Tag", "c")]
    assert client.graphql(UNTAG, name="data", tags=[{"tagName": "c"}, {"tagName": "nope"}]) == {
        "result": {"success": True}
    }
    edges = writer.collection("tags { edges { node { name } } }", "data")["tags"]["edges"]
    assert edges == [{"node": {"name": "a b"}}]
    assert "no!" in client.refused(TAG, name="data", tags=[{"tagName": "no!"}])
    assert "local/p/nope" in client.refused(TAG, name="nope", tags=given)


def test_the_aliases_of_a_collection_come_in_pages(writer: Writer, client: Client) -> None:
    for index in range(3):
        writer.log("data", {"x": str(index).encode()}, aliases=["latest", f"alias-{index}"])
    query = """query A($id: ID!, $cursor: String, $perPage: Int) { artifactCollection(id: $id) { __typename
        aliases(after: $cursor, first: $perPage) { pageInfo { endCursor hasNextPage }
        edges { cursor node { __typename id alias } } } } }"""
    node_id, after, seen, more = writer.collection("id", "data")["id"], None, [], True
    while more:
        page = client.graphql(query, id=node_id, cursor=after, perPage=2)["artifactCollection"]["aliases"]
        seen += [edge["node"]["alias"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert sorted(seen) == ["alias-0", "alias-1", "alias-2", "latest", "v0", "v1", "v2"]


def test_a_link_has_an_index_and_aliases_of_its_own(writer: Writer, client: Client) -> None:
    writer.log("data", {"x": b"0"}, aliases=["latest", "source"])
    second = writer.log("data", {"x": b"1"})
    result = link(client, second, "prod", "live")
    member = result["artifactMembership"]
    assert (result["versionIndex"], member["versionIndex"], member["artifact"]) == (
        0,
        0,
        {"id": second, "versionIndex": 1},
    )
    assert member["artifactCollection"] == {"__typename": "ArtifactPortfolio", "name": "prod"}
    assert sorted(alias["alias"] for alias in member["aliases"]) == ["latest", "live", "v0"]
    found = writer.artifact("id aliases { alias artifactCollection { name } }", "prod:live")
    assert found["id"] == second
    mine = sorted(a["alias"] for a in found["aliases"] if a["artifactCollection"]["name"] == "data")
    assert mine == ["latest", "v1"]


def test_a_version_that_is_linked_again_keeps_its_index(writer: Writer, client: Client) -> None:
    first, second = writer.log("data", {"x": b"0"}), writer.log("data", {"x": b"1"})
    indices = [link(client, artifact, "prod", "live")["versionIndex"] for artifact in (first, second, first)]
    assert indices == [0, 1, 0]
    assert writer.artifact("id", "prod:live")["id"] == first
    assert writer.artifact("id", "prod:latest")["id"] == second


def test_a_version_is_linked_to_a_project_that_is_not_there_yet(writer: Writer, client: Client) -> None:
    link(client, writer.log("data", {"x": b"0"}), project="elsewhere")
    query = (
        '{ project(name: "elsewhere") { artifact(name: "prod:v0") { artifactSequence { name project { name } } } } }'
    )
    found = client.graphql(query)["project"]["artifact"]["artifactSequence"]
    assert found == {"name": "data", "project": {"name": "p"}}


def test_a_version_is_linked_by_what_its_client_calls_it(writer: Writer, client: Client) -> None:
    writer.log("data", {"x": b"0"}, clientID="c1")
    fields = {"artifactPortfolioName": "prod", "entityName": "local", "projectName": "p"}
    assert client.graphql(LINK, input={**fields, "clientID": "c1"})["result"]["versionIndex"] == 0
    portfolio = writer.collection("id", "prod")["id"]
    again = client.graphql(LINK, input={"clientID": "c1", "artifactPortfolioID": portfolio})
    assert again["result"]["versionIndex"] == 0
    assert "nobody" in client.refused(LINK, input={**fields, "clientID": "nobody"})


def test_what_cannot_be_linked_is_refused(writer: Writer, client: Client) -> None:
    artifact = writer.log("data", {"x": b"0"})
    model = writer.log("weights", {"x": b"0"}, artifactTypeName="model")
    pending = writer.create("data", "d" * 32)["id"]
    link(client, artifact)
    fields = {"entityName": "local", "projectName": "p"}
    for given, named in (
        ({"artifactID": artifact, "artifactPortfolioName": "data"}, "logged"),
        ({"artifactID": model, "artifactPortfolioName": "prod"}, "'model'"),
        ({"artifactID": pending, "artifactPortfolioName": "prod"}, "PENDING"),
        ({"artifactID": artifact}, "artifactPortfolioName"),
        ({"artifactID": "nonsense", "artifactPortfolioName": "prod"}, "nonsense"),
    ):
        assert named in client.refused(LINK, input={**fields, **given})


def test_nothing_is_logged_to_a_portfolio(writer: Writer, client: Client) -> None:
    link(client, writer.log("data", {"x": b"0"}))
    with pytest.raises(AssertionError, match="linked"):
        writer.create("prod", "d" * 32)


def test_a_link_is_taken_away_and_the_version_stays(writer: Writer, client: Client) -> None:
    artifact = writer.log("data", {"x": b"0"})
    link(client, artifact)
    portfolio, sequence = writer.collection("id", "prod")["id"], writer.collection("id", "data")["id"]
    assert "delete the version" in client.refused(UNLINK, a=artifact, p=sequence)
    assert client.graphql(UNLINK, a=artifact, p=portfolio) == {"result": {"success": True}}
    assert (writer.version("prod:v0"), writer.version("data:v0")) == (None, 0)
    assert "not linked" in client.refused(UNLINK, a=artifact, p=portfolio)
    assert link(client, artifact)["versionIndex"] == 1


def test_the_links_of_a_version_are_listed(writer: Writer, client: Client) -> None:
    artifact = writer.log("data", {"x": b"0"})
    link(client, artifact, "one")
    link(client, artifact, "two", "live")
    query = """query F($id: ID!) { artifact(id: $id) { artifactMemberships { edges { cursor node {
        versionIndex createdAt aliases { alias } artifactCollection { __typename name } } } } } }"""
    edges = client.graphql(query, id=artifact)["artifact"]["artifactMemberships"]["edges"]
    found = [
        (edge["node"]["artifactCollection"]["__typename"], edge["node"]["artifactCollection"]["name"]) for edge in edges
    ]
    assert found == [("ArtifactSequence", "data"), ("ArtifactPortfolio", "one"), ("ArtifactPortfolio", "two")]
    assert all(edge["cursor"] and edge["node"]["createdAt"] for edge in edges)


def test_with_a_portfolio_go_its_links_alone(writer: Writer, client: Client) -> None:
    link(client, writer.log("data", {"x": b"0"}))
    portfolio = writer.collection("id", "prod")["id"]
    assert "sequence" in client.refused(DELETE.format("Sequence"), id=portfolio)
    result = client.graphql(DELETE.format("Portfolio"), id=portfolio)["result"]["artifactCollection"]
    assert result == {"__typename": "ArtifactPortfolio", "state": "DELETED"}
    assert (writer.collection("id", "prod"), writer.version("data:v0")) == (None, 0)


def test_with_a_sequence_go_its_versions_wherever_they_are_linked(writer: Writer, client: Client) -> None:
    artifact = writer.log("data", {"x": b"0"}, runName="r")
    link(client, artifact)
    result = client.graphql(DELETE.format("Sequence"), id=writer.collection("id", "data")["id"])["result"]
    assert result["artifactCollection"] == {"__typename": "ArtifactSequence", "state": "DELETED"}
    assert (writer.collection("id", "data"), writer.version("prod:v0")) == (None, None)
    assert client.run("outputArtifacts { totalCount }") == {"outputArtifacts": {"totalCount": 0}}
    assert writer.log("data", {"x": b"0"}) != artifact


def test_a_portfolio_is_described(writer: Writer, client: Client) -> None:
    link(client, writer.log("data", {"x": b"0"}))
    fields = {"artifactPortfolioID": writer.collection("id", "prod")["id"], "description": "d"}
    changed = client.graphql(UPDATE.format("Portfolio", COLLECTION), input=fields)["result"]["artifactCollection"]
    assert (changed["__typename"], changed["name"], changed["description"]) == ("ArtifactPortfolio", "prod", "d")
