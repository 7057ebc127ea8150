"""Logging a version: create it, send manifest and files, commit it (protocol, section 8.1)."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType

from runframe.server import cursors
from runframe.server.context import Info
from runframe.server.errors import Refusal
from runframe.server.resolvers.artifacts import files
from runframe.server.resolvers.artifacts.files import ArtifactFile
from runframe.server.resolvers.artifacts.finding import (
    MANIFEST,
    artifact_of,
    changeable,
    check_pending,
    check_write,
    manifest_of,
    pending_of,
)
from runframe.server.store import ids, times
from runframe.server.store.artifacts import commit, contents, create, manifests, versions
from runframe.server.store.artifacts.manifests import ManifestRow
from runframe.server.store.artifacts.versions import Artifact
from runframe.server.store.blobs import path_of

mutation = MutationType()


@mutation.field("createArtifact")
def _resolve_create(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        number = create.create(connection, context.viewer, input, context.store.grace)
    return {"artifact": versions.by_id(context.connection, number)}


@mutation.field("createArtifactManifest")
def _resolve_create_manifest(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    with info.context.store.write() as connection:
        artifact = pending_of(connection, info.context.viewer, input["artifactID"])
        base = input.get("baseArtifactID")
        base_id = artifact_of(connection, base).id if base else None
        kind = input.get("type") or manifests.FULL
        row = manifests.announce(connection, artifact.id, kind, input["name"], input["digest"], base_id)
    return _manifest_payload(artifact, row)


@mutation.field("updateArtifactManifest")
def _resolve_update_manifest(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    with info.context.store.write() as connection:
        found = manifest_of(connection, input["artifactManifestID"])
        artifact = versions.by_id(connection, found.artifact_id)
        assert artifact is not None
        check_write(connection, info.context.viewer, artifact)
        check_pending(artifact)
        base = input.get("baseArtifactID")
        base_id = artifact_of(connection, base).id if base else None
        manifests.change(connection, found.id, digest=input.get("digest"), base_id=base_id)
        row = manifests.by_id(connection, found.id)
        assert row is not None
    return _manifest_payload(artifact, row)


def _manifest_payload(artifact: Artifact, row: ManifestRow) -> dict[str, Any]:
    manifest = {"id": ids.encode(MANIFEST, row.id), "digest": row.digest, "file": files.of_upload(artifact, row)}
    return {"artifactManifest": manifest}


@mutation.field("createArtifactFiles")
def _resolve_create_files(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    """One edge a file, in the order of the request; a file whose bytes are there gets no URL to send them to."""
    known: dict[str, Artifact] = {}
    edges = []
    for index, spec in enumerate(input["artifactFiles"]):
        if spec["artifactID"] not in known:
            known[spec["artifactID"]] = pending_of(info.context.connection, info.context.viewer, spec["artifactID"])
        edges.append({"node": _planned(info, known[spec["artifactID"]], spec), "cursor": cursors.encode(index)})
    end = edges[-1]["cursor"] if edges else None
    page = {"edges": edges, "pageInfo": {"endCursor": end, "hasNextPage": False}, "totalCount": len(edges)}
    return {"files": page}


def _planned(info: Info, artifact: Artifact, spec: dict[str, Any]) -> ArtifactFile:
    digest = contents.to_hex(spec["md5"])
    if digest is None:
        raise Refusal(f"The md5 of {spec['name']!r} is {spec['md5']!r}, expected the base64 of an MD5.")
    content = contents.find(info.context.connection, spec["md5"])
    there = content is not None and path_of(info.context.store.blobs.root, content.sha256).exists()
    birth = versions.by_id(info.context.connection, content.birth_id) if content is not None else None
    moment = times.now()
    return ArtifactFile(
        node_id=f"{spec['artifactID']}:{digest}",
        name=spec["name"],
        md5=spec["md5"],
        size=content.size if content is not None else None,
        created_at=moment,
        updated_at=moment,
        upload=None if there else f"/storage/artifact-files/{artifact.id}/{digest}",
        storage_path=files.storage_path(artifact.id, digest),
        artifact=birth or artifact,
    )


@mutation.field("completeMultipartUploadArtifact")
def _resolve_complete(_: None, info: Info, input: dict[str, Any]) -> None:
    raise Refusal("This server takes each file in one piece: there is no upload in parts to complete.")


@mutation.field("commitArtifact")
def _resolve_commit(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    artifact = changeable(context.connection, context.viewer, input["artifactID"])
    if artifact.state != versions.COMMITTED:
        check_pending(artifact)
        prepared = commit.prepare(context.connection, context.store.blobs, artifact)
        with context.store.write() as connection:
            commit.apply(connection, prepared)
    return {"artifact": artifact_of(context.connection, input["artifactID"])}


BINDABLES = (mutation,)
