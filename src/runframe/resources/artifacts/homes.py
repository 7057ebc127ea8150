"""Where a version stands: the collection that it was found in, and the one that it was logged to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Home:
    """A collection, as the home of a version.

    Attributes:
        entity, project: empty where the server does not show them.
        collection: the collection's name.
    """

    entity: str
    project: str
    collection: str

    @classmethod
    def of_node(cls, node: Mapping[str, Any]) -> Home:
        """The home that a collection's node stands for."""
        project = node.get("project") or {}
        return cls((project.get("entity") or {}).get("name") or "", project.get("name") or "", node["name"])

    def __str__(self) -> str:
        return f"{self.entity}/{self.project}/{self.collection}"


def aliases_in(node: Mapping[str, Any], home: Home) -> list[str]:
    """The aliases that a version, of whose node they are, has in one collection."""
    given = node.get("aliases") or []
    return [item["alias"] for item in given if Home.of_node(item.get("artifactCollection") or {"name": ""}) == home]
