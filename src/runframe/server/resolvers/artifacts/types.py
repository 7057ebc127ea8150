"""Types of artifacts."""

from __future__ import annotations

from typing import Any

from ariadne import ObjectType

from runframe.server import cursors
from runframe.server.context import Info
from runframe.server.resolvers.artifacts.collections import collection_connection
from runframe.server.resolvers.artifacts.finding import membership_named
from runframe.server.resolvers.connections import connection_of
from runframe.server.store import ids, projects
from runframe.server.store.artifacts import collections, types, versions
from runframe.server.store.artifacts.collections import Collection
from runframe.server.store.artifacts.types import ArtifactType
from runframe.server.store.artifacts.versions import Artifact

project_type = ObjectType("Project")
type_type = ObjectType("ArtifactType")


@project_type.field("artifactType")
def _resolve_type(project: projects.Project, info: Info, name: str) -> ArtifactType | None:
    return types.find(info.context.connection, project.id, name)


@project_type.field("artifactTypes")
def _resolve_types(
    project: projects.Project,
    info: Info,
    after: str | None = None,
    first: int | None = None,
    includeAll: bool | None = None,
) -> dict[str, Any]:
    connection = info.context.connection

    def fetch(cursor: str | None, limit: int) -> tuple[list[ArtifactType], bool]:
        point = cursors.decode(cursor, str)
        return types.page(connection, project.id, point[0] if point else None, limit)

    page = connection_of(fetch, lambda found: cursors.encode(found.name), after, first)
    return page | {"totalCount": types.count(connection, project.id)}


@type_type.field("id")
def _resolve_id(found: ArtifactType, _: Info) -> str:
    return ids.encode("ArtifactType", found.id)


@type_type.field("project")
def _resolve_project(found: ArtifactType, info: Info) -> projects.Project | None:
    return info.context.project(found.project_id)


@type_type.field("artifactCollection")
def _resolve_collection(found: ArtifactType, info: Info, name: str) -> Collection | None:
    collection = collections.find(info.context.connection, found.project_id, name)
    return collection if collection is not None and collection.type_id == found.id else None


@type_type.field("artifactCollections")
def _resolve_collections(
    found: ArtifactType,
    info: Info,
    after: str | None = None,
    first: int | None = None,
    filters: str | None = None,
    order: str | None = None,
) -> dict[str, Any]:
    return collection_connection(info, "c.type_id", found.id, after, first, filters, order)


@type_type.field("artifact")
def _resolve_artifact(found: ArtifactType, info: Info, name: str) -> Artifact | None:
    connection, project = info.context.connection, info.context.project(found.project_id)
    membership = None if project is None else membership_named(info.context, project, name)
    collection = None if membership is None else collections.by_id(connection, membership.collection_id)
    if membership is None or collection is None or collection.type_id != found.id:
        return None
    return versions.by_id(connection, membership.artifact_id)


type_type.set_alias("createdAt", "created_at")

BINDABLES = (project_type, type_type)
