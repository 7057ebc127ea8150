"""What an export is to fetch: known before anything is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runframe.resources.history.pages import LIVE_STATES, Extent, RunHistory
from runframe.resources.runs import Runs

if TYPE_CHECKING:
    from runframe.api import Api
    from runframe.resources.client import Client

# What the listing tells of each run's history.
COLUMNS = ["id", "state", "history_line_count", "last_history_step"]


@dataclass(frozen=True)
class Planned:
    """One run's history, as the listing tells of it.

    Attributes:
        run_id: the run's id.
        live: whether it was still being written.
        extent: how far its history goes; None where the server doesn't say, or where that may have changed already.
    """

    run_id: str
    live: bool
    extent: Extent | None

    @property
    def rows(self) -> int:
        """How many rows to expect; 0 where that is not known."""
        return (self.extent.lines or 0) if self.extent is not None else 0


@dataclass(frozen=True)
class Plan:
    """A project to be exported.

    Attributes:
        client: the connection.
        source: the server's address, as it was given.
        entity: the entity's name.
        project: the project's name.
        expected: how many runs the server counted.
    """

    client: Client
    source: str
    entity: str
    project: str
    expected: int

    @property
    def path(self) -> str:
        """`entity/project`."""
        return f"{self.entity}/{self.project}"

    def runs(self) -> Runs:
        """The runs, by the time they were made; a new collection, so that nothing read before is taken for current."""
        return Runs(self.client, self.entity, self.project, order="+created_at")

    def history(self, run_id: str) -> RunHistory:
        """Where a run's history is."""
        return RunHistory(self.client, self.entity, self.project, run_id)


def plan_export(api: Api, path: str) -> Plan:
    """Look a project up.

    Args:
        api: the connection.
        path: `entity/project`, or `project` of the default entity.

    Raises:
        NotFoundError: there is no such project.
        PathError: the path is malformed.
        CommError: the server refused, or could not be reached.
    """
    named = api.runs(path)
    counted = Runs(api.client, named.entity, named.project, per_page=1).length
    return Plan(api.client, str(api.settings["base_url"]), named.entity, named.project, counted or 0)


def planned(rows: Iterator[dict[str, object]]) -> list[Planned]:
    """The histories to fetch, sorted by run id, from the columns `COLUMNS` of the listing."""
    return sorted((_planned(row) for row in rows), key=lambda each: each.run_id)


def _planned(row: dict[str, object]) -> Planned:
    run_id, state, lines, last = (row[name] for name in COLUMNS)
    live = state in LIVE_STATES
    if live or not isinstance(lines, int) or not (isinstance(last, int) or lines == 0):
        return Planned(str(run_id), live, None)
    return Planned(str(run_id), live, Extent(last if isinstance(last, int) else -1, lines))
