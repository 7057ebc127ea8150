"""The agents of a sweep, and the runs that each of them started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runframe.errors import NotFoundError
from runframe.frames.schema import CATEGORY, INT, TEXT, TIME, Column, Schema
from runframe.resources.client import Client
from runframe.resources.collection import BATCH_PAGE
from runframe.resources.lists import Listed
from runframe.resources.node import Node
from runframe.resources.runs import Runs
from runframe.wire.pages import Connection, Paging

if TYPE_CHECKING:
    from runframe.resources.sweeps import Sweep

AGENTS = Connection(("project", "sweep", "agents"), cursor="end")


class Agent(Node):
    """One agent of a sweep: a process that asks for runs and starts them.

    Attributes:
        client: the connection.
        id: the server's own id.
        name, host: as the agent gave them.
        state: what it does, as in `RUNNING` or `FINISHED`.
        total_runs: how many runs it started.
        created_at, heartbeat_at: ISO 8601 text as the server sends it.
    """

    id: str
    name: str
    host: str
    state: str | None
    total_runs: int
    created_at: str
    heartbeat_at: str | None

    def __init__(self, client: Client, attrs: Mapping[str, Any], entity: str, project: str, sweep_id: str) -> None:
        super().__init__(attrs)
        self.client = client
        self._entity = entity
        self._project = project
        self._sweep_id = sweep_id

    def runs(self, per_page: int | None = 50) -> AgentRuns:
        """The runs that it started, the oldest first. Nothing is asked before the first one is wanted.

        Args:
            per_page: runs asked for at once.
        """
        return AgentRuns(
            self.client,
            self._entity,
            self._project,
            self._sweep_id,
            self._attrs.get("name") or self.id,
            total_runs=int(self._attrs.get("totalRuns") or 0),
            per_page=per_page,
        )

    def __repr__(self) -> str:
        return f"<Agent {self._attrs.get('id')} ({self._attrs.get('state') or 'Unknown State'})>"


class AgentRuns(Runs):
    """The runs that one agent started; `len()` is what the agent counted when it was read.

    Args:
        client: the connection.
        entity, project, sweep_id: where the agent works.
        agent_key: its name or id.
        total_runs: how many runs it started.
        order: a key with ``+`` (ascending) or ``-``.
        per_page: runs asked for at once when objects are read; None means 50.
    """

    CONNECTION = Connection(("project", "sweep", "agent", "runs"), size_variable="first", cursor_variable="after")

    def __init__(
        self,
        client: Client,
        entity: str,
        project: str,
        sweep_id: str,
        agent_key: str,
        *,
        total_runs: int,
        order: str | None = "+created_at",
        per_page: int | None = None,
    ) -> None:
        super().__init__(client, entity, project, order=order, per_page=per_page)
        self._sweep_id = sweep_id
        self._agent_key = agent_key
        self._total_runs = total_runs
        del self.variables["filters"]
        self.variables |= {"sweep": sweep_id, "agentID": agent_key}

    @property
    def length(self) -> int:
        """How many runs the agent had started when it was read."""
        return self._total_runs

    def _operation(self, full: bool) -> tuple[str, str]:
        return "runs", "GetFullAgentRuns" if full else "GetAgentRuns"

    def _checked(self, data: dict[str, Any]) -> dict[str, Any]:
        place = f"{self.entity}/{self.project}"
        found: Any = data
        for key, what in (("project", place), ("sweep", self._sweep_id), ("agent", self._agent_key)):
            found = found.get(key)
            if found is None:
                raise NotFoundError(f"Could not find {key} {what} for an agent's runs", path=place)
        return data

    def _source(self) -> str:
        return f"{self.entity}/{self.project}/{self._sweep_id}/{self._agent_key}"

    def __repr__(self) -> str:
        return f"<AgentRuns {self.entity}/{self.project} agent={self._agent_key!r}>"


def find_agent(sweep: Sweep, agent_id: str) -> Agent:
    """The agent of a sweep that has an id or a name; see `Sweep.agent`."""
    variables = {"agentID": agent_id, "sweep": sweep.id, "entity": sweep.entity, "project": sweep.project}
    project = sweep.client.query("sweeps", "GetSweepAgent", variables).get("project") or {}
    found = (project.get("sweep") or {}).get("agent")
    if found is None:
        place = "/".join([sweep.entity, sweep.project, sweep.id])
        raise NotFoundError(f"sweep {place} has no agent {agent_id!r}; sweep.agents() lists those it has", path=place)
    return Agent(sweep.client, found, sweep.entity, sweep.project, sweep.id)


class Agents(Listed[Agent]):
    """The agents of a sweep: a list, and a table with a row an agent."""

    SCHEMA = Schema(
        "agents",
        [
            Column("sweep", CATEGORY, "sweep", "The sweep's id, as in addresses."),
            Column("id", TEXT, "id", "The server's own id."),
            Column("name", TEXT, "name", "Name, as the agent gave it."),
            Column("host", CATEGORY, "host", "The machine that it works on, as it gave it."),
            Column("state", CATEGORY, "state", "RUNNING, FINISHED or another state that the server has."),
            Column("total_runs", INT, "totalRuns", "How many runs it started."),
            Column("created_at", TIME, "createdAt", "When it began."),
            Column("heartbeat_at", TIME, "heartbeatAt", "When it was last heard of."),
        ],
    )

    def __init__(self, objects: Sequence[Agent] = (), sweep: str | None = None, source: str | None = None) -> None:
        super().__init__(objects, source)
        self._sweep = sweep

    def _context(self) -> dict[str, Any]:
        return {"sweep": self._sweep}


def list_agents(sweep: Sweep) -> Agents:
    """All agents of a sweep; see `Sweep.agents`."""
    variables = {"sweep": sweep.id, "entity": sweep.entity, "project": sweep.project}
    paging = Paging(AGENTS, size=BATCH_PAGE)
    nodes: list[dict[str, Any]] = []
    while paging.ask is not None:
        data = sweep.client.query("sweeps", "GetSweepAgents", {**variables, **AGENTS.variables(paging.ask)})
        if not (data.get("project") or {}).get("sweep"):
            break
        nodes += paging.take(data).nodes
    agents = [Agent(sweep.client, node, sweep.entity, sweep.project, sweep.id) for node in nodes]
    return Agents(agents, sweep.id, "/".join([sweep.entity, sweep.project, sweep.id]))
