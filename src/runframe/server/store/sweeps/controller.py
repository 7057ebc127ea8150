"""Sweeps whose trials a program of the user's chooses: a local controller, or whoever queues runs.

A local controller writes ``{"schedule": [{"id", "data": {"args"}}], "earlystop": [run, …]}`` into the sweep's
`controller`; the server makes the runs and answers in its `scheduler` with ``{"scheduled": [{"id", "runid"}]}``.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from runframe import extjson
from runframe.server.errors import Refusal
from runframe.server.store import json_texts
from runframe.server.store.sweeps import sweeps, trials
from runframe.server.store.sweeps.sweeps import Sweep


def may_ask_for_more(sweep: Sweep) -> bool:
    """Whether a program of the user's chooses the trials and has not said that there are no more."""
    return sweep.settings.space is None and not sweep.exhausted


def follow(connection: sqlite3.Connection, sweep: Sweep, user_id: int) -> None:
    """Do what a local controller has written.

    Args:
        connection: the writer.
        sweep: the sweep, as it is after the controller wrote.
        user_id: who the runs belong to.

    Raises:
        Refusal: what it wrote has not the documented form.
    """
    asked = json_texts.object_of(sweep.controller or "{}", "controller")
    answer = json_texts.object_of(sweep.scheduler or "{}", "scheduler")
    scheduled = answer.setdefault("scheduled", [])
    known = {entry.get("id") for entry in scheduled}
    for entry in _list(asked, "schedule"):
        if not isinstance(entry, dict) or entry.get("id") in known:
            continue
        args = (entry.get("data") or {}).get("args")
        if args is None:
            sweeps.change(connection, sweep.id, {"exhausted": 1})
        else:
            trial = trials.create(connection, sweep, wrapped(args), user_id)
            scheduled.append({"id": entry.get("id"), "runid": trial.run_name})
    trials.stop(connection, sweep, [name for name in _list(asked, "earlystop") if isinstance(name, str)])
    sweeps.change(connection, sweep.id, {"scheduler": extjson.dumps(answer)})


def wrapped(args: Any) -> dict[str, Any]:
    """Arguments as agents get them, ``{name: {"value": v}}``, from these or from plain ``{name: v}``.

    Raises:
        Refusal: they are no object.
    """
    if not isinstance(args, dict):
        raise Refusal(f"The arguments of a run are {type(args).__name__}, expected a JSON object.")
    ready = all(isinstance(value, dict) and value.keys() == {"value"} for value in args.values())
    return args if ready else {name: {"value": value} for name, value in args.items()}


def _list(asked: dict[str, Any], key: str) -> list[Any]:
    value = asked.get(key) or []
    if not isinstance(value, list):
        raise Refusal(f"controller[{key!r}] is {type(value).__name__}, expected a list.")
    return value
