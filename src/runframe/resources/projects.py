"""Projects: the listing of an entity, and one by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from runframe.errors import NotFoundError
from runframe.frames.schema import BOOL, CATEGORY, TEXT, TIME, Column, Schema
from runframe.resources.client import Client
from runframe.resources.collection import Collection
from runframe.resources.errors import as_comm_error
from runframe.resources.showing import Shown
from runframe.resources.users import User
from runframe.wire.pages import Connection

if TYPE_CHECKING:
    from runframe.resources.artifacts.collections import ProjectArtifactCollections
    from runframe.resources.artifacts.types import ArtifactTypes
    from runframe.resources.sweeps import Sweeps


class Project(Shown):
    """One project. By name it is made without asking; its fields are fetched when one is first read.

    Attributes:
        client: the connection.
        name, entity: as given.
        entity_name, created_at, is_benchmark: as the server knows them; `created_at` is ISO 8601 text.
    """

    entity_name: str
    created_at: str
    is_benchmark: bool
    _what = "project"

    def __init__(self, client: Client, entity: str | None, name: str, attrs: Mapping[str, Any] | None = None) -> None:
        super().__init__(attrs or {})
        self.client = client
        self.entity = entity
        self.name = name

    @property
    def id(self) -> str:
        """The server's own id of the project.

        Raises:
            NotFoundError: the project isn't there.
        """
        if not self._load():
            raise NotFoundError(f"Could not find project {self._place}", path=self._place)
        return cast("str", self._attrs["id"])

    @property
    def owner(self) -> User:
        """The user that the project belongs to.

        Raises:
            NotFoundError: the project isn't there, or the server knows no owner.
        """
        if not self._load() or not self._attrs.get("user"):
            raise NotFoundError(f"the server knows no owner of project {self._place}", path=self._place)
        return User(self.client, self._attrs["user"])

    @property
    def path(self) -> list[str | None]:
        """Entity and name, as they are."""
        return [self.entity, self.name]

    @property
    def url(self) -> str:
        """The address of its workspace."""
        return self.client.link(self.entity or "", self.name, "workspace")

    @as_comm_error
    def artifacts_types(self, per_page: int | None = 50) -> ArtifactTypes:
        """The types of artifacts in the project.

        Args:
            per_page: types asked for at once.
        """
        from runframe.resources.artifacts.types import ArtifactTypes

        return ArtifactTypes(self.client, self.entity or "", self.name, per_page)

    @as_comm_error
    def collections(
        self,
        filters: Mapping[str, Any] | None = None,
        order: str | None = None,
        per_page: int | None = 50,
    ) -> ProjectArtifactCollections:
        """The artifact collections of the project, of all types.

        Args:
            filters: a MongoDB-style filter on `name`, `type`, `tag`, `description`, `created_at`, `updated_at`.
            order: `name`, `created_at` or `updated_at`, with ``+`` or ``-`` before it.
            per_page: collections asked for at once.
        """
        from runframe.resources.artifacts.collections import ProjectArtifactCollections

        return ProjectArtifactCollections(self.client, self.entity or "", self.name, filters, order, per_page)

    @as_comm_error
    def sweeps(
        self, per_page: int | None = 50, filters: Mapping[str, Any] | None = None, order: str | None = None
    ) -> Sweeps:
        """The sweeps of the project, the newest first.

        Args:
            per_page: sweeps asked for at once.
            filters: a MongoDB-style filter on `name` (the id), `state`, `method`, `display_name`, `created_at`, ….
            order: `created_at` or another of these fields, with ``+`` or ``-`` before it.

        Raises:
            UnsupportedError: the server cannot filter sweeps.
        """
        from runframe.resources.sweeps import Sweeps

        return Sweeps(self.client, self.entity or "", self.name, per_page, filters, order)

    @property
    def _place(self) -> str:
        return f"{self.entity}/{self.name}"

    def _load(self) -> bool:
        """Fetches the fields unless they are there; False where the project isn't."""
        if not self._attrs:
            variables = {"name": self.name, "entity": self.entity}
            self._attrs = dict(self.client.query("projects", "GetProject", variables).get("project") or {})
        return bool(self._attrs)

    def __getattr__(self, name: str) -> Any:
        # Private and special names are never fields: copying and pickling ask for many of them.
        if not name.startswith("_") and not self.__dict__.get("_attrs", True):
            self._load()
        return super().__getattr__(name)

    def __repr__(self) -> str:
        return f"<Project {self._place}>"


class Projects(Collection[Project]):
    """The projects of an entity. Their number is not known before all are read: there is no `len()`.

    Args:
        client: the connection.
        entity: the user or team.
        per_page: projects asked for at once; None means 50.
    """

    SCHEMA = Schema(
        "projects",
        [
            Column("id", TEXT, "id", "The server's own id of the project."),
            Column("name", TEXT, "name", "Name, as in its address."),
            Column("entity", CATEGORY, "entityName", "User or team that it belongs to."),
            Column("created_at", TIME, "createdAt", "When it was made."),
            Column("is_benchmark", BOOL, "isBenchmark", "Whether it is a benchmark."),
            Column("owner", CATEGORY, "user.username", "Name of the user who made it."),
        ],
    )
    CONNECTION = Connection(("models",), cursor="end")
    NODE_FIELDS = frozenset({"id", "name"})

    def __init__(self, client: Client, entity: str, per_page: int | None = None) -> None:
        self.entity = entity
        super().__init__(client, {"entity": entity}, per_page)

    @property
    def length(self) -> None:
        """None: the server doesn't count projects."""
        return None

    def _operation(self, full: bool) -> tuple[str, str]:
        return "projects", "GetProjects"

    def _checked(self, data: dict[str, Any]) -> dict[str, Any]:
        if data.get("models") is None:
            raise NotFoundError(f"Could not find entity {self.entity}", path=self.entity)
        return data

    def _object(self, node: dict[str, Any]) -> Project:
        return Project(self.client, self.entity, node["name"], node)

    def _source(self) -> str:
        return self.entity

    def __repr__(self) -> str:
        return f"<Projects {self.entity}>"
