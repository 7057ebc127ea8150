"""What an agent is told when it says what it does (protocol, section 10)."""

from __future__ import annotations

import sqlite3
from typing import Any

from runframe.server.store import json_texts
from runframe.server.store.states import Grace
from runframe.server.store.sweeps import agents, controller, stopping, sweeps, trials
from runframe.server.store.sweeps.agents import Agent
from runframe.server.store.sweeps.sweeps import Sweep

EXIT = {"type": "exit"}


def beat(
    connection: sqlite3.Connection, agent: Agent, sweep: Sweep, run_state: str | None, user_id: int, grace: Grace
) -> list[dict[str, Any]]:
    """The commands for an agent.

    Args:
        connection: the writer.
        agent: the agent.
        sweep: its sweep.
        run_state: JSON of run names to true for those that it runs.
        user_id: who new runs belong to.
        grace: how long runs and agents may be silent.

    Raises:
        Refusal: `run_state` is no JSON object.
    """
    given = json_texts.object_of(run_state, "runState") if run_state else {}
    active = [name for name, runs_now in given.items() if runs_now]
    trials.settle(connection, agent.id, active)
    commands = _commands(connection, agent, sweep, active, user_id, grace)
    agents.heard(connection, agent, leaves=EXIT in commands)
    return commands


def _commands(
    connection: sqlite3.Connection, agent: Agent, sweep: Sweep, active: list[str], user_id: int, grace: Grace
) -> list[dict[str, Any]]:
    if sweep.state == "CANCELED":
        return [*map(_stop, active), EXIT]
    stopping.stop_early(connection, sweep, active)
    if active:
        return [_stop(name) for name in trials.stopped(connection, sweep, active)]
    if sweep.state == "PAUSED":
        return []
    if sweep.state == "FINISHED" and not sweep.exhausted:  # somebody ended it; otherwise it ran out of trials
        return [EXIT]
    trial = trials.next_trial(connection, sweep, agent.id, user_id, grace)
    if trial is not None:
        if sweep.state == "PENDING":
            sweeps.change(connection, sweep.id, {"state": "RUNNING"})
        return [_run(trial, sweep)]
    if controller.may_ask_for_more(sweep):
        return []
    sweeps.change(connection, sweep.id, {"exhausted": 1}, touch=False)
    return [EXIT]


def _stop(name: str) -> dict[str, Any]:
    return {"type": "stop", "run_id": name}


def _run(trial: trials.Trial, sweep: Sweep) -> dict[str, Any]:
    return {
        "type": "resume" if trial.resumes else "run",
        "run_id": trial.run_name,
        "args": trial.args,
        "program": sweep.settings.program or "",
    }
