"""The artifacts that a log speaks of: what the run logged and what it used."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runframe import extjson
from runframe.offline.records import Artifact, Manifest, ManifestEntry


@dataclass(frozen=True, slots=True)
class OfflineEntry:
    """One file or reference in an artifact's manifest.

    Attributes:
        path: its name in the artifact.
        digest: base64 MD5 of the payload; for a reference its checksum, or the reference itself.
        ref: the reference's URI; empty for a file.
        size: bytes.
        local_path: where the SDK staged the payload on the machine that ran the run; empty for a reference.
        birth_artifact_id: the artifact that the payload came from, where it is not this one.
        extra: what else the entry says, such as a reference's etag.
    """

    path: str
    digest: str
    ref: str = ""
    size: int = 0
    mimetype: str = ""
    local_path: str = ""
    birth_artifact_id: str = ""
    skip_cache: bool = False
    extra: tuple[tuple[str, Any], ...] = ()

    def staged(self) -> Path | None:
        """The staged payload, if it is still there with the size that the log names; its digest is not checked.

        The path is the log's word. Compare the digest before the bytes are given to anyone.
        """
        path = Path(self.local_path) if self.local_path else None
        return path if path and path.is_file() and path.stat().st_size == self.size else None


@dataclass(frozen=True, slots=True)
class OfflineArtifact:
    """An artifact version that the run logged.

    Attributes:
        type: such as ``dataset`` or ``run_table``.
        name: of the collection.
        digest: the manifest's digest, hex.
        metadata: as the user gave it.
        aliases: ``latest`` and the user's.
        client_id: names the version before a server does; ``wandb-client-artifact://<client id>/…`` refers to it.
        sequence_client_id: likewise for the collection.
        ttl: seconds; -1 inherit, -2 disabled, 0 unset.
        storage_policy_config: such as ``{"storageLayout": "V2"}``.
        entries: the manifest's, in the log's order; None where the manifest lay in a file that is gone.
    """

    type: str
    name: str
    digest: str
    description: str
    metadata: dict[str, Any]
    aliases: tuple[str, ...]
    tags: tuple[str, ...]
    client_id: str
    sequence_client_id: str
    base_id: str
    distributed_id: str
    digest_algorithm: str
    ttl: int
    finalize: bool
    incremental: bool
    user_created: bool
    use_after_commit: bool
    manifest_version: int
    storage_policy: str
    storage_policy_config: dict[str, Any]
    entries: tuple[OfflineEntry, ...] | None


@dataclass(frozen=True, slots=True)
class UsedArtifact:
    """An artifact that the run took as input, by the name it was asked for."""

    id: str
    type: str
    name: str


def read_artifact(record: Artifact) -> OfflineArtifact:
    """An artifact record with its manifest.

    Raises:
        ValueError: metadata or manifest is not JSON.
    """
    metadata = extjson.loads(record.metadata) if record.metadata else {}
    manifest = record.manifest
    return OfflineArtifact(
        type=record.type,
        name=record.name,
        digest=record.digest,
        description=record.description,
        metadata=metadata if isinstance(metadata, dict) else {"value": metadata},
        aliases=tuple(record.aliases),
        tags=tuple(record.tags),
        client_id=record.client_id,
        sequence_client_id=record.sequence_client_id,
        base_id=record.base_id,
        distributed_id=record.distributed_id,
        digest_algorithm=record.digest_algorithm,
        ttl=record.ttl_duration_seconds,
        finalize=record.finalize,
        incremental=record.incremental,
        user_created=record.user_created,
        use_after_commit=record.use_after_commit,
        manifest_version=manifest.version,
        storage_policy=manifest.storage_policy,
        storage_policy_config={item.key: extjson.loads(item.value_json) for item in manifest.storage_policy_config},
        entries=_entries(manifest),
    )


def _entries(manifest: Manifest) -> tuple[OfflineEntry, ...] | None:
    if not manifest.manifest_file_path:
        return tuple(_entry(entry) for entry in manifest.contents)
    path = Path(manifest.manifest_file_path)
    if not path.is_file():
        return None
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return tuple(_entry_from_json(json.loads(line)) for line in lines if line.strip())


def _entry(entry: ManifestEntry) -> OfflineEntry:
    return OfflineEntry(
        path=entry.path,
        digest=entry.digest,
        ref=entry.ref,
        size=entry.size,
        mimetype=entry.mimetype,
        local_path=entry.local_path,
        birth_artifact_id=entry.birth_artifact_id,
        skip_cache=entry.skip_cache,
        extra=tuple((item.key, extjson.loads(item.value_json)) for item in entry.extra),
    )


def _entry_from_json(entry: dict[str, Any]) -> OfflineEntry:
    """An entry of a manifest file."""
    return OfflineEntry(
        path=entry["path"],
        digest=entry["digest"],
        ref=entry.get("ref") or "",
        size=int(entry.get("size") or 0),
        mimetype=entry.get("mimetype") or "",
        local_path=entry.get("local_path") or "",
        birth_artifact_id=entry.get("birth_artifact_id") or entry.get("birthArtifactID") or "",
        skip_cache=bool(entry.get("skip_cache")),
        extra=tuple((entry.get("extra") or {}).items()),
    )
