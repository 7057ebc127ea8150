"""Queues and their settings."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType

from runframe import extjson
from runframe.server import cursors
from runframe.server.context import Info
from runframe.server.resolvers.connections import connection_of
from runframe.server.store import ids, projects, upsert, users
from runframe.server.store.accounts import permissions
from runframe.server.store.queues import configs, items, queues
from runframe.server.store.queues.configs import ResourceConfig
from runframe.server.store.queues.items import Item
from runframe.server.store.queues.queues import CONFIG, QUEUE, Queue

mutation = MutationType()
project_type = ObjectType("Project")
entity_type = ObjectType("Entity")
queue_type = ObjectType("RunQueue")
config_type = ObjectType("DefaultResourceConfig")


@project_type.field("runQueues")
def _resolve_queues(project: projects.Project, info: Info) -> list[Queue]:
    return queues.of_project(info.context.connection, project.id)


@project_type.field("runQueue")
def _resolve_queue(project: projects.Project, info: Info, name: str) -> Queue | None:
    return queues.find(info.context.connection, project.id, name)


@entity_type.field("defaultResourceConfig")
def _resolve_config(entity: users.Entity, info: Info, id: str) -> ResourceConfig | None:
    number = ids.decode(CONFIG, id)
    config = None if number is None else configs.by_id(info.context.connection, number)
    return config if config is not None and config.entity_id == entity.id else None


@queue_type.field("id")
def _resolve_id(queue: Queue, _: Info) -> str:
    return ids.encode(QUEUE, queue.id)


@queue_type.field("createdBy")
def _resolve_created_by(queue: Queue, info: Info) -> str | None:
    """The entity of who made it: clients compare it with their default entity."""
    user = info.context.user(queue.user_id)
    return None if user is None else user.entity


@queue_type.field("defaultResourceConfigID")
def _resolve_config_id(queue: Queue, _: Info) -> str | None:
    return None if queue.config_id is None else ids.encode(CONFIG, queue.config_id)


@queue_type.field("externalLinks")
def _resolve_links(queue: Queue, _: Info) -> Any:
    return extjson.loads(queue.external_links)


@queue_type.field("runQueueItems")
def _resolve_items(queue: Queue, info: Info, after: str | None = None, first: int | None = None) -> dict[str, Any]:
    return connection_of(
        lambda cursor, limit: items.page(info.context.connection, queue.id, cursors.decode(cursor, int), limit),
        lambda item: cursors.encode(item.id),
        after,
        first,
    )


@queue_type.field("runQueueItem")
def _resolve_item(queue: Queue, info: Info, id: str) -> Item | None:
    number = ids.decode(items.ITEM, id)
    item = None if number is None else items.by_id(info.context.connection, number)
    return item if item is not None and item.queue_id == queue.id else None


@config_type.field("id")
def _resolve_own_id(config: ResourceConfig, _: Info) -> str:
    return ids.encode(CONFIG, config.id)


@config_type.field("templateVariables")
def _resolve_variables(config: ResourceConfig, _: Info) -> list[dict[str, str]]:
    return [{"name": name, "schema": extjson.dumps(one.schema)} for name, one in config.variables.items()]


@mutation.field("createDefaultResourceConfig")
def _resolve_create_config(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        entity = permissions.writable(connection, context.viewer, input["entityName"])
        number, _remarks = configs.create(
            connection, entity.id, input["resource"], input["config"], input.get("templateVariables")
        )
    return {"defaultResourceConfigID": ids.encode(CONFIG, number), "success": True}


@mutation.field("createRunQueue")
def _resolve_create(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        project = upsert.ensure_project(connection, context.viewer, input["entityName"], input["projectName"])
        queue = queues.create(connection, context.viewer, project, input)
    return {"success": True, "queueID": ids.encode(QUEUE, queue.id)}


@mutation.field("upsertRunQueue")
def _resolve_upsert(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        project = upsert.ensure_project(connection, context.viewer, input["entityName"], input["projectName"])
        queue, remarks = queues.upsert(connection, context.viewer, project, input)
    node_id = ids.encode(QUEUE, queue.id)
    return {
        "clientMutationId": input.get("clientMutationId"),
        "success": True,
        "queueID": node_id,
        "configSchemaValidationErrors": remarks,
    }


@mutation.field("deleteRunQueues")
def _resolve_delete(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        for node_id in input["queueIDs"]:
            queues.delete(connection, queues.writable(connection, context.viewer, node_id))
    return {"success": True, "clientMutationId": input.get("clientMutationId")}


for _field, _attribute in {
    "prioritizationMode": "prioritization_mode",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
}.items():
    queue_type.set_alias(_field, _attribute)

BINDABLES = (mutation, project_type, entity_type, queue_type, config_type)
