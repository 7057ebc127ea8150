"""Artifact versions."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from runframe.server.store import times

PENDING: Literal["PENDING"] = "PENDING"
COMMITTED: Literal["COMMITTED"] = "COMMITTED"
DELETED: Literal["DELETED"] = "DELETED"

#: Values of ttl_seconds that are no number of seconds (protocol, section 8.2).
INHERITED_TTL = -1
NO_TTL = -2

COLUMNS = (
    "a.id, a.sequence_id, a.state, a.version_index, a.digest, a.commit_hash, a.size, a.file_count, a.ttl_seconds,"
    " a.history_step, a.run_id, a.user_id, a.distributed_id, a.created_at, a.updated_at, a.manifest_sha256,"
    " a.manifest_size, a.description, a.wanted_aliases, a.metadata"
)
WIDTH = 20


@dataclass(frozen=True, slots=True)
class Artifact:
    """A version.

    Attributes:
        sequence_id: the collection that it was logged to.
        state: PENDING until it is committed; DELETED versions are kept for their ids.
        version_index: its number in the sequence; None before the commit.
        digest: hex; before the commit what the writer says it will be.
        size: of all entries, references included, in bytes; `file_count` counts them.
        ttl_seconds: how long it is to live; -1 as the project says, -2 for ever.
        wanted_aliases: a JSON list of the aliases that it gets at its commit.
        metadata: a stored document, or None.
    """

    id: int
    sequence_id: int
    state: str
    version_index: int | None
    digest: str
    commit_hash: str
    size: int
    file_count: int
    ttl_seconds: int
    history_step: int | None
    run_id: int | None
    user_id: int | None
    distributed_id: str | None
    created_at: str
    updated_at: str
    manifest_sha256: str | None
    manifest_size: int | None
    description: str | None
    wanted_aliases: str
    metadata: str | None


def from_row(row: Sequence[Any]) -> Artifact:
    """The version in a row of `COLUMNS`."""
    return Artifact(*row)


def by_id(connection: sqlite3.Connection, number: int) -> Artifact | None:
    """The version in this row."""
    row = connection.execute(f"SELECT {COLUMNS} FROM artifacts a WHERE a.id = ?", (number,)).fetchone()
    return None if row is None else from_row(row)


def by_client_id(connection: sqlite3.Connection, client_id: str) -> Artifact | None:
    """The version that a client calls so; the newest of several."""
    row = connection.execute(
        f"SELECT {COLUMNS} FROM artifact_clients n JOIN artifacts a ON a.id = n.artifact_id"
        " WHERE n.client_id = ? ORDER BY a.id DESC LIMIT 1",
        (client_id,),
    ).fetchone()
    return None if row is None else from_row(row)


def sequence_by_client_id(connection: sqlite3.Connection, client_id: str) -> int | None:
    """The row of the sequence that a client calls so; the newest of several."""
    row = connection.execute(
        "SELECT a.sequence_id FROM artifact_clients n JOIN artifacts a ON a.id = n.artifact_id"
        " WHERE n.sequence_client_id = ? ORDER BY a.id DESC LIMIT 1",
        (client_id,),
    ).fetchone()
    return None if row is None else int(row[0])


def find_client(connection: sqlite3.Connection, sequence_id: int, client_id: str) -> Artifact | None:
    """The version of a sequence that a client calls so."""
    row = connection.execute(
        f"SELECT {COLUMNS} FROM artifact_clients n JOIN artifacts a ON a.id = n.artifact_id"
        " WHERE n.client_id = ? AND a.sequence_id = ? AND a.state <> ? ORDER BY a.id DESC LIMIT 1",
        (client_id, sequence_id, DELETED),
    ).fetchone()
    return None if row is None else from_row(row)


def find_distributed(connection: sqlite3.Connection, sequence_id: int, distributed_id: str) -> Artifact | None:
    """The version of a sequence that several writers are at under this id."""
    row = connection.execute(
        f"SELECT {COLUMNS} FROM artifacts a WHERE a.sequence_id = ? AND a.state = ? AND a.distributed_id = ?"
        " ORDER BY a.id DESC LIMIT 1",
        (sequence_id, PENDING, distributed_id),
    ).fetchone()
    return None if row is None else from_row(row)


def find_digest(connection: sqlite3.Connection, sequence_id: int, digest: str) -> Artifact | None:
    """The committed version of a sequence with this content; of several the one called latest, else the newest."""
    row = connection.execute(
        f"SELECT {COLUMNS} FROM artifacts a WHERE a.sequence_id = ? AND a.digest = ? AND a.state = ?"
        " ORDER BY EXISTS (SELECT 1 FROM artifact_aliases l JOIN artifact_memberships m ON m.id = l.membership_id"
        " WHERE m.artifact_id = a.id AND m.collection_id = a.sequence_id AND l.alias = 'latest') DESC, a.id DESC"
        " LIMIT 1",
        (sequence_id, digest, COMMITTED),
    ).fetchone()
    return None if row is None else from_row(row)


def insert(connection: sqlite3.Connection, sequence_id: int, digest: str, values: Mapping[str, Any]) -> int:
    """A new version's row; it is pending.

    Args:
        connection: the writer.
        sequence_id: the collection that it is logged to.
        digest: what its manifest's digest will be.
        values: further columns.
    """
    moment = times.now()
    row = {
        "sequence_id": sequence_id,
        "state": PENDING,
        "digest": digest,
        "commit_hash": secrets.token_hex(10),
        "ttl_seconds": INHERITED_TTL,
        "created_at": moment,
        "updated_at": moment,
        **values,
    }
    cursor = connection.execute(
        f"INSERT INTO artifacts ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", tuple(row.values())
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def name_for_client(
    connection: sqlite3.Connection, number: int, client_id: str, sequence_client_id: str | None
) -> None:
    """Keep what a client calls a version and its sequence."""
    connection.execute(
        "INSERT INTO artifact_clients (client_id, artifact_id, sequence_client_id) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET sequence_client_id = coalesce(excluded.sequence_client_id, sequence_client_id)",
        (client_id, number, sequence_client_id),
    )


def change(connection: sqlite3.Connection, number: int, values: Mapping[str, Any]) -> None:
    """Set columns of a version, and its time of change."""
    values = {"updated_at": times.now(), **values}
    assignments = ", ".join(f"{column} = ?" for column in values)
    connection.execute(f"UPDATE artifacts SET {assignments} WHERE id = ?", (*values.values(), number))


def empty(connection: sqlite3.Connection, number: int) -> None:
    """Mark a version as deleted: it stands in no collection and holds nothing any more."""
    for table in ("artifact_memberships", "artifact_entries", "artifact_manifests", "artifact_inputs"):
        connection.execute(f"DELETE FROM {table} WHERE artifact_id = ?", (number,))
    connection.execute("DELETE FROM artifact_outputs WHERE artifact_id = ?", (number,))
    change(connection, number, {"state": DELETED, "manifest_sha256": None, "manifest_size": None})
