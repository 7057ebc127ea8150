"""Which runs agents are given, in which order, and what becomes of those that get lost."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

from store_client import Client
from sweeping import Sweeping

RANDOM = {"method": "random", "parameters": {"lr": {"min": 0.0, "max": 1.0}}}


def forget(local_folder: Path, table: str, column: str) -> None:
    """Make everybody in a table have been silent for an hour."""
    with sqlite3.connect(local_folder / "runframe.sqlite") as connection:
        connection.execute(f"UPDATE {table} SET {column} = '2020-01-01T00:00:00.000000Z'")
    connection.close()


def test_a_grid_is_enumerated_once_and_whole(sweeping: Sweeping) -> None:
    name = sweeping.create(
        {
            "method": "grid",
            "parameters": {
                "a": {"values": [1, 2, 2]},
                "b": {"min": 1, "max": 3},
                "c": {"value": "x"},
                "n": {"parameters": {"q": {"distribution": "q_uniform", "min": 0.0, "max": 0.5, "q": 0.5}}},
            },
        }
    )
    points = sweeping.agent(name).work_all()
    expected = itertools.product([1, 2], [1, 2, 3], [0.0, 0.5])
    assert points == [{"a": a, "b": b, "c": "x", "n": {"q": q}} for a, b, q in expected]
    read = sweeping.read(name, "state runCount runCountExpected runs { edges { node { config sweepName state } } }")
    assert (read["state"], read["runCount"], read["runCountExpected"]) == ("FINISHED", 12, 12)
    runs = [edge["node"] for edge in read["runs"]["edges"]]
    assert {(run["sweepName"], run["state"]) for run in runs} == {(name, "finished")}
    assert json.loads(runs[0]["config"])["n"] == {"value": {"q": 0.0}}


def test_two_agents_share_a_grid(sweeping: Sweeping) -> None:
    name = sweeping.grid(a=[1, 2, 3])
    first, second = sweeping.agent(name), sweeping.agent(name)
    taken = [first.take(), second.take()]
    first.work(taken[0])
    taken.append(first.take())
    assert [command["args"]["a"]["value"] for command in taken] == [1, 2, 3]
    assert sweeping.read(name, "state") == {"state": "RUNNING"}
    second.work(taken[1])
    assert second.beat() == [{"type": "exit"}]
    assert sweeping.read(name, "state") == {"state": "RUNNING"}  # the third still runs
    first.work(taken[2])
    assert sweeping.read(name, "state") == {"state": "FINISHED"}


def test_a_run_waits_for_its_process_with_its_arguments(sweeping: Sweeping, client: Client) -> None:
    name = sweeping.grid(a=[1, 2])
    agent = sweeping.agent(name)
    command = agent.take()
    run = client.run("state config sweepName sweep { name }", command["run_id"])
    assert (run["state"], run["sweepName"], run["sweep"]) == ("pending", name, {"name": name})
    assert json.loads(run["config"]) == command["args"] == {"a": {"value": 1}}
    written = client.begin(command["run_id"], sweep=name, config=command["args"])
    assert (written["inserted"], written["bucket"]["state"]) == (False, "running")


def test_an_agent_that_has_a_run_is_given_no_other(sweeping: Sweeping) -> None:
    agent = sweeping.agent(sweeping.grid(a=[1, 2]))
    command = agent.take()
    assert agent.beat(command["run_id"]) == agent.beat(command["run_id"]) == []


def test_random_points_follow_from_the_seed_in_the_store(sweeping: Sweeping, tmp_path: Path) -> None:
    names = [sweeping.create({**RANDOM, "run_cap": 3}) for _ in range(2)]
    with sqlite3.connect(tmp_path / "store" / "runframe.sqlite") as connection:
        connection.execute("UPDATE sweeps SET seed = 'the same'")
    connection.close()
    first, second = (sweeping.agent(name).work_all() for name in names)
    assert first == second
    assert len({point["lr"] for point in first}) == 3
    other = sweeping.create({**RANDOM, "run_cap": 3})
    assert sweeping.agent(other).work_all() != first


def test_a_run_cap_ends_a_sweep(sweeping: Sweeping) -> None:
    for method in ("grid", "random", "bayes"):
        config = {"method": method, "metric": {"name": "x"}, "run_cap": 2, "parameters": {"a": {"values": [1, 2, 3]}}}
        name = sweeping.create(config)
        assert len(sweeping.agent(name).work_all()) == 2
        read = sweeping.read(name, "state runCountExpected")
        assert read == {"state": "FINISHED", "runCountExpected": 2}


def test_a_run_whose_answer_got_lost_is_handed_out_again(sweeping: Sweeping) -> None:
    name = sweeping.grid(a=[1, 2])
    agent = sweeping.agent(name)
    assert agent.beat() == agent.beat()
    assert sweeping.read(name, "runCount") == {"runCount": 1}


def test_a_run_that_ended_before_it_began_has_failed(sweeping: Sweeping, client: Client) -> None:
    name = sweeping.grid(a=[1, 2])
    agent = sweeping.agent(name)
    command = agent.take()
    agent.beat(command["run_id"])
    following = agent.take()  # the function never called init
    assert following["args"] == {"a": {"value": 2}}
    assert client.run("state", command["run_id"]) == {"state": "failed"}
    for _ in range(3):  # nor does this agent ever say that it has the next one
        last = agent.beat()
    assert last == [{"type": "exit"}]
    assert sweeping.read(name, "state") == {"state": "FINISHED"}


def test_a_run_of_an_agent_that_is_gone_is_given_to_another(sweeping: Sweeping, tmp_path: Path) -> None:
    name = sweeping.grid(a=[1, 2])
    command = sweeping.agent(name).take()
    forget(tmp_path / "store", "sweep_agents", "heartbeat_at")
    other = sweeping.agent(name)
    assert other.take() == command
    states = sweeping.read(name, "agents { edges { node { state totalRuns host } } }")["agents"]["edges"]
    assert [edge["node"]["state"] for edge in states] == ["CRASHED", "RUNNING"]
    assert [edge["node"]["totalRuns"] for edge in states] == [0, 1]


def test_a_sweep_whose_last_run_crashed_is_finished(sweeping: Sweeping, client: Client, tmp_path: Path) -> None:
    name = sweeping.grid(a=[1])
    agent = sweeping.agent(name)
    client.begin(agent.take()["run_id"], sweep=name)
    assert agent.beat() == [{"type": "exit"}]
    assert sweeping.read(name, "state") == {"state": "RUNNING"}
    forget(tmp_path / "store", "runs", "heartbeat_at")
    assert sweeping.read(name, "state") == {"state": "FINISHED"}


def test_a_preempted_run_is_resumed(sweeping: Sweeping, client: Client) -> None:
    name = sweeping.grid(a=[1])
    agent = sweeping.agent(name)
    command = agent.take()
    client.begin(command["run_id"], sweep=name)
    client.stream(run=command["run_id"], preempting=True)
    client.stream(run=command["run_id"], exitcode=1)
    assert client.run("state", command["run_id"]) == {"state": "preempted"}
    assert agent.take() == {**command, "type": "resume"}


def test_prior_runs_count_and_are_not_repeated(sweeping: Sweeping, client: Client) -> None:
    client.begin("old", config={"a": {"value": 1}, "other": {"value": 5}})
    client.begin("strange", config={"b": {"value": 1}})
    filters = json.dumps({"$or": [{"name": "old"}, {"name": "strange"}]})
    config = {"method": "grid", "parameters": {"a": {"values": [1, 2]}}}
    name = sweeping.create(config, priorRunsFilters=filters)
    assert sweeping.read(name, "runCount") == {"runCount": 2}
    assert sweeping.agent(name).work_all() == [{"a": 2}]
    assert client.run("sweepName", "old") == {"sweepName": name}


def test_a_changed_config_goes_on_where_the_old_one_was(sweeping: Sweeping) -> None:
    name = sweeping.grid(a=[1, 2])
    agent = sweeping.agent(name)
    agent.work_all()
    config = {"method": "grid", "parameters": {"a": {"values": [0, 1, 2, 3]}}}
    changed = sweeping.upsert(config, id=sweeping.read(name, "id")["id"])["sweep"]
    assert (changed["name"], changed["runCountExpected"], changed["state"]) == (name, 4, "RUNNING")
    assert sweeping.agent(name).work_all() == [{"a": 0}, {"a": 3}]


def test_an_agent_of_another_process_goes_on(make_client: Callable[..., Client]) -> None:
    sweeping = Sweeping(make_client())
    name = sweeping.grid(a=[1, 2])
    agent = sweeping.agent(name)
    agent.work(agent.take())
    agent.client = make_client()
    assert agent.take()["args"] == {"a": {"value": 2}}
