"""Versions: what they are, and changing and deleting them."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType, QueryType

from runframe.server import cursors
from runframe.server.context import Info
from runframe.server.resolvers.artifacts import files
from runframe.server.resolvers.artifacts.finding import COLLECTION, MANIFEST, artifact_of, changeable, membership_named
from runframe.server.store import documents, ids, projects
from runframe.server.store.artifacts import aliases, collections, edits, entries, memberships, tags, types, versions
from runframe.server.store.artifacts.aliases import Alias
from runframe.server.store.artifacts.collections import Collection
from runframe.server.store.artifacts.references import KIND as ARTIFACT
from runframe.server.store.artifacts.types import ArtifactType
from runframe.server.store.artifacts.versions import Artifact

query = QueryType()
mutation = MutationType()
project_type = ObjectType("Project")
artifact_type = ObjectType("Artifact")

_ALIASES = {
    "versionIndex": "version_index",
    "commitHash": "commit_hash",
    "ttlDurationSeconds": "ttl_seconds",
    "historyStep": "history_step",
    "fileCount": "file_count",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
}
for _field, _attribute in _ALIASES.items():
    artifact_type.set_alias(_field, _attribute)


@query.field("artifact")
def _resolve_by_id(_: None, info: Info, id: str) -> Artifact | None:
    number = ids.decode(ARTIFACT, id)
    return None if number is None else versions.by_id(info.context.connection, number)


@query.field("clientIDMapping")
def _resolve_client_id(_: None, info: Info, clientID: str) -> dict[str, str] | None:
    """The version that a client calls so, or else the sequence."""
    artifact = versions.by_client_id(info.context.connection, clientID)
    if artifact is not None:
        return {"serverID": ids.encode(ARTIFACT, artifact.id)}
    sequence = versions.sequence_by_client_id(info.context.connection, clientID)
    return None if sequence is None else {"serverID": ids.encode(COLLECTION, sequence)}


@project_type.field("artifact")
def _resolve_by_name(
    project: projects.Project, info: Info, name: str, enableTracking: bool | None = None
) -> Artifact | None:
    membership = membership_named(info.context, project, name)
    return None if membership is None else versions.by_id(info.context.connection, membership.artifact_id)


@artifact_type.field("id")
def _resolve_id(artifact: Artifact, _: Info) -> str:
    return ids.encode(ARTIFACT, artifact.id)


@artifact_type.field("artifactSequence")
def _resolve_sequence(artifact: Artifact, info: Info) -> Collection | None:
    return info.context.once(collections.by_id, artifact.sequence_id)


@artifact_type.field("artifactType")
def _resolve_type(artifact: Artifact, info: Info) -> ArtifactType | None:
    sequence = info.context.once(collections.by_id, artifact.sequence_id)
    return None if sequence is None else info.context.once(types.by_id, sequence.type_id)


@artifact_type.field("digestAlgorithm")
def _resolve_algorithm(artifact: Artifact, _: Info) -> str:
    return "MANIFEST_MD5"


@artifact_type.field("metadata")
def _resolve_metadata(artifact: Artifact, _: Info) -> str | None:
    return None if artifact.metadata is None else documents.to_extended(artifact.metadata)


@artifact_type.field("ttlIsInherited")
def _resolve_inherited(artifact: Artifact, _: Info) -> bool:
    return artifact.ttl_seconds == versions.INHERITED_TTL


@artifact_type.field("tags")
def _resolve_tags(artifact: Artifact, info: Info) -> list[tags.Tag]:
    return tags.VERSIONS.of(info.context.connection, artifact.id)


@artifact_type.field("aliases")
def _resolve_aliases(artifact: Artifact, info: Info) -> list[Alias]:
    return aliases.of_artifact(info.context.connection, artifact.id)


@artifact_type.field("currentManifest")
def _resolve_manifest(artifact: Artifact, _: Info) -> dict[str, Any] | None:
    if artifact.manifest_sha256 is None:
        return None
    return {"id": ids.encode(MANIFEST + "Current", artifact.id), "digest": None, "file": files.of_manifest(artifact)}


@artifact_type.field("artifactMemberships")
def _resolve_memberships(artifact: Artifact, info: Info) -> dict[str, Any]:
    found = memberships.of_artifact(info.context.connection, artifact.id)
    edges = [{"node": membership, "cursor": cursors.encode(membership.id)} for membership in found]
    return {"edges": edges, "pageInfo": {"endCursor": edges[-1]["cursor"] if edges else None, "hasNextPage": False}}


@artifact_type.field("files")
def _resolve_files(
    artifact: Artifact, info: Info, names: list[str] | None = None, after: str | None = None, first: int | None = None
) -> dict[str, Any]:
    return files.file_connection(info.context, artifact, names, after, first)


@artifact_type.field("filesByManifestEntries")
def _resolve_entries(artifact: Artifact, info: Info, **arguments: Any) -> dict[str, Any]:
    wanted = [entry["name"] for entry in arguments.get("entries") or ()]
    found = entries.find(info.context.connection, artifact.id, wanted)
    edges = [{"node": files.of_entry(artifact, entry), "cursor": cursors.encode(entry.path)} for entry in found]
    end = edges[-1]["cursor"] if edges else None
    return {"edges": edges, "pageInfo": {"endCursor": end, "hasNextPage": False}, "totalCount": len(edges)}


@mutation.field("updateArtifact")
def _resolve_update(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    with info.context.store.write() as connection:
        artifact = changeable(connection, info.context.viewer, input["artifactID"])
        edits.update(connection, artifact, input)
    return {"artifact": artifact_of(info.context.connection, input["artifactID"])}


@mutation.field("deleteArtifact")
def _resolve_delete(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    with info.context.store.write() as connection:
        artifact = changeable(connection, info.context.viewer, input["artifactID"])
        edits.delete(connection, artifact, with_aliases=bool(input.get("deleteAliases")))
    return {"artifact": artifact_of(info.context.connection, input["artifactID"])}


@mutation.field("addAliases")
def _resolve_add_aliases(_: None, info: Info, input: dict[str, Any]) -> dict[str, bool]:
    return _change_aliases(info, input, add=True)


@mutation.field("deleteAliases")
def _resolve_delete_aliases(_: None, info: Info, input: dict[str, Any]) -> dict[str, bool]:
    return _change_aliases(info, input, add=False)


def _change_aliases(info: Info, fields: dict[str, Any], *, add: bool) -> dict[str, bool]:
    with info.context.store.write() as connection:
        artifact = artifact_of(connection, fields["artifactID"])
        edits.change_aliases(connection, info.context.viewer, artifact, fields["aliases"], add=add)
    return {"success": True}


BINDABLES = (query, mutation, project_type, artifact_type)
