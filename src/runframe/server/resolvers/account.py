"""Who asks, entities, and what the server says of itself."""

from __future__ import annotations

from typing import Any

from ariadne import ObjectType, QueryType

from runframe.server import cursors, features
from runframe.server.context import Context, Info
from runframe.server.errors import Refusal
from runframe.server.resolvers.connections import connection_of
from runframe.server.store import ids, projects, users

query = QueryType()
user_type = ObjectType("User")
entity_type = ObjectType("Entity")
key_type = ObjectType("ApiKey")


@query.field("viewer")
def _resolve_viewer(_: None, info: Info) -> users.User:
    context = info.context
    return context.viewer


@query.field("serverInfo")
def _resolve_server_info(_: None, info: Info) -> dict[str, Any]:
    enabled = [{"name": name, "isEnabled": True} for name in features.ENABLED]
    return {"features": enabled, "cliVersionInfo": {"max_cli_version": "99.0.0"}, "latestLocalVersionInfo": None}


@query.field("entity")
def _resolve_entity(_: None, info: Info, name: str | None = None) -> users.Entity | None:
    context = info.context
    return users.find_entity(context.connection, name or context.viewer.entity)


@user_type.field("id")
def _resolve_user_id(user: users.User, _: Info) -> str:
    return ids.encode("User", user.id)


@user_type.field("flags")
def _resolve_flags(user: users.User, _: Info) -> str:
    return "{}"


@user_type.field("teams")
def _resolve_teams(user: users.User, info: Info) -> dict[str, Any]:
    context = info.context
    return {"edges": [{"node": entity} for entity in users.teams_of(context.connection, user)]}


@user_type.field("apiKeys")
def _resolve_api_keys(user: users.User, info: Info) -> dict[str, Any] | None:
    context = info.context
    if user.id != context.viewer.id and not context.viewer.admin:
        return None
    return {"edges": [{"node": key} for key in users.keys_of(context.connection, user.id)]}


@key_type.field("id")
def _resolve_key_id(key: users.ApiKey, _: Info) -> str:
    return ids.encode("ApiKey", key.id)


@entity_type.field("id")
def _resolve_entity_id(entity: users.Entity, _: Info) -> str:
    return ids.encode("Entity", entity.id)


@entity_type.field("isTeam")
def _resolve_is_team(entity: users.Entity, _: Info) -> bool:
    return entity.kind == "team"


@entity_type.field("project")
def _resolve_entity_project(entity: users.Entity, info: Info, name: str | None = None) -> projects.Project | None:
    context = info.context
    return None if name is None else projects.find(context.connection, entity.name, name)


@entity_type.field("projects")
def _resolve_entity_projects(
    entity: users.Entity,
    info: Info,
    after: str | None = None,
    first: int | None = None,
    filters: str | None = None,
    order: str | None = None,
) -> dict[str, Any]:
    if filters not in (None, "", "{}") or order:
        raise Refusal("This server lists all projects of an entity, newest first: it takes no filters or order there.")
    return project_connection(info.context, entity.id, after, first)


def project_connection(context: Context, entity_id: int, after: str | None, first: int | None) -> dict[str, Any]:
    """A page of an entity's projects."""
    return connection_of(
        lambda cursor, limit: projects.page(context.connection, entity_id, cursors.decode(cursor, str, int), limit),
        lambda project: cursors.encode(project.created_at, project.id),
        after,
        first,
    )


entity_type.set_alias("createdAt", "created_at")
entity_type.set_alias("entityType", "kind")
key_type.set_alias("name", "hint")
key_type.set_alias("createdAt", "created_at")
user_type.set_alias("createdAt", "created_at")

BINDABLES = (query, user_type, entity_type, key_type)
