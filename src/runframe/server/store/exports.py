"""Which runs' histories stand in a Parquet file besides their lines.

The official client keeps such a file by the run's path and does not look at it again (protocol, section 9.3). So a run
has one export in its life: lines that come later make it stale, and from then on all of the history is live.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

TABLES = (
    """CREATE TABLE history_exports (
        run_id INTEGER PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE,
        sha256 TEXT NOT NULL,
        size INTEGER NOT NULL,
        rows INTEGER NOT NULL,
        stale INTEGER NOT NULL DEFAULT 0
    )""",
)


@dataclass(frozen=True, slots=True)
class HistoryExport:
    """One run's history as a Parquet file.

    Attributes:
        run_id: the run's row.
        sha256: hex digest of the file; also the name of its blob.
        size: in bytes.
        rows: how many rows it holds.
        stale: the history has changed since: the file is not given to clients any more.
    """

    run_id: int
    sha256: str
    size: int
    rows: int
    stale: bool


def find(connection: sqlite3.Connection, run_id: int) -> HistoryExport | None:
    """The run's export, stale or not."""
    row = connection.execute("SELECT * FROM history_exports WHERE run_id = ?", (run_id,)).fetchone()
    return None if row is None else HistoryExport(row["run_id"], row["sha256"], row["size"], row["rows"], row["stale"])


def add(connection: sqlite3.Connection, export: HistoryExport) -> None:
    """Keep a run's first export."""
    connection.execute(
        "INSERT INTO history_exports (run_id, sha256, size, rows) VALUES (?, ?, ?, ?)",
        (export.run_id, export.sha256, export.size, export.rows),
    )


def make_stale(connection: sqlite3.Connection, run_id: int) -> None:
    """The run's history is no longer what its export says."""
    connection.execute("UPDATE history_exports SET stale = 1 WHERE run_id = ?", (run_id,))
