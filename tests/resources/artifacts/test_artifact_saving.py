"""Saving drafts: what arrives, in which run, and what happens when something goes wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runframe import Api, Artifact, CommError, UsageError
from runframe.resources.client import Client
from runframe.server import LocalServer, open_local
from runframe.wire import Limits, Session


def test_a_saved_draft_is_a_logged_version(own: Api, draft: Artifact) -> None:
    draft.metadata = {"a": 1}
    draft.description = "text"
    draft.save(api=own, aliases=["best"], tags=["red"])
    assert (draft.name, draft.version, draft.qualified_name) == ("data:v0", "v0", "local/p/data:v0")
    assert (draft.state, draft.is_draft(), draft.aliases, draft.tags) == (
        "COMMITTED",
        False,
        ["latest", "best"],
        ["red"],
    )
    assert (draft.metadata, draft.description, draft.file_count, draft.size) == ({"a": 1}, "text", 4, 13)
    assert draft.wait(timeout=1) is draft
    again = own.artifact("data")
    assert (again.id, again.digest, again.metadata) == (draft.id, draft.digest, {"a": 1})
    assert sorted(again.manifest.entries) == ["B.txt", "a.txt", "empty", "sub/b.bin"]
    assert all(entry.birth_artifact_id == draft.id for entry in again.manifest.entries.values())


def test_without_a_run_one_is_made_and_finished(own: Api, draft: Artifact) -> None:
    draft.save("elsewhere", api=own)
    run = draft.logged_by()
    assert run is not None
    assert (run.project, run.job_type, run.state) == ("elsewhere", "auto", "finished")
    assert draft.project == "elsewhere"


def test_a_run_that_is_given_logs_it_and_goes_on(own: Api, draft: Artifact) -> None:
    run = own.create_run("mine", "q")
    draft.save(run=run)
    assert draft.qualified_name == "local/q/data:v0"
    assert [found.id for found in run.logged_artifacts()] == [draft.id]
    creator = draft.logged_by()
    assert creator is not None
    assert (creator.id, creator.state) == ("mine", "running")


def test_the_same_content_is_not_saved_again(own: Api, draft: Artifact, folder: Path) -> None:
    draft.save(api=own)
    same = Artifact("data", "dataset")
    same.add_dir(str(folder))
    same.save(api=own, aliases=["twin"])
    assert (same.id, same.version, same.aliases) == (draft.id, "v0", ["latest", "twin"])
    other = Artifact("data", "dataset")
    other.add_file(str(folder / "a.txt"))
    other.save(api=own)
    assert (other.version, other.aliases, own.artifact("data:v0").aliases) == ("v1", ["latest"], ["twin"])


def test_an_artifact_may_be_empty(own: Api) -> None:
    artifact = Artifact("nothing", "dataset")
    artifact.save(api=own)
    assert (artifact.version, artifact.file_count, artifact.size, len(artifact.manifest)) == ("v0", 0, 0, 0)
    assert artifact.download("out") == "out"


def test_more_files_than_go_into_one_request(own: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runframe.resources.artifacts.upload.FILES_AT_ONCE", 3)
    artifact = Artifact("many", "dataset")
    for number in range(8):
        with artifact.new_file(f"{number}.txt") as file:
            file.write(str(number))
    artifact.save(api=own)
    folder = Path(artifact.download(str(tmp_path / "out"), skip_cache=True))
    assert [(folder / f"{number}.txt").read_text() for number in range(8)] == list("01234567")


def test_what_was_staged_is_cached_and_removed(own: Api, folder: Path, tmp_path: Path) -> None:
    artifact = Artifact("data", "dataset")
    artifact.add_file(str(folder / "a.txt"))
    artifact.add_file(str(folder / "B.txt"), skip_cache=True)
    artifact.save(api=own)
    assert list((tmp_path / "data" / "artifacts" / "staging").iterdir()) == []
    kept = [path.read_text() for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert kept == ["alpha\n"]


def test_a_new_draft_begins_with_what_the_version_has(own: Api, draft: Artifact) -> None:
    draft.save(api=own)
    draft.metadata["step"] = 1
    new = own.artifact("data:v0").new_draft()
    assert (new.name, new.type, new.is_draft(), new.digest) == ("data", "dataset", True, draft.digest)
    new.remove("a.txt")
    with new.new_file("c.txt") as file:
        file.write("gamma")
    new.save()
    assert (new.qualified_name, sorted(new.manifest.entries)) == (
        "local/p/data:v1",
        ["B.txt", "c.txt", "empty", "sub/b.bin"],
    )
    assert new.manifest.entries["B.txt"].birth_artifact_id == draft.id
    assert (Path(new.download("out", skip_cache=True)) / "B.txt").read_bytes() == b"beta"


def test_an_incremental_draft_adds_to_the_newest_version(own: Api, folder: Path) -> None:
    for name in ("a.txt", "B.txt"):
        part = Artifact("data", "dataset", incremental=True)
        part.add_file(str(folder / name))
        part.save(api=own)
    assert sorted(own.artifact("data").manifest.entries) == ["B.txt", "a.txt"]


def test_a_part_of_a_distributed_version_is_saved_as_one(own: Api, folder: Path) -> None:
    part = Artifact("data", "dataset")
    part.distributed_id = "all"
    part.add_file(str(folder / "a.txt"))
    part.save(api=own)
    assert (part.version, list(part.manifest.entries)) == ("v0", ["a.txt"])


def test_without_a_server_it_is_said_how_to_name_one(draft: Artifact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", "local:somewhere")
    with pytest.raises(UsageError, match="api="):
        draft.save()


class Broken:
    """A server's app that refuses uploads: as many as are wanted, from the first on."""

    def __init__(self, local: LocalServer, refusals: int) -> None:
        self.local, self.refusals = local, refusals
        self.api_key = local.api_key
        self.operations: list[str] = []

    async def app(self, scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        if scope["method"] == "PUT" and "artifact-files" in scope["path"] and self.refusals:
            self.refusals -= 1
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b"expired"})
            return
        await self.local.app(scope, receive, send)


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Callable[[int], Client]]:
    """Makes connections to a server that refuses uploads."""
    with open_local(tmp_path / "broken") as local:
        sessions = []

        def make(refusals: int) -> Client:
            app = Broken(local, refusals)
            limits = Limits(soft_deadline=0.2, first_wait=0.01)
            session = Session(
                "local", api_key=None, user_agent="W&B Public Client t", limits=limits, open_app=lambda: app
            )
            sessions.append(session)
            return Client(session, "http://local/", {"project": "p", "entity": local.entity})

        yield make
        for session in sessions:
            session.close()


class Holder:
    """What has a client, as an `Api` has."""

    def __init__(self, client: Client) -> None:
        self.client = client


def test_an_address_that_expired_is_asked_for_again(broken: Callable[[int], Client], draft: Artifact) -> None:
    draft.save(api=Holder(broken(2)))
    assert draft.file_count == 4


def test_a_file_that_is_refused_leaves_nothing_committed(broken: Callable[[int], Client], draft: Artifact) -> None:
    client = broken(100)
    with pytest.raises(CommError, match="expired"):
        draft.save(api=Holder(client))
    assert draft.is_draft()
    runs = client.query("runs", "Runs", {"entity": "local", "project": "p", "filters": json.dumps({})})
    assert [edge["node"]["state"] for edge in runs["project"]["runs"]["edges"]] == ["failed"]
    versions = client.query(
        "artifacts", "ArtifactMembershipByName", {"entity": "local", "project": "p", "name": "data"}
    )
    assert versions["project"]["artifactCollectionMembership"] is None


def test_a_draft_that_failed_can_be_saved_again(broken: Callable[[int], Client], draft: Artifact) -> None:
    with pytest.raises(CommError):
        draft.save(api=Holder(broken(100)))
    draft.save(api=Holder(broken(0)))
    assert (draft.version, draft.file_count) == ("v0", 4)
