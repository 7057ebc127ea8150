"""Teams, and who belongs to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from runframe.errors import CommError, NotFoundError
from runframe.frames.schema import BOOL, CATEGORY, TEXT, Column, Schema
from runframe.resources.client import Client
from runframe.resources.lists import Listed
from runframe.resources.node import Node


class Member(Node):
    """Somebody who belongs to a team, or was asked to.

    Args:
        client: the connection.
        team: the team's name.
        attrs: the fields, as the server sent them.

    Attributes:
        client: the connection.
        team: the team's name.
        id, name, username, email, photo_url: as the server knows them.
        admin: whether they are an admin of the team.
        pending: whether they were asked and have yet to join.
        account_type: ``MEMBER``, ``SERVICE`` or another kind that the server has.
        api_key: a service account's key, where the server shows it to whoever asks.
    """

    id: str
    name: str
    username: str | None
    email: str | None
    photo_url: str | None
    admin: bool | None
    pending: bool | None
    account_type: str | None
    api_key: str | None

    def __init__(self, client: Client, team: str, attrs: Mapping[str, Any]) -> None:
        super().__init__(attrs)
        self.client = client
        self.team = team

    def delete(self) -> bool:
        """Takes them out of the team, or the invitation back.

        Returns:
            Whether there was somebody; False also where the server refused or could not be reached.
        """
        try:
            done = self.client.query("teams", "DeleteInvite", {"id": self.id, "entity": self.team}).get("deleteInvite")
        except CommError:
            return False
        return bool((done or {}).get("success"))

    def __repr__(self) -> str:
        return f"<Member {self.name} ({self.account_type})>"


class Members(Listed[Member]):
    """Who belongs to a team: a list, and a table with a row a member. Keys are no part of it."""

    SCHEMA = Schema(
        "members",
        [
            Column("team", CATEGORY, "team", "The team's name."),
            Column("id", TEXT, "id", "The server's own id of the user or of the invitation."),
            Column("username", TEXT, "username", "Name, as in addresses; null before they have an account."),
            Column("name", TEXT, "name", "Name, as shown to people."),
            Column("email", TEXT, "email", "Address."),
            Column("admin", BOOL, "admin", "Whether they are an admin of the team."),
            Column("pending", BOOL, "pending", "Whether they were asked and have yet to join."),
            Column("account_type", CATEGORY, "accountType", "MEMBER, SERVICE or another kind that the server has."),
        ],
    )

    def __init__(self, objects: Sequence[Member] = (), team: str | None = None) -> None:
        super().__init__(objects, team)

    def _context(self) -> dict[str, Any]:
        return {"team": self._source}


class Team(Node):
    """A team. Its fields are fetched when it is made.

    Args:
        client: the connection.
        name: its name.
        attrs: its fields; None to ask for them.

    Attributes:
        client: the connection.
        name: as given.
        members: who belongs to it, a list of `Member` that is a table as well (`Members`).
        id, available, photo_url, read_only, read_only_admin, is_team, entity_type, private_only, storage_bytes,
            code_saving_enabled, default_access, is_paid: as the server knows them. `read_only` is about whoever asks,
            and `is_team` is False for a user's own entity, which can be looked up as well.

    Raises:
        NotFoundError: (also a ValueError) there is no such team.
    """

    id: str
    members: Members
    available: bool | None
    photo_url: str | None
    read_only: bool | None
    read_only_admin: bool
    is_team: bool
    entity_type: str | None
    private_only: bool
    storage_bytes: int
    code_saving_enabled: bool
    default_access: str
    is_paid: bool | None

    def __init__(self, client: Client, name: str, attrs: Mapping[str, Any] | None = None) -> None:
        super().__init__(attrs or {})
        self.client = client
        self.name = name
        self.load()

    @classmethod
    def create(cls, api: Any, team: str, admin_username: str | None = None) -> Self:
        """Makes a team, and gives the one of this name where there is one; the same as `Api.create_team`.

        Args:
            api: the `Api` of whoever asks.
            team: its name.
            admin_username: its admin; None for whoever asks. A team that was there keeps its own.

        Raises:
            CommError: the server refused it, and there is no team of this name.
        """
        client: Client = api.client
        try:
            client.query("teams", "CreateTeam", {"teamName": team, "teamAdminUserName": admin_username})
        except CommError as refusal:
            try:
                return cls(client, team)
            except NotFoundError:
                raise refusal from None
        return cls(client, team)

    def invite(self, username_or_email: str, admin: bool = False) -> bool:
        """Asks somebody into the team.

        Args:
            username_or_email: the name of a user, or an address, with or without an account.
            admin: whether they become an admin of the team.

        Returns:
            Whether they were asked; False where they belong to the team or were asked before, where there is no such
            user, and where the server refused for another reason or could not be reached.
        """
        kind = "email" if "@" in username_or_email else "username"
        variables = {"entity": self.name, "admin": admin, kind: username_or_email}
        try:
            self.client.query("teams", "CreateInvite", variables)
        except CommError:
            return False
        return True

    def create_service_account(self, description: str) -> Member | None:
        """Makes an account for a program that works for the team, and reads the members again.

        Args:
            description: what it is for.

        Returns:
            The account, with its key in `api_key` where the server shows it; None where the server refused or could
            not be reached.
        """
        variables = {"entity": self.name, "description": description}
        try:
            made = self.client.query("teams", "CreateServiceAccount", variables).get("createServiceAccount")
            self.load(True)
        except CommError:
            return None
        user = ((made or {}).get("user") or {}).get("id")
        # Somebody else may have come meanwhile; where ids of members are not those of users, the newest is last.
        return next((member for member in self.members if member.id == user), self.members[-1])

    def load(self, force: bool = False) -> dict[str, Any]:
        """Fetches the fields and the members unless they are there, and returns them.

        Args:
            force: fetch them again.

        Raises:
            NotFoundError: (also a ValueError) there is no such team.
        """
        if force or not self._attrs:
            # Servers take no name for the entity of whoever asks.
            found = self.name != "" and self.client.query("teams", "GetTeamEntity", {"name": self.name}).get("entity")
            if not found:
                raise NotFoundError(f"Could not find team {self.name!r}", path=self.name)
            members = [Member(self.client, self.name, member) for member in found["members"]]
            self._attrs = {**found, "members": Members(members, self.name)}
        return self._attrs

    def __repr__(self) -> str:
        return f"<Team {self.name}>"
