"""One SQLite file, opened by any number of threads and processes.

WAL with ``synchronous=FULL``: what `write` has committed is on the disk, also after the machine loses power. There is
one writer connection in a process, behind a lock that serves as its queue; another process's writer is waited for.
Readers stand beside it and see one snapshot each. Nothing is remembered in memory: two processes that open the same
folder see each other's work.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runframe.errors import UsageError
from runframe.server.store import functions
from runframe.server.store.tables import APPLICATION_ID, SCHEMA_VERSION, TABLES, UPGRADES

_WAIT_SECONDS = 60.0
_IDLE_READERS = 8


class Database:
    """The connections to one SQLite file.

    Args:
        path: the file; it is made, with its tables, where there is none.

    Raises:
        UsageError: the file is no runframe store, or one of a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._write_lock = threading.Lock()
        self._pool_lock = threading.Lock()
        self._readers: list[sqlite3.Connection] = []
        self._closed = False
        self._writer = self._connect()
        try:
            self._prepare()
        except BaseException:
            self._writer.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        functions.register(connection)
        return connection

    def _prepare(self) -> None:
        connection = self._writer
        try:
            _configure(connection)
            found = connection.execute("PRAGMA application_id").fetchone()[0]
            empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
        except sqlite3.DatabaseError as error:
            raise UsageError(f"{str(self.path)!r} is not a runframe store: {error}.", path=str(self.path)) from error
        if found not in (0, APPLICATION_ID) or (found == 0 and not empty):
            raise UsageError(f"{str(self.path)!r} is an SQLite file of another program.", path=str(self.path))
        if empty:
            connection.execute("PRAGMA page_size=8192")
        _keep_a_log(connection)
        with self.write() as transaction:
            version = transaction.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise UsageError(
                    f"{str(self.path)!r} was written by a newer runframe (store version {version}, this one knows "
                    f"{SCHEMA_VERSION}). Upgrade runframe to open it.",
                    path=str(self.path),
                )
            steps = [TABLES] if version == 0 else [UPGRADES[each] for each in range(version, SCHEMA_VERSION)]
            for statement in (each for step in steps for each in step):
                transaction.execute(statement)
            if steps:
                transaction.execute(f"PRAGMA application_id={APPLICATION_ID}")
                transaction.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """The writer, in a transaction: on the disk when the block ends, undone when it raises."""
        with self._write_lock:
            connection = self._writer
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def read(self, *, snapshot: bool = True) -> Iterator[sqlite3.Connection]:
        """A reader for the block's time; with `snapshot` all its answers are of one moment."""
        connection = self._borrow()
        try:
            if snapshot:
                connection.execute("BEGIN")
            yield connection
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            self._give_back(connection)

    def _borrow(self) -> sqlite3.Connection:
        with self._pool_lock:
            if self._readers:
                return self._readers.pop()
        connection = self._connect()
        _configure(connection)
        connection.execute("PRAGMA query_only=ON")
        return connection

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._pool_lock:
            if not self._closed and len(self._readers) < _IDLE_READERS:
                self._readers.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close every connection; a second call does nothing."""
        with self._write_lock, self._pool_lock:
            self._closed = True
            for reader in self._readers:
                reader.close()
            self._readers.clear()
            self._writer.close()


def _keep_a_log(connection: sqlite3.Connection) -> None:
    """Switch to WAL. SQLite does not wait for other connections here, as it does everywhere else."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _configure(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA cache_size=-16000")
