"""A project's sweeps and their agents, driven as the SDK drives them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import yaml
from store_client import Client

UPSERT = """mutation UpsertSweep($input: UpsertSweepInput!) { upsertSweep(input: $input) {
    sweep { id name state method description displayName runCountExpected project { name entity { name } } }
    configValidationWarnings
} }"""
CREATE_AGENT = """mutation CreateAgent($host: String!, $projectName: String, $entityName: String, $sweep: String!) {
    createAgent(input: {host: $host, projectName: $projectName, entityName: $entityName, sweep: $sweep}) {
        agent { id }
} }"""
HEARTBEAT = """mutation Heartbeat($id: ID!, $metrics: JSONString, $runState: JSONString) {
    agentHeartbeat(input: {id: $id, metrics: $metrics, runState: $runState}) { agent { id } commands }
}"""


@dataclass
class Agent:
    """An agent of a sweep; it has at most one run."""

    client: Client
    sweep: str
    id: str

    def beat(self, *active: str) -> list[dict[str, Any]]:
        """The commands for an agent that has these runs."""
        state = json.dumps(dict.fromkeys(active, True))
        answer = self.client.graphql(HEARTBEAT, id=self.id, metrics="{}", runState=state)
        commands: list[dict[str, Any]] = json.loads(answer["agentHeartbeat"]["commands"])
        return commands

    def take(self) -> dict[str, Any]:
        """The run that an idle agent is given."""
        [command] = self.beat()
        assert command["type"] in ("run", "resume"), command
        return command

    def work(self, command: dict[str, Any], loss: float | None = None, exit_code: int = 0) -> None:
        """Do what the process of a run does, from its beginning to its end."""
        summary = {} if loss is None else {"loss": loss}
        name = command["run_id"]
        self.client.begin(name, sweep=self.sweep, config=command["args"], summaryMetrics=summary)
        self.client.stream(run=name, exitcode=exit_code, complete=True)

    def work_all(self) -> list[dict[str, Any]]:
        """Run whatever there is, until the agent is told to leave; the arguments of each run."""
        points = []
        while (command := self.beat()[0])["type"] == "run":
            self.work(command)
            points.append({name: entry["value"] for name, entry in command["args"].items()})
        assert command == {"type": "exit"}
        return points


class Sweeping:
    """The sweeps of the project ``p``."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def upsert(self, config: Any = None, **fields: Any) -> Any:
        """UpsertSweep; the config may be given as a value."""
        if config is not None:
            fields["config"] = config if isinstance(config, str) else yaml.dump(config)
        return self.client.graphql(UPSERT, input={"projectName": "p", **fields})["upsertSweep"]

    def refused(self, config: Any, **fields: Any) -> str:
        """The message with which UpsertSweep refuses a config."""
        text = config if isinstance(config, str) else yaml.dump(config)
        return self.client.refused(UPSERT, input={"projectName": "p", "config": text, **fields})

    def create(self, config: Any, **fields: Any) -> str:
        """A new sweep's name."""
        name: str = self.upsert(config, **fields)["sweep"]["name"]
        return name

    def grid(self, **values: list[Any]) -> str:
        """A new grid over lists of values."""
        return self.create({"method": "grid", "parameters": {name: {"values": v} for name, v in values.items()}})

    def agent(self, sweep: str) -> Agent:
        """A new agent of a sweep."""
        answer = self.client.graphql(CREATE_AGENT, host="a-host", projectName="p", sweep=sweep)
        return Agent(self.client, sweep, answer["createAgent"]["agent"]["id"])

    def read(self, sweep: str, fields: str) -> Any:
        """Fields of a sweep."""
        query = f'query Sweep($name: String!) {{ project(name: "p") {{ sweep(sweepName: $name) {{ {fields} }} }} }}'
        return self.client.graphql(query, name=sweep)["project"]["sweep"]

    def set_state(self, sweep: str, state: str) -> None:
        """What ``wandb sweep --pause`` and its like send."""
        self.upsert(id=self.read(sweep, "id")["id"], state=state)
