"""Collections of artifact versions: reading, renaming, moving, tagging and deleting them."""

from __future__ import annotations

from typing import Any

from ariadne import InterfaceType, MutationType, ObjectType, QueryType

from runframe.server import cursors
from runframe.server.context import Info
from runframe.server.resolvers.artifacts.finding import COLLECTION, collection_of, named_collection
from runframe.server.resolvers.connections import connection_of
from runframe.server.selection import selects
from runframe.server.store import ids, projects
from runframe.server.store.artifacts import (
    aliases,
    collections,
    memberships,
    names,
    pages,
    tags,
    types,
    versions,
    vocabulary,
)
from runframe.server.store.artifacts.aliases import Alias
from runframe.server.store.artifacts.collections import PORTFOLIO, SEQUENCE, Collection
from runframe.server.store.artifacts.memberships import Membership
from runframe.server.store.artifacts.versions import Artifact

query = QueryType()
mutation = MutationType()
project_type = ObjectType("Project")
sequence_type = ObjectType("ArtifactSequence")
alias_type = ObjectType("ArtifactAlias")
tag_type = ObjectType("Tag")


def _kind_of(collection: Collection, *_: object) -> str:
    return "ArtifactPortfolio" if collection.kind == PORTFOLIO else "ArtifactSequence"


collection_type = InterfaceType("ArtifactCollection", _kind_of)


def collection_connection(
    info: Info, column: str, number: int, after: str | None, first: int | None, filters: str | None, order: str | None
) -> dict[str, Any]:
    """A page of the collections that have a number in a column."""
    connection = info.context.connection
    condition = pages.also(column, number, vocabulary.COLLECTIONS.condition(filters))
    sorting = vocabulary.COLLECTIONS.order(order)
    page = connection_of(
        lambda cursor, limit: pages.COLLECTIONS.page(connection, condition, sorting, cursor, limit),
        lambda found: found[1],
        after,
        first,
        node_of=lambda found: found[0],
    )
    if selects(info, ("totalCount",)):
        page["totalCount"] = pages.COLLECTIONS.count(connection, condition)
    return page


@query.field("artifactCollection")
def _resolve_by_id(_: None, info: Info, id: str) -> Collection | None:
    number = ids.decode(COLLECTION, id)
    return None if number is None else collections.by_id(info.context.connection, number)


@project_type.field("artifactCollection")
def _resolve_by_name(project: projects.Project, info: Info, name: str) -> Collection | None:
    return collections.find(info.context.connection, project.id, name)


@project_type.field("artifactCollections")
def _resolve_of_project(
    project: projects.Project,
    info: Info,
    after: str | None = None,
    first: int | None = None,
    filters: str | None = None,
    order: str | None = None,
) -> dict[str, Any]:
    return collection_connection(info, "c.project_id", project.id, after, first, filters, order)


@collection_type.field("id")
def _resolve_id(collection: Collection, _: Info) -> str:
    return ids.encode(COLLECTION, collection.id)


@collection_type.field("project")
def _resolve_project(collection: Collection, info: Info) -> projects.Project | None:
    return info.context.project(collection.project_id)


@collection_type.field("defaultArtifactType")
def _resolve_type(collection: Collection, info: Info) -> types.ArtifactType | None:
    return types.by_id(info.context.connection, collection.type_id)


@collection_type.field("tags")
def _resolve_tags(
    collection: Collection, info: Info, after: str | None = None, first: int | None = None
) -> dict[str, Any]:
    return {"edges": [{"node": tag} for tag in tags.COLLECTIONS.of(info.context.connection, collection.id)]}


@collection_type.field("aliases")
def _resolve_aliases(
    collection: Collection, info: Info, after: str | None = None, first: int | None = None
) -> dict[str, Any]:
    def fetch(cursor: str | None, limit: int) -> tuple[list[Alias], bool]:
        point = cursors.decode(cursor, int)
        return aliases.page(info.context.connection, collection.id, point[0] if point else None, limit)

    return connection_of(fetch, lambda alias: cursors.encode(alias.id), after, first)


@collection_type.field("artifactMembership")
def _resolve_membership(collection: Collection, info: Info, aliasName: str) -> Membership | None:
    return memberships.by_alias(info.context.connection, collection.id, aliasName)


@collection_type.field("artifacts")
def _resolve_artifacts(
    collection: Collection,
    info: Info,
    after: str | None = None,
    first: int | None = None,
    order: str | None = None,
    filters: str | None = None,
) -> dict[str, Any]:
    connection = info.context.connection
    condition = pages.also("m.collection_id", collection.id, vocabulary.VERSIONS.condition(filters))
    sorting = vocabulary.VERSIONS.order(order)
    page = connection_of(
        lambda cursor, limit: pages.VERSIONS.page(connection, condition, sorting, cursor, limit),
        lambda found: found[1],
        after,
        first,
        node_of=lambda found: found[0],
    )
    for edge in page["edges"]:
        artifact, membership = edge["node"]
        edge |= {"node": artifact, "version": f"v{membership.version_index}"}
    if selects(info, ("totalCount",)):
        page["totalCount"] = pages.VERSIONS.count(connection, condition)
    return page


@sequence_type.field("latestArtifact")
def _resolve_latest(sequence: Collection, info: Info) -> Artifact | None:
    membership = memberships.by_alias(info.context.connection, sequence.id, None)
    return None if membership is None else versions.by_id(info.context.connection, membership.artifact_id)


@sequence_type.field("digestAlgorithm")
def _resolve_algorithm(sequence: Collection, _: Info) -> str:
    return "MANIFEST_MD5"


@alias_type.field("id")
def _resolve_alias_id(alias: Alias, _: Info) -> str:
    return ids.encode("ArtifactAlias", alias.id)


@alias_type.field("artifactCollection")
def _resolve_alias_collection(alias: Alias, info: Info) -> Collection | None:
    return info.context.once(collections.by_id, alias.collection_id)


@tag_type.field("id")
def _resolve_tag_id(tag: tags.Tag, _: Info) -> str:
    return ids.encode("Tag", tag.id)


@mutation.field("updateArtifactSequence")
def _resolve_update_sequence(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    return _update(info, input, input["artifactSequenceID"], SEQUENCE)


@mutation.field("updateArtifactPortfolio")
def _resolve_update_portfolio(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    return _update(info, input, input["artifactPortfolioID"], PORTFOLIO)


def _update(info: Info, fields: dict[str, Any], node_id: str, kind: str) -> dict[str, Any]:
    with info.context.store.write() as connection:
        collection = collection_of(connection, info.context.viewer, node_id, kind)
        changed = collections.update(
            connection, collection, name=fields.get("name"), description=fields.get("description")
        )
    return {"artifactCollection": changed}


@mutation.field("moveArtifactSequence")
def _resolve_move(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    with info.context.store.write() as connection:
        sequence = collection_of(connection, info.context.viewer, input["artifactSequenceID"], SEQUENCE)
        moved = collections.move(connection, sequence, input["destinationArtifactTypeName"])
    return {"artifactCollection": moved}


@mutation.field("deleteArtifactSequence")
def _resolve_delete_sequence(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    return _delete(info, input["artifactSequenceID"], SEQUENCE)


@mutation.field("deleteArtifactPortfolio")
def _resolve_delete_portfolio(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    return _delete(info, input["artifactPortfolioID"], PORTFOLIO)


def _delete(info: Info, node_id: str, kind: str) -> dict[str, Any]:
    with info.context.store.write() as connection:
        deleted = collections.delete(connection, collection_of(connection, info.context.viewer, node_id, kind))
    return {"artifactCollection": deleted}


@mutation.field("createArtifactCollectionTagAssignments")
def _resolve_add_tags(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    given = names.check_tags(tag["tagName"] for tag in input["tags"])
    with info.context.store.write() as connection:
        collection = named_collection(connection, info.context.viewer, input)
        tags.COLLECTIONS.add(connection, collection.id, collection.project_id, given)
        collections.touch(connection, collection.id)
        held = tags.COLLECTIONS.of(connection, collection.id)
    return {"tags": held}


@mutation.field("deleteArtifactCollectionTagAssignments")
def _resolve_remove_tags(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    with info.context.store.write() as connection:
        collection = named_collection(connection, info.context.viewer, input)
        tags.COLLECTIONS.remove(connection, collection.id, [tag["tagName"] for tag in input["tags"]])
        collections.touch(connection, collection.id)
    return {"success": True}


collection_type.set_alias("createdAt", "created_at")
collection_type.set_alias("updatedAt", "updated_at")

BINDABLES = (query, mutation, project_type, collection_type, sequence_type, alias_type, tag_type)
