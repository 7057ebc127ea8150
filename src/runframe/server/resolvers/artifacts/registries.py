"""Registries belong to organizations, and this server has none: the questions that lead to them are answered so."""

from __future__ import annotations

from ariadne import ObjectType, QueryType

from runframe.server.context import Info
from runframe.server.store import projects, users

query = QueryType()
entity_type = ObjectType("Entity")
user_type = ObjectType("User")
project_type = ObjectType("Project")


@query.field("organization")
def _resolve_organization(_: None, info: Info, name: str) -> None:
    return None


@entity_type.field("user")
def _resolve_user(entity: users.Entity, info: Info) -> users.User | None:
    return users.find_user(info.context.connection, entity.name) if entity.kind == "user" else None


@user_type.field("organizations")
def _resolve_organizations(user: users.User, _: Info) -> list[None]:
    return []


@project_type.field("allowAllArtifactTypesInRegistry")
def _resolve_allow_all(project: projects.Project, _: Info) -> bool:
    return True


BINDABLES = (query, entity_type, user_type, project_type)
