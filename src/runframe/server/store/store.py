"""The store: one folder that can be copied.

```
DIR/runframe.sqlite     what changes: users, projects, runs, lines
DIR/blobs/ab/ab12…      files by the SHA-256 of their bytes
```
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from runframe.errors import UsageError
from runframe.server.store import users
from runframe.server.store.blobs import Blobs
from runframe.server.store.database import Database
from runframe.server.store.states import Grace

DATABASE_NAME = "runframe.sqlite"
DEFAULT_ENTITY = "local"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who the store belongs to, and the key that it made for them."""

    user: users.User
    api_key: str


class Store:
    """A store folder, opened.

    Args:
        directory: the folder.
        create: make the folder and the store where there is none.
        grace: how long a run may be silent before it counts as crashed.

    Raises:
        UsageError: there is no store and none is to be made, or the folder cannot be one.
    """

    def __init__(self, directory: Path, *, create: bool = True, grace: Grace | None = None) -> None:
        self.directory = directory
        self.grace = grace or Grace()
        path = directory / DATABASE_NAME
        if not create and not path.is_file():
            raise UsageError(
                f"There is no runframe store in {str(directory)!r}: expected the file {DATABASE_NAME!r} there. "
                "Give the folder of a store, or make one with 'runframe serve --dir DIR' or 'runframe import'.",
                path=str(directory),
            )
        _make_folder(directory, path)
        self.database = Database(path)
        self.blobs = Blobs(directory / "blobs")
        with self.write() as connection:
            self.owner = _ensure_owner(connection)
            self.url_secret = bytes.fromhex(_ensure_setting(connection, "url_secret", secrets.token_hex(32)))

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is on the disk when the block ends."""
        with self.database.write() as connection:
            yield connection

    @contextmanager
    def read(self, *, snapshot: bool = True) -> Iterator[sqlite3.Connection]:
        """A reader; with `snapshot` all its answers are of one moment."""
        with self.database.read(snapshot=snapshot) as connection:
            yield connection

    def close(self) -> None:
        """Close the store."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _make_folder(directory: Path, database: Path) -> None:
    """Make the folder and the database private: they hold a key."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if not any(directory.iterdir()):
            directory.chmod(0o700)
        database.touch(mode=0o600)  # SQLite gives its other files the same mode
    except OSError as error:
        raise UsageError(
            f"{str(directory)!r} cannot hold a store: {error.strerror or error}.", path=str(directory)
        ) from error


def _ensure_owner(connection: sqlite3.Connection) -> Owner:
    user = users.first_user(connection)
    if user is None:
        user = users.create_user(connection, DEFAULT_ENTITY, admin=True)
    key = users.kept_key(connection, user)
    if key is None:
        key = users.new_key()
        users.add_key(connection, user, key, keep=True, description="made with the store")
    return Owner(user, key)


def _ensure_setting(connection: sqlite3.Connection, name: str, value: str) -> str:
    connection.execute("INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", (name, value))
    return str(connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()["value"])
