"""Reports: the listing of a project, and one of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from runframe import extjson
from runframe.errors import NotFoundError
from runframe.frames.schema import CATEGORY, JSON, TEXT, TIME, Column, Schema
from runframe.resources.client import Client
from runframe.resources.collection import SizedCollection
from runframe.resources.query_generator import QueryError, QueryGenerator
from runframe.resources.run_sets import read_run_set
from runframe.resources.showing import Shown
from runframe.wire.pages import Connection

if TYPE_CHECKING:
    from runframe.resources.projects import Project
    from runframe.resources.runs import Runs

NO_VIEWS = {"edges": [], "pageInfo": {"hasNextPage": False}}


class BetaReport(Shown):
    """One report.

    Made from a path it has only what the path says: its id and its title. `load()` fetches the rest.

    Args:
        client: the connection.
        attrs: its fields; `spec` may be JSON text or an object.
        entity, project: where it is.

    Attributes:
        client: the connection.
        entity, project: where it is, as text.
        query_generator: translates its filters and orders.
    """

    _what = "report"

    def __init__(
        self, client: Client, attrs: Mapping[str, Any], entity: str | None = None, project: str | None = None
    ) -> None:
        super().__init__(attrs)
        self.client = client
        self.project = project
        self.entity = entity
        self.query_generator = QueryGenerator()
        self._parse()

    def _parse(self) -> None:
        if isinstance(spec := self._attrs.get("spec"), str):
            self._attrs["spec"] = extjson.loads(spec or "{}")

    @property
    def id(self) -> str:
        """The server's own id of the report; in its address without ``=``."""
        return str(self._attrs["id"])

    @property
    def name(self) -> str | None:
        """The name that the server gave it; people see `display_name`."""
        return self._attrs.get("name")

    @property
    def display_name(self) -> str | None:
        """The title."""
        return self._attrs.get("displayName")

    @property
    def description(self) -> str | None:
        """The description."""
        return self._attrs.get("description")

    @property
    def user(self) -> dict[str, Any] | None:
        """Who made it: a dict with `username`, `photoUrl` and `email`; None where it isn't known."""
        return self._attrs.get("user")

    @property
    def created_at(self) -> str | None:
        """When it was made, as ISO 8601 text."""
        return self._attrs.get("createdAt")

    @property
    def updated_at(self) -> str | None:
        """When it was last changed, as ISO 8601 text."""
        return self._attrs.get("updatedAt")

    @property
    def spec(self) -> dict[str, Any]:
        """The whole document: older ones have `panelGroups`, newer ones (`version` 5) `blocks`.

        It is fetched when it is first read, where the listing was read without it.
        """
        if self._attrs.get("spec") is None:
            self.load(force=True)
        spec: dict[str, Any] = self._attrs["spec"]
        return spec

    @property
    def sections(self) -> list[dict[str, Any]]:
        """The sections of an older document, as they are; each can be given to `runs`.

        Raises:
            QueryError: (also a KeyError) the document has none: newer ones have blocks, see `panel_grids`.
        """
        if "panelGroups" not in self.spec:
            kind = "blocks: use report.panel_grids" if "blocks" in self.spec else "nothing: report.load() fetches it"
            raise QueryError(f"report {self.display_name!r} has no panelGroups, but {kind}")
        sections: list[dict[str, Any]] = self.spec["panelGroups"]
        return sections

    @property
    def panel_grids(self) -> list[dict[str, Any]]:
        """The parts of the document that show runs, in either form of documents; each can be given to `runs`."""
        blocks = self.spec.get("blocks") or []
        grids = [block["metadata"] for block in blocks if block.get("type") == "panel-grid" and "metadata" in block]
        return [*self.spec.get("panelGroups", []), *grids]

    def runs(self, section: Mapping[str, Any], per_page: int | None = 50, only_selected: bool = True) -> Runs:
        """The runs that a section shows: of its open set of runs, with that set's filters and order.

        Args:
            section: one of `sections` or `panel_grids`.
            per_page: runs asked for at once.
            only_selected: only those that are selected in the report.

        Raises:
            QueryError: (also a KeyError and a ValueError) the section is malformed.
        """
        from runframe.resources.runs import Runs

        found = read_run_set(section, only_selected=only_selected)
        entity, project = found.entity or self.entity or "", found.project or self.project or ""
        return Runs(self.client, entity, project, found.filters, found.order, per_page)

    @property
    def url(self) -> str | None:
        """The address of its page; None where a part of it isn't known."""
        if not (self.entity and self.project and self.display_name and self._attrs.get("id")):
            return None
        title = re.sub(r"[\W-]+", "-", self.display_name).strip("-")
        return self.client.link(self.entity, self.project, "reports") + f"/{quote(title)}--{self.id.replace('=', '')}"

    def load(self, force: bool = False) -> dict[str, Any]:
        """Fetches the report where it has only what its path says (or with `force`), and returns its fields.

        Raises:
            NotFoundError: there is no such report.
        """
        if force or "name" not in self._attrs:
            found = self.client.query("reports", "SpecificReport", {"reportId": self.id}).get("view")
            if found is None:
                path = f"{self.entity}/{self.project}/reports/{self.id}"
                raise NotFoundError(f"Could not find report {path}", path=path)
            self._attrs = dict(found)
            self._parse()
        return dict(self._attrs)

    def to_html(self, height: int = 1024, hidden: bool = False) -> str:
        """An iframe of the report's page.

        Args:
            height: its height in pixels.
            hidden: begin with a button alone, which shows the iframe.
        """
        return super().to_html(height, hidden)

    def __repr__(self) -> str:
        return f"<BetaReport {self.entity}/{self.project} {self.display_name!r} ({self._attrs.get('id')})>"


class Reports(SizedCollection[BetaReport]):
    """The reports of a project, the newest first.

    The server does not count reports: `len()` is the number of those that were read so far, the first page at least.

    Args:
        client: the connection.
        project: the project.
        name: only the report of this name (`BetaReport.name`, not the title).
        entity: accepted for code written against the official client; the project's entity holds.
        per_page: reports asked for at once when objects are read; None means 50.

    Attributes:
        project, name: as given.
    """

    SCHEMA = Schema(
        "reports",
        [
            Column("id", TEXT, "id", "The server's own id of the report."),
            Column("name", TEXT, "name", "The name that the server gave it."),
            Column("display_name", TEXT, "displayName", "The title."),
            Column("description", TEXT, "description", "Description."),
            Column("user", CATEGORY, "user.username", "Name of the user who made it."),
            Column("entity", CATEGORY, "entity", "User or team that it belongs to."),
            Column("project", CATEGORY, "project", "Project that it belongs to."),
            Column("created_at", TIME, "createdAt", "When it was made."),
            Column("updated_at", TIME, "updatedAt", "When it was last changed."),
            Column("spec", JSON, "spec", "The whole document.", "heavy", lambda spec: spec or None),
        ],
    )
    CONNECTION = Connection(("project", "allViews"), size_variable="reportLimit", cursor_variable="reportCursor")

    def __init__(
        self,
        client: Client,
        project: Project,
        name: str | None = None,
        entity: str | None = None,
        per_page: int | None = None,
    ) -> None:
        self.project = project
        self.name = name
        super().__init__(client, {"project": project.name, "entity": project.entity, "viewName": name}, per_page)

    @property
    def length(self) -> int:
        """How many were read so far; reads the first page if none was."""
        if not self._started:
            self._load()
        return len(self._nodes)

    def _operation(self, full: bool) -> tuple[str, str]:
        return "reports", "ProjectViews" if full else "LightProjectViews"

    def _wants_full(self) -> bool:
        return True

    def _is_full(self, node: Mapping[str, Any]) -> bool:
        return "spec" in node

    def _checked(self, data: dict[str, Any]) -> dict[str, Any]:
        if data.get("project") is None:
            raise NotFoundError(
                f"Project {self.project.name} does not exist under entity {self.project.entity}", path=self._place
            )
        return {"project": {"allViews": data["project"].get("allViews") or NO_VIEWS}}

    def _object(self, node: dict[str, Any]) -> BetaReport:
        return BetaReport(self.client, node, self.project.entity, self.project.name)

    def _complete(self, item: BetaReport, node: Mapping[str, Any]) -> None:
        item._attrs.setdefault("spec", node["spec"])
        item._parse()

    def _context(self) -> dict[str, Any]:
        return {"entity": self.project.entity, "project": self.project.name}

    def _path_of(self, node: Mapping[str, Any]) -> str:
        return f"{self._place}/reports/{node.get('id')}"

    def _source(self) -> str:
        return f"{self._place}/reports"

    def _query(self) -> str | None:
        return self.name

    @property
    def _place(self) -> str:
        return f"{self.project.entity}/{self.project.name}"

    def __repr__(self) -> str:
        return f"<Reports {self._place}>"
