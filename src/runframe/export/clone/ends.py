"""The two ends of a clone: a project on a server, to ask and to tell."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from runframe.errors import NotFoundError
from runframe.resources.client import Client

REPLAY = "RUNFRAME_REPLAY"
"""The feature of servers that take over times, numbers and names."""


@dataclass(frozen=True)
class End:
    """A project on a server.

    Attributes:
        client: the connection.
        url: the server's address.
        entity: the entity's name.
        project: the project's name.
    """

    client: Client
    url: str
    entity: str
    project: str

    @property
    def path(self) -> str:
        """`entity/project`."""
        return f"{self.entity}/{self.project}"

    @cached_property
    def replays(self) -> bool:
        """Whether the server takes over what W&B's protocol has no place for."""
        return self.client.has_feature(REPLAY)

    @cached_property
    def username(self) -> str | None:
        """Whoever the key belongs to."""
        viewer = self.client.query("account", "Viewer", {}).get("viewer") or {}
        return viewer.get("username")

    def ask(self, operation: str, /, *, noun: str = "clone", **variables: Any) -> dict[str, Any]:
        """Sends one of the package's documents about the project."""
        return self.client.query(noun, operation, {"entity": self.entity, "project": self.project, **variables})

    def tell(self, operation: str, fields: Mapping[str, Any], *, noun: str = "clone") -> dict[str, Any]:
        """Sends a mutation whose variable is `input`, without the fields that are None."""
        given = {name: value for name, value in fields.items() if value is not None}
        return self.client.query(noun, operation, {"input": given})

    @property
    def place(self) -> dict[str, str]:
        """The project, as most mutations name it."""
        return {"entityName": self.entity, "projectName": self.project}

    def edges(
        self, operation: str, *path: str, noun: str = "clone", size: int = 100, **variables: Any
    ) -> Iterator[dict[str, Any]]:
        """The edges of all pages of a connection below the project.

        Args:
            operation: the document; has variables `cursor` and `perPage`.
            path: where the connection is, from the project on.
            noun: the document's file.
            size: nodes a page.
            variables: its other variables.

        Raises:
            NotFoundError: something on the path is not there.
        """
        cursor: str | None = None
        while True:
            found: Any = self.ask(operation, noun=noun, cursor=cursor, perPage=size, **variables).get("project")
            for part in path:
                if found is None:
                    raise NotFoundError(f"{self.path} has no {part} here: it was deleted, or never was", path=self.path)
                found = found.get(part)
            if found is None:
                raise NotFoundError(f"could not find {self.path} on {self.url}", path=self.path)
            edges = [edge for edge in found.get("edges") or [] if edge and edge.get("node")]
            yield from edges
            page = found.get("pageInfo") or {}
            after = page.get("endCursor") or (edges[-1].get("cursor") if edges else None)
            if not page.get("hasNextPage") or not after or after == cursor:
                return
            cursor = after

    def nodes(self, operation: str, *path: str, **variables: Any) -> Iterator[dict[str, Any]]:
        """The nodes of all pages; see `edges`."""
        return (edge["node"] for edge in self.edges(operation, *path, **variables))


def names_filter(names: list[str]) -> str:
    """The filter for runs of these ids."""
    return json.dumps({"name": {"$in": names}})
