"""The artifacts of an offline run into the store: what its log says of them, and the files that the SDK staged.

The SDK keeps the files of an offline run's artifacts on the machine that ran it, outside the run's folder. Those that
are there, with the digest that the log names, are taken; an artifact that lacks one is left out, and said to be.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from io import BytesIO
from typing import Any

from runframe import extjson
from runframe.offline import OfflineArtifact, OfflineEntry, OfflineRun, UsedArtifact
from runframe.server.errors import Refusal
from runframe.server.store import projects, runs
from runframe.server.store.artifacts import (
    collections,
    commit,
    contents,
    create,
    lineage,
    manifests,
    memberships,
    names,
    versions,
)
from runframe.server.store.artifacts.manifests import Manifest
from runframe.server.store.artifacts.versions import Artifact
from runframe.server.store.blobs import Blob
from runframe.server.store.store import Store

_XXH128 = "MANIFEST_XXH128"


def import_artifacts(
    store: Store, offline: OfflineRun, project: projects.Project, run: runs.Run, notes: list[str]
) -> int:
    """Import the versions that a run logged, and which ones it used; how many it logged.

    Args:
        store: where to.
        offline: the log.
        project: the run's project.
        run: the run, imported.
        notes: takes a sentence for each artifact that could not be had.
    """
    count = 0
    for artifact in offline.artifacts:
        try:
            _import(store, artifact, project, run)
            count += 1
        except Refusal as error:
            notes.append(f"The artifact {artifact.name!r} is left out: {error.message}")
    with store.write() as connection:
        for used in offline.used_artifacts:
            if not _use(connection, used, project, run):
                notes.append(f"The run used the artifact {used.name!r}, which is not in this store.")
    return count


def _import(store: Store, offline: OfflineArtifact, project: projects.Project, run: runs.Run) -> None:
    if offline.entries is None:
        raise Refusal("its manifest is not where the log says.")
    if offline.digest_algorithm == _XXH128:
        raise Refusal("its digests are XXH128, which cannot be checked here.")
    blobs = list(_staged(store, offline.entries))
    manifest = store.blobs.add(BytesIO(manifests.dump(_manifest(offline))))
    with store.write() as connection:
        number = create.create(connection, store.owner.user, _fields(offline, project, run), store.grace)
        artifact = versions.by_id(connection, number)
        assert artifact is not None
        if artifact.state == versions.PENDING:
            _fill(connection, store, artifact, offline, blobs, manifest)
        if offline.use_after_commit:
            lineage.add_input(connection, run.id, number)


def _staged(store: Store, entries: Iterable[OfflineEntry]) -> Iterable[Blob]:
    """The bytes of the files that the store has not yet.

    Raises:
        Refusal: a file is not there any more, or holds something else than the log says.
    """
    for entry in entries:
        with store.read() as connection:
            if entry.ref or contents.find(connection, entry.digest) is not None:
                continue
        path = entry.staged()
        if path is None:
            raise Refusal(f"its file {entry.path!r} is not where the SDK staged it ({entry.local_path!r}).")
        with store.blobs.writer() as writer:
            try:
                with path.open("rb") as source:
                    while chunk := source.read(1 << 20):
                        writer.write(chunk)
            except OSError as error:
                raise Refusal(f"its file {entry.path!r} cannot be read ({error.strerror}).") from error
            if writer.md5 != entry.digest:
                raise Refusal(f"its file {entry.path!r} is not the one that was logged: its digest is another.")
            yield writer.finish()


def _manifest(offline: OfflineArtifact) -> Manifest:
    """The manifest as the SDK would have sent it; ids of versions on other servers mean nothing here."""
    entries: dict[str, dict[str, Any]] = {}
    for entry in offline.entries or ():
        entries[entry.path] = {"digest": entry.digest, "size": entry.size}
        if entry.ref:
            entries[entry.path]["ref"] = entry.ref
        if entry.extra:
            entries[entry.path]["extra"] = dict(entry.extra)
    return Manifest(offline.storage_policy_config, entries)


def _fields(offline: OfflineArtifact, project: projects.Project, run: runs.Run) -> dict[str, Any]:
    aliases = [alias for alias in offline.aliases if not names.is_version(alias)]
    return {
        "entityName": project.entity,
        "projectName": project.name,
        "runName": None if offline.user_created else run.name,
        "artifactTypeName": offline.type,
        "artifactCollectionName": offline.name,
        "digest": offline.digest,
        "description": offline.description or None,
        "metadata": extjson.dumps(offline.metadata) if offline.metadata else None,
        "aliases": [{"artifactCollectionName": offline.name, "alias": alias} for alias in aliases],
        "tags": [{"tagName": tag} for tag in offline.tags],
        "ttlDurationSeconds": offline.ttl or None,
        "distributedID": offline.distributed_id or None,
        "clientID": offline.client_id or None,
        "sequenceClientID": offline.sequence_client_id or None,
        "enableDigestDeduplication": True,
    }


def _fill(
    connection: sqlite3.Connection,
    store: Store,
    artifact: Artifact,
    offline: OfflineArtifact,
    blobs: Iterable[Blob],
    manifest: Blob,
) -> None:
    """Give a pending version its files and manifest, and commit it where the log did."""
    for blob in blobs:
        contents.keep(connection, blob, artifact.id)
    kind, base_id = manifests.FULL, None
    if offline.incremental:
        latest = memberships.by_alias(connection, artifact.sequence_id, None)
        kind, base_id = manifests.INCREMENTAL, None if latest is None else latest.artifact_id
    elif offline.distributed_id:
        kind = manifests.PATCH
    row = manifests.announce(connection, artifact.id, kind, "wandb_manifest.json", manifest.md5, base_id)
    manifests.fill(connection, row.id, manifest)
    if offline.finalize:
        commit.apply(connection, commit.prepare(connection, store.blobs, artifact))


def _use(connection: sqlite3.Connection, used: UsedArtifact, project: projects.Project, run: runs.Run) -> bool:
    """Note that the run used a version, if the store has it under the name that the log gives."""
    full, alias = names.split(used.name)
    *path, name = full.split("/")
    owner = path if len(path) == 2 else [project.entity, *(path or [project.name])]
    found = projects.find(connection, *owner) if len(owner) == 2 else None
    collection = None if found is None else collections.find(connection, found.id, name)
    membership = None if collection is None else memberships.by_alias(connection, collection.id, alias)
    if membership is None:
        return False
    lineage.add_input(connection, run.id, membership.artifact_id)
    return True
