"""References to entries of other artifacts: ``wandb-artifact://<hex of the id>/<path>``.

A draft has no id on the server yet; it is referred to as ``wandb-client-artifact://<client id>/<path>``, and the server
is asked what became of it when the artifact that refers to it is saved.
"""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from runframe.errors import NotFoundError
from runframe.resources.artifacts.digests import from_hex
from runframe.resources.artifacts.entry import ARTIFACT_SCHEME, CLIENT_SCHEME, ManifestEntry
from runframe.resources.artifacts.references.schemes import MissingReferenceError
from runframe.resources.client import Client, connect_from_environment
from runframe.resources.errors import ArgumentError

if TYPE_CHECKING:
    from runframe.resources.artifacts.artifact import Artifact

DRAFTS: weakref.WeakValueDictionary[str, Artifact] = weakref.WeakValueDictionary()
"""The drafts of this process, by client id."""


class Artifacts:
    """Other artifacts.

    Args:
        client: the connection; None to make one from the environment.
    """

    def __init__(self, client: Client | None) -> None:
        self._client = client
        self._known: dict[str, Artifact] = {}

    def entries(self, uri: str, name: str | None, checksum: bool, max_objects: int) -> list[ManifestEntry]:
        """One entry, which refers to where the content is in the end."""
        if uri.startswith(CLIENT_SCHEME):
            found, ref = _in_draft(uri), uri
        else:
            found = resolve(uri, self._connected(), self._known)
            ref = found.ref_url()
        return [ManifestEntry(name or found.path.rpartition("/")[2], found.digest, ref=ref, size=0)]

    def fetch(self, entry: ManifestEntry, target: Path) -> None:
        """Fetches the entry of the other artifact."""
        assert entry.ref is not None
        from runframe.resources.artifacts.download import Fetch

        if entry.ref.startswith(CLIENT_SCHEME):
            raise MissingReferenceError(f"{entry.path}: {entry.ref} was never resolved by a server", path=entry.path)
        found = resolve(entry.ref, self._connected(), self._known)
        Fetch(found.parent_artifact(), target.parent).into(found, target)

    def _connected(self) -> Client:
        if self._client is None:
            self._client = connect_from_environment()
        return self._client


def resolve(uri: str, client: Client, known: dict[str, Artifact] | None = None) -> ManifestEntry:
    """The entry that a reference to another artifact leads to; references of that artifact are followed.

    Args:
        uri: the reference.
        client: the connection.
        known: artifacts by id that were read before; what is read is added.

    Raises:
        ArgumentError: (a ValueError) the URI is malformed, or the references go round in a circle.
        NotFoundError: there is no such artifact, or it has no such entry.
    """
    from runframe.resources.artifacts.finding import by_id

    known = {} if known is None else known
    seen: list[str] = []
    while True:
        if uri in seen:
            raise ArgumentError(f"{uri!r} leads back to itself")
        seen.append(uri)
        number, _, path = uri.removeprefix(ARTIFACT_SCHEME).partition("/")
        try:
            node_id = from_hex(number)
        except ValueError:
            raise ArgumentError(f"{uri!r} is malformed: wandb-artifact://<hex of an id>/<path> was expected") from None
        artifact = known.get(node_id) or by_id(client, node_id)
        known[node_id] = artifact
        entry = artifact.manifest.entries.get(path) or artifact.manifest.entries.get(unquote(path))
        if entry is None:
            raise NotFoundError(f"{uri!r}: {artifact.qualified_name} has no entry {path!r}", path=path)
        if entry.ref is None or not entry.ref.startswith(ARTIFACT_SCHEME):
            return entry
        uri = entry.ref


def resolve_drafts(entries: list[ManifestEntry], client: Client) -> list[ManifestEntry]:
    """The entries, with references to drafts turned into ones to the versions that they became.

    Raises:
        ArgumentError: (a ValueError) a draft was never saved.
    """
    from dataclasses import replace

    from runframe.resources.artifacts.digests import to_hex

    resolved = []
    for entry in entries:
        if entry.ref is not None and entry.ref.startswith(CLIENT_SCHEME):
            client_id, _, path = entry.ref.removeprefix(CLIENT_SCHEME).partition("/")
            answer = client.query("artifacts", "ClientIDMapping", {"clientID": client_id}).get("clientIDMapping")
            if not answer:
                raise ArgumentError(f"{entry.path}: the draft that {entry.ref!r} refers to was never saved")
            entry = replace(entry, ref=f"{ARTIFACT_SCHEME}{to_hex(answer['serverID'])}/{path}")
        resolved.append(entry)
    return resolved


def _in_draft(uri: str) -> ManifestEntry:
    client_id, _, path = uri.removeprefix(CLIENT_SCHEME).partition("/")
    draft = DRAFTS.get(client_id)
    entry = None if draft is None else draft.manifest.get_entry_by_path(path)
    if entry is None:
        raise ArgumentError(f"{uri!r}: this process has no draft with such an entry")
    return entry
