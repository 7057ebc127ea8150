"""What a resolver knows of the request that it answers."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from graphql import GraphQLResolveInfo

from runframe.server.store import projects, runs, users
from runframe.server.store.accounts import permissions
from runframe.server.store.store import Store
from runframe.server.urls import Signer

Row = TypeVar("Row")


@dataclass(slots=True)
class Context:
    """One request.

    Attributes:
        store: the store.
        connection: a reader: of one moment for queries, of the present for mutations.
        viewer: who asks.
        signer: makes URLs that carry their own token.
        shared: the request says that several processes write the run together.
    """

    store: Store
    connection: sqlite3.Connection
    viewer: users.User
    signer: Signer
    shared: bool = False
    _users: dict[int, users.User | None] = field(default_factory=dict)
    _projects: dict[int, projects.Project | None] = field(default_factory=dict)
    _documents: dict[int, dict[str, str]] = field(default_factory=dict)
    _rows: dict[tuple[Any, int], Any] = field(default_factory=dict)
    _writable: dict[int, bool] = field(default_factory=dict)

    def user(self, number: int | None) -> users.User | None:
        """The user in a row, read once a request."""
        if number is None:
            return None
        if number not in self._users:
            self._users[number] = users.user_by_id(self.connection, number)
        return self._users[number]

    def project(self, number: int) -> projects.Project | None:
        """The project in a row, read once a request."""
        if number not in self._projects:
            self._projects[number] = projects.by_id(self.connection, number)
        return self._projects[number]

    def may_write(self, project_id: int) -> bool:
        """Whether the viewer may change what is in a project, asked once a request."""
        project = self.project(project_id)
        if project is None or self.viewer.admin:
            return project is not None
        if project.entity_id not in self._writable:
            self._writable[project.entity_id] = permissions.may_write(self.connection, self.viewer, project.entity_id)
        return self._writable[project.entity_id]

    def once(self, load: Callable[[sqlite3.Connection, int], Row | None], number: int) -> Row | None:
        """What `load` finds in a row, read once a request."""
        if (load, number) not in self._rows:
            self._rows[load, number] = load(self.connection, number)
        row: Row | None = self._rows[load, number]
        return row

    def document(self, run: runs.Run, name: str) -> str:
        """A run's stored document: config, summary, system_metrics or history_keys."""
        text: str | None = getattr(run, name)
        if text is None:
            if run.id not in self._documents:
                self._documents[run.id] = runs.load_documents(self.connection, run.id)
            text = self._documents[run.id][name]
        return text


if TYPE_CHECKING:
    Info = GraphQLResolveInfo[Context]
else:
    Info = GraphQLResolveInfo  # not generic in every version
