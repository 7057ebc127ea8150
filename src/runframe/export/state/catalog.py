"""The catalog: which runs there are, as they were last listed, and which parts of them have been fetched.

It is one SQLite file, so that a process that is killed leaves it as of its last change, that 200,000 runs need no
memory, and that runs come out in one order however they came in.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from runframe.errors import UsageError
from runframe.frames.batches import parse_time
from runframe.resources.history.pages import LIVE_STATES, Extent, last_step_of

VERSION = "1"

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS runs (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, created_at TEXT NOT NULL, heartbeat_at TEXT NOT NULL, stamp TEXT NOT NULL,
  live INTEGER NOT NULL, lines INTEGER, last_step INTEGER, deleted_at TEXT, published INTEGER NOT NULL DEFAULT 0,
  size INTEGER NOT NULL, node BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS runs_created ON runs (created_at, name);
CREATE INDEX IF NOT EXISTS runs_name ON runs (name);
CREATE INDEX IF NOT EXISTS runs_heartbeat ON runs (heartbeat_at);
CREATE TABLE IF NOT EXISTS parts (
  run TEXT NOT NULL, tab TEXT NOT NULL, stamp TEXT NOT NULL, pass INTEGER NOT NULL, file TEXT, rows INTEGER NOT NULL,
  bytes INTEGER NOT NULL, digest TEXT NOT NULL, counted INTEGER, problem TEXT, PRIMARY KEY (run, tab)
);
"""

_CODEC = pa.Codec("zstd", 1)


@dataclass(frozen=True)
class Todo:
    """A run of which a part is to be fetched.

    Attributes:
        storage_id: the server's own id of the run.
        run_id: the run's id.
        stamp: what told the listing's state of the run from others.
        live: whether it was still being written.
        extent: how far its history goes; None where the listing doesn't say, or where that may have changed already.
    """

    storage_id: str
    run_id: str
    stamp: str
    live: bool
    extent: Extent | None

    @property
    def rows(self) -> int:
        """How many rows of history to expect; 0 where that is not known."""
        return (self.extent.lines or 0) if self.extent is not None else 0


@dataclass(frozen=True)
class PartRecord:
    """A part that was fetched.

    Attributes:
        storage_id: the server's own id of the run.
        table: the table that it is a part of.
        stamp: the run's stamp when it was fetched.
        file: its path below the folder of parts; None where it has no rows.
        rows: its rows.
        bytes: the file's size.
        digest: of the file's content; empty where there is no file.
        counted: the rows that the server counted; None where it doesn't say.
        problem: what is missing, as a sentence; None where all is there.
    """

    storage_id: str
    table: str
    stamp: str
    file: str | None
    rows: int
    bytes: int
    digest: str
    counted: int | None
    problem: str | None


@dataclass(frozen=True)
class Entry:
    """A run and one of its parts, as the tables are made of them."""

    run_id: str
    live: bool
    part: PartRecord | None


class Catalog:
    """The catalog in a file; made where there is none.

    Args:
        path: the file.
        read_only: open it without changing anything.

    Raises:
        UsageError: it was written by another version of this package, or is no catalog.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        try:
            self._db = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}", uri=True, isolation_level=None
            )
            if not read_only:
                self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _TABLES)
            version = self.get("version")
        except sqlite3.Error as error:
            raise UsageError(
                f"{path} cannot be read ({error}); remove its folder, and everything is fetched again"
            ) from error
        if version is None and not read_only:
            self.set("version", VERSION)
        elif version not in (None, VERSION):
            self.close()
            raise UsageError(
                f"{path} was written by another version; remove its folder, and everything is fetched again"
            )

    def close(self) -> None:
        """Closes the file. It is whole also without this."""
        self._db.close()

    # Notes.

    def get(self, key: str) -> str | None:
        """What was noted under a key."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set(self, key: str, value: str | None) -> None:
        """Notes something; None forgets it."""
        if value is None:
            self._db.execute("DELETE FROM meta WHERE key = ?", (key,))
        else:
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # Runs.

    def put_runs(self, nodes: Iterable[Mapping[str, Any]]) -> int:
        """Takes runs as a listing gave them; returns how many are new or differ from what was known."""
        changed = 0
        self._db.execute("BEGIN")
        try:
            for node in nodes:
                changed += self._put_run(node)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        return changed

    def _put_run(self, node: Mapping[str, Any]) -> int:
        text = orjson.dumps(node, option=orjson.OPT_SORT_KEYS)
        packed = (len(text), _CODEC.compress(text, asbytes=True))
        known = self._db.execute("SELECT size, node, deleted_at FROM runs WHERE id = ?", (node["id"],)).fetchone()
        if known is not None and known == (*packed, None):
            return 0
        # A run that was deleted and made anew under its old name: its rows could not be told apart from the old ones.
        self._forget("SELECT id FROM runs WHERE name = ? AND id <> ?", (node["name"], node["id"]))
        last = last_step_of(node.get("historyKeys"))
        heartbeat = node.get("heartbeatAt") or node["createdAt"]
        self._db.execute(
            "INSERT INTO runs (id, name, created_at, heartbeat_at, stamp, live, lines, last_step, size, node)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name,"
            " created_at = excluded.created_at, heartbeat_at = excluded.heartbeat_at, stamp = excluded.stamp,"
            " live = excluded.live, lines = excluded.lines, last_step = excluded.last_step, deleted_at = NULL,"
            " size = excluded.size, node = excluded.node",
            (
                node["id"], node["name"], _sortable(node["createdAt"]), _sortable(heartbeat), stamp_of(node),
                node.get("state") in LIVE_STATES, node.get("historyLineCount"), None if last < 0 else last, *packed,
            ),
        )  # fmt: skip
        return 1

    def count(self) -> int:
        """How many runs there are that were not deleted."""
        return int(self._db.execute("SELECT count(*) FROM runs WHERE deleted_at IS NULL").fetchone()[0])

    def newest(self) -> tuple[datetime | None, datetime | None]:
        """When the youngest run was made, and when any run last gave a sign; None where there is no run."""
        row = self._db.execute("SELECT max(created_at), max(max(heartbeat_at), max(created_at)) FROM runs").fetchone()
        return (None if row[0] is None else parse_time(row[0]), None if row[1] is None else parse_time(row[1]))

    def live_names(self) -> list[str]:
        """The ids of the runs that were still being written."""
        rows = self._db.execute("SELECT name FROM runs WHERE live AND deleted_at IS NULL ORDER BY name")
        return [row[0] for row in rows]

    def stamps(self) -> dict[str, str]:
        """By storage id: what the listing said of each run that was not deleted."""
        return dict(self._db.execute("SELECT id, stamp FROM runs WHERE deleted_at IS NULL"))

    def names(self, storage_ids: Iterable[str]) -> dict[str, str]:
        """The ids of runs, by storage id."""
        query = "SELECT name FROM runs WHERE id = ?"
        return {each: self._db.execute(query, (each,)).fetchone()[0] for each in storage_ids}

    def delete(self, storage_ids: Iterable[str], moment: datetime) -> list[str]:
        """Marks runs as deleted; one that no dataset has shown is forgotten. Returns the ids of those marked."""
        marked = []
        for storage_id in storage_ids:
            self._forget("SELECT id FROM runs WHERE id = ? AND NOT published", (storage_id,))
            rows = self._db.execute(
                "UPDATE runs SET deleted_at = ?, live = 0 WHERE id = ? RETURNING name", (moment.isoformat(), storage_id)
            ).fetchall()
            marked += [row[0] for row in rows]
        return marked

    def forget(self, storage_ids: Iterable[str]) -> None:
        """Forgets runs and their parts."""
        for storage_id in storage_ids:
            self._forget("SELECT id FROM runs WHERE id = ?", (storage_id,))

    def _forget(self, query: str, parameters: Sequence[Any]) -> None:
        for (storage_id,) in self._db.execute(query, parameters).fetchall():
            self._db.execute("DELETE FROM parts WHERE run = ?", (storage_id,))
            self._db.execute("DELETE FROM runs WHERE id = ?", (storage_id,))

    def deleted(self) -> list[str]:
        """The ids of the runs that are marked as deleted."""
        return [row[0] for row in self._db.execute("SELECT name FROM runs WHERE deleted_at IS NOT NULL ORDER BY name")]

    def nodes(self) -> Iterator[tuple[dict[str, Any], str | None]]:
        """All runs as they were listed, oldest first, each with when it was found to be deleted."""
        query = "SELECT size, node, deleted_at FROM runs ORDER BY created_at, name"
        for size, packed, deleted_at in self._db.cursor().execute(query):
            yield orjson.loads(_CODEC.decompress(packed, size, asbytes=True)), deleted_at

    def content_of_runs(self) -> str:
        """A digest of all runs as they were listed."""
        digest = hashlib.sha256()
        for row in self._db.execute("SELECT id, node, deleted_at FROM runs ORDER BY created_at, name"):
            digest.update(repr(row).encode())
        return digest.hexdigest()

    def content(self, table: str) -> str:
        """A digest of all parts of a table."""
        digest = hashlib.sha256()
        for entry in self.entries(table):
            part = entry.part
            said = None if part is None else (part.digest, part.rows, part.counted, part.problem)
            digest.update(repr((entry.run_id, entry.live, said)).encode())
        return digest.hexdigest()

    def published(self) -> None:
        """Notes that a dataset shows all that is known now."""
        self._db.execute("UPDATE runs SET published = 1 WHERE NOT published")

    # Parts.

    def todo(self, table: str, number: int, asked: str = "") -> list[Todo]:
        """The runs of which a table's part is missing, outdated or incomplete; the longest histories first.

        Args:
            table: the table.
            number: of the pass under way: what it has fetched of a run that is being written is current.
            asked: what is asked of the table, where that may differ from one export to the next.
        """
        query = (
            "SELECT r.id, r.name, r.stamp || ?, r.live, r.lines, r.last_step FROM runs r"
            " LEFT JOIN parts p ON p.run = r.id AND p.tab = ? WHERE r.deleted_at IS NULL AND"
            " (p.run IS NULL OR p.stamp <> r.stamp || ? OR p.problem IS NOT NULL OR (r.live AND p.pass <> ?))"
            " ORDER BY coalesce(r.lines, 0) DESC, r.name"
        )
        return [
            Todo(storage_id, name, stamp, bool(live), _extent(live, lines, last))
            for storage_id, name, stamp, live, lines, last in self._db.execute(query, (asked, table, asked, number))
        ]

    def put_part(self, part: PartRecord, number: int) -> str | None:
        """Notes a part that was fetched; returns the file of the one that it replaces."""
        where = (part.storage_id, part.table)
        old = self._db.execute("SELECT file FROM parts WHERE run = ? AND tab = ?", where).fetchone()
        self._db.execute(
            "INSERT OR REPLACE INTO parts (run, tab, stamp, pass, file, rows, bytes, digest, counted, problem)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*where, part.stamp, number, part.file, part.rows, part.bytes, part.digest, part.counted, part.problem),
        )
        return None if old is None or old[0] == part.file else old[0]

    def drop_part(self, storage_id: str, table: str) -> None:
        """Forgets a part: it will be fetched again."""
        self._db.execute("DELETE FROM parts WHERE run = ? AND tab = ?", (storage_id, table))

    def part(self, storage_id: str, table: str) -> PartRecord | None:
        """A part, where it is there."""
        where = (storage_id, table)
        row = self._db.execute(f"SELECT {_PART} FROM parts p WHERE p.run = ? AND p.tab = ?", where).fetchone()
        return None if row is None else _part(row)

    def parts(self) -> Iterator[PartRecord]:
        """All parts."""
        yield from map(_part, self._db.cursor().execute(f"SELECT {_PART} FROM parts p"))

    def entries(self, table: str) -> Iterator[Entry]:
        """All runs with their parts of a table, by run id."""
        query = (
            f"SELECT r.name, r.live, {_PART} FROM runs r LEFT JOIN parts p ON p.run = r.id AND p.tab = ?"
            " ORDER BY r.name, r.id"
        )
        for name, live, *part in self._db.cursor().execute(query, (table,)):
            yield Entry(name, bool(live), None if part[0] is None else _part(part))


_PART = "p.run, p.tab, p.stamp, p.file, p.rows, p.bytes, p.digest, p.counted, p.problem"


def _part(row: Sequence[Any]) -> PartRecord:
    return PartRecord(*row)


def stamp_of(node: Mapping[str, Any]) -> str:
    """What tells one state of a run from another: its state, its heartbeat and the length of its history."""
    return json.dumps([node.get("state"), node.get("heartbeatAt"), node.get("historyLineCount")])


def _sortable(text: str) -> str:
    return parse_time(text).isoformat(timespec="microseconds")


def _extent(live: int, lines: int | None, last: int | None) -> Extent | None:
    if live or lines is None or (last is None and lines):
        return None
    return Extent(-1 if last is None else last, lines)
