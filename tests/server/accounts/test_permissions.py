"""Everybody reads everything; who may change what."""

from __future__ import annotations

import json
from typing import Any

import pytest
from store_client import Client

from runframe.server import LocalServer


class Person(Client):
    """A client with somebody's key."""

    def __init__(self, local: LocalServer, name: str, **arguments: Any) -> None:
        super().__init__(local)
        self.key = local.add_user(name, **arguments)

    def request(self, method: str, url: str, *, auth: Any = ..., headers: Any = None, **body: Any) -> Any:
        return super().request(method, url, auth=("api", self.key) if auth is ... else auth, headers=headers, **body)


@pytest.fixture
def ada(local: LocalServer) -> Person:
    return Person(local, "ada")


DENIED = "permission denied: 'ada' may not write to 'local"
UPSERT = "mutation U($input: UpsertBucketInput!) { upsertBucket(input: $input) { bucket { id } } }"
OWN = {"entityName": "local", "projectName": "p"}
PLAN = "method: grid\nparameters: {a: {value: 1}}"


def test_a_stranger_reads_and_does_not_write(client: Client, ada: Person) -> None:
    client.begin(summaryMetrics={"loss": 1})
    client.log([{"loss": 1}])
    read = '{ project(name: "p", entityName: "local") { readOnly run(name: "r") { id readOnly summaryMetrics } } }'
    project = ada.graphql(read)["project"]
    assert json.loads(project["run"]["summaryMetrics"]) == {"loss": 1}
    assert (project["readOnly"], project["run"]["readOnly"]) == (True, True)
    own = client.graphql(read)["project"]
    assert (own["readOnly"], own["run"]["readOnly"]) == (False, False)


@pytest.mark.parametrize(
    ("mutation", "kind", "fields"),
    [
        ("upsertBucket", "UpsertBucket", {"name": "new", "modelName": "p", "entityName": "local"}),
        ("upsertBucket", "UpsertBucket", {"id": "RUN", "notes": "mine"}),
        ("updateRunState", "UpdateRunState", {"id": "RUN", "state": "failed"}),
        ("stopRun", "StopRun", {"id": "RUN"}),
        ("deleteRun", "DeleteRun", {"id": "RUN"}),
        ("deleteFiles", "DeleteFiles", {"files": ["FILE"]}),
        ("createRunFiles", "CreateRunFiles", {**OWN, "runName": "r", "files": ["f"]}),
        ("rewindRun", "RewindRun", {**OWN, "runName": "r", "metricName": "_step", "metricValue": 0}),
        ("upsertModel", "UpsertModel", {"entityName": "local", "name": "new"}),
        ("upsertModel", "UpsertModel", {"entityName": "local", "name": "p", "description": "mine"}),
        ("notifyScriptableRunAlert", "NotifyScriptableRunAlert", {**OWN, "runName": "r", "title": "t", "text": "t"}),
        ("upsertSweep", "UpsertSweep", {**OWN, "config": PLAN}),
        ("upsertSweep", "UpsertSweep", {"id": "SWEEP", "state": "CANCELED"}),
        ("createAgent", "CreateAgent", {**OWN, "host": "h", "sweep": "NAME"}),
        ("enqueueSweepRun", "EnqueueSweepRun", {"id": "SWEEP", "config": "{}"}),
        ("upsertView", "UpsertView", {**OWN, "spec": "{}"}),
        ("deleteView", "DeleteView", {"id": "VIEW"}),
        ("createRunQueue", "CreateRunQueue", {**OWN, "queueName": "new", "access": "PROJECT"}),
        ("deleteRunQueues", "DeleteRunQueues", {"queueIDs": ["QUEUE"]}),
        ("pushToRunQueueByName", "PushToRunQueueByName", {**OWN, "queueName": "q", "runSpec": "{}"}),
        (
            "createCustomChart",
            "CreateCustomChart",
            {"entity": "local", "name": "c", "displayName": "c", "type": "vega2", "access": "private", "spec": "{}"},
        ),
    ],
)
def test_nothing_of_anothers_entity_is_changed(
    client: Client, ada: Person, mutation: str, kind: str, fields: dict[str, Any]
) -> None:
    known = _everything(client)
    text = json.dumps(fields)
    for name, value in known.items():
        text = text.replace(f'"{name}"', f'"{value}"')
    query = f"mutation M($input: {kind}Input!) {{ {mutation}(input: $input) {{ clientMutationId }} }}"
    assert DENIED in ada.refused(query, input=json.loads(text))
    client.graphql(query, input=json.loads(text))


def _everything(client: Client) -> dict[str, str]:
    """One of everything in the owner's project, by its id."""
    create = "mutation C($input: {0}Input!) {{ {1}(input: $input) {{ {2} }} }}"
    run = client.begin()["bucket"]["id"]
    client.log([{"a": 1}, {"a": 2}])
    files = {**OWN, "runName": "r", "files": ["f"]}
    made = client.graphql(create.format("CreateRunFiles", "createRunFiles", "files { id uploadUrl }"), input=files)
    file = made["createRunFiles"]["files"][0]
    client.request("PUT", file["uploadUrl"], content=b"x", auth=None)
    made = client.graphql(
        create.format("UpsertSweep", "upsertSweep", "sweep { id name }"), input={**OWN, "config": PLAN}
    )
    sweep = made["upsertSweep"]["sweep"]
    made = client.graphql(create.format("UpsertView", "upsertView", "view { id }"), input={**OWN, "spec": "{}"})
    queue = client.graphql(
        create.format("CreateRunQueue", "createRunQueue", "queueID"),
        input={**OWN, "queueName": "q", "access": "PROJECT"},
    )["createRunQueue"]["queueID"]
    view = made["upsertView"]["view"]["id"]
    found = {"RUN": run, "FILE": file["id"], "SWEEP": sweep["id"], "NAME": sweep["name"], "VIEW": view, "QUEUE": queue}
    return found


def test_a_strangers_stream_is_refused(ada: Person) -> None:
    answer = ada.request("POST", "/files/local/p/r/file_stream", json={"complete": True})
    assert answer.status_code == 403 and DENIED in answer.json()["errors"][0]["message"]


def test_a_member_writes_and_a_former_one_does_not(client: Client, ada: Person) -> None:
    client.graphql('mutation { createTeam(input: {teamName: "crew"}) { entity { id } } }')
    fields = {"name": "r", "modelName": "p", "entityName": "crew"}
    assert "may not write to 'crew'" in ada.refused(UPSERT, input=fields)
    invite = 'mutation { createInvite(input: {entityName: "crew", username: "ada"}) { invite { id } } }'
    member = client.graphql(invite)["createInvite"]["invite"]["id"]
    ada.graphql(UPSERT, input=fields)
    withdraw = 'mutation D($id: String) { deleteInvite(input: {id: $id, entityName: "crew"}) { success } }'
    client.graphql(withdraw, id=member)
    assert "may not write to 'crew'" in ada.refused(UPSERT, input=fields)


def test_who_writes_to_an_entity_that_nobody_has_becomes_its_admin(client: Client, ada: Person) -> None:
    ada.graphql(UPSERT, input={"name": "r", "modelName": "p", "entityName": "hers"})
    members = '{ entity(name: "hers") { isTeam members { username role } } }'
    assert client.graphql(members)["entity"] == {"isTeam": True, "members": [{"username": "ada", "role": "admin"}]}
    client.local.add_user("bob")
    ada.graphql('mutation { createInvite(input: {entityName: "hers", username: "bob"}) { invite { id } } }')
    client.begin(entityName="hers")  # an admin of the store may everything


def test_teams_are_managed_by_their_admins_and_accounts_by_those_of_the_store(client: Client, ada: Person) -> None:
    client.graphql('mutation { createTeam(input: {teamName: "crew"}) { entity { id } } }')
    client.graphql('mutation { createInvite(input: {entityName: "crew", username: "ada"}) { invite { id } } }')
    client.local.add_user("bob")
    service = 'mutation { createServiceAccount(input: {entityName: "crew", description: "d"}) { user { id } } }'
    client.graphql(service)
    for mutation in ('createInvite(input: {entityName: "crew", username: "bob"}) { invite { id } }',):
        assert "may not manage 'crew'" in ada.refused(f"mutation {{ {mutation} }}")
    assert "may not manage 'crew'" in ada.refused(service)
    key = '{ entity(name: "crew") { members { accountType apiKey } } }'
    assert [one["apiKey"] for one in ada.graphql(key)["entity"]["members"]] == [None, None, None]
    assert [bool(one["apiKey"]) for one in client.graphql(key)["entity"]["members"]] == [False, False, True]
    create = 'mutation { createUser(input: {email: "x@example.org"}) { user { id } } }'
    assert "'ada' is no admin of this server and cannot add users" in ada.refused(create)
    client.graphql(create)


def test_people_are_searched_for_by_the_stores_admins(client: Client, ada: Person) -> None:
    search = '{ users(query: "ada") { edges { node { username } } } }'
    assert "'ada' is no admin of this server and cannot search for people" in ada.refused(search)
    assert client.graphql(search)["users"]["edges"] == [{"node": {"username": "ada"}}]
    assert ada.graphql("{ viewer { username } }")["viewer"] == {"username": "ada"}


def test_a_key_is_deleted_by_its_owner_or_an_admin(client: Client, ada: Person) -> None:
    keys = "{ viewer { apiKeys { edges { node { id } } } } }"
    [mine] = client.graphql(keys)["viewer"]["apiKeys"]["edges"]
    [hers] = ada.graphql(keys)["viewer"]["apiKeys"]["edges"]
    delete = "mutation D($id: String!) { deleteApiKey(input: {id: $id}) { success } }"
    assert "no key of yours" in ada.refused(delete, id=mine["node"]["id"])
    assert client.graphql(delete, id=hers["node"]["id"])["deleteApiKey"]["success"] is True
    assert ada.request("POST", "/graphql", json={"query": keys}).status_code == 401
