"""A store with sweeps, agents and reports, written through the server's own doors."""

from __future__ import annotations

import json
from typing import Any

import yaml

from runframe import Api

UPSERT_SWEEP = """mutation UpsertSweep($input: UpsertSweepInput!) { upsertSweep(input: $input) { sweep { name } } }"""
CREATE_AGENT = """mutation CreateAgent($input: CreateAgentInput!) { createAgent(input: $input) { agent { id } } }"""
HEARTBEAT = """mutation Heartbeat($input: AgentHeartbeatInput!) { agentHeartbeat(input: $input) { commands } }"""
UPSERT_RUN = """mutation UpsertBucket($input: UpsertBucketInput!) { upsertBucket(input: $input) { bucket { id } } }"""
UPSERT_VIEW = """mutation UpsertView($input: UpsertViewInput!) { upsertView(input: $input) { view { id name } } }"""

GRID = {
    "method": "grid",
    "name": "the grid",
    "description": "why",
    "metric": {"name": "val.acc", "goal": "maximize"},
    "parameters": {"lr": {"values": [0.1, 0.2, 0.3, 0.4]}},
}
LOSS = {"method": "random", "metric": {"name": "loss"}, "parameters": {"x": {"min": 0.0, "max": 1.0}}}
PLAIN = {"method": "random", "parameters": {"x": {"values": [1, 2]}}}


def send(api: Api, mutation: str, **fields: Any) -> Any:
    """The payload of a mutation."""
    [payload] = api.client.execute(mutation, {"input": fields}).values()
    return payload


def make_sweep(api: Api, config: dict[str, Any], project: str = "p", **fields: Any) -> str:
    """A new sweep's id."""
    found = send(api, UPSERT_SWEEP, projectName=project, config=yaml.dump(config), **fields)
    return str(found["sweep"]["name"])


def make_agent(api: Api, sweep: str, project: str = "p") -> str:
    """A new agent's id."""
    found = send(api, CREATE_AGENT, host="a-host", sweep=sweep, projectName=project)
    return str(found["agent"]["id"])


def work(api: Api, agent: str, sweep: str, summary: dict[str, Any]) -> str:
    """The next run of an agent, from its beginning to its end; its id."""
    [command] = json.loads(send(api, HEARTBEAT, id=agent, metrics="{}", runState="{}")["commands"])
    config = json.dumps({"_wandb": {"value": {"t": {}}}, **command["args"]})
    run = {"modelName": "p", "name": command["run_id"], "sweep": sweep, "config": config}
    send(api, UPSERT_RUN, **run, summaryMetrics=json.dumps(summary), state="finished")
    return str(command["run_id"])


def make_report(api: Api, title: str | None, spec: Any, project: str = "p", type: str = "runs", **fields: Any) -> Any:
    """A new report's id and name."""
    text = spec if isinstance(spec, str) else json.dumps(spec)
    fields |= {"entityName": "local", "projectName": project, "type": type, "displayName": title, "spec": text}
    return send(api, UPSERT_VIEW, **fields)["view"]


def leaf(section: str, name: str, op: str, value: Any, **more: Any) -> dict[str, Any]:
    """A leaf of a report's filter."""
    return {"key": {"section": section, "name": name}, "op": op, "value": value, **more}


def old_section(tree: list[str], *, leaves: list[Any] | None = None, ascending: bool = True) -> dict[str, Any]:
    """A section of an older document, with one set of runs."""
    filters = {"op": "OR", "filters": [{"op": "AND", "filters": leaves or []}]}
    sort = {"key": {"section": "config", "name": "lr.value"}, "ascending": ascending}
    return {"openRunSet": 0, "runSets": [{"filters": filters, "sort": sort, "selections": {"root": 0, "tree": tree}}]}


def new_grid(filters: list[Any], *, root: int = 1, tree: list[str] | None = None, **run_set: Any) -> dict[str, Any]:
    """What a panel grid of a newer document holds, with one set of runs."""
    sort = {"keys": [{"key": {"section": "run", "name": "createdAt"}, "ascending": False}]}
    found = {
        "filters": {"filterFormat": "filterV2", "filters": filters},
        "sort": sort,
        "selections": {"root": root, "bounds": [], "tree": tree or []},
        **run_set,
    }
    return {"openRunSet": 0, "runSets": [found]}


def fill(api: Api) -> None:
    """Three sweeps and four reports in `p`, many sweeps in `many`, and a run that belongs to no sweep."""
    grid = make_sweep(api, GRID)
    first, second = make_agent(api, grid), make_agent(api, grid)
    for agent, accuracy in ((first, 0.25), (second, 0.75), (first, None), (first, 0.5)):
        work(api, agent, grid, {} if accuracy is None else {"val": {"acc": accuracy}})
    loss = make_sweep(api, LOSS, displayName="renamed later")
    agent = make_agent(api, loss)
    for value in (3.0, 1.0, 2.0):
        work(api, agent, loss, {"loss": value})
    plain = make_sweep(api, PLAIN)
    agent = make_agent(api, plain)
    for _ in range(2):
        work(api, agent, plain, {})
    make_sweep(api, {**PLAIN, "name": "unborn"})
    for number in range(5):
        make_sweep(api, {**PLAIN, "description": f"number {number}"}, project="many")
    send(api, UPSERT_RUN, modelName="p", name="alone", summaryMetrics='{"loss": 9}', state="finished")
    runs = [run.id for run in api.sweep(f"p/{grid}").runs]
    sections = [old_section(runs[:2]), old_section([], leaves=[leaf("config", "lr.value", ">", 0.15)], ascending=False)]
    make_report(api, "Old one", {"panelGroups": sections}, description="with sections")
    blocks = [{"type": "heading"}, {"type": "panel-grid", "metadata": new_grid([leaf("run", "sweep", "=", loss)])}]
    make_report(api, "A title: 50% — ünï / code", {"version": 5, "blocks": blocks})
    make_report(api, None, "{}")
    make_report(api, "A draft", {}, type="runs/draft")
    make_report(api, "A workspace", {}, type="project-view")
