"""Automations and integrations: this server has none, and the questions for them are answered so."""

from __future__ import annotations

from typing import Any

from ariadne import ObjectType, UnionType

from runframe.server.context import Info

project_type = ObjectType("Project")
entity_type = ObjectType("Entity")
_UNIONS = ("TriggerScope", "TriggeringCondition", "TriggeredAction", "Integration")


def _none(*_: object) -> None:
    """There is no value whose type could be asked for."""


@project_type.field("triggers")
def _resolve_project_triggers(*_: object) -> list[Any]:
    return []


@entity_type.field("triggers")
@entity_type.field("integrations")
def _resolve_empty(owner: object, info: Info, **arguments: object) -> dict[str, Any]:
    return {"edges": [], "pageInfo": {"endCursor": None, "hasNextPage": False}}


BINDABLES = (project_type, entity_type, *(UnionType(name, _none) for name in _UNIONS))
