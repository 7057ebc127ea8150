"""Launch agents: processes that take what waits in queues, and start it."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runframe import extjson
from runframe.server.errors import Refusal
from runframe.server.store import ids, json_texts, times, users
from runframe.server.store.accounts import permissions
from runframe.server.store.projects import Project
from runframe.server.store.queues import queues

AGENT = "LaunchAgent"
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_COLUMNS = (
    "a.id, a.project_id, a.name, a.hostname, a.status, a.stop_polling, a.queues, a.config, a.version, a.created_at,"
    " a.heartbeat_at"
)


@dataclass(frozen=True, slots=True)
class LaunchAgent:
    """An agent.

    Attributes:
        status: what it says of itself: POLLING, RUNNING, KILLED.
        queues: JSON list of the ids of the queues that it polls.
        config: JSON of its settings.
    """

    id: int
    project_id: int
    name: str
    hostname: str
    status: str
    stop_polling: int
    queues: str
    config: str | None
    version: str | None
    created_at: str
    heartbeat_at: str


def by_node_id(connection: sqlite3.Connection, node_id: str) -> LaunchAgent | None:
    """The agent with this id."""
    number = ids.decode(AGENT, node_id)
    row = connection.execute(f"SELECT {_COLUMNS} FROM launch_agents a WHERE a.id = ?", (number,)).fetchone()
    return None if row is None else LaunchAgent(*row)


def create(
    connection: sqlite3.Connection, viewer: users.User, project: Project, fields: Mapping[str, Any]
) -> LaunchAgent:
    """A new agent.

    Args:
        connection: the writer.
        viewer: who asks.
        project: where its queues are.
        fields: the fields of ``CreateLaunchAgentInput``.

    Raises:
        Refusal: there are no such queues, or its settings are not JSON.
    """
    for node_id in fields["runQueues"]:
        if queues.writable(connection, viewer, node_id).project_id != project.id:
            raise Refusal(f"Queue {node_id!r} is not in {project.entity}/{project.name}.")
    if fields.get("agentConfig") is not None:
        json_texts.value_of(fields["agentConfig"], "agentConfig")
    moment = times.now()
    cursor = connection.execute(
        "INSERT INTO launch_agents (project_id, name, hostname, status, queues, config, version, user_id, created_at,"
        " heartbeat_at) VALUES (?, ?, ?, 'POLLING', ?, ?, ?, ?, ?, ?)",
        (
            project.id,
            "".join(secrets.choice(_ALPHABET) for _ in range(10)),
            fields["hostname"],
            extjson.dumps(list(fields["runQueues"])),
            fields.get("agentConfig"),
            fields.get("version"),
            viewer.id,
            moment,
            moment,
        ),
    )
    assert cursor.lastrowid is not None
    agent = by_node_id(connection, ids.encode(AGENT, cursor.lastrowid))
    assert agent is not None
    return agent


def heard(connection: sqlite3.Connection, viewer: users.User, node_id: str, status: str | None = None) -> LaunchAgent:
    """Note that an agent said something, and its status where it said that.

    Raises:
        Refusal: the id is no agent's, or the viewer may not speak for it.
    """
    agent = by_node_id(connection, node_id)
    if agent is None:
        raise Refusal(f"id {node_id!r} is no launch agent's.", 404)
    permissions.check_project(connection, viewer, agent.project_id)
    connection.execute(
        "UPDATE launch_agents SET heartbeat_at = ?, status = coalesce(?, status) WHERE id = ?",
        (times.now(), status, agent.id),
    )
    return agent
