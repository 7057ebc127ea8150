"""The bytes of artifacts' files, known by their MD5 as manifests name it; each is kept once."""

from __future__ import annotations

import base64
import binascii
import sqlite3
from dataclasses import dataclass

from runframe.server.store import times
from runframe.server.store.blobs import Blob


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes that the store has.

    Attributes:
        md5: base64.
        sha256: hex; the blob's name.
        size: in bytes.
        birth_id: the version that they first came with.
    """

    md5: str
    sha256: str
    size: int
    birth_id: int
    created_at: str


_COLUMNS = "md5, sha256, size, birth_id, created_at"


def find(connection: sqlite3.Connection, md5: str) -> Content | None:
    """The bytes with this base64 MD5."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM artifact_contents WHERE md5 = ?", (md5,)).fetchone()
    return None if row is None else Content(*row)


def keep(connection: sqlite3.Connection, blob: Blob, birth_id: int) -> None:
    """Note that the store has these bytes."""
    connection.execute(
        "INSERT INTO artifact_contents (md5, sha256, size, birth_id, created_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (md5) DO UPDATE SET sha256 = excluded.sha256, size = excluded.size",
        (blob.md5, blob.sha256, blob.size, birth_id, times.now()),
    )


def to_hex(md5: str) -> str | None:
    """The hex form of a base64 MD5; None when the text is no such digest."""
    try:
        raw = base64.b64decode(md5, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw.hex() if len(raw) == 16 and base64.b64encode(raw).decode() == md5 else None


def from_hex(digest: str) -> str | None:
    """The base64 form of a hex MD5; None when the text is no such digest."""
    try:
        raw = bytes.fromhex(digest)
    except ValueError:
        return None
    return base64.b64encode(raw).decode() if len(digest) == 32 else None
