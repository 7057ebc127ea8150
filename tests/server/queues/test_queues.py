"""Launch queues: their settings, what waits in them, and the agents that take it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from store_client import Client

PROJECT = {"entityName": "local", "projectName": "model-registry"}
CONFIG = """mutation C($input: CreateDefaultResourceConfigInput!) {
    createDefaultResourceConfig(input: $input) { defaultResourceConfigID success } }"""
CREATE = "mutation C($input: CreateRunQueueInput!) { createRunQueue(input: $input) { success queueID } }"
UPSERT = """mutation U($input: UpsertRunQueueInput!) { upsertRunQueue(input: $input) {
    success configSchemaValidationErrors } }"""
PUSH = """mutation P($input: PushToRunQueueByNameInput!) { pushToRunQueueByName(input: $input) {
    runQueueItemId runSpec } }"""
POP = "mutation P($input: PopFromRunQueueInput!) { popFromRunQueue(input: $input) { runQueueItemId runSpec } }"
ITEM = """query I($queue: String!, $id: ID!) { project(entityName: "local", name: "model-registry") {
    runQueue(name: $queue) { runQueueItem(id: $id) { id state associatedRunId priority error { message stage filePaths }
    warnings { message stage filePaths } } } } }"""
VARIABLES = {
    "cpus": {"schema": {"type": "integer", "minimum": 1, "maximum": 8, "default": 2}},
    "zone": {"schema": {"type": "string", "enum": ["a", "b"]}},
}
SETTINGS = {"resource_args": {"kubernetes": {"cpus": "{{cpus}}", "name": "run in {{ zone }} on {{cpus}}"}}}


def upsert(client: Client, name: str = "q", **fields: Any) -> Any:
    given = {
        "resourceType": "kubernetes",
        "resourceConfig": json.dumps(SETTINGS),
        "templateVariables": json.dumps(VARIABLES),
        **fields,
    }
    return client.graphql(UPSERT, input={**PROJECT, "queueName": name, **given})["upsertRunQueue"]


def plain(client: Client, name: str = "q", **fields: Any) -> None:
    """A queue without template variables."""
    settings = json.dumps({"resource_args": {"local-process": {}}})
    upsert(client, name, resourceType="local-process", resourceConfig=settings, templateVariables=None, **fields)


def push(client: Client, spec: Any = None, queue: str = "q", **fields: Any) -> Any:
    given = {**PROJECT, "queueName": queue, "runSpec": json.dumps(spec or {"entity": "local", "project": "p"})}
    return client.graphql(PUSH, input={**given, **fields})["pushToRunQueueByName"]


def pop(client: Client, queue: str = "q", **fields: Any) -> Any:
    return client.graphql(POP, input={**PROJECT, "queueName": queue, **fields})["popFromRunQueue"]


def item(client: Client, node_id: str, queue: str = "q") -> Any:
    return client.graphql(ITEM, queue=queue, id=node_id)["project"]["runQueue"]["runQueueItem"]


def done(client: Client, mutation: str, **fields: Any) -> bool:
    """The success of a mutation whose input has fields of its own."""
    kinds = {"failRunQueueItem": "RunQueueItemMessage", "updateRunQueueItemWarning": "RunQueueItemMessage"}
    kind = kinds.get(mutation, mutation[0].upper() + mutation[1:])
    query = f"mutation M($input: {kind}Input!) {{ {mutation}(input: $input) {{ success }} }}"
    success: bool = client.graphql(query, input=fields)[mutation]["success"]
    return success


def test_a_queue_is_made_with_its_settings(client: Client) -> None:
    given = {"entityName": "local", "resource": "kubernetes", "config": json.dumps(SETTINGS)}
    given["templateVariables"] = json.dumps(VARIABLES)
    config = client.graphql(CONFIG, input=given)["createDefaultResourceConfig"]["defaultResourceConfigID"]
    made = {**PROJECT, "queueName": "q", "access": "PROJECT", "defaultResourceConfigID": config}
    queue = client.graphql(CREATE, input={**made, "prioritizationMode": "V0"})["createRunQueue"]
    found = client.graphql("""{ project(entityName: "local", name: "model-registry") {
        runQueue(name: "q") { id access defaultResourceConfigID prioritizationMode externalLinks createdBy }
        runQueues { name } none: runQueue(name: "none") { id } } }""")["project"]
    assert found["runQueue"] == {
        "id": queue["queueID"],
        "access": "PROJECT",
        "defaultResourceConfigID": config,
        "prioritizationMode": "V0",
        "externalLinks": {"links": []},
        "createdBy": "local",
    }
    assert (found["runQueues"], found["none"]) == ([{"name": "q"}], None)
    settings = """query D($id: ID!) { entity(name: "local") { defaultResourceConfig(id: $id) {
        config resource templateVariables { name schema } } } }"""
    read = client.graphql(settings, id=config)["entity"]["defaultResourceConfig"]
    assert (read["config"], read["resource"]) == (SETTINGS, "kubernetes")
    assert {one["name"]: {"schema": json.loads(one["schema"])} for one in read["templateVariables"]} == VARIABLES
    assert "a queue 'q' in local/model-registry already" in client.refused(CREATE, input=made)


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"resourceType": "toaster"}, "resource is 'toaster', expected one of local-container"),
        ({"resourceConfig": "{"}, "config is not JSON"),
        ({"resourceConfig": "{}"}, "config has no 'resource_args'"),
        ({"resourceConfig": '{"resource_args": {"kubernetes": {"a": "{{x}}"}}}'}, "use {{x}}"),
        ({"templateVariables": "[]"}, "expected a JSON object"),
        ({"templateVariables": '{"cpus": 1}'}, "expected {'schema': {'type': …}}"),
        ({"templateVariables": '{"cpus": {"schema": {"type": "bool"}}}'}, "the type 'bool'"),
        ({"templateVariables": '{"cpus": {"schema": {"type": "integer", "min": 1}}}'}, "unknown key 'min'"),
        (
            {"templateVariables": '{"cpus": {"schema": {"type": "integer", "minimum": 3, "maximum": 1}}}'},
            "above its maximum",
        ),
        (
            {"templateVariables": '{"cpus": {"schema": {"type": "integer", "default": 1.5}}}'},
            "default of template variable",
        ),
        ({"templateVariables": '{"zone": {"schema": {"type": "string", "enum": []}}}'}, "expected a list"),
        ({"templateVariables": '{"zone": {"schema": {"type": "string", "minimum": 1}}}'}, "for numbers alone"),
        ({"externalLinks": "[]"}, "externalLinks is list"),
        ({"queueName": "x" * 65}, "expected 1 to 64 characters"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(client: Client, fields: Any, part: str) -> None:
    given = {**PROJECT, "queueName": "q", "resourceType": "kubernetes", "resourceConfig": json.dumps(SETTINGS)}
    given["templateVariables"] = json.dumps(VARIABLES)
    assert part in client.refused(UPSERT, input={**given, **fields})


def test_settings_without_effect_are_said(client: Client) -> None:
    settings = json.dumps({"resource_args": {"kubernetes": {"zone": "{{zone}}"}, "sagemaker": {}}})
    remarks = upsert(client, resourceConfig=settings)["configSchemaValidationErrors"]
    assert remarks == ["template variable 'cpus' is not used", "settings for 'sagemaker' are for another resource"]


def test_what_is_pushed_gets_the_queues_settings_and_its_values(client: Client) -> None:
    upsert(client)
    spec = {"job": "j", "resource": "local-container", "resource_args": {"kubernetes": {"extra": 1}}}
    pushed = push(client, spec, templateVariableValues='{"zone": "a"}')
    ready = {"cpus": 2, "name": "run in a on 2", "extra": 1}
    expected = {"job": "j", "resource": "kubernetes", "resource_args": {"kubernetes": ready}}
    assert json.loads(pushed["runSpec"]) == expected
    assert pop(client) == {"runQueueItemId": pushed["runQueueItemId"], "runSpec": expected}


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({}, "'zone' has no default"),
        ({"zone": "c"}, "expected one of 'a', 'b'"),
        ({"zone": 1}, "expected a string"),
        ({"zone": "a", "cpus": 9}, "expected 8 or less"),
        ({"zone": "a", "cpus": 0}, "expected 1 or more"),
        ({"zone": "a", "cpus": "2"}, "expected an integer"),
        ({"zone": "a", "cpus": True}, "expected an integer"),
        ({"zone": "a", "gpus": 1}, "no template variable 'gpus'; it has cpus, zone"),
        ([], "templateVariableValues is list"),
    ],
)
def test_values_against_their_schema_are_refused(client: Client, values: Any, part: str) -> None:
    upsert(client)
    fields = {**PROJECT, "queueName": "q", "runSpec": "{}", "templateVariableValues": json.dumps(values)}
    assert part in client.refused(PUSH, input=fields)
    assert pop(client) is None


def test_the_oldest_is_next_and_with_priorities_the_most_urgent(client: Client) -> None:
    for mode, order in (("DISABLED", [0, 1, 2, 3]), ("V0", [2, 0, 3, 1])):
        plain(client, mode, prioritizationMode=mode)
        pushed = [push(client, queue=mode, priority=priority) for priority in (None, 3, 0, 2)]
        popped = [pop(client, mode)["runQueueItemId"] for _ in pushed]
        assert popped == [pushed[number]["runQueueItemId"] for number in order]
        assert pop(client, mode) is None


def test_an_item_goes_through_its_states(client: Client) -> None:
    plain(client)
    node_id = push(client)["runQueueItemId"]
    assert item(client, node_id)["state"] == "PENDING"
    pop(client)
    assert item(client, node_id)["state"] == "LEASED"
    assert done(client, "ackRunQueueItem", runQueueItemId=node_id, runName="r")
    assert (item(client, node_id)["state"], item(client, node_id)["associatedRunId"]) == ("CLAIMED", "r")
    assert done(client, "ackRunQueueItem", runQueueItemId=node_id, runName="r")  # the answer got lost
    assert not done(client, "ackRunQueueItem", runQueueItemId=node_id, runName="other")
    client.begin("r")
    assert item(client, node_id)["state"] == "CLAIMED"
    client.stream(run="r", exitcode=0, complete=True)
    assert item(client, node_id)["state"] == "FINISHED"


def test_an_item_that_cannot_be_started_says_why(client: Client) -> None:
    plain(client)
    node_id = push(client)["runQueueItemId"]
    warning = {"runQueueItemId": node_id, "message": "slow", "stage": "build"}
    assert done(client, "updateRunQueueItemWarning", **warning)
    assert done(client, "updateRunQueueItemWarning", **warning, filePaths=["log"])
    assert done(client, "failRunQueueItem", runQueueItemId=node_id, message="no image", stage="agent")
    found = item(client, node_id)
    assert (found["state"], found["error"]["message"]) == ("FAILED", "no image")
    assert [one["filePaths"] for one in found["warnings"]] == [[], ["log"]]
    assert not done(client, "ackRunQueueItem", runQueueItemId=node_id, runName="r")
    assert pop(client) is None


AGENT = """mutation A($queues: [ID!]!) { createLaunchAgent(input: {entityName: "local", projectName: "model-registry",
    runQueues: $queues, hostname: "h", agentConfig: "{}", version: "1"}) { launchAgentId } }"""
QUEUES = '{ project(entityName: "local", name: "model-registry") { runQueues { id name } } }'


def test_what_an_agent_took_that_is_gone_is_next_again(client: Client, tmp_path: Path) -> None:
    plain(client)
    queues = [queue["id"] for queue in client.graphql(QUEUES)["project"]["runQueues"]]
    agent = client.graphql(AGENT, queues=queues)["createLaunchAgent"]["launchAgentId"]
    node_id = push(client)["runQueueItemId"]
    assert pop(client, launchAgentId=agent)["runQueueItemId"] == node_id
    assert pop(client) is None
    with sqlite3.connect(tmp_path / "store" / "runframe.sqlite") as connection:
        connection.execute("UPDATE launch_agents SET heartbeat_at = '2020-01-01T00:00:00.000000Z'")
    connection.close()
    assert pop(client)["runQueueItemId"] == node_id


def test_an_agent_says_what_it_does(client: Client) -> None:
    plain(client)
    queues = [queue["id"] for queue in client.graphql(QUEUES)["project"]["runQueues"]]
    agent = client.graphql(AGENT, queues=queues)["createLaunchAgent"]["launchAgentId"]
    read = "query L($id: ID!) { launchAgent(id: $id) { id hostname runQueues agentStatus stopPolling heartbeatAt } }"
    before = client.graphql(read, id=agent)["launchAgent"]
    assert (before["hostname"], before["runQueues"], before["agentStatus"]) == ("h", queues, "POLLING")
    assert before["stopPolling"] is False
    assert done(client, "updateLaunchAgent", launchAgentId=agent, agentStatus="RUNNING")
    after = client.graphql(read, id=agent)["launchAgent"]
    assert after["agentStatus"] == "RUNNING" and after["heartbeatAt"] > before["heartbeatAt"]
    assert "is no queue's" in client.refused(AGENT, queues=["eA=="])
    assert client.graphql(read, id="eA==") == {"launchAgent": None}


def test_queues_and_items_are_deleted(client: Client) -> None:
    plain(client)
    [queue] = client.graphql(QUEUES)["project"]["runQueues"]
    first, second = push(client)["runQueueItemId"], push(client)["runQueueItemId"]
    assert done(client, "deleteFromRunQueue", queueID=queue["id"], runQueueItemId=first)
    assert item(client, first) is None and item(client, second)["id"] == second
    assert done(client, "deleteRunQueues", queueIDs=[queue["id"]])
    assert client.graphql(QUEUES)["project"]["runQueues"] == []
    assert "no queue 'q' in local/model-registry" in client.refused(
        PUSH, input={**PROJECT, "queueName": "q", "runSpec": "{}"}
    )


def test_a_queue_that_is_changed_keeps_what_waits_in_it(client: Client) -> None:
    upsert(client)
    values = '{"zone": "b"}'
    push(client, templateVariableValues=values)
    plain(client, externalLinks='{"links": [{"label": "l", "url": "u"}]}')
    assert pop(client)["runSpec"]["resource"] == "kubernetes"
    assert json.loads(push(client)["runSpec"])["resource"] == "local-process"
    found = client.graphql(
        '{ project(entityName: "local", name: "model-registry") { runQueue(name: "q") { externalLinks } } }'
    )
    assert found["project"]["runQueue"]["externalLinks"] == {"links": [{"label": "l", "url": "u"}]}
