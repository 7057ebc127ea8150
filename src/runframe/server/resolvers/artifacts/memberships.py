"""Memberships of versions in collections; linking and unlinking."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType

from runframe.server.context import Info
from runframe.server.errors import Refusal
from runframe.server.resolvers.artifacts import files
from runframe.server.resolvers.artifacts.finding import artifact_of, collection_of, membership_named
from runframe.server.store import ids, projects
from runframe.server.store.artifacts import aliases, collections, links, versions
from runframe.server.store.artifacts.aliases import Alias
from runframe.server.store.artifacts.collections import PORTFOLIO, Collection
from runframe.server.store.artifacts.memberships import Membership
from runframe.server.store.artifacts.versions import Artifact

mutation = MutationType()
project_type = ObjectType("Project")
membership_type = ObjectType("ArtifactCollectionMembership")


@project_type.field("artifactCollectionMembership")
def _resolve_by_name(project: projects.Project, info: Info, name: str) -> Membership | None:
    return membership_named(info.context, project, name)


@membership_type.field("id")
def _resolve_id(membership: Membership, _: Info) -> str:
    return ids.encode("ArtifactCollectionMembership", membership.id)


@membership_type.field("aliases")
def _resolve_aliases(membership: Membership, info: Info) -> list[Alias]:
    return aliases.of_membership(info.context.connection, membership.id)


@membership_type.field("artifactCollection")
def _resolve_collection(membership: Membership, info: Info) -> Collection | None:
    return info.context.once(collections.by_id, membership.collection_id)


@membership_type.field("artifact")
def _resolve_artifact(membership: Membership, info: Info) -> Artifact | None:
    return versions.by_id(info.context.connection, membership.artifact_id)


@membership_type.field("files")
def _resolve_files(
    membership: Membership,
    info: Info,
    names: list[str] | None = None,
    after: str | None = None,
    first: int | None = None,
) -> dict[str, Any]:
    artifact = versions.by_id(info.context.connection, membership.artifact_id)
    assert artifact is not None
    return files.file_connection(info.context, artifact, names, after, first)


@mutation.field("linkArtifact")
def _resolve_link(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    with info.context.store.write() as connection:
        if input.get("artifactID"):
            artifact = artifact_of(connection, input["artifactID"])
        else:
            found = versions.by_client_id(connection, input.get("clientID") or "")
            if found is None:
                raise Refusal(f"clientID {input.get('clientID')!r} is no artifact's.", 404)
            artifact = found
        node_id = input.get("artifactPortfolioID")
        portfolio = None if node_id is None else collection_of(connection, info.context.viewer, node_id, PORTFOLIO)
        membership = links.link(connection, info.context.viewer, artifact, portfolio, input)
    return {"versionIndex": membership.version_index, "artifactMembership": membership}


@mutation.field("unlinkArtifact")
def _resolve_unlink(_: None, info: Info, input: dict[str, Any]) -> dict[str, bool]:
    with info.context.store.write() as connection:
        artifact = artifact_of(connection, input["artifactID"])
        portfolio = collection_of(connection, info.context.viewer, input["artifactPortfolioID"])
        links.unlink(connection, artifact, portfolio)
    return {"success": True}


membership_type.set_alias("versionIndex", "version_index")
membership_type.set_alias("createdAt", "created_at")

BINDABLES = (mutation, project_type, membership_type)
