"""Presets of custom charts."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType

from runframe.server.context import Info
from runframe.server.store import users
from runframe.server.store.views import charts

mutation = MutationType()
entity_type = ObjectType("Entity")
chart_type = ObjectType("CustomChart")


@entity_type.field("customCharts")
def _resolve_charts(entity: users.Entity, info: Info) -> list[charts.Chart]:
    return charts.of_entity(info.context.connection, entity)


@mutation.field("createCustomChart")
def _resolve_create(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        chart = charts.create(connection, context.viewer, input)
    return {"chart": chart}


chart_type.set_alias("displayName", "display_name")
chart_type.set_alias("type", "kind")
chart_type.set_alias("createdAt", "created_at")

BINDABLES = (mutation, entity_type, chart_type)
