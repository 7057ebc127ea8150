"""Saving a draft: create the version, send its files, send its manifest, commit it."""

from __future__ import annotations

import secrets
import string
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runframe import extjson
from runframe.cache import Cache, copy_file
from runframe.errors import AuthenticationError, CommError, Error, NotFoundError, ServerError
from runframe.resources.artifacts.digests import bytes_digest
from runframe.resources.artifacts.entry import ManifestEntry
from runframe.resources.artifacts.manifest import Manifest
from runframe.resources.artifacts.names import LATEST, check_aliases, check_tags, metadata_text
from runframe.resources.artifacts.phases import COMMITTED, PENDING
from runframe.resources.artifacts.references.artifacts import resolve_drafts
from runframe.resources.client import Client

if TYPE_CHECKING:
    from runframe.resources.artifacts.artifact import Artifact

CLIENT_ID_LENGTH = 128
FILES_AT_ONCE = 1000
THREADS = 8

_LETTERS = string.ascii_lowercase + string.digits
_NAMES = {
    "FULL": "wandb_manifest.json",
    "PATCH": "wandb_manifest.patch.json",
    "INCREMENTAL": "wandb_manifest.incremental.json",
}


def new_client_id() -> str:
    """An id for what the server doesn't know yet."""
    return "".join(secrets.choice(_LETTERS) for _ in range(CLIENT_ID_LENGTH))


@dataclass(frozen=True)
class Writer:
    """The run that a version is logged to."""

    entity: str
    project: str
    run: str


@contextmanager
def auto_run(client: Client, entity: str, project: str) -> Iterator[Writer]:
    """A run of its own for what is saved without one; it is finished at the end, as failed where the block fails.

    Raises:
        CommError: the server refused it.
    """
    name = "".join(secrets.choice(_LETTERS) for _ in range(8))
    variables = {"entity": entity, "project": project, "name": name}
    bucket = client.query("artifacts_changes", "CreateAutoRun", variables)["upsertBucket"]["bucket"]
    home = bucket["project"]
    writer = Writer(home["entity"]["name"], home["name"], bucket["name"])
    code = 1
    try:
        yield writer
        code = 0
    finally:
        body = extjson.dumps({"files": {}, "complete": True, "exitcode": code}).encode()
        client.session.post(f"files/{writer.entity}/{writer.project}/{writer.run}/file_stream", body)


def save_draft(
    client: Client, draft: Artifact, writer: Writer, *, aliases: Sequence[str] = (), tags: Sequence[str] = ()
) -> str:
    """Saves a draft; returns the id of the version.

    Where the collection's newest version has the same content, that one gets the aliases and tags.

    Raises:
        CommError: the server refused something, or could not be reached; nothing was committed then.
        OSError: a file can't be read.
    """
    return _Upload(client, draft, writer).run(check_aliases([LATEST, *aliases]), check_tags(tags))


class _Upload:
    """One draft on its way."""

    def __init__(self, client: Client, draft: Artifact, writer: Writer) -> None:
        self._client, self._draft, self._writer = client, draft, writer
        self._id, self._manifest_id = "", ""
        self._base: str | None = None
        self._manifest = Manifest(draft.manifest.storage_policy)
        entries = resolve_drafts(list(draft.manifest.entries.values()), client)
        self._manifest.entries = {entry.path: entry for entry in entries}

    def run(self, aliases: list[str], tags: list[str]) -> str:
        created = self._change("CreateArtifact", input=self._description(aliases, tags))["createArtifact"]["artifact"]
        if created["state"] == COMMITTED:
            return str(created["id"])
        if created["state"] != PENDING:
            raise CommError(f"the server answered that the new version of {self._draft.name} is {created['state']}")
        latest = (created.get("artifactSequence") or {}).get("latestArtifact") or {}
        self._id, self._base = str(created["id"]), self._draft._base_id or latest.get("id")
        self._send_files()
        self._send_manifest()
        self._change("CommitArtifact", artifactID=self._id)
        return self._id

    @property
    def _kind(self) -> str:
        if self._draft.distributed_id:
            return "PATCH"
        return "INCREMENTAL" if self._draft.incremental else "FULL"

    def _description(self, aliases: list[str], tags: list[str]) -> dict[str, Any]:
        draft, writer = self._draft, self._writer
        fields = {
            "entityName": writer.entity,
            "projectName": writer.project,
            "runName": writer.run,
            "artifactTypeName": draft.type,
            "artifactCollectionName": draft.name,
            "digest": self._manifest.digest(),
            "description": draft.description,
            "metadata": metadata_text(draft.metadata) if draft.metadata else None,
            "aliases": [{"artifactCollectionName": draft.name, "alias": alias} for alias in aliases],
            "tags": [{"tagName": tag} for tag in tags] or None,
            "ttlDurationSeconds": draft._ttl_to_send(),
            "enableDigestDeduplication": True,
            "distributedID": draft.distributed_id,
            "clientID": draft.client_id,
            "sequenceClientID": new_client_id(),
        }
        return {name: value for name, value in fields.items() if value is not None}

    # Files.

    def _send_files(self) -> None:
        manifest_id = self._announce(with_upload=False, digest="")["id"]
        local = [entry for entry in self._manifest.entries.values() if entry.ref is None and entry.local_path]
        with ThreadPoolExecutor(THREADS) as pool:
            for start in range(0, len(local), FILES_AT_ONCE):
                batch = local[start : start + FILES_AT_ONCE]
                nodes = self._places(batch, manifest_id)
                futures = [pool.submit(self._send, *pair) for pair in zip(batch, nodes, strict=True)]
                refused = [entry for entry, future in zip(batch, futures, strict=True) if not future.result()]
                # An address that was refused may have expired while others were sent: each is asked for once more.
                for entry, node in zip(refused, self._places(refused, manifest_id) if refused else [], strict=True):
                    self._send(entry, node, last=True)

    def _places(self, entries: Sequence[ManifestEntry], manifest_id: str) -> list[dict[str, Any]]:
        """Where files are to be sent, in their order."""
        specs = [
            {"artifactID": self._id, "artifactManifestID": manifest_id, "name": entry.path, "md5": entry.digest}
            for entry in entries
        ]
        answer = self._change("CreateArtifactFiles", input={"artifactFiles": specs, "storageLayout": "V2"})
        edges = answer["createArtifactFiles"]["files"]["edges"]
        if len(edges) != len(specs):
            raise CommError(f"the server has {len(edges)} places for {len(specs)} files of {self._draft.name}")
        return [edge["node"] for edge in edges]

    def _send(self, entry: ManifestEntry, node: dict[str, Any], *, last: bool = False) -> bool:
        """Sends one file, unless the server has its content; False where the address was refused."""
        assert entry.local_path is not None
        entry.birth_artifact_id = (node.get("artifact") or {}).get("id") or self._id
        if not node.get("uploadUrl"):
            return True
        try:
            self._client.session.upload(node["uploadUrl"], Path(entry.local_path), node.get("uploadHeaders") or [])
        except (AuthenticationError, NotFoundError, ServerError) as error:
            if last:
                error.path = entry.path
                raise
            return False
        return True

    # Manifest.

    def _send_manifest(self) -> None:
        content = extjson.dumps(self._manifest.to_manifest_json()).encode()
        place = self._announce(with_upload=True, digest=bytes_digest(content))["file"]
        self._client.session.upload(place["uploadUrl"], content, place.get("uploadHeaders") or [])

    def _announce(self, *, with_upload: bool, digest: str) -> dict[str, Any]:
        """The manifest's node."""
        if with_upload and self._kind != "FULL":
            variables = {"artifactManifestID": self._manifest_id, "digest": digest, "baseArtifactID": self._base}
            answer = self._change("UpdateArtifactManifest", **variables, includeUpload=True)
            return dict(answer["updateArtifactManifest"]["artifactManifest"])
        answer = self._change(
            "CreateArtifactManifest",
            artifactID=self._id,
            baseArtifactID=self._base,
            name=_NAMES[self._kind],
            digest=digest,
            entityName=self._writer.entity,
            projectName=self._writer.project,
            runName=self._writer.run,
            manifestType=self._kind,
            includeUpload=with_upload,
        )
        node = dict(answer["createArtifactManifest"]["artifactManifest"])
        self._manifest_id = str(node["id"])
        return node

    def _change(self, operation: str, **variables: Any) -> dict[str, Any]:
        return self._client.query("artifacts_changes", operation, variables)


def fill_cache(entries: Sequence[ManifestEntry]) -> None:
    """Keeps what was sent, so that it need not be fetched here."""
    cache = Cache.of_user()
    if not cache.usable():
        return
    for entry in entries:
        if entry.ref is None and entry.local_path and not entry.skip_cache:
            kept = cache.by_digest(entry.digest)
            try:
                if not cache.has(kept, entry.size):
                    copy_file(Path(entry.local_path), kept)
            except (OSError, Error):
                return
