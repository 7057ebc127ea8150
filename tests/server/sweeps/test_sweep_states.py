"""The states of sweeps, and what agents are told in each."""

from __future__ import annotations

from store_client import Client
from sweeping import CREATE_AGENT, HEARTBEAT, UPSERT, Sweeping


def test_a_sweep_waits_until_its_first_run_is_given_out(sweeping: Sweeping) -> None:
    name = sweeping.grid(a=[1, 2])
    agent = sweeping.agent(name)
    assert sweeping.read(name, "state heartbeatAt") == {"state": "PENDING", "heartbeatAt": None}
    agent.take()
    read = sweeping.read(name, "state heartbeatAt")
    assert read["state"] == "RUNNING" and read["heartbeatAt"] is not None


def test_a_paused_sweep_gives_nothing_out_and_lets_runs_go_on(sweeping: Sweeping) -> None:
    name = sweeping.grid(a=[1, 2])
    agent = sweeping.agent(name)
    command = agent.take()
    sweeping.set_state(name, "PAUSED")
    assert agent.beat(command["run_id"]) == []
    agent.work(command)
    assert agent.beat() == []
    assert sweeping.read(name, "state") == {"state": "PAUSED"}
    sweeping.set_state(name, "RUNNING")
    assert agent.take()["args"] == {"a": {"value": 2}}


def test_a_stopped_sweep_lets_runs_go_on_and_sends_agents_home(sweeping: Sweeping) -> None:
    name = sweeping.grid(a=[1, 2])
    agent = sweeping.agent(name)
    command = agent.take()
    sweeping.set_state(name, "FINISHED")
    assert agent.beat(command["run_id"]) == []
    agent.work(command)
    assert agent.beat() == [{"type": "exit"}]
    agents = sweeping.read(name, "agents { edges { node { state } } }")["agents"]["edges"]
    assert [edge["node"]["state"] for edge in agents] == ["FINISHED"]
    sweeping.set_state(name, "RUNNING")  # and may be taken up again
    assert sweeping.agent(name).take()["args"] == {"a": {"value": 2}}


def test_a_canceled_sweep_stops_its_runs(sweeping: Sweeping) -> None:
    name = sweeping.grid(a=[1, 2])
    agent = sweeping.agent(name)
    command = agent.take()
    sweeping.set_state(name, "CANCELED")
    assert agent.beat(command["run_id"]) == [{"type": "stop", "run_id": command["run_id"]}, {"type": "exit"}]
    assert sweeping.agent(name).beat() == [{"type": "exit"}]


def test_an_unknown_state_is_refused(sweeping: Sweeping) -> None:
    node_id = sweeping.read(sweeping.grid(a=[1]), "id")["id"]
    message = sweeping.client.refused(UPSERT, input={"id": node_id, "state": "ASLEEP"})
    assert "'ASLEEP'" in message and "PAUSED" in message


def test_an_agent_whose_sweep_is_gone_is_answered_404(client: Client) -> None:
    body = {"query": HEARTBEAT, "variables": {"id": "QWdlbnQ6OTk=", "metrics": "{}", "runState": "{}"}}
    answer = client.request("POST", "/graphql", json=body)
    assert answer.status_code == 404
    assert "is no agent's" in answer.json()["errors"][0]["message"]


def test_what_is_not_there_is_named(sweeping: Sweeping) -> None:
    client = sweeping.client
    assert "no sweep 'none' in local/p" in client.refused(CREATE_AGENT, host="h", projectName="p", sweep="none")
    assert "is no sweep's" in client.refused(UPSERT, input={"id": "eA==", "state": "PAUSED"})
    assert "needs a 'config'" in client.refused(UPSERT, input={"projectName": "p"})
    agent = sweeping.agent(sweeping.grid(a=[1]))
    assert "runState is not JSON" in client.refused(HEARTBEAT, id=agent.id, runState="{")


def test_what_a_config_passes_over_comes_back(sweeping: Sweeping) -> None:
    answer = sweeping.upsert({"method": "grid", "parameters": {"a": {"value": 1}}, "wat": 1})
    assert ["'wat'" in text for text in answer["configValidationWarnings"]] == [True]
    assert "a grid cannot count 'a'" in sweeping.refused(
        {"method": "grid", "parameters": {"a": {"min": 0.5, "max": 1.5}}}
    )
