"""Logging a version: what is checked on the way, and what a repeated request does."""

from __future__ import annotations

from typing import Any

import pytest
from artifact_writer import COMMIT, CREATE, FILES, Writer, digest_of, entries_of, manifest_of, md5
from store_client import Client

FILES_OF_IT = {"a.txt": b"alpha\n", "sub/b.bin": b"\0\1\2", "empty": b""}


def test_a_logged_version_says_what_it_holds(writer: Writer) -> None:
    entries = entries_of(FILES_OF_IT, {"ref.csv": "s3://bkt/x.csv"})
    writer.log("data", FILES_OF_IT, references={"ref.csv": "s3://bkt/x.csv"}, runName="r", historyStep=7)
    fields = """versionIndex state digest size fileCount historyStep commitHash artifactType { name }
        artifactSequence { name } ttlDurationSeconds ttlIsInherited description metadata"""
    found = writer.artifact(fields, "data:v0")
    assert found.pop("commitHash")
    assert found == {
        "versionIndex": 0,
        "state": "COMMITTED",
        "digest": digest_of(entries),
        "size": 9,
        "fileCount": 4,
        "historyStep": 7,
        "artifactType": {"name": "dataset"},
        "artifactSequence": {"name": "data"},
        "ttlDurationSeconds": -1,
        "ttlIsInherited": True,
        "description": None,
        "metadata": None,
    }


def test_the_manifest_comes_back_as_it_was_sent(writer: Writer) -> None:
    entries = entries_of(FILES_OF_IT)
    entries["a.txt"]["extra"] = {"deep": {"x": 1}}
    artifact = writer.create("data", digest_of(entries))["id"]
    writer.send(artifact, FILES_OF_IT)
    writer.fill(artifact, entries)
    writer.commit(artifact)
    assert writer.manifest("data:v0")["contents"] == entries


def test_there_is_no_version_before_the_commit(writer: Writer) -> None:
    writer.create("data", "d" * 32)
    assert writer.version("data:latest") is None
    assert writer.collection("artifacts { totalCount }", "data")["artifacts"]["totalCount"] == 0


def test_each_new_content_is_a_version_that_latest_moves_to(writer: Writer) -> None:
    for content in (b"0", b"1", b"2"):
        writer.log("data", {"a": content})
    assert [writer.version(f"data:{name}") for name in ("v0", "v2", "latest")] == [0, 2, 2]
    assert writer.version("data") == 2
    assert writer.version("data:v3") is None


def test_the_same_content_is_the_version_that_has_it(writer: Writer) -> None:
    first = writer.log("data", {"a": b"0"})
    second = writer.log("data", {"a": b"1"})
    again = writer.create(
        "data", digest_of(entries_of({"a": b"1"})), aliases=["latest", "best"], tags=[{"tagName": "t"}]
    )
    assert (again["id"], again["state"]) == (second, "COMMITTED")
    assert writer.aliases("data:v1") == ["best", "latest"]
    assert writer.artifact("tags { name }", "data:v1")["tags"] == [{"name": "t"}]
    assert writer.log("data", {"a": b"0"}) == first
    assert (writer.version("data:latest"), writer.aliases("data:v1")) == (0, ["best"])


def test_the_same_content_is_a_new_version_where_the_writer_wants_it(writer: Writer) -> None:
    writer.log("data", {"a": b"0"})
    writer.log("data", {"a": b"0"}, enableDigestDeduplication=False)
    assert writer.version("data:latest") == 1


def test_the_same_content_in_another_collection_is_another_version(writer: Writer) -> None:
    assert writer.log("data", {"a": b"0"}) != writer.log("other", {"a": b"0"})


def test_bytes_that_the_store_has_are_not_asked_for(writer: Writer) -> None:
    first = writer.log("data", {"a": b"0"})
    artifact = writer.create("other", "d" * 32)["id"]
    known, new = writer.plan(artifact, {"x": b"0", "y": b"1"})
    assert (known["uploadUrl"], known["artifact"]["id"]) == (None, first)
    assert new["uploadUrl"] is not None and new["artifact"]["id"] == artifact
    assert new["uploadMultipartUrls"] is None and new["uploadHeaders"] == []


def test_bytes_that_were_lost_are_asked_for_again(writer: Writer, client: Client) -> None:
    writer.log("data", {"a": b"0"})
    for blob in client.local.store.blobs.root.glob("??/*"):
        blob.unlink()
    artifact = writer.create("other", digest_of(entries_of({"a": b"0"})))["id"]
    writer.send(artifact, {"a": b"0"})
    writer.fill(artifact, entries_of({"a": b"0"}))
    writer.commit(artifact)
    url = writer.artifact("files { edges { node { directUrl } } }", "data:v0")["files"]["edges"][0]["node"]["directUrl"]
    assert client.request("GET", url, auth=None).content == b"0"


def test_the_same_request_again_begins_no_other_version(writer: Writer) -> None:
    first = writer.create("data", "d" * 32, clientID="c", sequenceClientID="s")
    assert writer.create("data", "d" * 32, clientID="c", sequenceClientID="s") == first


def test_a_request_that_comes_again_late_does_not_move_the_aliases(writer: Writer) -> None:
    first = writer.log("data", {"a": b"0"}, clientID="c")
    writer.log("data", {"a": b"1"})
    assert writer.create("data", digest_of(entries_of({"a": b"0"})), clientID="c")["id"] == first
    assert writer.version("data:latest") == 1


def test_a_commit_that_comes_again_changes_nothing(writer: Writer) -> None:
    artifact = writer.log("data", {"a": b"0"})
    writer.log("data", {"a": b"1"})
    assert writer.commit(artifact) == digest_of(entries_of({"a": b"0"}))
    assert (writer.version("data:latest"), writer.collection("artifacts { totalCount }", "data")) == (
        1,
        {"artifacts": {"totalCount": 2}},
    )


def test_what_a_client_calls_a_version_leads_to_it(writer: Writer, client: Client) -> None:
    query = "query ClientIDMapping($id: ID!) { clientIDMapping(clientID: $id) { serverID } }"
    first = writer.log("data", {"a": b"0"}, clientID="c1", sequenceClientID="s1")
    writer.log("data", {"a": b"0"}, clientID="c2", sequenceClientID="s2")
    for name in ("c1", "c2"):
        assert client.graphql(query, id=name)["clientIDMapping"] == {"serverID": first}
    sequence = writer.collection("id", "data")["id"]
    for name in ("s1", "s2"):
        assert client.graphql(query, id=name)["clientIDMapping"] == {"serverID": sequence}
    assert client.graphql(query, id="nobody")["clientIDMapping"] is None


def test_a_file_with_other_bytes_than_announced_is_refused(writer: Writer) -> None:
    artifact = writer.create("data", "d" * 32)["id"]
    (node,) = writer.plan(artifact, {"a": b"0"})
    answer = writer.put(node["uploadUrl"], b"1")
    assert answer.status_code == 400 and md5(b"0") in answer.text
    assert writer.plan(artifact, {"a": b"0"})[0]["uploadUrl"] is not None


def test_a_manifest_with_other_bytes_than_announced_is_refused(writer: Writer) -> None:
    artifact = writer.create("data", "d" * 32)["id"]
    url = writer.announce(artifact, md5(b"{}"))["file"]["uploadUrl"]
    assert writer.put(url, b"[]").status_code == 400


def test_nothing_is_sent_without_a_signature(writer: Writer) -> None:
    artifact = writer.create("data", "d" * 32)["id"]
    (node,) = writer.plan(artifact, {"a": b"0"})
    manifest = writer.announce(artifact, md5(b"{}"))["file"]["uploadUrl"]
    for url in (node["uploadUrl"], manifest):
        assert writer.put(url.partition("?")[0], b"0").status_code == 403


def test_a_commit_without_a_manifest_is_refused(writer: Writer, client: Client) -> None:
    artifact = writer.create("data", "d" * 32)["id"]
    writer.announce(artifact, md5(b"{}"))
    assert "manifest" in client.refused(COMMIT, artifactID=artifact)


def test_a_commit_with_another_digest_than_announced_is_refused(writer: Writer, client: Client) -> None:
    artifact = writer.create("data", "d" * 32)["id"]
    writer.send(artifact, {"a": b"0"})
    writer.fill(artifact, entries_of({"a": b"0"}))
    message = client.refused(COMMIT, artifactID=artifact)
    assert "d" * 32 in message and digest_of(entries_of({"a": b"0"})) in message
    assert writer.version("data:latest") is None


def test_a_commit_without_all_files_names_one(writer: Writer, client: Client) -> None:
    entries = entries_of({"a": b"0", "b": b"1"})
    artifact = writer.create("data", digest_of(entries))["id"]
    writer.send(artifact, {"a": b"0"})
    writer.fill(artifact, entries)
    assert "'b'" in client.refused(COMMIT, artifactID=artifact)
    writer.send(artifact, {"b": b"1"})
    writer.commit(artifact)
    assert writer.version("data:latest") == 0


def test_a_size_that_is_not_the_files_is_refused(writer: Writer, client: Client) -> None:
    entries = {"a": {"digest": md5(b"0"), "size": 2}}
    artifact = writer.create("data", digest_of(entries))["id"]
    writer.send(artifact, {"a": b"0"})
    writer.fill(artifact, entries)
    assert "2 bytes" in client.refused(COMMIT, artifactID=artifact)


@pytest.mark.parametrize(
    "text",
    [
        b"no json",
        b"[]",
        b'{"version": 2, "storagePolicy": "wandb-storage-policy-v1", "contents": {}}',
        b'{"version": 1, "storagePolicy": "other", "contents": {}}',
        b'{"version": 1, "storagePolicy": "wandb-storage-policy-v1"}',
        manifest_of({"a": {"size": 1}}),
        manifest_of({"a": {"digest": "x", "ref": 1}}),
        manifest_of({"a": {"digest": "x", "ref": "y", "size": -1}}),
        manifest_of({"a": {"digest": "x", "ref": "y", "size": "1"}}),
        manifest_of({"\ud800": {"digest": "x", "ref": "y"}}),
    ],
)
def test_a_manifest_that_is_none_is_refused_at_the_commit(writer: Writer, client: Client, text: bytes) -> None:
    artifact = writer.create("data", "d" * 32)["id"]
    assert writer.put(writer.announce(artifact, md5(text))["file"]["uploadUrl"], text).status_code == 200
    assert "manifest" in client.refused(COMMIT, artifactID=artifact)


def test_an_announced_change_of_the_manifest_has_to_come(writer: Writer, client: Client) -> None:
    artifact = writer.create("data", digest_of(entries_of({"a": b"0"})))["id"]
    writer.send(artifact, {"a": b"0"})
    writer.fill(artifact, entries_of({"a": b"0"}))
    writer.announce(artifact, md5(b"{}"))
    assert "has not come" in client.refused(COMMIT, artifactID=artifact)


def test_nothing_is_added_to_a_committed_version(writer: Writer, client: Client) -> None:
    artifact = writer.create("data", digest_of(entries_of({"a": b"0"})))["id"]
    writer.send(artifact, {"a": b"0"})
    url = writer.announce(artifact, md5(manifest_of(entries_of({"a": b"0"}))))["file"]["uploadUrl"]
    other = writer.announce(artifact, "")
    assert other["file"].get("uploadUrl") is None
    writer.fill(artifact, entries_of({"a": b"0"}))
    writer.commit(artifact)
    assert writer.put(url, manifest_of(entries_of({"a": b"0"}))).status_code == 200  # the same again
    spec = [{"artifactID": artifact, "name": "b", "md5": md5(b"1")}]
    assert "COMMITTED" in client.refused(FILES, input={"artifactFiles": spec})


def test_an_upload_in_parts_is_offered_to_nobody(writer: Writer, client: Client) -> None:
    query = """mutation C($id: ID!) { completeMultipartUploadArtifact(input: {completeMultipartAction: Complete,
        completedParts: [], artifactID: $id, storagePath: "x", uploadID: "u"}) { digest } }"""
    artifact = writer.create("data", "d" * 32)["id"]
    spec = {
        "artifactID": artifact,
        "name": "b",
        "md5": md5(b"1"),
        "uploadPartsInput": [{"partNumber": 1, "hexMD5": "0"}],
    }
    answer = client.graphql(FILES, input={"artifactFiles": [spec]})
    assert answer["createArtifactFiles"]["files"]["edges"][0]["node"]["uploadMultipartUrls"] is None
    assert "one piece" in client.refused(query, id=artifact)


def _input(**fields: Any) -> dict[str, Any]:
    return {
        "entityName": "local",
        "projectName": "p",
        "artifactTypeName": "dataset",
        "artifactCollectionName": "data",
        "digest": "d" * 32,
        **fields,
    }


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"artifactCollectionName": "a/b"}, "a/b"),
        ({"artifactCollectionName": "a:b"}, "a:b"),
        ({"artifactCollectionName": "x" * 129}, "xxx"),
        ({"artifactCollectionName": None}, "one collection"),
        ({"artifactCollectionNames": ["other"]}, "one collection"),
        ({"artifactTypeName": "a/b"}, "a/b"),
        ({"digestAlgorithm": "MANIFEST_XXH128"}, "MANIFEST_XXH128"),
        ({"runName": "nobody"}, "nobody"),
        ({"metadata": "[1]"}, "metadata"),
        ({"metadata": "{"}, "metadata"),
        ({"ttlDurationSeconds": -3}, "-3"),
        ({"ttlDurationSeconds": 0}, "0"),
        ({"tags": [{"tagName": "no!"}]}, "Invalid tag"),
        ({"aliases": [{"artifactCollectionName": "data", "alias": "a:b"}]}, "a:b"),
        ({"aliases": [{"artifactCollectionName": "data", "alias": "v7"}]}, "v7"),
        ({"aliases": [{"artifactCollectionName": "other", "alias": "best"}]}, "other"),
    ],
)
def test_what_cannot_be_a_version_is_refused_by_name(
    writer: Writer, client: Client, fields: dict[str, Any], named: str
) -> None:
    assert named in client.refused(CREATE, input=_input(**fields))
    assert writer.collection("id", "data") is None


def test_a_collection_holds_one_type(writer: Writer, client: Client) -> None:
    writer.log("data", {"a": b"0"})
    message = client.refused(CREATE, input=_input(artifactTypeName="model"))
    assert "'dataset'" in message and "'model'" in message


def test_an_unknown_or_wrong_id_is_refused(writer: Writer, client: Client) -> None:
    collection = writer.collection("id", "data") or {"id": "QXJ0aWZhY3Q6OTk="}
    for node_id in ("", "nonsense", "UnVuOjE=", collection["id"]):
        assert "id" in client.refused(COMMIT, artifactID=node_id)


def test_an_md5_that_is_none_is_refused(writer: Writer, client: Client) -> None:
    artifact = writer.create("data", "d" * 32)["id"]
    for text in ("", "x", "AAAA", md5(b"0").rstrip("=")):
        spec = [{"artifactID": artifact, "name": "b", "md5": text}]
        assert "base64" in client.refused(FILES, input={"artifactFiles": spec})


def test_metadata_keeps_what_json_cannot_say(writer: Writer) -> None:
    writer.log("data", {"a": b"0"}, metadata='{"big": 36893488147419103233, "odd": NaN, "text": "\\ue000"}')
    assert (
        writer.artifact("metadata", "data:v0")["metadata"] == '{"big":36893488147419103233,"odd":NaN,"text":"\ue000"}'
    )
