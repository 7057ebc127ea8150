"""The files of runs: names, digests and sizes; their bytes are blobs."""

from __future__ import annotations

import mimetypes
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from runframe.server.store import ids, times
from runframe.server.store.blobs import Blob


@dataclass(frozen=True, slots=True)
class RunFile:
    """A file of a run; the digests are None until its bytes have come."""

    id: int
    run_id: int
    name: str
    sha256: str | None
    md5: str | None
    size: int | None
    mimetype: str | None
    committed: int
    created_at: str
    updated_at: str

    @property
    def node_id(self) -> str:
        """The id that clients know the file by."""
        return ids.encode("File", self.id)

    def route(self, method: str) -> str | None:
        """The path that serves and takes its bytes."""
        return f"/storage/files/{self.id}"


_COLUMNS = "id, run_id, name, sha256, md5, size, mimetype, committed, created_at, updated_at"


def announce(connection: sqlite3.Connection, run_id: int, name: str) -> RunFile:
    """The run's file of this name, made without bytes where there is none."""
    moment = times.now()
    connection.execute(
        "INSERT INTO files (run_id, name, mimetype, created_at, updated_at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (run_id, name, mimetypes.guess_type(name, strict=False)[0], moment, moment),
    )
    row = connection.execute(f"SELECT {_COLUMNS} FROM files WHERE run_id = ? AND name = ?", (run_id, name)).fetchone()
    return RunFile(*row)


def by_id(connection: sqlite3.Connection, number: int) -> RunFile | None:
    """The file in this row."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM files WHERE id = ?", (number,)).fetchone()
    return None if row is None else RunFile(*row)


def fill(connection: sqlite3.Connection, number: int, blob: Blob) -> bool:
    """Give a file its bytes; False when it was deleted meanwhile."""
    cursor = connection.execute(
        "UPDATE files SET sha256 = ?, md5 = ?, size = ?, updated_at = ? WHERE id = ?",
        (blob.sha256, blob.md5, blob.size, times.now(), number),
    )
    return cursor.rowcount == 1


def commit(connection: sqlite3.Connection, run_id: int, names: Sequence[str]) -> None:
    """Note that the writer said these files are whole."""
    connection.executemany(
        "UPDATE files SET committed = 1 WHERE run_id = ? AND name = ?", [(run_id, name) for name in names]
    )


def count(connection: sqlite3.Connection, run_id: int) -> int:
    """How many files of the run have bytes."""
    row = connection.execute("SELECT count(*) FROM files WHERE run_id = ? AND sha256 IS NOT NULL", (run_id,)).fetchone()
    return int(row[0])


def page(
    connection: sqlite3.Connection,
    run_id: int,
    *,
    names: Sequence[str] = (),
    pattern: str | None = None,
    after: str | None = None,
    first: int = 50,
) -> tuple[list[RunFile], bool]:
    """Up to `first` files that have bytes, in the order of their names, and whether more follow.

    Args:
        connection: a reader.
        run_id: whose files.
        names: these names only; all names when empty.
        pattern: an SQL LIKE pattern, ``%`` and ``_`` as wildcards and a backslash before one to mean itself.
        after: the last name of the page before.
        first: how many at the most.
    """
    where, values = ["run_id = ?", "sha256 IS NOT NULL"], [run_id]
    parameters: list[object] = [*values]
    if names:
        where.append(f"name IN ({', '.join('?' * len(names))})")
        parameters += names
    if pattern is not None:
        where.append("name LIKE ? ESCAPE '\\'")
        parameters.append(pattern)
    if after is not None:
        where.append("name > ?")
        parameters.append(after)
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM files WHERE {' AND '.join(where)} ORDER BY name LIMIT ?", (*parameters, first + 1)
    ).fetchall()
    return [RunFile(*row) for row in rows[:first]], len(rows) > first


def delete(connection: sqlite3.Connection, numbers: Sequence[int]) -> int:
    """Delete these files; how many there were."""
    cursor = connection.executemany("DELETE FROM files WHERE id = ?", [(number,) for number in numbers])
    return cursor.rowcount
