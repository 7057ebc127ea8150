"""Trials: choosing the next one, making its run, and handing it to an agent."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from runframe import extjson
from runframe.server.store import documents, runs, times
from runframe.server.store.states import Grace, state_sql
from runframe.server.store.sweeps import sweeps
from runframe.server.store.sweeps.sweeps import Sweep

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
#: An answer can get lost on its way, so a trial that its agent does not know of is handed out again; so often.
_OFFERS = 3


@dataclass(frozen=True, slots=True)
class Trial:
    """A run that a sweep asked for.

    Attributes:
        run_id: the run's row.
        run_name: the run's name.
        args: its arguments, ``{name: {"value": v}}``.
        resumes: whether an earlier process was preempted and this one goes on.
    """

    run_id: int
    run_name: str
    args: dict[str, Any]
    resumes: bool = False


def next_trial(connection: sqlite3.Connection, sweep: Sweep, agent_id: int, user_id: int, grace: Grace) -> Trial | None:
    """The next trial for an agent that has nothing to do: one that waits, or a new one; None when there is none.

    Args:
        connection: the writer.
        sweep: the sweep.
        agent_id: who gets it.
        user_id: who the run belongs to.
        grace: how long runs and agents may be silent.
    """
    trial = _waiting(connection, sweep, agent_id, grace)
    if trial is None:
        args = _choose(connection, sweep)
        if args is None:
            return None
        trial = create(connection, sweep, args, user_id)
    connection.execute(
        "UPDATE sweep_trials SET agent_id = ?, offers = offers + 1, seen = 0 WHERE run_id = ?",
        (agent_id, trial.run_id),
    )
    return trial


def _waiting(connection: sqlite3.Connection, sweep: Sweep, agent_id: int, grace: Grace) -> Trial | None:
    """A trial that no agent has: it was queued, its agent is gone or has lost it, or it was preempted."""
    row = connection.execute(
        f"SELECT r.id, r.name, t.args, r.state <> 'pending' AS resumes FROM sweep_trials t"
        " JOIN runs r ON r.id = t.run_id LEFT JOIN sweep_agents a ON a.id = t.agent_id"
        f" WHERE t.sweep_id = ? AND ({state_sql(grace)}) IN ('pending', 'preempted')"
        " AND (t.agent_id IS NULL OR t.agent_id = ? OR a.left OR a.heartbeat_at < ?) ORDER BY t.number LIMIT 1",
        (sweep.id, agent_id, times.ago(grace.running)),
    ).fetchone()
    return None if row is None else Trial(row["id"], row["name"], extjson.loads(row["args"]), bool(row["resumes"]))


def _choose(connection: sqlite3.Connection, sweep: Sweep) -> dict[str, Any] | None:
    """The arguments of a new trial; None when there is nothing left to try, or a program of the user's chooses."""
    settings = sweep.settings
    if settings.space is None:
        return None
    if settings.run_cap is not None and sweeps.run_count(connection, sweep) >= settings.run_cap:
        return None
    if settings.method != "grid":
        return settings.space.draw(Random(f"{sweep.seed}:{sweep.next_number}"))
    size, known = settings.space.size or 0, _prior_points(connection, sweep)
    for index in range(sweep.next_index, size):
        args = settings.space.point(index)
        if _canonical(args) not in known and not _tried(connection, sweep, args):
            sweeps.change(connection, sweep.id, {"next_index": index + 1}, touch=False)
            return args
    sweeps.change(connection, sweep.id, {"next_index": size}, touch=False)
    return None


def _tried(connection: sqlite3.Connection, sweep: Sweep, args: Mapping[str, Any]) -> bool:
    row = connection.execute(
        "SELECT 1 FROM sweep_trials WHERE sweep_id = ? AND args = ?", (sweep.id, _canonical(args))
    ).fetchone()
    return row is not None


def _prior_points(connection: sqlite3.Connection, sweep: Sweep) -> set[str]:
    """The points of a grid that runs have which were there before the sweep."""
    if sweep.prior_runs is None or sweep.settings.space is None:
        return set()
    names = {leaf.path[0] for leaf in sweep.settings.space.leaves}
    rows = connection.execute(
        "SELECT config FROM runs WHERE project_id = ? AND sweep_name = ?"
        " AND id NOT IN (SELECT run_id FROM sweep_trials)",
        (sweep.project_id, sweep.name),
    )
    configs = [documents.from_stored(row["config"]) for row in rows]
    return {
        _canonical({name: {"value": config[name].get("value")} for name in names})
        for config in configs
        if all(isinstance(config.get(name), dict) for name in names)
    }


def _canonical(value: Any) -> str:
    """The text of arguments, the same for the same ones in another order."""
    return extjson.dumps(_ordered(value))


def _ordered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _ordered(value[key]) for key in sorted(value)}
    return [_ordered(item) for item in value] if isinstance(value, list) else value


def create(
    connection: sqlite3.Connection,
    sweep: Sweep,
    args: Mapping[str, Any],
    user_id: int | None,
    display_name: str | None = None,
) -> Trial:
    """A new trial: a run of the sweep that waits for its process.

    Args:
        connection: the writer.
        sweep: the sweep.
        args: its arguments, ``{name: {"value": v}}``.
        user_id: who the run belongs to.
        display_name: what people call it.
    """
    row = connection.execute(
        "UPDATE sweeps SET next_number = next_number + 1 WHERE id = ? RETURNING next_number - 1", (sweep.id,)
    ).fetchone()
    number = int(row[0])
    name = _fresh_name(connection, sweep.project_id)
    run_id = runs.create(connection, sweep.project_id, name, user_id=user_id, state="pending")
    runs.change(
        connection,
        run_id,
        {
            "sweep_name": sweep.name,
            "display_name": display_name or f"sweep-{number}",
            "config": documents.to_stored(args),
        },
    )
    connection.execute(
        "INSERT INTO sweep_trials (run_id, sweep_id, number, args) VALUES (?, ?, ?, ?)",
        (run_id, sweep.id, number, _canonical(args)),
    )
    return Trial(run_id, name, dict(args))


def _fresh_name(connection: sqlite3.Connection, project_id: int) -> str:
    while True:
        name = "".join(secrets.choice(_ALPHABET) for _ in range(8))
        taken = connection.execute("SELECT 1 FROM runs WHERE project_id = ? AND name = ?", (project_id, name))
        if taken.fetchone() is None:
            return name


def settle(connection: sqlite3.Connection, agent_id: int, active: Collection[str]) -> None:
    """Bring an agent's trials up to what it says that it runs.

    A trial that it had and has no more, and whose run never began, has failed; so has one that it never took up,
    however often it was handed out.

    Args:
        connection: the writer.
        agent_id: the agent.
        active: the names of the runs that it has.
    """
    rows = connection.execute(
        "SELECT t.run_id, t.offers, t.seen, r.name FROM sweep_trials t JOIN runs r ON r.id = t.run_id"
        " WHERE t.agent_id = ? AND r.state = 'pending'",
        (agent_id,),
    ).fetchall()
    for row in rows:
        if row["name"] in active:
            connection.execute("UPDATE sweep_trials SET seen = 1 WHERE run_id = ?", (row["run_id"],))
        elif row["seen"] or row["offers"] >= _OFFERS:
            runs.change(connection, row["run_id"], {"state": "failed", "heartbeat_at": times.now()})


def stopped(connection: sqlite3.Connection, sweep: Sweep, names: Collection[str]) -> list[str]:
    """Those of the runs that are to be stopped."""
    rows = connection.execute(
        "SELECT r.name FROM sweep_trials t JOIN runs r ON r.id = t.run_id WHERE t.sweep_id = ? AND t.stopped",
        (sweep.id,),
    )
    wanted = {row["name"] for row in rows}
    return [name for name in names if name in wanted]


def stop(connection: sqlite3.Connection, sweep: Sweep, names: Collection[str]) -> None:
    """Have runs of a sweep stopped, at the next heartbeat of the agents that have them."""
    connection.executemany(
        "UPDATE sweep_trials SET stopped = 1 WHERE run_id IN"
        " (SELECT id FROM runs WHERE project_id = ? AND name = ?) AND sweep_id = ?",
        [(sweep.project_id, name, sweep.id) for name in names],
    )
