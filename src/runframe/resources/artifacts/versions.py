"""Listings of versions: those of a collection, and those that a run logged or used."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from runframe.errors import NotFoundError, RunNotFoundError
from runframe.resources.artifacts.columns import VERSIONS
from runframe.resources.artifacts.homes import Home, aliases_in
from runframe.resources.artifacts.names import is_version
from runframe.resources.artifacts.phases import COMMITTED
from runframe.resources.client import Client
from runframe.resources.collection import SizedCollection
from runframe.resources.errors import ArgumentError
from runframe.wire.pages import Connection

if TYPE_CHECKING:
    from runframe.frames.provenance import Provenance
    from runframe.resources.artifacts.artifact import Artifact
    from runframe.resources.run import Run

_ORDER = re.compile(r"([+-]?)([A-Za-z_]\w*)")


def check_order(order: str | None) -> str | None:
    """An order with its sign: ``created_at`` is ``+created_at``.

    Raises:
        ArgumentError: (a ValueError) it is no name of a field.
    """
    if order is None:
        return None
    found = _ORDER.fullmatch(order) if isinstance(order, str) else None
    if found is None:
        raise ArgumentError(f"order is {order!r}; a field's name was expected, with '+' or '-' before it")
    return f"{found[1] or '+'}{found[2]}"


class VersionListing(SizedCollection["Artifact"]):
    """What listings of versions share."""

    SCHEMA = VERSIONS

    def __init__(
        self, client: Client, variables: Mapping[str, Any], per_page: int | None, start: str | None = None
    ) -> None:
        super().__init__(client, variables, per_page)
        self._cursor = start

    def _home_of(self, edge: Mapping[str, Any]) -> tuple[Home, str | None] | None:
        """The collection in which an edge's version is listed, and its number there; None where it isn't shown."""
        raise NotImplementedError

    def _edges(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        """The edges of an answer.

        Raises:
            NotFoundError: what was listed isn't there.
        """
        raise NotImplementedError

    def _checked(self, data: dict[str, Any]) -> dict[str, Any]:
        for edge in self._edges(data):
            node = edge.get("node")
            found = None if node is None else self._home_of(edge)
            edge["node"] = None if node is None or found is None else _listed(node, *found)
        return data

    def _object(self, node: dict[str, Any]) -> Artifact:
        from runframe.resources.artifacts.artifact import Artifact

        home = Home(node["listedEntity"], node["listedProject"], node["listedCollection"])
        number = node["listedVersion"]
        index = int(number[1:]) if number and is_version(number) else None
        return Artifact._of_node(self.client, node, home, aliases=node["listedAliases"], index=index)

    def _reach(self, position: int) -> bool:
        # A page of which nothing is shown is not the end.
        while len(self.objects) <= position:
            if not self._load():
                return False
        return True

    def _path_of(self, node: Mapping[str, Any]) -> str:
        return f"{node['listedEntity']}/{node['listedProject']}/{node['listedName']}"

    def _is_live(self, node: Mapping[str, Any]) -> bool:
        return node.get("state") == "PENDING"


class Artifacts(VersionListing):
    """The versions of a collection, the newest first. `len()` counts all of them, whatever tags were asked for.

    Args:
        client: the connection.
        entity, project: where the collection is.
        collection_name: its name.
        type: its type.
        filters: a MongoDB-style filter; None for all that are committed.
        order: a field's name with ``+`` (ascending) or ``-``; None for the server's own order.
        per_page: versions asked for at once; None means 50.
        tags: only versions that have all of these tags.
        start: the `cursor` of another listing, to go on where that one stopped.

    Attributes:
        entity, project, collection_name, type, filters, order, tags: as given.

    Raises:
        ArgumentError: (a ValueError) `order` is no field's name.
    """

    CONNECTION = Connection(
        ("project", "artifactType", "artifactCollection", "artifacts"),
        cursor="end",
        total=("project", "artifactType", "artifactCollection", "artifacts", "totalCount"),
    )

    def __init__(
        self,
        client: Client,
        entity: str,
        project: str,
        collection_name: str,
        type: str,
        filters: Mapping[str, Any] | None = None,
        order: str | None = None,
        per_page: int | None = None,
        tags: str | Iterable[str] | None = None,
        start: str | None = None,
    ) -> None:
        self.entity, self.project, self.collection_name, self.type = entity, project, collection_name, type
        self.filters = {"state": COMMITTED} if filters is None else dict(filters)
        self.order = check_order(order)
        self.tags = [tags] if isinstance(tags, str) else list(tags or [])
        variables = {
            "entity": entity,
            "project": project,
            "type": type,
            "collection": collection_name,
            "order": self.order,
            "filters": json.dumps(self.filters),
        }
        super().__init__(client, variables, per_page, start)

    def _operation(self, full: bool) -> tuple[str, str]:
        return "artifacts", "ProjectArtifacts"

    def _edges(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        place = f"{self.entity}/{self.project}"
        project = data.get("project")
        if project is None:
            raise NotFoundError(f"Could not find project {place}", path=place)
        if project.get("artifactType") is None:
            raise NotFoundError(f"Could not find artifact type {self.type!r} in {place}", path=place)
        if project["artifactType"].get("artifactCollection") is None:
            raise NotFoundError(
                f"Could not find artifact collection {self._source()} of type {self.type!r}", path=self._source()
            )
        edges: list[dict[str, Any]] = project["artifactType"]["artifactCollection"]["artifacts"]["edges"]
        return edges

    def _home_of(self, edge: Mapping[str, Any]) -> tuple[Home, str | None] | None:
        tags = {tag["name"] for tag in edge["node"].get("tags") or []}
        if not tags.issuperset(self.tags):
            return None
        return Home(self.entity, self.project, self.collection_name), edge.get("version")

    def _provenance(self, reading: Any) -> Provenance:
        from dataclasses import replace

        found = super()._provenance(reading)
        # The server counts versions that lack the tags too.
        return replace(found, server_rows=None) if self.tags else found

    def _source(self) -> str:
        return f"{self.entity}/{self.project}/{self.collection_name}"

    def __repr__(self) -> str:
        return f"<Artifacts {self._source()}>"


class RunArtifacts(VersionListing):
    """The versions that a run logged, or those that it used, each as it is called where it was logged.

    Args:
        client: the connection.
        run: the run.
        mode: ``"logged"`` or ``"used"``.
        per_page: versions asked for at once; None means 50.
        start: the `cursor` of another listing, to go on where that one stopped.

    Attributes:
        run, mode: as given.

    Raises:
        ArgumentError: (a ValueError) there is no such mode.
    """

    CONNECTION = Connection(
        ("project", "run", "artifacts"), cursor="end", total=("project", "run", "artifacts", "totalCount")
    )
    OPERATIONS: ClassVar = {"logged": "RunOutputArtifacts", "used": "RunInputArtifacts"}

    def __init__(
        self,
        client: Client,
        run: Run,
        mode: Literal["logged", "used"] = "logged",
        per_page: int | None = None,
        start: str | None = None,
    ) -> None:
        if mode not in self.OPERATIONS:
            raise ArgumentError(f"mode is {mode!r}; 'logged' or 'used' was expected")
        self.run, self.mode = run, mode
        variables = {"entity": run.entity, "project": run.project, "run": run.id}
        super().__init__(client, variables, per_page, start)

    def _operation(self, full: bool) -> tuple[str, str]:
        return "artifacts", self.OPERATIONS[self.mode]

    def _edges(self, data: dict[str, Any]) -> list[dict[str, Any]]:
        run = (data.get("project") or {}).get("run")
        if run is None:
            raise RunNotFoundError(f"Could not find run {self._source()}", path=self._source())
        edges: list[dict[str, Any]] = run["artifacts"]["edges"]
        return edges

    def _home_of(self, edge: Mapping[str, Any]) -> tuple[Home, str | None] | None:
        node = edge["node"]
        home = Home.of_node(node["artifactSequence"])
        index = node.get("versionIndex")
        # A project that isn't shown to us leaves nothing to call the version by.
        return (home, None if index is None else f"v{index}") if home.project else None

    def _source(self) -> str:
        return f"{self.run.entity}/{self.run.project}/{self.run.id}"

    def _query(self) -> str:
        return self.mode

    def __repr__(self) -> str:
        return f"<RunArtifacts {self.mode} by {self._source()}>"


def _listed(node: dict[str, Any], home: Home, version: str | None) -> dict[str, Any]:
    """A version's node with what it is called in the listing."""
    source, index = node["artifactSequence"]["name"], node.get("versionIndex")
    aliases = [alias for alias in aliases_in(node, home) if not is_version(alias)]
    return {
        **node,
        "listedName": home.collection if version is None else f"{home.collection}:{version}",
        "listedEntity": home.entity,
        "listedProject": home.project,
        "listedCollection": home.collection,
        "listedVersion": version,
        "listedAliases": aliases,
        "sourceName": source if index is None else f"{source}:v{index}",
    }
