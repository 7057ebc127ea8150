"""Users: who is asking, and who a run belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runframe.resources.client import Client
from runframe.resources.node import Node


class User(Node):
    """A user of the server.

    Attributes:
        id, name, username, email, admin, flags, entity, deleted_at: as the server knows them. The user of a run has
            only `name` and `username`.
    """

    id: str
    name: str | None
    username: str | None
    email: str | None
    admin: bool | None
    flags: str | None
    entity: str | None
    deleted_at: str | None

    def __init__(self, client: Client, attrs: Mapping[str, Any]) -> None:
        super().__init__(attrs)
        self.client = client

    @property
    def api_keys(self) -> list[str]:
        """The names of the user's keys (labels, never the secrets); empty where they were not asked for."""
        return _names(self._attrs.get("apiKeys"))

    @property
    def teams(self) -> list[str]:
        """The names of the user's teams; empty where they were not asked for."""
        return _names(self._attrs.get("teams"))

    def __repr__(self) -> str:
        name = self._attrs.get("name")
        for known in (
            self._attrs.get("email"),
            self._attrs.get("username"),
            self._attrs.get("id"),
            name and repr(name),
        ):
            if known:
                return f"<User {known}>"
        return "<User ???>"


def _names(connection: Any) -> list[str]:
    edges = (connection or {}).get("edges") or []
    return [edge["node"]["name"] for edge in edges if edge.get("node")]
