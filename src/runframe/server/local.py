"""A store and its app, opened in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from starlette.applications import Starlette

from runframe.errors import UsageError
from runframe.server.app import create_app
from runframe.server.compaction import Compacted, compact
from runframe.server.errors import Refusal
from runframe.server.importing import ImportedRun, import_logs
from runframe.server.store import users
from runframe.server.store.accounts import keys, people
from runframe.server.store.states import Grace
from runframe.server.store.store import Store


class LocalServer:
    """An embedded server over one folder.

    Attributes:
        app: the ASGI app; the URLs that it answers with begin as the request's own did.
        store: the store underneath.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.app: Starlette = create_app(store)

    @property
    def api_key(self) -> str:
        """The key that was made with the store: 40 letters and digits."""
        return self.store.owner.api_key

    @property
    def entity(self) -> str:
        """The default entity's name."""
        return self.store.owner.user.entity

    def import_logs(
        self, paths: Sequence[str | Path], *, entity: str | None = None, project: str | None = None
    ) -> list[ImportedRun]:
        """Import every ``.wandb`` log at or below the paths; nothing before all could be read.

        Args:
            paths: logs, run folders or folders above them.
            entity: whose the runs become; None for what each log says, or else the default entity.
            project: which project they go into; None for what each log says, or else "uncategorized".

        Raises:
            UsageError: there is no log at a path.
            LogError: a file is no log.
        """
        return list(import_logs(self.store, paths, entity=entity, project=project))

    def compact(self, project: str | None = None) -> list[Compacted]:
        """Write the histories of ended runs as Parquet files, which clients read much faster than lines.

        The lines stay: a run that goes on later is read from them again.

        Args:
            project: only the runs of the projects with this name.
        """
        return list(compact(self.store, project))

    def add_user(self, name: str, email: str | None = None, key: str | None = None, admin: bool = False) -> str:
        """Add a user, also while another process serves the store.

        Args:
            name: the user's name, and that of the user's entity.
            email: the user's address.
            key: the key; None makes one.
            admin: whether the user may change everything.

        Returns:
            The user's key.

        Raises:
            UsageError: the name, the address or the key cannot be one, or is taken.
        """
        try:
            with self.store.write() as connection:
                return people.add(connection, name, email=email, key=key, admin=admin)[1]
        except Refusal as error:
            raise UsageError(error.message) from error

    def add_key(self, name: str, key: str | None = None) -> str:
        """Give a user one more key: one who was added by address, in the API, has none.

        Args:
            name: the user's name.
            key: the key; None makes one.

        Returns:
            The key.

        Raises:
            UsageError: there is no such user, or the key cannot be one or is in use.
        """
        try:
            with self.store.write() as connection:
                user = users.find_user(connection, name)
                if user is None:
                    raise Refusal(f"There is no user {name!r}.")
                return keys.add(connection, user, key)
        except Refusal as error:
            raise UsageError(error.message) from error

    def close(self) -> None:
        """Close the store; a second call does nothing."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_local(directory: str | Path, *, create: bool = True, grace: Grace | None = None) -> LocalServer:
    """Open a folder as a server.

    Args:
        directory: the store's folder.
        create: make the store where there is none.
        grace: how long a run may be silent before it counts as crashed.

    Raises:
        UsageError: there is no store and none is to be made, or the folder cannot be one.
    """
    return LocalServer(Store(Path(directory).expanduser(), create=create, grace=grace))
