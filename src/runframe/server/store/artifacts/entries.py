"""The entries of committed versions: files and references."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or reference in a version.

    Attributes:
        path: its name in the version.
        digest: base64 MD5 of a file; a reference's checksum, or its URI.
        size: in bytes.
        ref: a reference's URI; None for a file.
        created_at: when a file's bytes came.
    """

    path: str
    digest: str
    size: int
    ref: str | None
    created_at: str | None = None


_SELECT = (
    "SELECT e.path, e.digest, e.size, e.ref, k.created_at FROM artifact_entries e"
    " LEFT JOIN artifact_contents k ON k.md5 = e.digest AND e.ref IS NULL WHERE e.artifact_id = ?"
)


def write(connection: sqlite3.Connection, artifact_id: int, given: Iterable[Entry]) -> None:
    """Write the entries of a version, which has none yet."""
    connection.executemany(
        "INSERT INTO artifact_entries (artifact_id, path, digest, size, ref) VALUES (?, ?, ?, ?, ?)",
        ((artifact_id, entry.path, entry.digest, entry.size, entry.ref) for entry in given),
    )


def count(connection: sqlite3.Connection, artifact_id: int) -> int:
    """How many entries a version has."""
    row = connection.execute("SELECT count(*) FROM artifact_entries WHERE artifact_id = ?", (artifact_id,)).fetchone()
    return int(row[0])


def find(connection: sqlite3.Connection, artifact_id: int, paths: Sequence[str]) -> list[Entry]:
    """The entries at these paths, in the order of the paths; those that are not there are left out."""
    found: dict[str, Entry] = {}
    for start in range(0, len(paths), _CHUNK):
        chunk = paths[start : start + _CHUNK]
        rows = connection.execute(f"{_SELECT} AND e.path IN ({', '.join('?' * len(chunk))})", (artifact_id, *chunk))
        found.update((row[0], Entry(*row)) for row in rows)
    return [found[path] for path in dict.fromkeys(paths) if path in found]


def page(connection: sqlite3.Connection, artifact_id: int, after: str | None, first: int) -> tuple[list[Entry], bool]:
    """Up to `first` entries in the order of their paths, and whether more follow.

    Args:
        connection: a reader.
        artifact_id: whose entries.
        after: the last path of the page before, or None for the first page.
        first: how many at the most.
    """
    rows = connection.execute(
        f"{_SELECT} AND (? IS NULL OR e.path > ?) ORDER BY e.path LIMIT ?", (artifact_id, after, after, first + 1)
    ).fetchall()
    return [Entry(*row) for row in rows[:first]], len(rows) > first
