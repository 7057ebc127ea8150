"""Reading versions: by name and id, in pages, filtered and ordered; their files and bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from artifact_writer import Writer, entries_of, md5, path_of
from store_client import Client

LIST = """query ProjectArtifacts($after: String, $first: Int = 50, $order: String, $filters: JSONString) {
    project(name: "p") { artifactType(name: "dataset") { artifactCollection(name: "data") { __typename
    artifacts(after: $after, first: $first, order: $order, filters: $filters) { totalCount
    pageInfo { endCursor hasNextPage } edges { version cursor node { versionIndex } } } } } } }"""
MEMBER = """query M($name: String!) { project(name: "p") { artifactCollectionMembership(name: $name) { __typename id
    versionIndex createdAt aliases { __typename id alias } artifactCollection { __typename name
    project { id internalId name entity { name } } } artifact { __typename id state } } } }"""
FILES = """query F($names: [String!], $after: String, $first: Int) { project(name: "p") {
    artifactCollection(name: "data") { __typename artifactMembership(aliasName: "v0") {
    files(names: $names, after: $after, first: $first) { totalCount pageInfo { endCursor hasNextPage }
    edges { cursor node { __typename id path: name name: displayName url sizeBytes storagePath mimetype updatedAt digest
    md5 directUrl } } } } } } }"""


def listed(client: Client, **variables: Any) -> Any:
    artifacts = client.graphql(LIST, **variables)["project"]["artifactType"]["artifactCollection"]["artifacts"]
    assert all(edge["cursor"] for edge in artifacts["edges"])
    return artifacts


def versions(client: Client, **variables: Any) -> list[str]:
    return [edge["version"] for edge in listed(client, **variables)["edges"]]


def files(client: Client, **variables: Any) -> Any:
    return client.graphql(FILES, **variables)["project"]["artifactCollection"]["artifactMembership"]["files"]


def test_a_membership_says_which_version_it_is(writer: Writer, client: Client) -> None:
    artifact = writer.log("data", {"a": b"0"}, aliases=["latest", "best"])
    found = client.graphql(MEMBER, name="data:best")["project"]["artifactCollectionMembership"]
    assert (found["__typename"], found["versionIndex"]) == ("ArtifactCollectionMembership", 0)
    assert sorted(alias["alias"] for alias in found["aliases"]) == ["best", "latest", "v0"]
    collection = found["artifactCollection"]
    assert (collection["__typename"], collection["name"]) == ("ArtifactSequence", "data")
    assert collection["project"]["entity"] == {"name": "local"} and isinstance(collection["project"]["internalId"], str)
    assert found["artifact"] == {"__typename": "Artifact", "id": artifact, "state": "COMMITTED"}


@pytest.mark.parametrize(
    "name", ["data:v1", "data:V0", "data:v00", "data:nope", "data:", "nope:v0", "nope", "", ":", "a/b:v0"]
)
def test_a_name_of_nothing_is_null(writer: Writer, client: Client, name: str) -> None:
    writer.log("data", {"a": b"0"})
    assert client.graphql(MEMBER, name=name)["project"]["artifactCollectionMembership"] is None
    assert writer.artifact("id", name) is None


def test_an_id_of_nothing_is_null(writer: Writer, client: Client) -> None:
    query = "query A($id: ID!) { artifact(id: $id) { id } artifactCollection(id: $id) { id } }"
    for node_id in ("", "x", "QXJ0aWZhY3Q6OTk=", "UnVuOjE="):
        assert client.graphql(query, id=node_id) == {"artifact": None, "artifactCollection": None}


def test_without_latest_a_bare_name_is_the_newest_version(writer: Writer, client: Client) -> None:
    artifact = writer.log("data", {"a": b"0"})
    query = """mutation D($id: ID!) { deleteAliases(input: {artifactID: $id, aliases: [{entityName: "local",
        projectName: "p", artifactCollectionName: "data", alias: "latest"}]}) { success } }"""
    client.graphql(query, id=artifact)
    assert (writer.version("data"), writer.version("data:latest")) == (0, None)


def test_versions_are_listed_newest_first_and_in_pages(writer: Writer, client: Client) -> None:
    for index in range(5):
        writer.log("data", {"a": str(index).encode()})
    assert versions(client) == ["v4", "v3", "v2", "v1", "v0"]
    assert listed(client, first=2)["totalCount"] == 5
    seen: list[str] = []
    after, more = "", True
    while more:
        page = listed(client, first=2, after=after)
        seen += [edge["version"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert seen == ["v4", "v3", "v2", "v1", "v0"]


@pytest.fixture
def three(writer: Writer) -> Iterator[Writer]:
    writer.log("data", {"a": b"000"}, metadata='{"score": 1, "deep": {"x": "y"}}', tags=[{"tagName": "good"}])
    writer.log("data", {"a": b"1"}, metadata='{"score": 3}', aliases=["latest", "best"], description="second")
    writer.log("data", {"a": b"22"}, metadata='{"score": 2}', tags=[{"tagName": "good"}, {"tagName": "new"}])
    yield writer


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"state": "COMMITTED"}, ["v2", "v1", "v0"]),
        ({"state": "PENDING"}, []),
        ({"version": "v1"}, ["v1"]),
        ({"versionIndex": {"$gte": 1}}, ["v2", "v1"]),
        ({"tag": "good"}, ["v2", "v0"]),
        ({"tags": {"$in": ["new", "x"]}}, ["v2"]),
        ({"alias": "best"}, ["v1"]),
        ({"alias": "latest"}, ["v2"]),
        ({"metadata.score": {"$gt": 1}}, ["v2", "v1"]),
        ({"metadata.deep.x": "y"}, ["v0"]),
        ({"$or": [{"size": 1}, {"size": {"$lt": 3, "$gt": 1}}]}, ["v2", "v1"]),
        ({"description": {"$regex": "^sec"}}, ["v1"]),
        ({"createdAt": {"$lt": "2000-01-01T00:00:00Z"}}, []),
        ({"$and": [{"state": "COMMITTED"}, {"$nor": [{"tag": "good"}]}]}, ["v1"]),
    ],
)
def test_versions_are_filtered(three: Writer, client: Client, filters: Any, expected: list[str]) -> None:
    assert versions(client, filters=json.dumps(filters)) == expected
    assert listed(client, filters=json.dumps(filters), first=1)["totalCount"] == len(expected)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("+created_at", ["v0", "v1", "v2"]),
        ("-createdAt", ["v2", "v1", "v0"]),
        ("+size", ["v1", "v2", "v0"]),
        ("-metadata.score", ["v1", "v2", "v0"]),
        ("versionIndex", ["v2", "v1", "v0"]),
    ],
)
def test_versions_are_ordered(three: Writer, client: Client, order: str, expected: list[str]) -> None:
    assert versions(client, order=order) == expected
    page = listed(client, order=order, first=1)
    assert versions(client, order=order, after=page["pageInfo"]["endCursor"]) == expected[1:]


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"filters": '{"nope": 1}'}, "nope"),
        ({"filters": "{"}, "filters"),
        ({"filters": "[]"}, "filters"),
        ({"order": "+nope"}, "nope"),
        ({"order": "+tags"}, "tags"),
        ({"after": "nonsense"}, "nonsense"),
        ({"first": -1}, "-1"),
    ],
)
def test_a_filter_order_or_cursor_that_is_none_is_refused(
    three: Writer, client: Client, variables: Any, named: str
) -> None:
    assert named in client.refused(LIST, **variables)


def test_the_files_are_listed_in_pages_with_their_total(writer: Writer, client: Client) -> None:
    writer.log("seed", {"x": b"same"})
    contents = {f"f{index:04}": b"same" for index in range(1200)}
    writer.log("data", contents)
    page = files(client, first=5000)
    assert (page["totalCount"], len(page["edges"]), page["pageInfo"]["hasNextPage"]) == (1200, 1000, True)
    rest = files(client, first=5000, after=page["pageInfo"]["endCursor"])
    assert [edge["node"]["name"] for edge in page["edges"] + rest["edges"]] == sorted(contents)
    assert rest["pageInfo"]["hasNextPage"] is False


def test_a_file_says_what_it_is_and_where_its_bytes_are(writer: Writer, client: Client) -> None:
    writer.log("data", {"sub/a b%.txt": b"alpha\n"}, references={"ref.csv": "s3://bkt/x.csv"})
    reference, file = [edge["node"] for edge in files(client)["edges"]]
    assert (file["__typename"], file["path"], file["name"]) == ("File", "sub/a b%.txt", "sub/a b%.txt")
    assert (file["sizeBytes"], file["mimetype"]) == (6, "text/plain")
    assert file["digest"] == file["md5"] == md5(b"alpha\n")
    assert file["storagePath"].startswith("wandb_artifacts/") and file["updatedAt"]
    assert file["id"] != reference["id"]
    answer = client.request("GET", file["directUrl"], auth=None)
    assert (answer.content, answer.headers["content-type"]) == (b"alpha\n", "text/plain; charset=utf-8")
    assert client.request("GET", file["url"], auth=None, headers={"Range": "bytes=1-2"}).content == b"lp"
    assert (reference["directUrl"], reference["sizeBytes"]) == ("s3://bkt/x.csv", 0)


@pytest.mark.parametrize("path", ["a/..", "a/.", "a/", "~", "ü.txt", "a?b#c", "a\\b", "%2e%2e", "a\nb"])
def test_the_bytes_of_a_file_come_whatever_its_name(writer: Writer, client: Client, path: str) -> None:
    writer.log("data", {path: path.encode()})
    (edge,) = files(client)["edges"]
    answer = client.request("GET", edge["node"]["directUrl"], auth=None)
    assert (edge["node"]["name"], answer.content) == (path, path.encode())


def test_chosen_files_are_listed_alone(writer: Writer, client: Client) -> None:
    writer.log("data", {name: name.encode() for name in ("a", "b", "c")})
    page = files(client, names=["c", "nope", "a"], first=1)
    assert ([edge["node"]["name"] for edge in page["edges"]], page["totalCount"]) == (["a"], 2)
    rest = files(client, names=["c", "nope", "a"], after=page["pageInfo"]["endCursor"])
    assert [edge["node"]["name"] for edge in rest["edges"]] == ["c"]


def test_files_are_found_by_entries_of_the_manifest(writer: Writer, client: Client) -> None:
    query = """query F($id: ID!, $entries: [ArtifactManifestEntryInput!]) { artifact(id: $id) {
        filesByManifestEntries(storageLayout: "V2", manifestVersion: "1", entries: $entries) {
        pageInfo { hasNextPage endCursor } edges { node { name directUrl } } } } }"""
    artifact = writer.log("data", {"a": b"0", "b": b"1"})
    wanted = [{"name": name, "digest": md5(b"1"), "birthArtifactID": artifact, "size": 1} for name in ("b", "nope")]
    found = client.graphql(query, id=artifact, entries=wanted)["artifact"]["filesByManifestEntries"]
    assert [edge["node"]["name"] for edge in found["edges"]] == ["b"]
    assert client.request("GET", found["edges"][0]["node"]["directUrl"], auth=None).content == b"1"


def test_bytes_and_manifests_need_their_signature(writer: Writer, client: Client) -> None:
    writer.log("data", {"a": b"0"})
    manifest = writer.artifact("currentManifest { file { directUrl } }", "data:v0")["currentManifest"]["file"][
        "directUrl"
    ]
    for url in (manifest, files(client)["edges"][0]["node"]["directUrl"]):
        assert path_of(url).startswith("/storage/")
        assert client.request("GET", url, auth=None).status_code == 200
        assert client.request("HEAD", url, auth=None).status_code == 200
        assert client.request("GET", path_of(url)).status_code == 403


def handlers(artifact: str) -> list[str]:
    digest = "93b885adfe0da089cdf634904fd59f71"  # of b"\\0"
    return [
        f"/artifactsV2/default/local/p/data/{artifact}/{artifact}/{digest}/a",
        f"/artifactsV2/default/local/p/data/{artifact}/{digest}/a",
        f"/artifactsV2/default/local/{artifact}/{digest}",
        f"/artifacts/local/{digest}",
    ]


def test_who_has_a_key_gets_bytes_by_their_digest(writer: Writer, client: Client) -> None:
    artifact = writer.log("data", {"a": b"\0"})
    for path in handlers(artifact):
        assert client.request("GET", path).content == b"\0"
        assert client.request("GET", path, headers={"Range": "bytes=5-"}).status_code == 416
        assert client.request("GET", path, auth=None).status_code == 401
        assert client.request("GET", path.replace("93b885", "000000")).status_code == 404
        assert client.request("GET", path.replace("93b885", "nohex!")).status_code == 404


def test_the_types_of_a_project_are_listed(writer: Writer, client: Client) -> None:
    query = """query T($after: String, $first: Int) { project(name: "p") { artifactTypes(after: $after, first: $first) {
        totalCount pageInfo { endCursor hasNextPage }
        edges { cursor node { __typename id name description createdAt } } } } }"""
    for kind in ("model", "dataset", "code"):
        writer.log(f"a-{kind}", {"a": b"0"}, artifactTypeName=kind)
    page = client.graphql(query, first=2)["project"]["artifactTypes"]
    assert (page["totalCount"], [edge["node"]["name"] for edge in page["edges"]]) == (3, ["code", "dataset"])
    rest = client.graphql(query, after=page["pageInfo"]["endCursor"])["project"]["artifactTypes"]
    assert [edge["node"]["name"] for edge in rest["edges"]] == ["model"]


def test_a_type_knows_its_collections_and_no_others(writer: Writer, client: Client) -> None:
    query = """query T($type: String!) { project(name: "p") { artifactType(name: $type) { name
        artifactCollection(name: "data") { id } artifact(name: "data:latest") { versionIndex }
        artifactCollections { edges { node { artifacts { edges { node { id state aliases { alias }
        artifactSequence { name } } } } } } } } } }"""
    artifact = writer.log("data", {"a": b"0"})
    writer.log("weights", {"a": b"0"}, artifactTypeName="model")
    model = client.graphql(query, type="model")["project"]["artifactType"]
    assert (model["artifactCollection"], model["artifact"]) == (None, None)
    found = client.graphql(query, type="dataset")["project"]["artifactType"]
    assert found["artifact"] == {"versionIndex": 0}
    (collection,) = found["artifactCollections"]["edges"]
    (edge,) = collection["node"]["artifacts"]["edges"]
    assert (edge["node"]["id"], edge["node"]["artifactSequence"]) == (artifact, {"name": "data"})
    assert client.graphql(query, type="nope")["project"]["artifactType"] is None


def test_there_is_no_organization(client: Client) -> None:
    query = """{ organization(name: "o") { name orgEntity { name } } entity(name: "local") {
        organization { name orgEntity { name } } user { organizations { name } } } }"""
    expected = {"organization": None, "entity": {"organization": None, "user": {"organizations": []}}}
    assert client.graphql(query) == expected


def test_what_is_listed_is_what_was_logged(writer: Writer, client: Client) -> None:
    contents = {"a": b"0", "b": b"1"}
    writer.log("data", contents)
    found = {edge["node"]["name"]: edge["node"]["md5"] for edge in files(client)["edges"]}
    assert found == {path: entry["digest"] for path, entry in entries_of(contents).items()}
