"""Sweeps: the listing of a project, and one by its id."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import quote_plus

from runframe import extjson
from runframe.errors import NotFoundError, ServerError, UnsupportedError
from runframe.frames.schema import CATEGORY, DOUBLE, INT, JSON, TEXT, TIME, Column, Schema
from runframe.resources.client import Client
from runframe.resources.collection import SizedCollection
from runframe.resources.query_generator import QueryGenerator, best_order
from runframe.resources.runs import Runs
from runframe.resources.showing import Shown
from runframe.resources.values import to_json_value
from runframe.wire.pages import Connection

if TYPE_CHECKING:
    from runframe.frames.frame import Frame
    from runframe.resources.agents import Agent, Agents
    from runframe.resources.client import Connected
    from runframe.resources.run import Run

RUNS_PER_PAGE = 10
NEWEST_FIRST = "-created_at"
OLDEST_FIRST = "+created_at"
LIVE_STATES = frozenset({"PENDING", "RUNNING"})
REFUSALS = frozenset({200, 400, 422})
"""The statuses with which servers refuse a document that they do not understand."""


class Sweep(Shown):
    """One sweep.

    Args:
        client: the connection.
        entity, project: where it is.
        sweep_id: its id, as in its address.
        attrs: its fields; None to ask for them.

    Attributes:
        client: the connection.
        project: where it is, as text.
        id: its id, as in its address.
        runs: its runs, the oldest first. Nothing is asked before the first one is wanted.
        state: `PENDING`, `RUNNING`, `PAUSED`, `FINISHED` or `CANCELED`.
        method: `grid`, `random`, `bayes`, …; None on older servers, as are those that follow but `best_loss`.
        description, display_name: text or None.
        best_loss: the best value of its metric so far; None where no run has one.
        run_count: how many runs it has.
        created_at, updated_at: ISO 8601 text as the server sends it.

    Raises:
        NotFoundError: there is no such sweep.
    """

    _what = "sweep"
    state: str
    method: str
    description: str | None
    display_name: str | None
    best_loss: float | None
    run_count: int
    created_at: str
    updated_at: str | None

    def __init__(
        self, client: Client, entity: str, project: str, sweep_id: str, attrs: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(attrs or {})
        self.client = client
        self._entity = entity
        self.project = project
        self.id = sweep_id
        self.runs = self._runs()
        self.load(force=not attrs)

    @classmethod
    def get(
        cls,
        api: Connected | Client,
        entity: str | None = None,
        project: str | None = None,
        sid: str | None = None,
        order: str | None = None,
        query: Any = None,
        **kwargs: Any,
    ) -> Sweep | None:
        """The sweep of an id; None where there is no such sweep.

        Args:
            api: the `Api`, or its `client`.
            entity: the user or team that it belongs to.
            project: its project.
            sid: its id.
            order: the order of its `runs`: a key with ``+`` (ascending) or ``-``; None for the oldest first.
            query: a GraphQL document of your own, with the variables `entity`, `project` and `name`.
            kwargs: more variables for it.

        Raises:
            CommError: the server refused it, or could not be reached.
        """
        client = api if isinstance(api, Client) else api.client
        entity, project, sid = entity or "", project or "", sid or ""
        found = _fetch(client, entity, project, sid, query, kwargs)
        if found is None:
            return None
        sweep = cls(client, entity, project, sid, found)
        sweep.runs = sweep._runs(order)
        return sweep

    def load(self, force: bool = False) -> dict[str, Any]:
        """Fetches the sweep again (with `force`, or if it was never loaded) and returns its fields.

        Raises:
            NotFoundError: the sweep isn't there.
        """
        if force or not self._attrs:
            found = _fetch(self.client, self._entity, self.project, self.id)
            if found is None:
                raise NotFoundError(f"Could not find sweep {self!r}", path=self._place)
            self._attrs = found
            self.runs = self._runs()
        return self._attrs

    # What it is.

    @property
    def entity(self) -> str:
        """The user or team that the sweep belongs to."""
        return self._entity

    @property
    def username(self) -> str:
        """The entity, by its old name."""
        warnings.warn("Sweep.username is deprecated: it is the sweep's entity", DeprecationWarning, stacklevel=2)
        return self._entity

    @property
    def name(self) -> str:
        """The name that people see: the one that was given later, else the one in the config, else the id."""
        return title_of(self._attrs, self.config if self._attrs.get("config") else {}, self.id)

    @property
    def storage_id(self) -> str | None:
        """The server's own id of the sweep."""
        return cast("str | None", self._attrs.get("id"))

    @property
    def config(self) -> dict[str, Any]:
        """What was asked for: `method`, `metric`, `parameters`, …; read from YAML at each access."""
        return read_config(self._attrs["config"])

    @property
    def expected_run_count(self) -> int | None:
        """How many runs it will have; None where there is no end, or the server doesn't say."""
        return cast("int | None", self._attrs.get("runCountExpected"))

    @property
    def order(self) -> str | None:
        """The order that puts the best run first, after the metric in the config; None without one."""
        return order_of(self.config) if self._attrs.get("config") else None

    @property
    def path(self) -> list[str]:
        """Entity, project and id, each percent-encoded, with ``+`` for blanks."""
        return [quote_plus(part) for part in (self._entity, self.project, self.id)]

    @property
    def url(self) -> str:
        """The address of its page."""
        entity, project, sweep = self.path
        return f"{self.client.app_url}{entity}/{project}/sweeps/{sweep}"

    def __repr__(self) -> str:
        return f"<Sweep {'/'.join(self.path)} ({self._attrs.get('state', 'Unknown State')})>"

    @property
    def _place(self) -> str:
        return f"{self._entity}/{self.project}/{self.id}"

    # Its runs.

    def _runs(self, order: str | None = None, per_page: int = RUNS_PER_PAGE) -> Runs:
        filters = {"$and": [{"sweep": self.id}]}
        return Runs(self.client, self._entity, self.project, filters, order or OLDEST_FIRST, per_page)

    def best_run(self, order: str | None = None) -> Run | None:
        """The best run after the metric in the config; None where the sweep has no runs.

        Runs without the metric come last. Without a metric and an order, a warning says so and the newest run is taken.

        Args:
            order: another metric or path (``val.acc``, ``config.lr.value``), with ``+`` where the lowest is the best
                and ``-``, or nothing, where the highest is.

        Raises:
            CommError: the server could not be asked.
        """
        chosen = self.order if order is None else best_order(order)
        if chosen is None:
            told = f"sweep {self._place} has no metric in its config and no order was given: this is its newest run"
            warnings.warn(told, UserWarning, stacklevel=2)
        return next(iter(self._runs(chosen or NEWEST_FIRST, per_page=1)), None)

    def frame(self) -> Frame:
        """Its runs as a frame, the best first: what was tried, and what came of it.

        The columns are `id`, `name`, `state` and `created_at` of each run, then the sweep's metric as a number
        (``summary.val/loss``), then a typed column for each of its parameters (``config.optimizer.lr``), in the order
        of its config; all of the runs' config where it names none. Runs whose metric is NaN come after the others,
        those that have none last; equals stand in the order in which they were made. Where `define_metric` has the
        summary keep several numbers of the metric, it is the best one of the run, by the sweep's goal.

        A sweep without a metric gives a warning, no such column, and its runs in the order in which they were made.

        Raises:
            CommError: the server could not be asked.
        """
        from runframe.resources.sweep_frames import sweep_frame

        return sweep_frame(self)

    def enqueue_run(self, config: Mapping[str, Any], display_name: str | None = None) -> str:
        """Makes a run for the next agent that has nothing to do.

        Args:
            config: its arguments.
            display_name: the name that people see; None for one that the server chooses.

        Returns:
            The run's id.

        Raises:
            UnsupportedError: the server cannot do this.
            CommError: the server refused it.
        """
        if not self.client.has_feature("SWEEPS_LOCAL_SCHEDULER"):
            raise UnsupportedError(f"the server of sweep {self._place} cannot enqueue runs", path=self._place)
        variables = {"id": self.storage_id, "config": extjson.dumps(config), "displayName": display_name}
        return str(self.client.query("sweeps", "EnqueueSweepRun", variables)["enqueueSweepRun"]["id"])

    # Its agents.

    def agent(self, agent_id: str) -> Agent:
        """One agent.

        Args:
            agent_id: its id or its name.

        Raises:
            NotFoundError: the sweep has no such agent.
        """
        from runframe.resources.agents import find_agent

        return find_agent(self, agent_id)

    def agents(self) -> Agents:
        """All agents that ever worked on the sweep, a list that is columns as well.

        It is empty where the sweep isn't there any more.
        """
        from runframe.resources.agents import list_agents

        return list_agents(self)


class Sweeps(SizedCollection[Sweep]):
    """The sweeps of a project, the newest first.

    Args:
        client: the connection.
        entity: the user or team.
        project: the project's name.
        per_page: sweeps asked for at once when objects are read; None means 50.
        filters: a MongoDB-style filter on `name` (the id), `state`, `method`, `displayName`, `createdAt`, …
        order: `created_at` or another of these fields, with ``+`` (ascending) or ``-`` before it.

    Attributes:
        entity, project: as given.

    Raises:
        UnsupportedError: the server cannot filter sweeps.
        TypeError: the filter has no JSON form.
    """

    SCHEMA = Schema(
        "sweeps",
        [
            Column("id", TEXT, "name", "The sweep's id, as in its address."),
            Column("name", TEXT, "title", "The name that people see."),
            Column("state", CATEGORY, "state", "`PENDING`, `RUNNING`, `PAUSED`, `FINISHED` or `CANCELED`."),
            Column("method", CATEGORY, "method", "`grid`, `random`, `bayes`, …"),
            Column("entity", CATEGORY, "entity", "User or team that it belongs to."),
            Column("project", CATEGORY, "project", "Project that it belongs to."),
            Column("description", TEXT, "description", "Description."),
            Column("best_loss", DOUBLE, "bestLoss", "Best value of its metric so far."),
            Column("order", TEXT, "order", "The order of runs that puts the best one first."),
            Column("run_count", INT, "runCount", "How many runs it has."),
            Column("expected_run_count", INT, "runCountExpected", "How many it will have; null where there is no end."),
            Column("created_at", TIME, "createdAt", "When it was made."),
            Column("updated_at", TIME, "updatedAt", "When it was last changed."),
            Column("storage_id", TEXT, "id", "The server's own id of the sweep."),
            Column("config", JSON, "config", "What was asked for.", document="summary"),
        ],
    )
    CONNECTION = Connection(("project", "sweeps"), cursor="end", total=("project", "totalSweeps"))

    def __init__(
        self,
        client: Client,
        entity: str,
        project: str,
        per_page: int | None = None,
        filters: Mapping[str, Any] | None = None,
        order: str | None = None,
    ) -> None:
        self.entity = entity
        self.project = project
        self._chosen = {"filters": json.dumps(dict(filters)) if filters else None, "order": order or None}
        if filters and not client.has_feature("SWEEPS_QUERY_FILTERING"):
            raise UnsupportedError(f"the server of {entity}/{project} cannot filter sweeps", path=f"{entity}/{project}")
        given = {name: value for name, value in self._chosen.items() if value is not None}
        super().__init__(client, {"project": project, "entity": entity, **given}, per_page)

    @property
    def length(self) -> int | None:
        """How many there are; for a filter all pages are read, because servers count the whole project."""
        if self._chosen["filters"] is None:
            return super().length
        self._reach_end()
        return len(self._nodes)

    def _operation(self, full: bool) -> tuple[str, str]:
        return "sweeps", "GetChosenSweeps" if any(self._chosen.values()) else "GetSweeps"

    def _checked(self, data: dict[str, Any]) -> dict[str, Any]:
        project = data.get("project")
        if project is None:
            raise NotFoundError(f"Could not find project {self._place}", path=self._place)
        if self._chosen["filters"] is not None:
            return {"project": {**project, "totalSweeps": None}}
        return data

    def _object(self, node: dict[str, Any]) -> Sweep:
        return Sweep(self.client, self.entity, self.project, node["name"], node)

    def _row(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        config = read_config(node.get("config") or "")
        derived = {"title": title_of(node, config, node["name"]), "order": order_of(config)}
        return {**node, **derived, "config": to_json_value(config)}

    def frame(self, columns: Sequence[str] | None = None, *, on_conflict: Literal["json", "null"] = "json") -> Frame:
        """All sweeps as one wide frame: their attributes, and a typed column for each entry of the config.

        Args:
            columns: columns of `SCHEMA` or flattened ones (``config.metric.name``); None for all.
            on_conflict: what becomes of a column whose values have no type in common: ``"json"`` text, or null.
        """
        from runframe.frames.flatten import flatten

        return flatten(self._table(None), columns, on_conflict=on_conflict)

    def _context(self) -> dict[str, Any]:
        return {"entity": self.entity, "project": self.project}

    def _path_of(self, node: Mapping[str, Any]) -> str:
        return f"{self._place}/{node.get('name')}"

    def _source(self) -> str:
        return f"{self._place}/sweeps"

    def _query(self) -> str | None:
        return " ".join(filter(None, self._chosen.values())) or None

    def _is_live(self, node: Mapping[str, Any]) -> bool:
        return node.get("state") in LIVE_STATES

    @property
    def _place(self) -> str:
        return f"{self.entity}/{self.project}"

    def __repr__(self) -> str:
        return f"<Sweeps {self._place}>"


def read_config(text: str) -> dict[str, Any]:
    """A sweep's config from its YAML; an empty one where there is none."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(text, loader) or {}


def title_of(node: Mapping[str, Any], config: Mapping[str, Any], sweep_id: str) -> str:
    """The name of a sweep that people see."""
    return str(node.get("displayName") or config.get("name") or sweep_id)


def order_of(config: Mapping[str, Any]) -> str | None:
    """The order that puts the best run first; None where the config names no metric."""
    metric = config.get("metric")
    if not isinstance(metric, Mapping) or not metric.get("name"):
        return None
    sign = "+" if metric.get("goal", "minimize") == "minimize" else "-"
    return QueryGenerator.format_order_key(f"{sign}{metric['name']}")


def _fetch(
    client: Client,
    entity: str,
    project: str,
    sweep_id: str,
    query: Any = None,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any] | None:
    """The fields of a sweep; None where there is no such sweep."""
    variables = {"entity": entity, "project": project, "name": sweep_id, **(more or {})}
    if query is not None:
        data = client.execute(query, variables)
    else:
        try:
            data = client.query("sweeps", "GetSweep", variables)
        except ServerError as error:
            if error.status not in REFUSALS:
                raise
            # An older server does not know all the fields.
            data = client.query("sweeps", "GetSweepLegacy", variables)
    found = (data.get("project") or {}).get("sweep")
    return None if found is None else dict(found)
