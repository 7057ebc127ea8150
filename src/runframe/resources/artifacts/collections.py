"""Collections of versions: sequences, to which versions are logged, and portfolios, to which they are linked."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import Any

from runframe.errors import NotFoundError
from runframe.resources.artifacts.columns import COLLECTIONS
from runframe.resources.artifacts.names import LONGEST_NAME, check_tags, is_reserved
from runframe.resources.artifacts.versions import Artifacts, check_order
from runframe.resources.client import Client
from runframe.resources.collection import SizedCollection
from runframe.resources.errors import ArgumentError, as_comm_error
from runframe.wire.pages import Connection

ALIASES = Connection(("artifactCollection", "aliases"), cursor="end")


class ArtifactCollection:
    """One collection. Assign its name, type, description or tags, then `save()`.

    Args:
        client: the connection.
        entity, project: where it is.
        name: its name.
        type: the type of its versions.
        organization: the organisation whose registry it is in, where it is in one.
        attrs: its fields; None to ask for them.

    Attributes:
        client: the connection.
        organization: as given.

    Raises:
        NotFoundError: there is no such collection of this type.
    """

    def __init__(
        self,
        client: Client,
        entity: str,
        project: str,
        name: str,
        type: str,
        organization: str | None = None,
        attrs: Mapping[str, Any] | None = None,
    ) -> None:
        self.client = client
        self.organization = organization
        self._entity, self._project = entity, project
        self._saved_name, self._saved_type = name, type
        self._aliases: list[str] | None = None
        if attrs is None:
            self.load()
        else:
            self._take(attrs)

    def _take(self, node: Mapping[str, Any]) -> None:
        self._attrs = dict(node)
        self._name: str = node["name"]
        self._type: str = node["type"]["name"]
        self._saved_name, self._saved_type = self._name, self._type
        self._description: str | None = node.get("description")
        self._saved_tags = [edge["node"]["name"] for edge in (node.get("tags") or {}).get("edges") or []]
        self._tags = list(self._saved_tags)

    @as_comm_error
    def load(self) -> None:
        """Fetches its fields again; what was assigned and not saved is lost.

        Raises:
            NotFoundError: there is no such collection of this type.
        """
        variables = {
            "entity": self._entity,
            "project": self._project,
            "type": self._saved_type,
            "name": self._saved_name,
        }
        project = self.client.query("artifacts", "ProjectArtifactCollection", variables).get("project")
        if project is None:
            place = f"{self._entity}/{self._project}"
            raise NotFoundError(f"Could not find project {place}", path=place)
        found = (project.get("artifactType") or {}).get("artifactCollection")
        if found is None:
            raise NotFoundError(
                f"Could not find artifact collection {self._path} of type {self._saved_type!r}", path=self._path
            )
        self._take(found)

    @property
    def _path(self) -> str:
        return f"{self._entity}/{self._project}/{self._saved_name}"

    @property
    def id(self) -> str:
        """The server's own id."""
        return str(self._attrs["id"])

    @property
    def entity(self) -> str:
        """The user or team that it belongs to."""
        return self._entity

    @property
    def project(self) -> str:
        """The project that it belongs to."""
        return self._project

    @property
    def project_id(self) -> str | None:
        """The server's own id of the project."""
        found: str | None = (self._attrs.get("project") or {}).get("id")
        return found

    @property
    def project_internal_id(self) -> str | None:
        """The server's other id of the project."""
        found: str | None = (self._attrs.get("project") or {}).get("internalId")
        return found

    @property
    def created_at(self) -> str:
        """When it was made: ISO 8601 text, as the server sends it."""
        return str(self._attrs["createdAt"])

    @property
    def updated_at(self) -> str | None:
        """When it, or what is in it, was last changed: ISO 8601 text."""
        return self._attrs.get("updatedAt")

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        if not isinstance(name, str) or not name or "/" in name or len(name) > LONGEST_NAME:
            raise ArgumentError(
                f"a collection can't be called {name!r}: up to {LONGEST_NAME} characters without '/' were expected"
            )
        self._name = name

    @property
    def type(self) -> str:
        """The type of its versions; a portfolio's can't be changed."""
        return self._type

    @type.setter
    def type(self, type: str) -> None:
        if not self.is_sequence():
            raise ArgumentError(f"{self._path} is a portfolio: the type of what is linked to it can't be changed")
        self._type = type

    @property
    def description(self) -> str | None:
        """A description."""
        return self._description

    @description.setter
    def description(self, description: str | None) -> None:
        self._description = description

    @property
    def tags(self) -> list[str]:
        """Its tags."""
        return self._tags

    @tags.setter
    def tags(self, tags: list[str]) -> None:
        self._tags = check_tags(tags)

    @property
    def aliases(self) -> list[str]:
        """The aliases of all its versions, version numbers among them; asked for once."""
        if self._aliases is None:
            pages = self.client.pages("artifacts", "ArtifactCollectionAliases", {"id": self.id}, ALIASES)
            self._aliases = [node["alias"] for page in pages for node in page.nodes]
        return self._aliases

    def is_sequence(self) -> bool:
        """Whether versions are logged to it; else it is a portfolio, to which they are linked."""
        return bool(self._attrs["__typename"] == "ArtifactSequence")

    @as_comm_error
    def artifacts(self, per_page: int | None = 50, *, start: str | None = None) -> Artifacts:
        """Its versions, the newest first.

        Args:
            per_page: versions asked for at once.
            start: the `cursor` of another listing, to go on where that one stopped.
        """
        return Artifacts(
            self.client,
            self._entity,
            self._project,
            self._saved_name,
            self._saved_type,
            per_page=per_page,
            start=start,
        )

    @as_comm_error
    def save(self) -> None:
        """Sends what was assigned.

        Raises:
            ArgumentError: (a ValueError) the type is reserved.
            CommError: the server refused it.
        """
        moved = self._type != self._saved_type
        if moved and (is_reserved(self._type) or is_reserved(self._saved_type)):
            raise ArgumentError(f"{self._path} can't be moved from {self._saved_type!r} to {self._type!r}: reserved")
        kind = "Sequence" if self.is_sequence() else "Portfolio"
        changed = {f"artifact{kind}ID": self.id, "name": self._name, "description": self._description}
        self._change("UpdateArtifactSequence" if self.is_sequence() else "UpdateArtifactPortfolio", changed)
        self._saved_name = self._name
        if moved:
            self._move(self._type)
        new, old = set(self._tags), set(self._saved_tags)
        self._send_tags("AddArtifactCollectionTags", [tag for tag in self._tags if tag not in old])
        self._send_tags("DeleteArtifactCollectionTags", [tag for tag in self._saved_tags if tag not in new])
        self._saved_tags = list(self._tags)

    @as_comm_error
    def change_type(self, new_type: str) -> None:
        """Deprecated: assign `type`, then `save()`. Gives all versions another type, at once."""
        warnings.warn("change_type is deprecated: assign type, then save()", DeprecationWarning, stacklevel=3)
        if not self.is_sequence():
            raise ArgumentError(f"{self._path} is a portfolio: the type of what is linked to it can't be changed")
        self._move(new_type)
        self._type = new_type

    def _move(self, type: str) -> None:
        self._change("UpdateArtifactSequenceType", {"artifactSequenceID": self.id, "destinationArtifactTypeName": type})
        self._saved_type = type

    @as_comm_error
    def delete(self) -> None:
        """Deletes the collection: with a sequence go all its versions, with a portfolio the links."""
        operation = "DeleteArtifactSequence" if self.is_sequence() else "DeleteArtifactPortfolio"
        self.client.query("artifacts_changes", operation, {"id": self.id})

    def _send_tags(self, operation: str, tags: list[str]) -> None:
        if tags:
            fields = {
                "entityName": self._entity,
                "projectName": self._project,
                "artifactCollectionName": self._saved_name,
                "tags": [{"tagName": tag} for tag in tags],
            }
            self._change(operation, fields)

    def _change(self, operation: str, fields: Mapping[str, Any]) -> None:
        self.client.query("artifacts_changes", operation, {"input": dict(fields)})

    def __repr__(self) -> str:
        return f"<ArtifactCollection {self._name} ({self._type})>"


class CollectionListing(SizedCollection[ArtifactCollection]):
    """What listings of collections share."""

    SCHEMA = COLLECTIONS

    def __init__(
        self,
        client: Client,
        entity: str,
        project: str,
        variables: Mapping[str, Any],
        per_page: int | None,
        filters: Mapping[str, Any] | None,
        order: str | None,
        start: str | None,
    ) -> None:
        self.entity, self.project = entity, project
        self.filters, self.order = None if filters is None else dict(filters), check_order(order)
        self._plain = not self.filters and self.order is None
        wanted = {"filters": json.dumps(self.filters) if self.filters else None, "order": self.order}
        given = {"entity": entity, "project": project, **variables}
        super().__init__(client, given if self._plain else {**given, **wanted}, per_page)
        self._cursor = start

    def _object(self, node: dict[str, Any]) -> ArtifactCollection:
        home = node.get("project") or {}
        entity = (home.get("entity") or {}).get("name") or self.entity
        project = home.get("name") or self.project
        return ArtifactCollection(self.client, entity, project, node["name"], node["type"]["name"], attrs=node)

    def _source(self) -> str:
        return f"{self.entity}/{self.project}"

    def _query(self) -> str | None:
        return None if self._plain else f"{json.dumps(self.filters)} {self.order or ''}".strip()

    def _missing_project(self, data: Mapping[str, Any]) -> None:
        if data.get("project") is None:
            raise NotFoundError(f"Could not find project {self._source()}", path=self._source())


class ArtifactCollections(CollectionListing):
    """The collections of one type in a project.

    Args:
        client: the connection.
        entity, project: the project.
        type_name: the type.
        per_page: collections asked for at once; None means 50.
        filters: a MongoDB-style filter on `name`, `tag`, `description`, `created_at`, `updated_at`.
        order: `name`, `created_at` or `updated_at`, with ``+`` or ``-``; None for the server's own order.
        start: the `cursor` of another listing, to go on where that one stopped.

    Attributes:
        entity, project, type_name, filters, order: as given.
    """

    CONNECTION = Connection(
        ("project", "artifactType", "artifactCollections"),
        cursor="end",
        total=("project", "artifactType", "artifactCollections", "totalCount"),
    )

    def __init__(
        self,
        client: Client,
        entity: str,
        project: str,
        type_name: str,
        per_page: int | None = None,
        *,
        filters: Mapping[str, Any] | None = None,
        order: str | None = None,
        start: str | None = None,
    ) -> None:
        self.type_name = type_name
        super().__init__(client, entity, project, {"type": type_name}, per_page, filters, order, start)

    def _operation(self, full: bool) -> tuple[str, str]:
        return "artifacts", "ArtifactTypeArtifactCollections" if self._plain else "FilteredArtifactCollections"

    def _checked(self, data: dict[str, Any]) -> dict[str, Any]:
        self._missing_project(data)
        if data["project"].get("artifactType") is None:
            raise NotFoundError(
                f"Could not find artifact type {self.type_name!r} in {self._source()}", path=self._source()
            )
        return data

    def __repr__(self) -> str:
        return f"<ArtifactCollections {self._source()} ({self.type_name})>"


class ProjectArtifactCollections(CollectionListing):
    """The collections of all types in a project; the arguments are those of `ArtifactCollections`, without a type."""

    CONNECTION = Connection(
        ("project", "artifactCollections"), cursor="end", total=("project", "artifactCollections", "totalCount")
    )

    def __init__(
        self,
        client: Client,
        entity: str,
        project: str,
        filters: Mapping[str, Any] | None = None,
        order: str | None = None,
        per_page: int | None = None,
        start: str | None = None,
    ) -> None:
        super().__init__(client, entity, project, {}, per_page, filters, order, start)

    def _operation(self, full: bool) -> tuple[str, str]:
        return "artifacts", "ProjectArtifactCollections"

    def _checked(self, data: dict[str, Any]) -> dict[str, Any]:
        self._missing_project(data)
        return data

    def __repr__(self) -> str:
        return f"<ProjectArtifactCollections {self._source()}>"
