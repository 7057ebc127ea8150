"""Manifests: the list of a version's entries, as the JSON that writers send (API reference 2, section 5.1)."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runframe import extjson
from runframe.server.errors import Refusal
from runframe.server.store import times
from runframe.server.store.blobs import Blob

FULL = "FULL"
PATCH = "PATCH"
INCREMENTAL = "INCREMENTAL"

_VERSION = 1
_POLICY = "wandb-storage-policy-v1"
_HEADER = b"wandb-artifact-manifest-v1\n"
_MACHINE_KEYS = ("local_path", "skip_cache")


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """A manifest that a writer announced; `sha256` and `size` are None until it has come.

    Attributes:
        kind: FULL, PATCH or INCREMENTAL.
        digest: base64 MD5 of the JSON that is to come; empty where the writer did not say.
        base_id: the version that an INCREMENTAL one adds to.
    """

    id: int
    artifact_id: int
    kind: str
    name: str
    digest: str
    base_id: int | None
    sha256: str | None
    size: int | None
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest's content.

    Attributes:
        policy_config: the storage policy's settings.
        entries: by path, each the JSON object that the writer sent.
    """

    policy_config: Mapping[str, Any]
    entries: Mapping[str, Mapping[str, Any]]


_COLUMNS = "id, artifact_id, kind, name, digest, base_id, sha256, size, created_at, updated_at"


def by_id(connection: sqlite3.Connection, number: int) -> ManifestRow | None:
    """The manifest in this row."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM artifact_manifests WHERE id = ?", (number,)).fetchone()
    return None if row is None else ManifestRow(*row)


def announce(
    connection: sqlite3.Connection, artifact_id: int, kind: str, name: str, digest: str, base_id: int | None
) -> ManifestRow:
    """The manifest that a writer is going to send.

    A version has one FULL manifest: announcing it again changes what was announced. Each writer of a distributed or
    incremental version announces one of its own.
    """
    found = None
    if kind == FULL:
        found = connection.execute(
            "SELECT id FROM artifact_manifests WHERE artifact_id = ? AND kind = ?", (artifact_id, kind)
        ).fetchone()
    moment = times.now()
    if found is None:
        number = connection.execute(
            "INSERT INTO artifact_manifests (artifact_id, kind, name, digest, base_id, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (artifact_id, kind, name, digest, base_id, moment, moment),
        ).lastrowid
        assert number is not None
    else:
        number = int(found["id"])
        change(connection, number, digest=digest, base_id=base_id)
    announced = by_id(connection, number)
    assert announced is not None
    return announced


def change(connection: sqlite3.Connection, number: int, *, digest: str | None, base_id: int | None) -> None:
    """Set what is not None; a manifest that is to have another digest has to come again."""
    connection.execute(
        "UPDATE artifact_manifests SET sha256 = CASE WHEN ? IN (digest, '') THEN sha256 END,"
        " digest = coalesce(?, digest), base_id = coalesce(?, base_id), updated_at = ? WHERE id = ?",
        (digest if digest is not None else "", digest, base_id, times.now(), number),
    )


def fill(connection: sqlite3.Connection, number: int, blob: Blob) -> None:
    """Give a manifest its bytes."""
    connection.execute(
        "UPDATE artifact_manifests SET sha256 = ?, size = ?, updated_at = ? WHERE id = ?",
        (blob.sha256, blob.size, times.now(), number),
    )


def arrived(connection: sqlite3.Connection, artifact_id: int) -> list[ManifestRow]:
    """The version's manifests that have come, in the order of their announcement."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM artifact_manifests WHERE artifact_id = ? AND sha256 IS NOT NULL ORDER BY id",
        (artifact_id,),
    )
    return [ManifestRow(*row) for row in rows]


def parse(text: bytes) -> Manifest:
    """The manifest in a JSON text.

    Raises:
        Refusal: it is none, or one of another version.
    """
    try:
        document = extjson.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refusal(f"The manifest is not JSON: {error}.") from error
    if not isinstance(document, dict) or document.get("version") != _VERSION:
        raise Refusal(f"The manifest has not version {_VERSION}, the one that is known.")
    if document.get("storagePolicy") != _POLICY:
        raise Refusal(f"The manifest's storagePolicy is {document.get('storagePolicy')!r}, expected {_POLICY!r}.")
    entries, config = document.get("contents"), document.get("storagePolicyConfig") or {}
    if not isinstance(entries, dict) or not isinstance(config, dict):
        raise Refusal("The manifest has no object 'contents', or its 'storagePolicyConfig' is none.")
    for path, entry in entries.items():
        _check(path, entry)
    return Manifest(config, entries)


def _check(path: str, entry: Any) -> None:
    if not isinstance(entry, dict) or not isinstance(entry.get("digest"), str):
        raise Refusal(f"The manifest's entry {path!r} has no digest.")
    ref, size = entry.get("ref"), entry.get("size")
    if ref is not None and not isinstance(ref, str):
        raise Refusal(f"The manifest's entry {path!r} has a ref that is no text.")
    try:
        f"{path}{entry['digest']}{ref}".encode()
    except UnicodeEncodeError as error:
        raise Refusal(f"The manifest's entry {path!r} holds text that is not valid Unicode.") from error
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or not 0 <= size < 1 << 63):
        raise Refusal(f"The manifest's entry {path!r} has the size {size!r}, expected a number of bytes.")


def merge(parts: Sequence[Manifest]) -> Manifest:
    """One manifest with the entries of all; a later part's entry takes the place of an earlier one's."""
    config: dict[str, Any] = {}
    entries: dict[str, Mapping[str, Any]] = {}
    for part in parts:
        config |= part.policy_config
        entries |= part.entries
    return Manifest(config, entries)


def dump(manifest: Manifest) -> bytes:
    """The JSON text of a manifest, without what concerned the writer's machine alone."""
    contents = {
        path: {key: value for key, value in entry.items() if key not in _MACHINE_KEYS}
        for path, entry in sorted(manifest.entries.items())
    }
    document = {
        "version": _VERSION,
        "storagePolicy": _POLICY,
        "storagePolicyConfig": dict(manifest.policy_config),
        "contents": contents,
    }
    return extjson.dumps(document).encode()


def digest(entries: Iterable[tuple[str, str]]) -> str:
    """The digest of a version, hex, from the path and digest of each entry (API reference 2, section 5.2)."""
    total = hashlib.md5(_HEADER, usedforsecurity=False)
    for path, value in sorted(entries):
        total.update(f"{path}:{value}\n".encode())
    return total.hexdigest()
