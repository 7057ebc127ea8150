"""What the operation UpsertBucket does: make a run, change it, or take it over anew (protocol, section 4)."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runframe import extjson
from runframe.server.errors import Refusal
from runframe.server.store import documents, fork, ids, projects, runs, times, users
from runframe.server.store.accounts import permissions
from runframe.server.store.states import STATES, TRANSITIONS, Grace

DEFAULT_PROJECT = "uncategorized"
_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_COLUMNS = {
    "displayName": "display_name",
    "groupName": "group_name",
    "jobType": "job_type",
    "description": "description",
    "notes": "notes",
    "commit": "commit_hash",
    "host": "host",
    "jobProgram": "program",
    "jobRepo": "repo",
    "sweep": "sweep_name",
}


@dataclass(frozen=True, slots=True)
class Upserted:
    """The run that was written.

    Attributes:
        run_id: its row.
        inserted: whether the run was made by this.
    """

    run_id: int
    inserted: bool


def upsert(
    connection: sqlite3.Connection, viewer: users.User, fields: Mapping[str, Any], grace: Grace, *, shared: bool = False
) -> Upserted:
    """Make or change a run. A field that is missing or None leaves what is there.

    Args:
        connection: the writer.
        viewer: who asks; owns what is made.
        fields: the fields of ``UpsertBucketInput``.
        grace: how long a run may be silent.
        shared: several processes write this run together: configs are joined and nothing is begun anew.

    Raises:
        Refusal: the id is no run's, a name cannot be one, or a document is not a JSON object.
    """
    run, inserted = _locate(connection, viewer, fields, grace)
    takes_over = _takes_over(fields, run)
    again = not inserted and fields.get("id") is None and takes_over and not shared and _was_written(run)
    if again:
        runs.begin_anew(connection, run.id)
    values = {column: fields[name] for name, column in _COLUMNS.items() if fields.get(name) is not None}
    if fields.get("tags") is not None:
        values["tags"] = documents.to_stored(list(dict.fromkeys(fields["tags"])))
    if fields.get("config") is not None:
        config = _object(fields["config"], "config")
        values["config"] = documents.to_stored(_joined(run.config or "{}", config) if shared else config)
        if inserted or again:
            fork.inherit(connection, run.id, config)
    if fields.get("summaryMetrics") is not None:
        values["summary"] = documents.to_stored(_object(fields["summaryMetrics"], "summaryMetrics"))
    values.update(_life(fields, takes_over=takes_over))
    runs.change(connection, run.id, values)
    return Upserted(run.id, inserted)


def _takes_over(fields: Mapping[str, Any], run: runs.Run) -> bool:
    """Whether this comes from a process that begins, or goes on, to write the run.

    A process names its host and program when it begins; a change of config alone names neither. Both can be kept back
    by settings: then a beginning leaves the entity to the server, or finds a run that has ended.
    """
    if fields.get("host") is not None or fields.get("jobProgram") is not None:
        return True
    if fields.get("id") is not None or fields.get("config") is None:
        return False
    return fields.get("entityName") is None or run.state in ("finished", "failed", "killed")


def _was_written(run: runs.Run) -> bool:
    """Whether a process has written the run; one made ahead by the API or a sweep waits for its first."""
    return runs.started(run.config or "{}") or run.history_lines > 0 or run.event_lines > 0


def set_state(connection: sqlite3.Connection, node_id: str, state: str, grace: Grace) -> None:
    """Put a run into another state.

    Raises:
        Refusal: the id is no run's, the run belongs to a sweep, or the state cannot follow the one it is in.
    """
    run = _by_node_id(connection, node_id, grace)
    if state not in TRANSITIONS:
        raise Refusal(f"state is {state!r}, expected one of {', '.join(sorted(TRANSITIONS))}.")
    if run.sweep_name is not None:
        raise Refusal(f"Run {run.name!r} belongs to a sweep, which alone decides its state.")
    if run.state not in TRANSITIONS[state]:
        raise Refusal(f"Run {run.name!r} is {run.state}, and cannot become {state}.")
    runs.change(connection, run.id, {"state": state, "preempting": 0, "heartbeat_at": times.now()})


def _life(fields: Mapping[str, Any], *, takes_over: bool) -> dict[str, Any]:
    """The columns that say whether the run is alive."""
    state = fields.get("state")
    if state is not None:
        if state not in STATES:
            raise Refusal(f"state is {state!r}, expected one of {', '.join(sorted(STATES))}.")
        return {"state": state, "preempting": 0, "heartbeat_at": times.now()}
    if takes_over:  # a process has the run: it is new, resumed, or goes on
        return {"state": "running", "preempting": 0, "exit_code": None, "heartbeat_at": times.now()}
    return {}


def _locate(
    connection: sqlite3.Connection, viewer: users.User, fields: Mapping[str, Any], grace: Grace
) -> tuple[runs.Run, bool]:
    if fields.get("id") is not None:
        run = _by_node_id(connection, fields["id"], grace)
        permissions.check_project(connection, viewer, run.project_id)
        return run, False
    project = ensure_project(connection, viewer, fields.get("entityName"), fields.get("modelName"))
    name = fields.get("name") or "".join(secrets.choice(_ID_ALPHABET) for _ in range(8))
    return ensure_run(connection, project, name, viewer, grace)


def _by_node_id(connection: sqlite3.Connection, node_id: str, grace: Grace) -> runs.Run:
    number = ids.decode("Run", node_id)
    run = None if number is None else runs.by_id(connection, number, grace)
    if run is None:
        raise Refusal(f"id {node_id!r} is no run's.", 404)
    return run


def ensure_project(
    connection: sqlite3.Connection, viewer: users.User, entity: str | None, project: str | None
) -> projects.Project:
    """The project of this name, made with its entity where there is none.

    Raises:
        Refusal: a name cannot be one, or the viewer may not write there.
    """
    entity, project = entity or viewer.entity, project or DEFAULT_PROJECT
    for kind, name in (("entity", entity), ("project", project)):
        if not users.valid_name(name):
            raise Refusal(
                f"{name!r} cannot be the name of an {kind}: it is too long or holds a slash or a control sign."
            )
    owner = permissions.writable(connection, viewer, entity)
    return projects.find(connection, entity, project) or projects.ensure(connection, owner, project, viewer.id)


def ensure_run(
    connection: sqlite3.Connection, project: projects.Project, name: str, viewer: users.User, grace: Grace
) -> tuple[runs.Run, bool]:
    """The project's run of this name, and whether it was made by this.

    Raises:
        Refusal: the name cannot be one.
    """
    run = runs.find(connection, project.id, name, grace)
    if run is not None:
        return run, False
    if not users.valid_name(name):
        raise Refusal(f"{name!r} cannot be the id of a run: it is too long or holds a slash or a control sign.")
    number = runs.create(connection, project.id, name, user_id=viewer.id)
    created = runs.by_id(connection, number, grace)
    assert created is not None
    return created, True


def _object(text: str, what: str) -> dict[str, Any]:
    try:
        value = extjson.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refusal(f"{what} is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise Refusal(f"{what} is {type(value).__name__}, expected a JSON object.")
    return value


def _joined(stored: str, config: dict[str, Any]) -> dict[str, Any]:
    """The stored config with a further writer's: its keys win, environments are kept by writer."""
    old = documents.from_stored(stored)
    joined = {**old, **config}
    environments = {**_environments(old), **_environments(config)}
    if environments:
        joined["_wandb"]["value"]["e"] = environments
    return joined


def _environments(config: Mapping[str, Any]) -> dict[str, Any]:
    reserved = config.get("_wandb")
    value = reserved.get("value") if isinstance(reserved, dict) else None
    environments = value.get("e") if isinstance(value, dict) else None
    return environments if isinstance(environments, dict) else {}
