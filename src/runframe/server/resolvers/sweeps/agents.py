"""Agents of sweeps."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType

from runframe import extjson
from runframe.server import cursors
from runframe.server.context import Info
from runframe.server.errors import Gone, Refusal
from runframe.server.resolvers.connections import connection_of
from runframe.server.resolvers.sweeps.runs import run_connection
from runframe.server.store import ids, projects, upsert
from runframe.server.store.accounts import permissions
from runframe.server.store.fragments import Fragment
from runframe.server.store.sweeps import agents, heartbeat, sweeps
from runframe.server.store.sweeps.agents import Agent
from runframe.server.store.sweeps.sweeps import Sweep

mutation = MutationType()
sweep_type = ObjectType("Sweep")
agent_type = ObjectType("Agent")

AGENT = "Agent"


@sweep_type.field("agents")
def _resolve_agents(sweep: Sweep, info: Info, after: str | None = None, first: int | None = None) -> dict[str, Any]:
    context = info.context
    return connection_of(
        lambda cursor, limit: agents.page(
            context.connection, sweep.id, cursors.decode(cursor, int), limit, context.store.grace
        ),
        lambda agent: cursors.encode(agent.id),
        after,
        first,
    )


@sweep_type.field("agent")
def _resolve_agent(sweep: Sweep, info: Info, agentName: str) -> Agent | None:
    """An agent by its name, or by its id: clients have either."""
    context = info.context
    number = ids.decode(AGENT, agentName)
    if number is None:
        return agents.by_name(context.connection, sweep.id, agentName, context.store.grace)
    agent = agents.by_id(context.connection, number, context.store.grace)
    return agent if agent is not None and agent.sweep_id == sweep.id else None


@agent_type.field("id")
def _resolve_id(agent: Agent, _: Info) -> str:
    return ids.encode(AGENT, agent.id)


@agent_type.field("runs")
def _resolve_runs(
    agent: Agent,
    info: Info,
    after: str | None = None,
    before: str | None = None,
    first: int | None = None,
    last: int | None = None,
    order: str | None = None,
) -> dict[str, Any]:
    if before is not None or last is not None:
        raise Refusal("Runs of an agent are read forwards: give 'first' and 'after', and an 'order' to turn them.")
    sweep = sweeps.by_id(info.context.connection, agent.sweep_id, info.context.store.grace)
    assert sweep is not None
    own = Fragment("r.id IN (SELECT t.run_id FROM sweep_trials t WHERE t.agent_id = ?)", (agent.id,), 1)
    return run_connection(info, sweep.project_id, own, after, first, order)


@mutation.field("createAgent")
def _resolve_create(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    entity, name = input.get("entityName") or context.viewer.entity, input.get("projectName") or upsert.DEFAULT_PROJECT
    with context.store.write() as connection:
        project = projects.find(connection, entity, name)
        sweep = None if project is None else sweeps.find(connection, project.id, input["sweep"], context.store.grace)
        if project is None or sweep is None:
            raise Refusal(f"There is no sweep {input['sweep']!r} in {entity}/{name}.", 404)
        permissions.check_project(connection, context.viewer, project.id)
        agent = agents.create(connection, sweep.id, input["host"], context.viewer.id, context.store.grace)
    return {"agent": agent}


@mutation.field("agentHeartbeat")
def _resolve_heartbeat(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context, grace = info.context, info.context.store.grace
    number = ids.decode(AGENT, input["id"])
    with context.store.write() as connection:
        agent = None if number is None else agents.by_id(connection, number, grace)
        sweep = None if agent is None else sweeps.by_id(connection, agent.sweep_id, grace)
        if agent is None or sweep is None:
            raise Gone(f"id {input['id']!r} is no agent's: its sweep may have been deleted.")
        permissions.check_project(connection, context.viewer, sweep.project_id)
        commands = heartbeat.beat(connection, agent, sweep, input.get("runState"), context.viewer.id, grace)
    return {"agent": agent, "commands": extjson.dumps(commands)}


agent_type.set_alias("totalRuns", "total_runs")
agent_type.set_alias("createdAt", "created_at")
agent_type.set_alias("heartbeatAt", "heartbeat_at")

BINDABLES = (mutation, sweep_type, agent_type)
