"""From the ids and names in requests to what they mean."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from runframe.server.context import Context
from runframe.server.errors import Refusal
from runframe.server.store import ids, projects
from runframe.server.store.accounts import permissions
from runframe.server.store.artifacts import collections, manifests, memberships, names, versions
from runframe.server.store.artifacts.collections import Collection
from runframe.server.store.artifacts.manifests import ManifestRow
from runframe.server.store.artifacts.memberships import Membership
from runframe.server.store.artifacts.references import KIND as ARTIFACT
from runframe.server.store.artifacts.versions import Artifact
from runframe.server.store.users import User

COLLECTION = "ArtifactCollection"
MANIFEST = "ArtifactManifest"


def artifact_of(connection: sqlite3.Connection, node_id: str) -> Artifact:
    """The version with this node id.

    Raises:
        Refusal: it is none's.
    """
    number = ids.decode(ARTIFACT, node_id)
    found = None if number is None else versions.by_id(connection, number)
    if found is None:
        raise Refusal(f"id {node_id!r} is no artifact's.", 404)
    return found


def changeable(connection: sqlite3.Connection, viewer: User, node_id: str) -> Artifact:
    """The version with this node id, for changing it.

    Raises:
        Refusal: it is none's, or (403) the viewer may not change it.
    """
    found = artifact_of(connection, node_id)
    check_write(connection, viewer, found)
    return found


def check_write(connection: sqlite3.Connection, viewer: User, artifact: Artifact) -> None:
    """Let pass who may change a version.

    Raises:
        Refusal: (403) the viewer may not.
    """
    sequence = collections.by_id(connection, artifact.sequence_id)
    assert sequence is not None
    permissions.check_project(connection, viewer, sequence.project_id)


def pending_of(connection: sqlite3.Connection, viewer: User, node_id: str) -> Artifact:
    """The version with this node id, for adding to it.

    Raises:
        Refusal: it is none's, the version is committed or deleted, or (403) the viewer may not change it.
    """
    found = changeable(connection, viewer, node_id)
    check_pending(found)
    return found


def check_pending(artifact: Artifact) -> None:
    """Let a version pass that can still be written.

    Raises:
        Refusal: it is committed or deleted.
    """
    if artifact.state != versions.PENDING:
        raise Refusal(f"The artifact is {artifact.state}: nothing can be added to it.", 409)


def manifest_of(connection: sqlite3.Connection, node_id: str) -> ManifestRow:
    """The writer's manifest with this node id.

    Raises:
        Refusal: it is none's.
    """
    number = ids.decode(MANIFEST, node_id)
    found = None if number is None else manifests.by_id(connection, number)
    if found is None:
        raise Refusal(f"id {node_id!r} is no artifact manifest's.", 404)
    return found


def collection_of(connection: sqlite3.Connection, viewer: User, node_id: str, kind: str | None = None) -> Collection:
    """The collection with this node id, for changing it.

    Args:
        connection: a reader.
        viewer: who asks.
        node_id: the id.
        kind: SEQUENCE or PORTFOLIO, where it must be one.

    Raises:
        Refusal: it is none's, or one of the other kind, or (403) the viewer may not change it.
    """
    number = ids.decode(COLLECTION, node_id)
    found = None if number is None else collections.by_id(connection, number)
    if found is None or (kind is not None and found.kind != kind):
        raise Refusal(f"id {node_id!r} is no artifact {(kind or 'collection').lower()}'s.", 404)
    permissions.check_project(connection, viewer, found.project_id)
    return found


def named_collection(connection: sqlite3.Connection, viewer: User, fields: Mapping[str, Any]) -> Collection:
    """The collection that a request's entityName, projectName and artifactCollectionName say, for changing it.

    Raises:
        Refusal: there is none, or (403) the viewer may not change it.
    """
    path = (fields["entityName"], fields["projectName"], fields["artifactCollectionName"])
    project = projects.find(connection, path[0], path[1])
    found = None if project is None else collections.find(connection, project.id, path[2])
    if found is None:
        raise Refusal(f"There is no artifact collection {'/'.join(path)}.", 404)
    permissions.check_project(connection, viewer, found.project_id)
    return found


def membership_named(context: Context, project: projects.Project, name: str) -> Membership | None:
    """The version that ``collection:alias`` says in a project; without an alias the latest."""
    collection_name, alias = names.split(name)
    collection = collections.find(context.connection, project.id, collection_name)
    return None if collection is None else memberships.by_alias(context.connection, collection.id, alias)
