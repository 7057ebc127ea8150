"""Where an export reads from: one project of one server, or the runs of it that a filter lets through."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runframe.errors import NotFoundError
from runframe.paths import parse_project
from runframe.resources.client import Client
from runframe.resources.history.pages import RunHistory
from runframe.resources.runs import Runs
from runframe.wire.pages import Connection, Pages

ORDER = "+created_at"


@dataclass(frozen=True)
class Source:
    """A project to be exported.

    Attributes:
        client: the connection.
        entity: the entity's name.
        project: the project's name.
        filters: only the runs that match this filter, as the server takes it; empty for all of them.
    """

    client: Client
    entity: str
    project: str
    filters: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_path(cls, client: Client, path: str) -> Source:
        """The project that a path names: `entity/project`, or `project` of the default entity.

        Raises:
            PathError: the path is malformed.
        """
        parsed = parse_project(path, entity=client.default_entity, project=client.settings.get("project"))
        return cls(client, parsed.entity, parsed.project)

    @property
    def path(self) -> str:
        """`entity/project`."""
        return f"{self.entity}/{self.project}"

    @property
    def address(self) -> str:
        """The server's address, as it was given."""
        return str(self.client.settings.get("base_url") or self.client.session.base_url)

    def unfiltered(self) -> Source:
        """The whole project."""
        return Source(self.client, self.entity, self.project)

    def history(self, run_id: str) -> RunHistory:
        """Where a run's history is."""
        return RunHistory(self.client, self.entity, self.project, run_id)

    def count(self) -> int | None:
        """How many runs the server counts.

        Raises:
            NotFoundError: there is no such project.
            CommError: the server refused, or could not be reached.
        """
        data = self.client.query("exports", "RunStamps", {**self._variables(None), "perPage": 1})
        if data.get("project") is None:
            raise NotFoundError(f"Could not find project {self.path}", path=self.path)
        total = data["project"].get("runCount")
        return None if total is None else int(total)

    def runs(self, narrowed: Mapping[str, Any] | None = None) -> Pages:
        """The runs with all their fields, a page at a time, the oldest first.

        Args:
            narrowed: only those that match this filter too.
        """
        return self._pages("runs", "FullRuns", narrowed)

    def stamps(self) -> Pages:
        """What tells of each run whether it has changed, a page at a time."""
        return self._pages("exports", "RunStamps", None)

    def _pages(self, noun: str, operation: str, narrowed: Mapping[str, Any] | None) -> Pages:
        runs = Runs.CONNECTION
        where = Connection(runs.path, total=runs.total, missing=f"Could not find project {self.path}")
        return self.client.pages(noun, operation, self._variables(narrowed), where)

    def _variables(self, narrowed: Mapping[str, Any] | None) -> dict[str, Any]:
        filters = [dict(each) for each in (self.filters, narrowed) if each]
        joined = {"$and": filters} if len(filters) > 1 else filters[0] if filters else {}
        return {"entity": self.entity, "project": self.project, "order": ORDER, "filters": json.dumps(joined)}
