"""The settings that queues start runs with, one kind of resource each."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from runframe import extjson, templates
from runframe.server.errors import Refusal
from runframe.server.store import json_texts, times
from runframe.server.store.queues.refusals import refused
from runframe.templates import Variable

RESOURCES = ("local-container", "local-process", "kubernetes", "sagemaker", "gcp-vertex")


@dataclass(frozen=True, slots=True)
class ResourceConfig:
    """Settings.

    Attributes:
        entity_id: whose they are.
        resource: one of `RESOURCES`.
        config: ``{"resource_args": {resource: {…}}}``, with ``{{name}}`` for template variables.
        variables: the template variables by their names.
    """

    id: int
    entity_id: int
    resource: str
    config: dict[str, Any]
    variables: dict[str, Variable]


def by_id(connection: sqlite3.Connection, number: int) -> ResourceConfig | None:
    """The settings in this row."""
    row = connection.execute("SELECT * FROM resource_configs WHERE id = ?", (number,)).fetchone()
    if row is None:
        return None
    variables = templates.read_variables(extjson.loads(row["template_variables"]))
    return ResourceConfig(row["id"], row["entity_id"], row["resource"], extjson.loads(row["config"]), variables)


def create(
    connection: sqlite3.Connection, entity_id: int, resource: str, config: str, variables: str | None
) -> tuple[int, list[str]]:
    """New settings.

    Args:
        connection: the writer.
        entity_id: whose they are.
        resource: one of `RESOURCES`.
        config: JSON of ``{"resource_args": {resource: {…}}}``.
        variables: JSON of ``{name: {"schema": {…}}}``, or None for no variables.

    Returns:
        Their row, and a sentence for each thing in them that has no effect.

    Raises:
        Refusal: the resource is not known, or config and variables have not their form or do not fit together.
    """
    if resource not in RESOURCES:
        raise Refusal(f"resource is {resource!r}, expected one of {', '.join(RESOURCES)}.")
    settings = json_texts.object_of(config, "config")
    arguments = settings.get("resource_args")
    if not isinstance(arguments, dict):
        raise Refusal("config has no 'resource_args', expected {'resource_args': {'" + resource + "': {…}}}.")
    declared = json_texts.value_of(variables, "templateVariables") if variables else None
    with refused():
        remarks = templates.check_macros(settings, templates.read_variables(declared))
    remarks += [f"settings for {name!r} are for another resource" for name in arguments if name != resource]
    cursor = connection.execute(
        "INSERT INTO resource_configs (entity_id, resource, config, template_variables, created_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (entity_id, resource, extjson.dumps(settings), extjson.dumps(declared or {}), times.now()),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid, remarks
