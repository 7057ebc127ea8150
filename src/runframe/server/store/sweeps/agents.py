"""Agents: processes that run a sweep's trials."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runframe.server.store import times
from runframe.server.store.states import Grace
from runframe.server.store.sweeps.states import agent_state_sql

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent.

    Attributes:
        name: what users call it by.
        state: RUNNING, FINISHED when it was told to leave, CRASHED when it has said nothing for long.
        total_runs: how many trials it was given.
    """

    id: int
    sweep_id: int
    name: str
    host: str
    user_id: int | None
    created_at: str
    heartbeat_at: str
    state: str
    total_runs: int


def _select(grace: Grace) -> str:
    return (
        f"SELECT a.id, a.sweep_id, a.name, a.host, a.user_id, a.created_at, a.heartbeat_at, {agent_state_sql(grace)},"
        " (SELECT count(*) FROM sweep_trials t WHERE t.agent_id = a.id) FROM sweep_agents a"
    )


def create(connection: sqlite3.Connection, sweep_id: int, host: str, user_id: int, grace: Grace) -> Agent:
    """A new agent of a sweep."""
    moment = times.now()
    cursor = connection.execute(
        "INSERT INTO sweep_agents (sweep_id, name, host, user_id, created_at, heartbeat_at) VALUES (?, ?, ?, ?, ?, ?)",
        (sweep_id, "".join(secrets.choice(_ALPHABET) for _ in range(10)), host, user_id, moment, moment),
    )
    assert cursor.lastrowid is not None
    agent = by_id(connection, cursor.lastrowid, grace)
    assert agent is not None
    return agent


def by_id(connection: sqlite3.Connection, number: int, grace: Grace) -> Agent | None:
    """The agent in this row."""
    row = connection.execute(f"{_select(grace)} WHERE a.id = ?", (number,)).fetchone()
    return None if row is None else Agent(*row)


def by_name(connection: sqlite3.Connection, sweep_id: int, name: str, grace: Grace) -> Agent | None:
    """The sweep's agent of this name."""
    row = connection.execute(f"{_select(grace)} WHERE a.sweep_id = ? AND a.name = ?", (sweep_id, name)).fetchone()
    return None if row is None else Agent(*row)


def page(
    connection: sqlite3.Connection, sweep_id: int, after: Sequence[Any] | None, first: int, grace: Grace
) -> tuple[list[Agent], bool]:
    """Up to `first` agents of a sweep behind the row number `after`, oldest first, and whether more follow."""
    rows = connection.execute(
        f"{_select(grace)} WHERE a.sweep_id = ? AND a.id > ? ORDER BY a.id LIMIT ?",
        (sweep_id, after[0] if after else 0, first + 1),
    ).fetchall()
    return [Agent(*row) for row in rows[:first]], len(rows) > first


def heard(connection: sqlite3.Connection, agent: Agent, *, leaves: bool) -> None:
    """Note that an agent said something, and whether it was told to leave."""
    moment = times.now()
    connection.execute(
        "UPDATE sweep_agents SET heartbeat_at = ?, left = ? WHERE id = ?", (moment, int(leaves), agent.id)
    )
    connection.execute("UPDATE sweeps SET heartbeat_at = ? WHERE id = ?", (moment, agent.sweep_id))
