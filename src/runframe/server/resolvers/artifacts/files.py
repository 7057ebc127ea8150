"""The files of artifacts, as the type File answers them: entries, manifests, and uploads to come."""

from __future__ import annotations

import base64
import mimetypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ariadne import ObjectType

from runframe.server import cursors
from runframe.server.context import Context
from runframe.server.resolvers.connections import connection_of
from runframe.server.store import ids
from runframe.server.store.artifacts import contents, entries
from runframe.server.store.artifacts.entries import Entry
from runframe.server.store.artifacts.manifests import ManifestRow
from runframe.server.store.artifacts.versions import Artifact

file_type = ObjectType("File")
MANIFEST_NAME = "wandb_manifest.json"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # routes do not match them


@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """A file of a version.

    Attributes:
        node_id: unlike any other file's.
        name: its path in the version.
        md5: base64; of a reference its checksum, or its URI.
        size: in bytes; None for what has not come.
        download: the path that its bytes lie at, or a reference's URI; None for what has not come.
        upload: the path that its bytes are to be sent to; None where nothing is to be sent.
        artifact: the version that the bytes first came with.
    """

    node_id: str
    name: str
    md5: str
    size: int | None
    created_at: str
    updated_at: str
    download: str | None = None
    upload: str | None = None
    storage_path: str | None = None
    artifact: Artifact | None = None

    @property
    def mimetype(self) -> str | None:
        """The type that the name tells."""
        return mimetypes.guess_type(self.name, strict=False)[0]

    @property
    def upload_headers(self) -> list[str]:
        """What goes with an upload: nothing."""
        return []

    def route(self, method: str) -> str | None:
        """The path, or the whole URL, for a method."""
        return self.upload if method == "PUT" else self.download


def of_entry(artifact: Artifact, entry: Entry) -> ArtifactFile:
    """The file of a committed version's entry."""
    digest = None if entry.ref is not None else contents.to_hex(entry.digest)
    return ArtifactFile(
        node_id=base64.b64encode(f"ArtifactFile:{artifact.id}:{entry.path}".encode()).decode(),
        name=entry.path,
        md5=entry.digest,
        size=entry.size,
        created_at=entry.created_at or artifact.created_at,
        updated_at=entry.created_at or artifact.created_at,
        download=entry.ref if digest is None else contents_route(digest, entry.path),
        storage_path=None if digest is None else storage_path(artifact.id, digest),
    )


def of_manifest(artifact: Artifact) -> ArtifactFile:
    """The manifest of a committed version."""
    return ArtifactFile(
        node_id=ids.encode("ArtifactManifestFile", artifact.id),
        name=MANIFEST_NAME,
        md5="",
        size=artifact.manifest_size,
        created_at=artifact.created_at,
        updated_at=artifact.updated_at,
        download=f"/storage/artifacts/{artifact.id}/{MANIFEST_NAME}",
    )


def of_upload(artifact: Artifact, manifest: ManifestRow) -> ArtifactFile:
    """A manifest that a writer is to send."""
    return ArtifactFile(
        node_id=ids.encode("ArtifactManifestUpload", manifest.id),
        name=manifest.name,
        md5=manifest.digest,
        size=manifest.size,
        created_at=manifest.created_at,
        updated_at=manifest.updated_at,
        upload=f"/storage/artifact-manifests/{manifest.id}",
        artifact=artifact,
    )


def storage_path(artifact_id: int, digest: str) -> str:
    """What a file is called to clients that ask for where it is stored."""
    return f"wandb_artifacts/{artifact_id}/{digest}"


def contents_route(digest: str, path: str) -> str:
    """The path of bytes with a hex MD5; the name at its end is for people and programs that look at names."""
    name = _CONTROL.sub("_", path.rpartition("/")[2])
    return f"/storage/artifact-contents/{digest}/{'file' if name in ('', '.', '..') else name}"


def file_connection(
    context: Context, artifact: Artifact, names: Sequence[str] | None, after: str | None, first: int | None
) -> dict[str, Any]:
    """A page of a version's files; with names, of these alone."""
    if names:
        found = sorted(entries.find(context.connection, artifact.id, names), key=lambda entry: entry.path)
        total = len(found)
    else:
        total = artifact.file_count

    def fetch(cursor: str | None, limit: int) -> tuple[list[Entry], bool]:
        point = cursors.decode(cursor, str)
        last = point[0] if point else None
        if not names:
            return entries.page(context.connection, artifact.id, last, limit)
        left = [entry for entry in found if last is None or entry.path > last]
        return left[:limit], len(left) > limit

    page = connection_of(
        fetch, lambda entry: cursors.encode(entry.path), after, first, node_of=lambda entry: of_entry(artifact, entry)
    )
    return page | {"totalCount": total}


file_type.set_alias("storagePath", "storage_path")
file_type.set_alias("uploadHeaders", "upload_headers")

BINDABLES = (file_type,)
