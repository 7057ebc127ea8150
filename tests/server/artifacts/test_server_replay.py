"""What a clone sets on a server of ours, and W&B's protocol has no place for."""

from __future__ import annotations

from typing import Any

import pytest
from artifact_writer import Writer
from store_client import Client

from runframe.server import LocalServer
from runframe.server.store import users

MADE, BEAT = "2020-01-02T03:04:05.000006Z", "2020-01-02T04:00:00.000000Z"
RUN = "mutation R($input: ReplayRunInput!) { replayRun(input: $input) { success } }"
SWEEP = "mutation S($input: ReplaySweepInput!) { replaySweep(input: $input) { sweep { id name state } inserted } }"
ARTIFACT = "mutation A($input: ReplayArtifactInput!) { replayArtifact(input: $input) { success } }"
COLLECTION = (
    "mutation C($input: ReplayArtifactCollectionInput!) { replayArtifactCollection(input: $input) { success } }"
)
PROJECT = "mutation P($input: ReplayProjectInput!) { replayProject(input: $input) { success } }"
VIEW = "mutation V($input: ReplayViewInput!) { replayView(input: $input) { success } }"
VERSIONS = """{ project(name: "p") { artifactType(name: "dataset") { artifactCollection(name: "data") {
    id createdAt updatedAt artifacts { edges { version node { id versionIndex createdAt updatedAt commitHash
    aliases { alias } } } } } } } }"""


def listed(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.graphql(VERSIONS)["project"]["artifactType"]["artifactCollection"]
    return found


def log(writer: Writer, content: bytes) -> str:
    """One version of the collection `data`; its id."""
    return writer.log("data", {"a.txt": content})


def test_a_run_gets_its_times_and_state(client: Client) -> None:
    run = client.begin()["bucket"]
    values = {"createdAt": MADE, "heartbeatAt": BEAT, "updatedAt": BEAT, "state": "killed", "exitcode": 255}
    client.graphql(RUN, input={"id": run["id"], **values})
    assert client.run("createdAt heartbeatAt updatedAt state exitcode") == values


def test_a_run_that_goes_on_is_as_alive_as_its_last_heartbeat(client: Client) -> None:
    run = client.begin()["bucket"]
    client.graphql(RUN, input={"id": run["id"], "state": "preempting", "heartbeatAt": BEAT})
    assert client.run("state")["state"] == "preempted"


def test_what_is_no_time_or_state_changes_nothing(client: Client) -> None:
    run = client.begin()["bucket"]
    before = client.run("createdAt state")
    assert "createdAt is 'soon'" in client.refused(RUN, input={"id": run["id"], "createdAt": "soon", "state": "failed"})
    assert "state is 'odd'" in client.refused(RUN, input={"id": run["id"], "createdAt": MADE, "state": "odd"})
    assert client.run("createdAt state") == before


def test_a_sweep_keeps_its_name_and_comes_once(client: Client) -> None:
    config = "method: random\nparameters: {lr: {values: [1, 2]}}\n"
    wanted = {"entityName": "local", "projectName": "p", "name": "abc12345", "config": config, "createdAt": MADE}
    first = client.graphql(SWEEP, input={**wanted, "state": "FINISHED"})["replaySweep"]
    again = client.graphql(SWEEP, input={**wanted, "state": "FINISHED"})["replaySweep"]
    assert (first["inserted"], again["inserted"]) == (True, False)
    assert first["sweep"] == again["sweep"] and first["sweep"]["name"] == "abc12345"
    found = client.graphql('{ project(name: "p") { totalSweeps sweep(sweepName: "abc12345") { createdAt state } } }')
    assert found["project"] == {"totalSweeps": 1, "sweep": {"createdAt": MADE, "state": "FINISHED"}}


def test_a_version_gets_its_number_its_times_and_its_clients_names(client: Client, writer: Writer) -> None:
    first, second = log(writer, b"one"), log(writer, b"two")
    numbers = [{"artifactCollectionName": "data", "versionIndex": 7, "createdAt": MADE}]
    names = [{"clientID": "theirs", "sequenceClientID": "their-sequence"}]
    client.graphql(
        ARTIFACT,
        input={
            "artifactID": second, "createdAt": MADE, "updatedAt": BEAT, "commitHash": "f" * 20,
            "memberships": numbers, "clientIDs": names,
        },
    )  # fmt: skip
    versions = {edge["version"]: edge["node"] for edge in listed(client)["artifacts"]["edges"]}
    assert versions.keys() == {"v0", "v7"}
    found = versions["v7"]
    assert (found["versionIndex"], found["createdAt"], found["updatedAt"]) == (7, MADE, BEAT)
    assert found["commitHash"] == "f" * 20
    assert {alias["alias"] for alias in found["aliases"]} == {"latest", "v7"}
    mapped = client.graphql('{ a: clientIDMapping(clientID: "theirs") { serverID } }')["a"]["serverID"]
    assert mapped == second
    assert client.graphql('{ a: clientIDMapping(clientID: "their-sequence") { serverID } }')["a"] is not None
    assert log(writer, b"three") and {edge["version"] for edge in listed(client)["artifacts"]["edges"]} >= {"v8"}
    taken = [{"artifactCollectionName": "data", "versionIndex": 7}]
    assert "data:v7 is another version" in client.refused(ARTIFACT, input={"artifactID": first, "memberships": taken})
    assert {edge["version"] for edge in listed(client)["artifacts"]["edges"]} == {"v0", "v7", "v8"}


def test_a_number_that_was_left_free_can_be_filled_later(client: Client, writer: Writer) -> None:
    first = log(writer, b"one")
    client.graphql(ARTIFACT, input={"artifactID": first, "memberships": [_at(3)]})
    second = log(writer, b"two")
    client.graphql(ARTIFACT, input={"artifactID": second, "memberships": [_at(1)]})
    log(writer, b"three")
    assert {edge["version"] for edge in listed(client)["artifacts"]["edges"]} == {"v1", "v3", "v4"}


def _at(index: int) -> dict[str, Any]:
    return {"artifactCollectionName": "data", "versionIndex": index}


def test_collections_projects_and_views_get_their_times(client: Client, writer: Writer) -> None:
    log(writer, b"one")
    client.graphql(
        COLLECTION, input={"artifactCollectionID": listed(client)["id"], "createdAt": MADE, "updatedAt": BEAT}
    )
    assert (listed(client)["createdAt"], listed(client)["updatedAt"]) == (MADE, BEAT)
    client.graphql(PROJECT, input={"entityName": "local", "projectName": "p", "createdAt": MADE})
    assert client.graphql('{ project(name: "p") { createdAt } }')["project"]["createdAt"] == MADE
    made = client.graphql(
        "mutation U($input: UpsertViewInput!) { upsertView(input: $input) { view { id } } }",
        input={"entityName": "local", "projectName": "p", "type": "runs", "name": "n", "spec": "{}"},
    )["upsertView"]["view"]["id"]
    client.graphql(VIEW, input={"id": made, "createdAt": MADE, "updatedAt": BEAT})
    view = client.graphql("query Q($id: ID!) { view(id: $id) { createdAt updatedAt } }", id=made)["view"]
    assert view == {"createdAt": MADE, "updatedAt": BEAT}


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        (RUN, {"id": "bm8="}),
        (ARTIFACT, {"artifactID": "bm8="}),
        (COLLECTION, {"artifactCollectionID": "bm8="}),
        (VIEW, {"id": "bm8="}),
        (PROJECT, {"entityName": "local", "projectName": "nowhere"}),
    ],
)
def test_what_is_not_there_is_refused(client: Client, query: str, fields: dict[str, Any]) -> None:
    client.begin()
    assert client.refused(query, input=fields)


def test_who_may_not_write_to_a_project_replays_nothing_into_it(
    client: Client, writer: Writer, local: LocalServer
) -> None:
    artifact = log(writer, b"one")
    with local.store.write() as connection:
        users.add_key(connection, users.create_user(connection, "ada", email="a@b"), "A" * 40)
    mine = {"entityName": "local", "projectName": "p"}
    for query, fields in (
        (RUN, {"id": client.run("id")["id"], "createdAt": MADE}),
        (ARTIFACT, {"artifactID": artifact, "createdAt": MADE}),
        (COLLECTION, {"artifactCollectionID": listed(client)["id"], "createdAt": MADE}),
        (PROJECT, {**mine, "createdAt": MADE}),
        (SWEEP, {**mine, "name": "s", "config": "method: random"}),
    ):
        body = {"query": query, "variables": {"input": fields}}
        answer = client.request("POST", "/graphql", json=body, auth=("api", "A" * 40))
        assert "permission denied" in answer.text
