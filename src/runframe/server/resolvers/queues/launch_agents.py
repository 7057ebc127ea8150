"""Launch agents."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType, QueryType

from runframe import extjson
from runframe.server.context import Info
from runframe.server.store import ids, upsert
from runframe.server.store.queues import launch_agents
from runframe.server.store.queues.launch_agents import AGENT, LaunchAgent

query = QueryType()
mutation = MutationType()
agent_type = ObjectType("LaunchAgent")


@query.field("launchAgent")
def _resolve_agent(_: None, info: Info, id: str) -> LaunchAgent | None:
    return launch_agents.by_node_id(info.context.connection, id)


@agent_type.field("id")
def _resolve_id(agent: LaunchAgent, _: Info) -> str:
    return ids.encode(AGENT, agent.id)


@agent_type.field("runQueues")
def _resolve_queues(agent: LaunchAgent, _: Info) -> Any:
    return extjson.loads(agent.queues)


@agent_type.field("stopPolling")
def _resolve_stop_polling(agent: LaunchAgent, _: Info) -> bool:
    return bool(agent.stop_polling)


@mutation.field("createLaunchAgent")
def _resolve_create(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        project = upsert.ensure_project(connection, context.viewer, input["entityName"], input["projectName"])
        agent = launch_agents.create(connection, context.viewer, project, input)
    return {"launchAgentId": ids.encode(AGENT, agent.id), "success": True}


@mutation.field("updateLaunchAgent")
def _resolve_update(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        launch_agents.heard(connection, context.viewer, input["launchAgentId"], input.get("agentStatus"))
    return {"success": True}


for _field, _attribute in {
    "agentStatus": "status",
    "agentConfig": "config",
    "createdAt": "created_at",
    "heartbeatAt": "heartbeat_at",
}.items():
    agent_type.set_alias(_field, _attribute)

BINDABLES = (query, mutation, agent_type)
