"""Sweeps read back: lists, filters, the best value, agents and their runs, and what the command line asks for."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from store_client import Client
from sweeping import Sweeping

SWEEPS = """query GetSweeps($filters: JSONString, $cursor: String, $first: Int = 50, $order: String) {
    project(name: "p") { totalSweeps sweeps(after: $cursor, first: $first, filters: $filters, order: $order) {
        pageInfo { endCursor hasNextPage } totalCount edges { cursor node { name state runCount } }
} } }"""


def names(client: Client, filters: Any = None, **variables: Any) -> list[str]:
    text = None if filters is None else json.dumps(filters)
    page = client.graphql(SWEEPS, filters=text, **variables)["project"]["sweeps"]
    found = [edge["node"]["name"] for edge in page["edges"]]
    assert page["totalCount"] == len(found)
    return found


def test_sweeps_are_listed_newest_first_in_pages(sweeping: Sweeping) -> None:
    made = [sweeping.grid(a=[1]) for _ in range(5)]
    found, cursor = [], None
    while True:
        page = sweeping.client.graphql(SWEEPS, cursor=cursor, first=2)["project"]["sweeps"]
        found += [edge["node"]["name"] for edge in page["edges"]]
        cursor = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert found == made[::-1]
    assert sweeping.client.graphql(SWEEPS)["project"]["totalSweeps"] == 5
    assert names(sweeping.client, order="+created_at") == made


def test_sweeps_are_filtered(sweeping: Sweeping) -> None:
    client = sweeping.client
    grid, named = (
        sweeping.grid(a=[1]),
        sweeping.create(
            {"method": "random", "parameters": {"a": {"value": 1}}, "description": "why"}, displayName="the name"
        ),
    )
    sweeping.agent(grid).work_all()
    assert names(client, {"state": "FINISHED"}) == names(client, {"method": "grid"}) == [grid]
    assert names(client, {"displayName": {"$regex": "^the"}}) == names(client, {"description": "why"}) == [named]
    assert names(client, {"$or": [{"name": grid}, {"run_count": {"$gt": 5}}]}) == [grid]
    assert names(client, {"username": "local", "createdAt": {"$gt": "2020-01-01"}}) == [named, grid]
    assert names(client, {}) == [named, grid]
    assert "no field 'lr' on sweeps" in client.refused(SWEEPS, filters='{"lr": 1}')


@pytest.mark.parametrize(("goal", "best"), [("minimize", -1.5), ("maximize", 4.0)])
def test_the_best_value_is_the_metrics_best(sweeping: Sweeping, goal: str, best: float) -> None:
    metric = {"name": "loss", "goal": goal}
    name = sweeping.create({"method": "random", "metric": metric, "parameters": {"a": {"value": 1}}})
    agent = sweeping.agent(name)
    assert sweeping.read(name, "bestLoss") == {"bestLoss": None}
    for loss in (2, -1.5, 4.0, math.nan, None):
        agent.work(agent.take(), loss)
    assert sweeping.read(name, "bestLoss") == {"bestLoss": best}
    assert sweeping.read(sweeping.grid(a=[1]), "bestLoss") == {"bestLoss": None}


def test_agents_list_their_runs(sweeping: Sweeping) -> None:
    name = sweeping.grid(a=[1, 2, 3])
    first, second = sweeping.agent(name), sweeping.agent(name)
    taken = [first.take(), second.take()]
    first.work(taken[0])
    taken.append(first.take())
    agents = sweeping.read(name, "agents { edges { node { id name host totalRuns } } }")["agents"]["edges"]
    assert [edge["node"]["totalRuns"] for edge in agents] == [2, 1]
    fields = """agent(agentName: "%s") { id runs(first: 1%s, order: "+created_at") {
        pageInfo { endCursor hasNextPage } edges { node { name } } } }"""
    for key in (agents[0]["node"]["name"], first.id):
        page = sweeping.read(name, fields % (key, ""))["agent"]["runs"]
        rest = sweeping.read(name, fields % (key, f', after: "{page["pageInfo"]["endCursor"]}"'))["agent"]["runs"]
        found = [edge["node"]["name"] for edge in page["edges"] + rest["edges"]]
        assert found == [taken[0]["run_id"], taken[2]["run_id"]]
        assert (page["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)
    assert sweeping.read(name, 'agent(agentName: "none") { id }') == {"agent": None}
    other = sweeping.grid(a=[1])
    assert sweeping.read(other, f'agent(agentName: "{first.id}") {{ id }}') == {"agent": None}


def test_what_agents_of_the_command_line_ask_for(sweeping: Sweeping) -> None:
    name = sweeping.create({"method": "grid", "program": "t.py", "parameters": {"a": {"values": [1, 2]}}})
    agent = sweeping.agent(name)
    command = agent.take()
    assert command["program"] == "t.py"
    agent.work(command, loss=1.5, exit_code=3)
    query = """query SweepWithRuns($sweep: String!, $specs: [JSONString!]!) { project(name: "p") {
        sweep(sweepName: $sweep) {
            id name method state description config createdAt heartbeatAt updatedAt earlyStopJobRunning bestLoss
            controller scheduler runs { edges { node { name state config exitcode heartbeatAt shouldStop failed stopped
            running summaryMetrics sampledHistory(specs: $specs) } } }
    } } }"""
    found = sweeping.client.graphql(query, sweep=name, specs="{}")["project"]["sweep"]
    [edge] = found["runs"]["edges"]
    run = edge["node"]
    assert (run["state"], run["exitcode"], run["failed"], run["running"]) == ("failed", 3, True, False)
    assert (run["sampledHistory"], run["stopped"], run["shouldStop"]) == ([[]], False, False)
    assert (found["controller"], found["scheduler"], found["method"]) == (None, None, "grid")
    assert "program: t.py" in found["config"]


def test_a_sweep_goes_with_its_runs_when_they_are_deleted(sweeping: Sweeping) -> None:
    name = sweeping.grid(a=[1, 2])
    agent = sweeping.agent(name)
    agent.work(agent.take())
    [edge] = sweeping.read(name, "runs { edges { node { id } } }")["runs"]["edges"]
    sweeping.client.graphql(
        "mutation D($id: ID!) { deleteRun(input: {id: $id}) { clientMutationId } }", id=edge["node"]["id"]
    )
    assert sweeping.read(name, "runCount") == {"runCount": 0}
    assert agent.take()["args"] == {"a": {"value": 2}}
