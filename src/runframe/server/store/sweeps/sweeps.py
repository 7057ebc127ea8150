"""Sweeps: finding, making and changing them."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runframe.server.errors import Refusal
from runframe.server.store import ids, projects, times, users
from runframe.server.store.accounts import permissions
from runframe.server.store.states import Grace
from runframe.server.store.sweeps import config, prior
from runframe.server.store.sweeps.config import SweepConfig
from runframe.server.store.sweeps.states import STATES, state_sql
from runframe.server.store.upsert import ensure_project

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_PLAIN = (
    "s.id, s.project_id, s.name, s.display_name, s.description, s.method, s.seed, s.next_number, s.next_index,"
    " s.exhausted, s.user_id, s.created_at, s.updated_at, s.heartbeat_at, s.prior_runs, s.controller, s.scheduler,"
    " s.launch_scheduler, s.template_variables, s.config"
)
#: How many columns `select` names.
WIDTH = 21


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep; `config` is the YAML text that came, and `state` what it is at this moment."""

    id: int
    project_id: int
    name: str
    display_name: str | None
    description: str | None
    method: str
    seed: str
    next_number: int
    next_index: int
    exhausted: int
    user_id: int | None
    created_at: str
    updated_at: str
    heartbeat_at: str | None
    prior_runs: str | None
    controller: str | None
    scheduler: str | None
    launch_scheduler: str | None
    template_variables: str | None
    config: str
    state: str

    @property
    def settings(self) -> SweepConfig:
        """The config, read."""
        return config.read(self.config)


def select(grace: Grace) -> str:
    """The columns of a `Sweep`, in its order, for a query in which the sweeps table is called ``s``."""
    return f"{_PLAIN}, {state_sql(grace)} AS state"


def from_row(row: Sequence[Any]) -> Sweep:
    """The sweep in a row of `select`."""
    return Sweep(*row)


def find(connection: sqlite3.Connection, project_id: int, name: str, grace: Grace) -> Sweep | None:
    """The project's sweep of this name (the id that users see)."""
    row = connection.execute(
        f"SELECT {select(grace)} FROM sweeps s WHERE s.project_id = ? AND s.name = ?", (project_id, name)
    ).fetchone()
    return None if row is None else from_row(row)


def by_id(connection: sqlite3.Connection, number: int, grace: Grace) -> Sweep | None:
    """The sweep in this row."""
    row = connection.execute(f"SELECT {select(grace)} FROM sweeps s WHERE s.id = ?", (number,)).fetchone()
    return None if row is None else from_row(row)


def change(connection: sqlite3.Connection, number: int, values: Mapping[str, Any], *, touch: bool = True) -> None:
    """Set columns of a sweep; with `touch` its time of change too."""
    if touch:
        values = {"updated_at": times.now(), **values}
    assignments = ", ".join(f"{column} = ?" for column in values)
    connection.execute(f"UPDATE sweeps SET {assignments} WHERE id = ?", (*values.values(), number))


def upsert(
    connection: sqlite3.Connection, viewer: users.User, fields: Mapping[str, Any], grace: Grace
) -> tuple[Sweep, tuple[str, ...]]:
    """Make a sweep, or change one; a field that is missing or None leaves what is there.

    Args:
        connection: the writer.
        viewer: who asks.
        fields: the fields of ``UpsertSweepInput``; with a `name`, the project's sweep of that name is meant, and a new
            one is called so.
        grace: how long a run may be silent.

    Returns:
        The sweep, and what is passed over in the config that came.

    Raises:
        Refusal: the id is no sweep's, the config cannot be run by, or the state is none.
    """
    found = _named(connection, viewer, fields, grace)
    text = fields.get("config")
    settings = None if text is None else config.read(text)
    if found is None:
        if text is None:
            raise Refusal("A new sweep needs a 'config'.")
        project = ensure_project(connection, viewer, fields.get("entityName"), fields.get("projectName"))
        number = _create(connection, project, viewer, text, fields.get("name"))
    else:
        number = found.id
    values: dict[str, Any] = {column: fields[name] for name, column in _COLUMNS.items() if fields.get(name) is not None}
    if settings is not None:
        values |= {"config": text, "method": settings.method, "next_index": 0, "exhausted": 0}
        values.setdefault("description", settings.description)
    if fields.get("state") is not None:
        if fields["state"] not in STATES:
            raise Refusal(f"state is {fields['state']!r}, expected one of {', '.join(STATES)}.")
        values |= {"state": fields["state"], "exhausted": 0}
    change(connection, number, values)
    sweep = by_id(connection, number, grace)
    assert sweep is not None
    if fields.get("priorRunsFilters") is not None:
        prior.attach(connection, sweep.project_id, sweep.name, fields["priorRunsFilters"], grace)
    return sweep, settings.warnings if settings is not None else ()


_COLUMNS = {
    "description": "description",
    "displayName": "display_name",
    "controller": "controller",
    "scheduler": "scheduler",
    "launchScheduler": "launch_scheduler",
    "templateVariableValues": "template_variables",
    "priorRunsFilters": "prior_runs",
}


def _named(connection: sqlite3.Connection, viewer: users.User, fields: Mapping[str, Any], grace: Grace) -> Sweep | None:
    """The sweep that the fields mean by its id or name; None where there is none of the name, or they say neither."""
    if fields.get("id") is None:
        if fields.get("name") is None:
            return None
        project = ensure_project(connection, viewer, fields.get("entityName"), fields.get("projectName"))
        return find(connection, project.id, fields["name"], grace)
    number = ids.decode("Sweep", fields["id"])
    found = None if number is None else by_id(connection, number, grace)
    if found is None:
        raise Refusal(f"id {fields['id']!r} is no sweep's.", 404)
    permissions.check_project(connection, viewer, found.project_id)
    return found


def _create(
    connection: sqlite3.Connection, project: projects.Project, viewer: users.User, text: str, name: str | None
) -> int:
    moment = times.now()
    name = name or "".join(secrets.choice(_ALPHABET) for _ in range(8))
    if not users.valid_name(name):
        raise Refusal(f"{name!r} cannot be the id of a sweep: it is too long or holds a slash or a control sign.")
    cursor = connection.execute(
        "INSERT INTO sweeps (project_id, name, state, method, seed, user_id, created_at, updated_at, config)"
        " VALUES (?, ?, 'PENDING', '', ?, ?, ?, ?, ?)",
        (project.id, name, secrets.token_hex(8), viewer.id, moment, moment, text),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def run_count(connection: sqlite3.Connection, sweep: Sweep) -> int:
    """How many runs belong to a sweep."""
    row = connection.execute(
        "SELECT count(*) FROM runs WHERE project_id = ? AND sweep_name = ?", (sweep.project_id, sweep.name)
    ).fetchone()
    return int(row[0])


def count(connection: sqlite3.Connection, project_id: int) -> int:
    """How many sweeps a project has."""
    return int(connection.execute("SELECT count(*) FROM sweeps WHERE project_id = ?", (project_id,)).fetchone()[0])
