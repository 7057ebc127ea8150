"""References between artifacts: ``wandb-artifact://<hex of the id>/<path>``.

A draft is referred to by the id that its client gave it, ``wandb-client-artifact://<client id>/<path>``; at the commit
such a reference becomes one to the version that the draft has become.
"""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Mapping
from typing import Any

from runframe.server.errors import Refusal
from runframe.server.store import ids
from runframe.server.store.artifacts import versions
from runframe.server.store.artifacts.manifests import Manifest

KIND = "Artifact"
_CLIENT_SCHEME = "wandb-client-artifact://"


def is_unresolved(entry: Mapping[str, Any]) -> bool:
    """Whether an entry refers to a draft."""
    return isinstance(entry.get("ref"), str) and entry["ref"].startswith(_CLIENT_SCHEME)


def resolve(connection: sqlite3.Connection, manifest: Manifest) -> Manifest:
    """The manifest with its references to drafts turned into ones to versions.

    Raises:
        Refusal: no version came of a draft.
    """
    entries = {
        path: {**entry, "ref": _resolved(connection, path, entry["ref"])} if is_unresolved(entry) else entry
        for path, entry in manifest.entries.items()
    }
    return Manifest(manifest.policy_config, entries)


def _resolved(connection: sqlite3.Connection, path: str, ref: str) -> str:
    client_id, _, target = ref.removeprefix(_CLIENT_SCHEME).partition("/")
    artifact = versions.by_client_id(connection, client_id)
    if artifact is None:
        raise Refusal(f"The entry {path!r} refers to the draft {client_id!r}, of which no version is known.")
    number = base64.b64decode(ids.encode(KIND, artifact.id)).hex()
    return f"wandb-artifact://{number}/{target}"
