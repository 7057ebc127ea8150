"""Making launch queues, and giving them other settings."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, get_args

from runframe import extjson, templates
from runframe.errors import CommError, QueueError
from runframe.resources.client import Client
from runframe.resources.queues.item import LAUNCH_PROJECT
from runframe.resources.queues.queue import RunQueue, RunQueueResourceType

LONGEST_NAME = 64
RESOURCES = get_args(RunQueueResourceType)

logger = logging.getLogger(__name__)


def create(
    client: Client,
    name: str,
    resource: str,
    entity: str | None = None,
    prioritization_mode: str | None = None,
    config: Mapping[str, Any] | None = None,
    template_variables: Mapping[str, Any] | None = None,
) -> RunQueue:
    """A new queue; see `Api.create_run_queue`."""
    entity = _entity(client, entity)
    _check_name(name)
    _check_resource(resource)
    mode = _mode(prioritization_mode, ("V0",)) if prioritization_mode else None
    settings = _settings(config, "config")
    variables = _variables(template_variables)
    _ensure_project(client, entity)
    made = client.query(
        "queues",
        "CreateDefaultResourceConfig",
        {
            "entityName": entity,
            "resource": resource,
            "config": extjson.dumps({"resource_args": {resource: settings}}),
            "templateVariables": variables or "{}",
        },
    ).get("createDefaultResourceConfig")
    if not made or not made["success"]:
        raise CommError(f"the settings of the queue {name!r} could not be made")
    config_id = made["defaultResourceConfigID"]
    queue = client.query(
        "queues",
        "CreateRunQueue",
        {
            "entityName": entity,
            "projectName": LAUNCH_PROJECT,
            "queueName": name,
            "access": "PROJECT",
            "prioritizationMode": mode,
            "defaultResourceConfigID": config_id,
        },
    ).get("createRunQueue")
    if not queue or not queue["success"]:
        raise CommError(f"the queue {name!r} could not be made")
    return RunQueue(client, name, entity, mode, "PROJECT", config_id, settings)


def upsert(
    client: Client,
    name: str,
    resource_config: Mapping[str, Any] | None,
    resource_type: str,
    entity: str | None = None,
    template_variables: Mapping[str, Any] | None = None,
    external_links: Mapping[str, str] | None = None,
    prioritization_mode: str | None = None,
) -> RunQueue:
    """A queue with these settings, made if it is not there; see `Api.upsert_run_queue`."""
    entity = _entity(client, entity)
    _check_name(name)
    mode = _mode(prioritization_mode or "DISABLED", ("V0", "DISABLED"))
    _check_resource(resource_type)
    settings = _settings(resource_config, "resource_config")
    variables = _variables(template_variables)
    links = _links(external_links)
    _ensure_project(client, entity)
    done = client.query(
        "queues",
        "UpsertRunQueue",
        {
            "entityName": entity,
            "projectName": LAUNCH_PROJECT,
            "queueName": name,
            "resourceType": resource_type,
            "resourceConfig": extjson.dumps({"resource_args": {resource_type: settings}}),
            "templateVariables": variables,
            "prioritizationMode": mode,
            "externalLinks": extjson.dumps(links),
        },
    ).get("upsertRunQueue")
    if not done or not done["success"]:
        raise CommError(f"the queue {name!r} could not be made or changed")
    for remark in done["configSchemaValidationErrors"] or []:
        logger.warning("the settings of the queue %s/%s: %s", entity, name, remark)
    return RunQueue(client, name, entity)


def _entity(client: Client, entity: str | None) -> str:
    found = client.default_entity() if entity is None else entity
    if not found:
        raise QueueError("no entity for the queue: pass entity=, or set WANDB_ENTITY")
    return found


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not name:
        raise QueueError(f"a queue can't be called {name!r}: give it a name of 1 to {LONGEST_NAME} characters")
    if len(name) > LONGEST_NAME:
        raise QueueError(f"a queue can't be called {name!r}: that is longer than {LONGEST_NAME} characters")


def _check_resource(resource: str) -> None:
    if resource not in RESOURCES:
        raise QueueError(f"the type of a queue can't be {resource!r}: choose one of {', '.join(map(repr, RESOURCES))}")


def _mode(mode: Any, allowed: tuple[str, ...]) -> str:
    chosen = str(mode).upper()
    if chosen not in allowed:
        raise QueueError(f"prioritization_mode is {mode!r}, expected {' or '.join(map(repr, allowed))}, or None")
    return chosen


def _settings(config: Mapping[str, Any] | None, argument: str) -> dict[str, Any]:
    if config is None:
        return {}
    if not isinstance(config, Mapping):
        raise QueueError(f"{argument} is {config!r}, expected a dict of what runs are started with")
    return dict(config)


def _variables(given: Mapping[str, Any] | None) -> str | None:
    """Template variables as JSON text; None where there are none."""
    templates.read_variables(given)
    return extjson.dumps(given) if given else None


def _links(given: Mapping[str, str] | None) -> dict[str, Any]:
    """Links as servers keep them."""
    if given is not None and not isinstance(given, Mapping):
        raise QueueError(f"external_links is {given!r}, expected a dict {{name: url}}")
    return {"links": [{"label": label, "url": url} for label, url in (given or {}).items()]}


def _ensure_project(client: Client, entity: str) -> None:
    """Queues are in a project of their own, which may not be there yet."""
    client.query("projects", "CreateProject", {"input": {"name": LAUNCH_PROJECT, "entityName": entity}})
