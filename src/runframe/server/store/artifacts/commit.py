"""What the operation CommitArtifact does: manifests are checked, and merged where there are several.

The reading and checking, which may take long for a version of many files, is done before the store is locked.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from runframe import extjson
from runframe.server.errors import Refusal
from runframe.server.store.artifacts import (
    aliases,
    contents,
    entries,
    manifests,
    memberships,
    references,
    versions,
)
from runframe.server.store.artifacts.entries import Entry
from runframe.server.store.artifacts.manifests import Manifest, ManifestRow
from runframe.server.store.artifacts.versions import Artifact
from runframe.server.store.blobs import Blob, Blobs


@dataclass(frozen=True, slots=True)
class Prepared:
    """A version that is ready to be committed.

    Attributes:
        parts: the manifests that it is made of.
        manifest: the whole one, as a blob.
        digest: hex, of the whole.
        entries: of the whole.
    """

    artifact: Artifact
    parts: Sequence[ManifestRow]
    manifest: Blob
    digest: str
    entries: Sequence[Entry]


def prepare(connection: sqlite3.Connection, blobs: Blobs, artifact: Artifact) -> Prepared:
    """Read and check what the writers sent.

    Args:
        connection: a reader.
        blobs: the store's files; the whole manifest is kept there.
        artifact: a pending version.

    Raises:
        Refusal: no manifest has come, one cannot be read, a file has not come, or the digest is another than the writer
            said.
    """
    parts = manifests.arrived(connection, artifact.id)
    if not parts:
        raise Refusal(f"The manifest of artifact {artifact.digest} has not come: nothing can be committed.")
    whole, blob = _whole(connection, blobs, parts)
    found = [_entry(connection, path, entry) for path, entry in whole.entries.items()]
    digest = manifests.digest((entry.path, entry.digest) for entry in found)
    if all(part.kind == manifests.FULL for part in parts) and digest != artifact.digest:
        raise Refusal(f"The artifact was announced with the digest {artifact.digest}, its manifest has {digest}.")
    return Prepared(artifact, parts, blob, digest, found)


def apply(connection: sqlite3.Connection, prepared: Prepared) -> None:
    """Commit a prepared version: it gets its number, and the aliases move to it.

    Raises:
        Refusal: the version was committed, deleted or changed since it was prepared.
    """
    artifact = versions.by_id(connection, prepared.artifact.id)
    if artifact is None or artifact.state == versions.DELETED:
        raise Refusal("The artifact was deleted before it was committed.", 404)
    if artifact.state == versions.COMMITTED:
        return
    if manifests.arrived(connection, artifact.id) != prepared.parts:
        raise Refusal("The artifact's manifests changed while it was committed. Commit it again.", 409)
    entries.write(connection, artifact.id, prepared.entries)
    membership = memberships.add(connection, artifact.sequence_id, artifact.id)
    aliases.put(connection, membership.id, artifact.sequence_id, extjson.loads(artifact.wanted_aliases))
    versions.change(
        connection,
        artifact.id,
        {
            "state": versions.COMMITTED,
            "version_index": membership.version_index,
            "digest": prepared.digest,
            "size": sum(entry.size for entry in prepared.entries),
            "file_count": len(prepared.entries),
            "manifest_sha256": prepared.manifest.sha256,
            "manifest_size": prepared.manifest.size,
        },
    )


def _whole(connection: sqlite3.Connection, blobs: Blobs, parts: Sequence[ManifestRow]) -> tuple[Manifest, Blob]:
    """The manifest that the parts make, and its bytes: the writer's own where it is one part that needs no change."""
    sent = [_read(blobs, part.sha256) for part in parts]
    if parts[-1].kind == manifests.FULL:
        whole, last = sent[-1], parts[-1]
        if not any(references.is_unresolved(entry) for entry in whole.entries.values()):
            assert last.sha256 is not None and last.size is not None
            return whole, Blob(last.sha256, last.digest, last.size)
    else:
        whole = manifests.merge([*_base(connection, blobs, parts), *sent])
    whole = references.resolve(connection, whole)
    return whole, blobs.add(BytesIO(manifests.dump(whole)))


def _base(connection: sqlite3.Connection, blobs: Blobs, parts: Sequence[ManifestRow]) -> list[Manifest]:
    """The manifest of the version that incremental parts add to; none where they are the first."""
    numbers = [part.base_id for part in parts if part.kind == manifests.INCREMENTAL and part.base_id is not None]
    if not numbers:
        return []
    base = versions.by_id(connection, numbers[0])
    if base is None or base.manifest_sha256 is None:
        raise Refusal("The version that this one adds to was deleted, or never committed.", 404)
    return [_read(blobs, base.manifest_sha256)]


def _read(blobs: Blobs, sha256: str | None) -> Manifest:
    assert sha256 is not None
    try:
        with blobs.open(sha256) as file:
            return manifests.parse(file.read())
    except FileNotFoundError as error:
        raise Refusal(f"The bytes of a manifest ({sha256}) are missing from the store.", 410) from error


def _entry(connection: sqlite3.Connection, path: str, entry: Mapping[str, Any]) -> Entry:
    digest, size, ref = entry["digest"], entry.get("size"), entry.get("ref")
    if ref is not None:
        return Entry(path, digest, size or 0, ref)
    content = contents.find(connection, digest)
    if content is None:
        raise Refusal(f"The file {path!r} with the MD5 {digest} has not come.")
    if size is not None and size != content.size:
        raise Refusal(f"The manifest gives {path!r} {size} bytes, but {content.size} bytes came.")
    return Entry(path, digest, content.size, None)
