"""What waits in queues: pushing, taking, acknowledging and failing it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runframe import extjson, templates
from runframe.server.errors import Refusal
from runframe.server.store import ids, json_texts, projects, runs, times, users
from runframe.server.store.accounts import permissions
from runframe.server.store.queues import configs, queues
from runframe.server.store.queues.queues import PRIORITIES, Queue
from runframe.server.store.queues.refusals import refused
from runframe.server.store.states import Grace

ITEM = "RunQueueItem"
PENDING, LEASED, CLAIMED, FAILED, FINISHED = "PENDING", "LEASED", "CLAIMED", "FAILED", "FINISHED"
_USUAL_PRIORITY = 2  # "medium": clients count critical 0, high 1, medium 2, low 3
_COLUMNS = (
    "i.id, i.queue_id, i.state, i.priority, i.agent_id, i.run_name, i.user_id, i.created_at, i.updated_at, i.error,"
    " i.warnings, i.run_spec"
)


@dataclass(frozen=True, slots=True)
class Item:
    """What waits in a queue, or did.

    Attributes:
        state: PENDING, LEASED when an agent took it, CLAIMED when its run is known, FAILED when it could not start.
        priority: less goes first; None for the usual.
        run_name: the run that came of it.
        error: JSON of ``{"message", "stage", "filePaths"}``, where it could not start.
        warnings: JSON of a list of such.
        run_spec: JSON of what the agent gets.
    """

    id: int
    queue_id: int
    state: str
    priority: int | None
    agent_id: int | None
    run_name: str | None
    user_id: int | None
    created_at: str
    updated_at: str
    error: str | None
    warnings: str
    run_spec: str


def by_id(connection: sqlite3.Connection, number: int) -> Item | None:
    """The item in this row."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM run_queue_items i WHERE i.id = ?", (number,)).fetchone()
    return None if row is None else Item(*row)


def writable(connection: sqlite3.Connection, viewer: users.User, node_id: str) -> Item:
    """The item with this id, for changing it.

    Raises:
        Refusal: there is none, or the viewer may not.
    """
    number = ids.decode(ITEM, node_id)
    item = None if number is None else by_id(connection, number)
    queue = None if item is None else queues.by_id(connection, item.queue_id)
    if item is None or queue is None:
        raise Refusal(f"id {node_id!r} is no queue item's.", 404)
    permissions.check_project(connection, viewer, queue.project_id)
    return item


def page(
    connection: sqlite3.Connection, queue_id: int, after: Sequence[Any] | None, first: int
) -> tuple[list[Item], bool]:
    """Up to `first` items of a queue behind the row number `after`, oldest first, and whether more follow."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM run_queue_items i WHERE i.queue_id = ? AND i.id > ? ORDER BY i.id LIMIT ?",
        (queue_id, after[0] if after else 0, first + 1),
    ).fetchall()
    return [Item(*row) for row in rows[:first]], len(rows) > first


def push(
    connection: sqlite3.Connection,
    viewer: users.User,
    queue: Queue,
    run_spec: str,
    *,
    priority: int | None = None,
    values: str | None = None,
) -> Item:
    """Put a run into a queue, with the queue's settings.

    Args:
        connection: the writer.
        viewer: who asks.
        queue: the queue.
        run_spec: JSON of what is to be run.
        priority: less goes first, where the queue has priorities.
        values: JSON of the template variables' values.

    Raises:
        Refusal: the spec is no object, the priority is negative, or the values do not fit their variables.
    """
    spec = json_texts.object_of(run_spec, "runSpec")
    given = json_texts.value_of(values, "templateVariableValues") if values else None
    if given is not None and not isinstance(given, dict):
        raise Refusal(f"templateVariableValues is {type(given).__name__}, expected a JSON object.")
    if priority is not None and priority < 0:
        raise Refusal(f"priority is {priority}, expected a number from 0 on; less goes first.")
    config = None if queue.config_id is None else configs.by_id(connection, queue.config_id)
    with refused():
        chosen = templates.values_of(config.variables if config else {}, given or {})
    if config is not None:
        ready = templates.filled(config.config, chosen)["resource_args"]
        spec["resource"] = config.resource
        spec["resource_args"] = _merged(ready, spec.get("resource_args") or {})
    moment = times.now()
    cursor = connection.execute(
        "INSERT INTO run_queue_items (queue_id, state, priority, user_id, created_at, updated_at, run_spec)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (queue.id, PENDING, priority, viewer.id, moment, moment, extjson.dumps(spec)),
    )
    assert cursor.lastrowid is not None
    item = by_id(connection, cursor.lastrowid)
    assert item is not None
    return item


def _merged(below: Any, above: Any) -> Any:
    """Settings over settings: objects are joined, all else replaced."""
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    joined = {key: _merged(below[key], above[key]) if key in below else above[key] for key in above}
    return {**below, **joined}


def pop(connection: sqlite3.Connection, queue: Queue, agent_id: int | None, grace: Grace) -> Item | None:
    """Take what is next: by priority where the queue has them, the oldest otherwise; None from an empty queue.

    What an agent took that has been silent for long, and did not acknowledge, is next again.
    """
    order = f"coalesce(i.priority, {_USUAL_PRIORITY}), i.id" if queue.prioritization_mode == PRIORITIES else "i.id"
    row = connection.execute(
        f"SELECT i.id FROM run_queue_items i LEFT JOIN launch_agents a ON a.id = i.agent_id WHERE i.queue_id = ?"
        f" AND (i.state = '{PENDING}' OR (i.state = '{LEASED}' AND a.heartbeat_at < ?)) ORDER BY {order} LIMIT 1",
        (queue.id, times.ago(grace.running)),
    ).fetchone()
    if row is None:
        return None
    _change(connection, row["id"], {"state": LEASED, "agent_id": agent_id})
    return by_id(connection, row["id"])


def acknowledge(connection: sqlite3.Connection, item: Item, run_name: str) -> bool:
    """Note which run came of an item; False when another one did already."""
    if item.state == CLAIMED:
        return item.run_name == run_name  # the answer may have got lost
    if item.state == FAILED:
        return False
    _change(connection, item.id, {"state": CLAIMED, "run_name": run_name})
    return True


def fail(connection: sqlite3.Connection, item: Item, message: str, stage: str, paths: Sequence[str] | None) -> None:
    """Note that an item could not be started."""
    error = {"message": message, "stage": stage, "filePaths": list(paths or ())}
    _change(connection, item.id, {"state": FAILED, "error": extjson.dumps(error)})


def warn(connection: sqlite3.Connection, item: Item, message: str, stage: str, paths: Sequence[str] | None) -> None:
    """Add a warning to an item."""
    warning = {"message": message, "stage": stage, "filePaths": list(paths or ())}
    _change(connection, item.id, {"warnings": extjson.dumps([*extjson.loads(item.warnings), warning])})


def delete(connection: sqlite3.Connection, item: Item) -> None:
    """Take an item out of its queue."""
    connection.execute("DELETE FROM run_queue_items WHERE id = ?", (item.id,))


def _change(connection: sqlite3.Connection, number: int, values: Mapping[str, Any]) -> None:
    values = {"updated_at": times.now(), **values}
    assignments = ", ".join(f"{column} = ?" for column in values)
    connection.execute(f"UPDATE run_queue_items SET {assignments} WHERE id = ?", (*values.values(), number))


def state_now(connection: sqlite3.Connection, item: Item, grace: Grace) -> str:
    """An item's state; that of one whose run has ended says how."""
    if item.state != CLAIMED or item.run_name is None:
        return item.state
    spec = extjson.loads(item.run_spec)
    entity, name = spec.get("entity"), spec.get("project")
    project = projects.find(connection, entity, name) if isinstance(entity, str) and isinstance(name, str) else None
    run = None if project is None else runs.find(connection, project.id, item.run_name, grace, documents=False)
    if run is None or run.state not in ("finished", "failed", "crashed", "killed"):
        return item.state
    return FINISHED if run.state == "finished" else FAILED
