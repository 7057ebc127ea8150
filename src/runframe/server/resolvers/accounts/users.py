"""People and their keys."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType, QueryType

from runframe.server.context import Info
from runframe.server.resolvers.account import project_connection
from runframe.server.store import ids, users
from runframe.server.store.accounts import finding, keys, people, permissions

query = QueryType()
mutation = MutationType()
user_type = ObjectType("User")


@query.field("users")
def _resolve_users(_: None, info: Info, query: str | None = None) -> dict[str, Any]:
    context = info.context
    permissions.check_admin(context.viewer, "search for people")
    return {"edges": [{"node": user} for user in finding.search(context.connection, query)]}


@user_type.field("projects")
def _resolve_projects(
    user: users.User, info: Info, after: str | None = None, first: int | None = None
) -> dict[str, Any]:
    return project_connection(info.context, user.entity_id, after, first)


@mutation.field("createUser")
def _resolve_create(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    permissions.check_admin(context.viewer, "add users")
    with context.store.write() as connection:
        user = people.add_by_email(connection, input["email"], admin=bool(input.get("admin")))
    return {"user": user}


@mutation.field("generateApiKey")
def _resolve_generate(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        key = keys.generate(connection, context.viewer, input.get("description"))
    return {"apiKey": key}


@mutation.field("deleteApiKey")
def _resolve_delete(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        keys.delete(connection, context.viewer, ids.decode("ApiKey", input["id"]), input["id"])
    return {"success": True}


BINDABLES = (query, mutation, user_type)
