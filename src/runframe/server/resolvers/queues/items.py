"""What waits in queues."""

from __future__ import annotations

import sqlite3
from typing import Any

from ariadne import MutationType, ObjectType

from runframe import extjson
from runframe.server.context import Info
from runframe.server.errors import Refusal
from runframe.server.store import ids, projects, users
from runframe.server.store.accounts import permissions
from runframe.server.store.queues import items, launch_agents, queues
from runframe.server.store.queues.items import ITEM, Item
from runframe.server.store.queues.queues import Queue

mutation = MutationType()
item_type = ObjectType("RunQueueItem")


@item_type.field("id")
def _resolve_id(item: Item, _: Info) -> str:
    return ids.encode(ITEM, item.id)


@item_type.field("state")
def _resolve_state(item: Item, info: Info) -> str:
    return items.state_now(info.context.connection, item, info.context.store.grace)


@item_type.field("error")
def _resolve_error(item: Item, _: Info) -> Any:
    return None if item.error is None else extjson.loads(item.error)


@item_type.field("warnings")
def _resolve_warnings(item: Item, _: Info) -> Any:
    return extjson.loads(item.warnings)


@mutation.field("pushToRunQueueByName")
def _resolve_push_by_name(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        queue = _named(connection, context.viewer, input)
        return _pushed(connection, context.viewer, queue, input)


@mutation.field("pushToRunQueue")
def _resolve_push(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        queue = queues.writable(connection, context.viewer, input["queueID"])
        return _pushed(connection, context.viewer, queue, input)


def _pushed(connection: sqlite3.Connection, viewer: users.User, queue: Queue, fields: dict[str, Any]) -> dict[str, Any]:
    item = items.push(
        connection,
        viewer,
        queue,
        fields["runSpec"],
        priority=fields.get("priority"),
        values=fields.get("templateVariableValues"),
    )
    return {"runQueueItemId": ids.encode(ITEM, item.id), "runSpec": item.run_spec}


def _named(connection: sqlite3.Connection, viewer: users.User, fields: dict[str, Any]) -> Queue:
    """The queue that is named by entity, project and name, for changing what is in it."""
    entity, name = fields["entityName"], fields["projectName"]
    project = projects.find(connection, entity, name)
    queue = None if project is None else queues.find(connection, project.id, fields["queueName"])
    if project is None or queue is None:
        raise Refusal(f"There is no queue {fields['queueName']!r} in {entity}/{name}.", 404)
    permissions.check_project(connection, viewer, project.id)
    return queue


@mutation.field("popFromRunQueue")
def _resolve_pop(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any] | None:
    context = info.context
    with context.store.write() as connection:
        queue = _named(connection, context.viewer, input)
        agent = None
        if input.get("launchAgentId"):
            agent = launch_agents.heard(connection, context.viewer, input["launchAgentId"])
        item = items.pop(connection, queue, agent.id if agent else None, context.store.grace)
    if item is None:
        return None
    return {"runQueueItemId": ids.encode(ITEM, item.id), "runSpec": extjson.loads(item.run_spec)}


@mutation.field("ackRunQueueItem")
def _resolve_acknowledge(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        item = items.writable(connection, context.viewer, input["runQueueItemId"])
        success = items.acknowledge(connection, item, input["runName"])
    return {"success": success}


@mutation.field("failRunQueueItem")
def _resolve_fail(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        item = items.writable(connection, context.viewer, input["runQueueItemId"])
        items.fail(connection, item, input["message"], input["stage"], input.get("filePaths"))
    return {"success": True}


@mutation.field("updateRunQueueItemWarning")
def _resolve_warn(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        item = items.writable(connection, context.viewer, input["runQueueItemId"])
        items.warn(connection, item, input["message"], input["stage"], input.get("filePaths"))
    return {"success": True}


@mutation.field("deleteFromRunQueue")
def _resolve_delete(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        queue = queues.writable(connection, context.viewer, input["queueID"])
        item = items.writable(connection, context.viewer, input["runQueueItemId"])
        if item.queue_id != queue.id:
            raise Refusal(f"Item {input['runQueueItemId']!r} is not in the queue {queue.name!r}.", 404)
        items.delete(connection, item)
    return {"success": True, "clientMutationId": input.get("clientMutationId")}


for _field, _attribute in {
    "associatedRunId": "run_name",
    "runSpec": "run_spec",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
}.items():
    item_type.set_alias(_field, _attribute)

BINDABLES = (mutation, item_type)
