"""Reports and workspaces."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType, QueryType

from runframe.server import cursors
from runframe.server.context import Info
from runframe.server.errors import Refusal
from runframe.server.resolvers.connections import connection_of
from runframe.server.store import ids, projects, users
from runframe.server.store.accounts import permissions
from runframe.server.store.views import tokens, views
from runframe.server.store.views.views import VIEW, View

query = QueryType()
mutation = MutationType()
project_type = ObjectType("Project")
view_type = ObjectType("View")
token_type = ObjectType("AccessToken")


@query.field("view")
def _resolve_view(_: None, info: Info, id: str) -> View | None:
    return views.by_node_id(info.context.connection, id)


@project_type.field("allViews")
def _resolve_all(
    project: projects.Project,
    info: Info,
    viewType: str | None = None,
    viewName: str | None = None,
    userName: str | None = None,
    after: str | None = None,
    first: int | None = None,
) -> dict[str, Any]:
    return connection_of(
        lambda cursor, limit: views.page(
            info.context.connection,
            project.id,
            kind=viewType,
            name=viewName,
            username=userName,
            after=cursors.decode(cursor, int),
            first=limit,
        ),
        lambda view: cursors.encode(view.id),
        after,
        first,
    )


@view_type.field("id")
def _resolve_id(view: View, _: Info) -> str:
    return ids.encode(VIEW, view.id)


@view_type.field("project")
def _resolve_project(view: View, info: Info) -> projects.Project | None:
    return info.context.project(view.project_id)


@view_type.field("user")
def _resolve_user(view: View, info: Info) -> users.User | None:
    return info.context.user(view.user_id)


@view_type.field("accessTokens")
def _resolve_tokens(view: View, info: Info) -> list[tokens.Token]:
    """For those alone who may make and revoke them."""
    return tokens.of_view(info.context.connection, view) if info.context.may_write(view.project_id) else []


@token_type.field("type")
def _resolve_type(token: tokens.Token, _: Info) -> str:
    return "PUBLIC"


@mutation.field("upsertView")
def _resolve_upsert(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        view, inserted = views.upsert(connection, context.viewer, input)
    return {"view": view, "inserted": inserted}


@mutation.field("deleteView")
def _resolve_delete(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        views.delete(connection, context.viewer, input["id"])
    return {"success": True, "pendingDrafts": False}


@mutation.field("createAccessToken")
def _resolve_create_token(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        view = views.by_node_id(connection, input["viewId"])
        if view is None:
            raise Refusal(f"id {input['viewId']!r} is no view's.", 404)
        permissions.check_project(connection, context.viewer, view.project_id)
        token = tokens.create(connection, view, input["projects"])
    return {"accessToken": token}


@mutation.field("updateAccessTokenProjects")
def _resolve_update_token(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        tokens.set_projects(connection, context.viewer, input["token"], input["projects"])
    return {"success": True}


@mutation.field("revokeAccessToken")
def _resolve_revoke_token(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        tokens.revoke(connection, context.viewer, input["token"])
    return {"success": True}


for _field, _attribute in {
    "type": "kind",
    "displayName": "display_name",
    "createdUsing": "created_using",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
}.items():
    view_type.set_alias(_field, _attribute)
token_type.set_alias("revokedAt", "revoked_at")

BINDABLES = (query, mutation, project_type, view_type, token_type)
