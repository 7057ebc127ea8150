"""Versions that several writers make, versions that add to others, and references to drafts."""

from __future__ import annotations

from artifact_writer import COMMIT, Writer, digest_of, entries_of, manifest_of, md5
from store_client import Client


def test_the_parts_of_several_writers_become_one_version(writer: Writer) -> None:
    parts = [{"a": b"0", "shared": b"first"}, {"b": b"1", "shared": b"second"}, {"c": b"2"}]
    made = []
    for index, files in enumerate(parts):
        digest = digest_of(entries_of(files))
        made.append(writer.create("data", digest, distributedID="D", aliases=["latest", f"from-{index}"])["id"])
        writer.add(made[-1], files, "PATCH")
        assert writer.version("data:latest") is None
    assert len(set(made)) == 1
    whole = entries_of({**parts[0], **parts[1], **parts[2]})
    assert writer.commit(made[0]) == digest_of(whole)
    assert writer.manifest("data:v0")["contents"] == whole
    assert writer.artifact("fileCount size", "data:v0") == {"fileCount": 4, "size": 9}
    assert writer.aliases("data:v0") == ["from-0", "from-1", "from-2", "latest"]


def test_after_its_commit_the_same_writers_begin_another_version(writer: Writer) -> None:
    first = writer.create("data", "d" * 32, distributedID="D")["id"]
    writer.add(first, {"a": b"0"}, "PATCH")
    writer.commit(first)
    second = writer.create("data", writer.artifact("digest", "data:v0")["digest"], distributedID="D")
    assert (second["id"] != first, second["state"]) == (True, "PENDING")


def test_an_incremental_version_adds_to_the_one_before(writer: Writer) -> None:
    base = writer.log("data", {"a": b"0", "b": b"1"})
    created = writer.create("data", digest_of(entries_of({"b": b"2", "c": b"3"})))
    assert created["artifactSequence"]["latestArtifact"]["id"] == base
    writer.add(created["id"], {"b": b"2", "c": b"3"}, "INCREMENTAL", base=base)
    whole = entries_of({"a": b"0", "b": b"2", "c": b"3"})
    assert writer.commit(created["id"]) == digest_of(whole)
    assert writer.manifest("data:latest")["contents"] == whole


def test_the_first_incremental_version_stands_alone(writer: Writer) -> None:
    created = writer.create("data", "d" * 32)
    assert created["artifactSequence"]["latestArtifact"] is None
    writer.add(created["id"], {"a": b"0"}, "INCREMENTAL")
    assert writer.commit(created["id"]) == digest_of(entries_of({"a": b"0"}))


def test_a_version_that_adds_to_a_deleted_one_is_refused(writer: Writer, client: Client) -> None:
    base = writer.log("data", {"a": b"0"})
    created = writer.create("data", "d" * 32)["id"]
    writer.add(created, {"b": b"1"}, "INCREMENTAL", base=base)
    delete = (
        "mutation D($id: ID!) { deleteArtifact(input: {artifactID: $id, deleteAliases: true}) { artifact { id } } }"
    )
    client.graphql(delete, id=base)
    assert "deleted" in client.refused(COMMIT, artifactID=created)


def test_what_concerned_the_writers_machine_does_not_come_into_a_merged_manifest(writer: Writer) -> None:
    entries = {
        "a": {**entries_of({"a": b"0"})["a"], "local_path": "/home/me/a", "skip_cache": False, "extra": {"x": 1}}
    }
    artifact = writer.create("data", "d" * 32, distributedID="D")["id"]
    writer.add(artifact, {"a": b"0"}, "PATCH", entries=entries)
    writer.commit(artifact)
    assert writer.manifest("data:v0")["contents"] == {"a": {**entries_of({"a": b"0"})["a"], "extra": {"x": 1}}}


def test_a_part_that_comes_too_late_is_refused(writer: Writer) -> None:
    artifact = writer.create("data", "d" * 32, distributedID="D")["id"]
    writer.add(artifact, {"a": b"0"}, "PATCH")
    manifest = manifest_of(entries_of({"a": b"0", "b": b"1"}))
    late = writer.announce(artifact, md5(manifest), kind="PATCH")["file"]["uploadUrl"]
    writer.commit(artifact)
    answer = writer.put(late, manifest)
    assert answer.status_code == 409 and "committed" in answer.text


def test_a_reference_to_a_draft_becomes_one_to_its_version(writer: Writer) -> None:
    target = writer.log("one", {"t.table.json": b"{}"}, clientID="draft-1")
    uri = "wandb-client-artifact://draft-1/t.table.json"
    entries = {"t": {"digest": md5(b"{}"), "ref": uri}, "s3": {"digest": "s3://x/y", "ref": "s3://x/y"}}
    artifact = writer.create("two", digest_of(entries))["id"]
    writer.fill(artifact, entries)
    writer.commit(artifact)
    found = writer.manifest("two:v0")["contents"]
    assert found["t"]["ref"] == f"wandb-artifact://{writer.id_in_reference(target)}/t.table.json"
    assert found["s3"]["ref"] == "s3://x/y"


def test_a_reference_to_an_unknown_draft_is_refused_by_name(writer: Writer, client: Client) -> None:
    entries = {"t": {"digest": "x", "ref": "wandb-client-artifact://nobody/t"}}
    artifact = writer.create("two", digest_of(entries))["id"]
    writer.fill(artifact, entries)
    assert "nobody" in client.refused(COMMIT, artifactID=artifact)
