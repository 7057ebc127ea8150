"""Users: who is asking, who a run belongs to, and the accounts of a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from runframe.errors import CommError, ServerError
from runframe.frames.schema import BOOL, TEXT, TEXTS, TIME, Column, Schema
from runframe.resources.client import Client
from runframe.resources.errors import ArgumentError
from runframe.resources.lists import Listed
from runframe.resources.node import Node


class User(Node):
    """A user of the server.

    Attributes:
        id, name, username, email, admin, flags, entity, deleted_at: as the server knows them. The user of a run has
            only `name` and `username`, one that was just created no `flags`, `entity` and `deleted_at`.
        client: the connection.

    Args:
        client: the connection.
        attrs: the fields, as the server sent them.
        open_api: makes the `Api` that is `user_api`; None where nobody's key is known.
    """

    id: str
    name: str | None
    username: str | None
    email: str | None
    admin: bool | None
    flags: str | None
    entity: str | None
    deleted_at: str | None

    def __init__(self, client: Client, attrs: Mapping[str, Any], open_api: Callable[[], Any] | None = None) -> None:
        super().__init__(attrs)
        self.client = client
        self._open_api = open_api
        self._user_api: Any = None

    @classmethod
    def create(cls, api: Any, email: str, admin: bool | None = False) -> Self:
        """Makes a user; the same as `Api.create_user`.

        Args:
            api: the `Api` of an admin of the server.
            email: the address.
            admin: whether the user becomes an admin of the server.

        Raises:
            CommError: the server refused it: whoever asks is no admin, or the address is taken or is none.
        """
        client: Client = api.client
        made = client.query("account", "CreateUserFromAdmin", {"email": email, "admin": admin}).get("createUser") or {}
        if not made.get("user"):
            raise ServerError(f"the server did not say which user it made for {email!r}")
        return cls(client, made["user"], client.open_api)

    @property
    def api_keys(self) -> list[str]:
        """The names of the user's keys (labels, never the secrets); empty where they were not asked for.

        Servers show them to the user and to admins alone.
        """
        return _names(self._attrs.get("apiKeys"))

    @property
    def teams(self) -> list[str]:
        """The names of the user's teams; empty where they were not asked for."""
        return _names(self._attrs.get("teams"))

    @property
    def user_api(self) -> Any:
        """Another `Api` with the key that found this user; the same one each time.

        As in the official client it is the key of whoever asked: the user's own for `Api.viewer` alone. None for the
        user of a run or a project.
        """
        if self._user_api is None and self._open_api is not None:
            self._user_api = self._open_api()
        return self._user_api

    def generate_api_key(self, description: str | None = None) -> str | None:
        """Makes a new key of whoever asks, which is not this user unless it is `Api.viewer`.

        Servers make keys for nobody else. (An embedded server's operator does: ``runframe user key NAME``.)

        Args:
            description: what it is for.

        Returns:
            The whole key, shown this once; it stands among `api_keys` of this object. None where the server refused
            or could not be reached.
        """
        try:
            made = self.client.query("account", "GenerateApiKey", {"description": description}).get("generateApiKey")
        except CommError:
            return None
        key = (made or {}).get("apiKey")
        if key is None:
            return None
        edges = [*((self._attrs.get("apiKeys") or {}).get("edges") or []), {"node": key}]
        self._attrs["apiKeys"] = {"edges": edges}
        return str(key["name"])

    def delete_api_key(self, api_key: str) -> bool:
        """Deletes one of the user's keys. Whose key it is may do that, and an admin.

        Args:
            api_key: its name, one of `api_keys`; the list stays as it is.

        Returns:
            Whether it was deleted; False where the server refused or could not be reached.

        Raises:
            ArgumentError: (also a ValueError) none of `api_keys` is called so.
        """
        keys = _nodes(self._attrs.get("apiKeys"))
        number = next((key["id"] for key in keys if key["name"] == api_key), None)
        if number is None:
            # The name may be a secret that was taken for one, so it is not repeated.
            raise ArgumentError(f"none of the {len(keys)} known keys of {self!r} has this name: give one of `api_keys`")
        try:
            self.client.query("account", "DeleteApiKey", {"id": number})
        except CommError:
            return False
        return True

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


class Users(Listed[User]):
    """The users that a search found: a list, and a table with a row a user. Keys are no part of it."""

    SCHEMA = Schema(
        "users",
        [
            Column("id", TEXT, "id", "The server's own id of the user."),
            Column("username", TEXT, "username", "Name, as in addresses."),
            Column("name", TEXT, "name", "Name, as shown to people."),
            Column("email", TEXT, "email", "Address."),
            Column("admin", BOOL, "admin", "Whether the user is an admin of the server."),
            Column("entity", TEXT, "entity", "Entity that the user's projects go to."),
            Column("teams", TEXTS, "teams", "Names of the user's teams.", convert=lambda found: _names(found)),
            Column("deleted_at", TIME, "deletedAt", "When the account was deleted; null where it was not."),
        ],
    )


def search(client: Client, text: str) -> Users:
    """The users whose name or address holds a text.

    Raises:
        CommError: the server refused it: whoever asks is no admin.
    """
    found = client.query("account", "SearchUsers", {"query": text}).get("users")
    return Users([User(client, node, client.open_api) for node in _nodes(found)], f"users {text!r}")


def _nodes(connection: Any) -> list[dict[str, Any]]:
    edges = (connection or {}).get("edges") or []
    return [edge["node"] for edge in edges if edge.get("node")]


def _names(connection: Any) -> list[str]:
    return [node["name"] for node in _nodes(connection)]
