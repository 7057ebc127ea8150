"""Types of artifacts: each project has its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runframe.errors import NotFoundError
from runframe.resources.artifacts.columns import TYPES
from runframe.resources.client import Client
from runframe.resources.collection import Collection
from runframe.resources.errors import as_comm_error
from runframe.resources.node import Node
from runframe.wire.pages import Connection

if TYPE_CHECKING:
    from runframe.resources.artifacts.collections import ArtifactCollection, ArtifactCollections


class ArtifactType(Node):
    """One type of artifact in a project.

    Args:
        client: the connection.
        entity, project: where it is.
        type_name: its name.
        attrs: its fields; None to ask for them.

    Attributes:
        client: the connection.
        entity, project: where it is.
        type: its name.
        id, name, description, created_at: as the server knows them.

    Raises:
        NotFoundError: there is no such type.
    """

    def __init__(
        self, client: Client, entity: str, project: str, type_name: str, attrs: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(attrs or {})
        self.client = client
        self.entity, self.project, self.type = entity, project, type_name
        if attrs is None:
            self.load()

    @property
    def id(self) -> str:
        """The server's own id."""
        return str(self._attrs["id"])

    @property
    def name(self) -> str:
        """Its name."""
        return str(self._attrs["name"])

    def load(self) -> dict[str, Any]:
        """Fetches its fields again, and returns them.

        Raises:
            NotFoundError: there is no such type.
        """
        variables = {"entity": self.entity, "project": self.project, "type": self.type}
        project = self.client.query("artifacts", "ProjectArtifactType", variables).get("project")
        place = f"{self.entity}/{self.project}"
        if project is None:
            raise NotFoundError(f"Could not find project {place}", path=place)
        if project.get("artifactType") is None:
            raise NotFoundError(f"Could not find artifact type {self.type!r} in {place}", path=place)
        self._attrs = dict(project["artifactType"])
        return dict(self._attrs)

    @as_comm_error
    def collections(
        self,
        per_page: int | None = 50,
        *,
        filters: Mapping[str, Any] | None = None,
        order: str | None = None,
        start: str | None = None,
    ) -> ArtifactCollections:
        """The collections of this type.

        Args:
            per_page: collections asked for at once.
            filters: a MongoDB-style filter.
            order: `name`, `created_at` or `updated_at`, with ``+`` or ``-``.
            start: the `cursor` of another listing, to go on where that one stopped.
        """
        from runframe.resources.artifacts.collections import ArtifactCollections

        return ArtifactCollections(
            self.client, self.entity, self.project, self.type, per_page, filters=filters, order=order, start=start
        )

    def collection(self, name: str) -> ArtifactCollection:
        """One collection of this type.

        Raises:
            NotFoundError: there is no such collection.
        """
        from runframe.resources.artifacts.collections import ArtifactCollection

        return ArtifactCollection(self.client, self.entity, self.project, name, self.type)

    def __repr__(self) -> str:
        return f"<ArtifactType {self.type}>"


class ArtifactTypes(Collection[ArtifactType]):
    """The types of artifacts in a project. The server does not count them: there is no `len()`.

    Args:
        client: the connection.
        entity, project: the project.
        per_page: types asked for at once; None means 50.
        start: the `cursor` of another listing, to go on where that one stopped.
    """

    SCHEMA = TYPES
    CONNECTION = Connection(("project", "artifactTypes"), cursor="end")

    def __init__(
        self, client: Client, entity: str, project: str, per_page: int | None = None, start: str | None = None
    ) -> None:
        self.entity, self.project = entity, project
        super().__init__(client, {"entity": entity, "project": project}, per_page)
        self._cursor = start

    @property
    def length(self) -> None:
        """None: the server doesn't count types."""
        return None

    def _operation(self, full: bool) -> tuple[str, str]:
        return "artifacts", "ProjectArtifactTypes"

    def _checked(self, data: dict[str, Any]) -> dict[str, Any]:
        if data.get("project") is None:
            raise NotFoundError(f"Could not find project {self._source()}", path=self._source())
        return data

    def _object(self, node: dict[str, Any]) -> ArtifactType:
        return ArtifactType(self.client, self.entity, self.project, node["name"], node)

    def _context(self) -> dict[str, Any]:
        return {"entity": self.entity, "project": self.project}

    def _source(self) -> str:
        return f"{self.entity}/{self.project}"

    def __repr__(self) -> str:
        return f"<ArtifactTypes {self._source()}>"
