"""Queues: finding, making, changing and deleting them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runframe.server.errors import Refusal
from runframe.server.store import ids, json_texts, times, users
from runframe.server.store.accounts import permissions
from runframe.server.store.projects import Project
from runframe.server.store.queues import configs

QUEUE = "RunQueue"
CONFIG = "DefaultResourceConfig"
#: The mode in which items with a smaller priority number go first; otherwise the oldest does.
PRIORITIES = "V0"
_LONGEST = 64
_COLUMNS = (
    "q.id, q.project_id, q.name, q.access, q.prioritization_mode, q.config_id, q.external_links, q.user_id,"
    " q.created_at, q.updated_at"
)


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue.

    Attributes:
        access: PROJECT or USER.
        prioritization_mode: DISABLED or V0.
        config_id: the row of its settings.
        external_links: JSON of ``{"links": [{"label", "url"}]}``.
    """

    id: int
    project_id: int
    name: str
    access: str
    prioritization_mode: str
    config_id: int | None
    external_links: str
    user_id: int | None
    created_at: str
    updated_at: str


def find(connection: sqlite3.Connection, project_id: int, name: str) -> Queue | None:
    """The project's queue of this name."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM run_queues q WHERE q.project_id = ? AND q.name = ?", (project_id, name)
    ).fetchone()
    return None if row is None else Queue(*row)


def by_id(connection: sqlite3.Connection, number: int) -> Queue | None:
    """The queue in this row."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM run_queues q WHERE q.id = ?", (number,)).fetchone()
    return None if row is None else Queue(*row)


def writable(connection: sqlite3.Connection, viewer: users.User, node_id: str) -> Queue:
    """The queue with this id, for changing it or what is in it.

    Raises:
        Refusal: there is none, or the viewer may not.
    """
    number = ids.decode(QUEUE, node_id)
    queue = None if number is None else by_id(connection, number)
    if queue is None:
        raise Refusal(f"id {node_id!r} is no queue's.", 404)
    permissions.check_project(connection, viewer, queue.project_id)
    return queue


def of_project(connection: sqlite3.Connection, project_id: int) -> list[Queue]:
    """A project's queues, oldest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM run_queues q WHERE q.project_id = ? ORDER BY q.id", (project_id,)
    )
    return [Queue(*row) for row in rows]


def create(connection: sqlite3.Connection, viewer: users.User, project: Project, fields: Mapping[str, Any]) -> Queue:
    """A new queue.

    Args:
        connection: the writer.
        viewer: who asks.
        project: where.
        fields: the fields of ``CreateRunQueueInput``.

    Raises:
        Refusal: the name cannot be one or is taken, or the settings are not of the same entity.
    """
    config_id = None
    if fields.get("defaultResourceConfigID"):
        config_id = ids.decode(CONFIG, fields["defaultResourceConfigID"])
        config = None if config_id is None else configs.by_id(connection, config_id)
        if config is None or config.entity_id != project.entity_id:
            raise Refusal(f"id {fields['defaultResourceConfigID']!r} names no settings of {project.entity!r}.", 404)
    if find(connection, project.id, fields["queueName"]) is not None:
        raise Refusal(f"There is a queue {fields['queueName']!r} in {project.entity}/{project.name} already.", 409)
    mode = fields.get("prioritizationMode") or "DISABLED"
    return _insert(connection, viewer, project, fields["queueName"], fields["access"], mode, config_id)


def _insert(
    connection: sqlite3.Connection,
    viewer: users.User,
    project: Project,
    name: str,
    access: str,
    mode: str,
    config_id: int | None,
) -> Queue:
    if not users.valid_name(name) or len(name) > _LONGEST:
        raise Refusal(f"{name!r} cannot be the name of a queue: expected 1 to {_LONGEST} characters, no '/'.")
    moment = times.now()
    connection.execute(
        "INSERT INTO run_queues (project_id, name, access, prioritization_mode, config_id, external_links, user_id,"
        """ created_at, updated_at) VALUES (?, ?, ?, ?, ?, '{"links":[]}', ?, ?, ?)""",
        (project.id, name, access, mode, config_id, viewer.id, moment, moment),
    )
    queue = find(connection, project.id, name)
    assert queue is not None
    return queue


def upsert(
    connection: sqlite3.Connection, viewer: users.User, project: Project, fields: Mapping[str, Any]
) -> tuple[Queue, list[str]]:
    """Make a queue, or give one other settings; what waits in it keeps those that it was queued with.

    Args:
        connection: the writer.
        viewer: who asks.
        project: where.
        fields: the fields of ``UpsertRunQueueInput``.

    Returns:
        The queue, and a sentence for each thing in the settings that has no effect.

    Raises:
        Refusal: the name or the settings cannot be some.
    """
    config_id, remarks = configs.create(
        connection,
        project.entity_id,
        fields["resourceType"],
        fields["resourceConfig"],
        fields.get("templateVariables"),
    )
    links = fields.get("externalLinks")
    if links is not None:
        json_texts.object_of(links, "externalLinks")
    queue = find(connection, project.id, fields["queueName"])
    if queue is None:
        queue = _insert(connection, viewer, project, fields["queueName"], "PROJECT", "DISABLED", config_id)
    connection.execute(
        "UPDATE run_queues SET config_id = ?, prioritization_mode = coalesce(?, prioritization_mode),"
        " external_links = coalesce(?, external_links), updated_at = ? WHERE id = ?",
        (config_id, fields.get("prioritizationMode"), links, times.now(), queue.id),
    )
    changed = by_id(connection, queue.id)
    assert changed is not None
    return changed, remarks


def delete(connection: sqlite3.Connection, queue: Queue) -> None:
    """Delete a queue with all that is in it."""
    connection.execute("DELETE FROM run_queues WHERE id = ?", (queue.id,))
