"""Runs that a program of the user's chooses: a local controller, and runs that are queued one by one."""

from __future__ import annotations

import json
from typing import Any

from store_client import Client
from sweeping import Sweeping

LOCAL = {"method": "custom", "controller": {"type": "local"}, "parameters": {"a": {"anything": 1}}}
ENQUEUE = """mutation EnqueueSweepRun($id: ID!, $config: JSONString!, $displayName: String) {
    enqueueSweepRun(input: {id: $id, config: $config, displayName: $displayName}) { id runQueueItemId }
}"""


def enqueue(client: Client, node_id: str, config: Any, name: str | None = None) -> str:
    answer = client.graphql(ENQUEUE, id=node_id, config=json.dumps(config), displayName=name)
    found: str = answer["enqueueSweepRun"]["id"]
    return found


def test_agents_of_a_local_controller_run_what_it_schedules(sweeping: Sweeping) -> None:
    name = sweeping.create(LOCAL)
    node_id, agent = sweeping.read(name, "id")["id"], sweeping.agent(name)
    assert agent.beat() == []
    schedule = [{"id": "one", "data": {"args": {"a": {"value": 5}}}}]
    for _ in range(2):  # the controller writes an entry until it sees it scheduled
        sweeping.upsert(LOCAL, id=node_id, controller=json.dumps({"schedule": schedule}))
    command = agent.take()
    assert command["args"] == {"a": {"value": 5}}
    scheduler = json.loads(sweeping.read(name, "scheduler")["scheduler"])
    assert scheduler == {"scheduled": [{"id": "one", "runid": command["run_id"]}]}
    sweeping.upsert(LOCAL, id=node_id, controller=json.dumps({"earlystop": [command["run_id"]]}))
    assert agent.beat(command["run_id"]) == [{"type": "stop", "run_id": command["run_id"]}]
    agent.work(command)
    assert agent.beat() == []
    end = {"schedule": [{"id": "two", "data": {"args": None}}]}
    sweeping.upsert(id=node_id, controller=json.dumps(end))
    assert agent.beat() == [{"type": "exit"}]
    assert sweeping.read(name, "state runCount") == {"state": "FINISHED", "runCount": 1}


def test_a_queued_run_is_next(sweeping: Sweeping) -> None:
    client, name = sweeping.client, sweeping.grid(a=[1])
    node_id = sweeping.read(name, "id")["id"]
    plain = enqueue(client, node_id, {"a": 7, "b": {"value": 1, "more": 2}}, "by hand")
    ready = enqueue(client, node_id, {"a": {"value": 8}})
    assert client.run("displayName state", plain) == {"displayName": "by hand", "state": "pending"}
    agent = sweeping.agent(name)
    points = agent.work_all()
    assert points == [{"a": 7, "b": {"value": 1, "more": 2}}, {"a": 8}, {"a": 1}]
    assert sweeping.read(name, "state") == {"state": "FINISHED"}
    late = enqueue(client, node_id, {"a": 9})
    assert sweeping.read(name, "state") == {"state": "RUNNING"}
    assert sweeping.agent(name).take()["run_id"] == late
    assert client.run("sweepName", ready) == {"sweepName": name}


def test_a_sweep_that_was_ended_takes_no_more(sweeping: Sweeping) -> None:
    name = sweeping.grid(a=[1])
    sweeping.set_state(name, "CANCELED")
    message = sweeping.client.refused(ENQUEUE, id=sweeping.read(name, "id")["id"], config="{}")
    assert "is CANCELED: it takes no more runs" in message
    assert "expected a JSON object" in sweeping.client.refused(ENQUEUE, id="x", config="[]")
