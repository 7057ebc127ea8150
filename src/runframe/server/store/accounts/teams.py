"""Teams: entities with members."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import dataclass

from runframe.server.errors import Refusal
from runframe.server.store import ids, times, users
from runframe.server.store.accounts import finding, keys, permissions
from runframe.server.store.users import Entity, User

PERSON = "MEMBER"
SERVICE = "SERVICE"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who belongs to an entity, or was asked to.

    Attributes:
        id: node id, of the user or of the invitation.
        role: "admin" or "member".
        pending: whether they have yet to get an account.
        account_type: `PERSON` or `SERVICE`.
        api_key: a service account's key, for those who may manage the team.
    """

    id: str
    role: str
    pending: bool
    email: str | None
    username: str | None
    name: str
    account_type: str
    api_key: str | None
    created_at: str

    @property
    def admin(self) -> bool:
        """Whether they are an admin of the team."""
        return self.role == permissions.ADMIN


def create(connection: sqlite3.Connection, viewer: User, name: str, admin_username: str | None) -> Entity:
    """A new team.

    Args:
        connection: the writer.
        viewer: who asks; the team's admin where nobody else is named.
        name: its name.
        admin_username: its admin.

    Raises:
        Refusal: the name cannot be one or is taken, or there is no such user.
    """
    if not users.valid_name(name):
        raise Refusal(f"{name!r} cannot be the name of a team: it is too long or holds a slash or a control sign.")
    taken = users.find_entity(connection, name)
    if taken is not None:
        raise Refusal(f"The name {name!r} is taken: there is a {taken.kind} of this name.", 409)
    admin = finding.person(connection, admin_username) if admin_username else viewer
    if admin is None:
        raise Refusal(f"There is no user {admin_username!r}.", 404)
    entity = users.ensure_entity(connection, name)
    permissions.join(connection, entity.id, admin.id, permissions.ADMIN)
    return entity


def create_service_account(connection: sqlite3.Connection, entity: Entity, description: str) -> User:
    """An account without a person, for a program that works for a team; its key is kept for the team's admins.

    Args:
        connection: the writer.
        entity: the team.
        description: what it is for, also what it is called.

    Raises:
        Refusal: the description is empty.
    """
    if not description.strip():
        raise Refusal("A service account needs a description that says what it is for.")
    username = f"{entity.name[:100]}-service-{secrets.token_hex(4)}"
    cursor = connection.execute(
        "INSERT INTO users (username, name, admin, service, entity_id, created_at) VALUES (?, ?, 0, 1, ?, ?)",
        (username, description, entity.id, times.now()),
    )
    assert cursor.lastrowid is not None
    user = users.user_by_id(connection, cursor.lastrowid)
    assert user is not None
    permissions.join(connection, entity.id, user.id, permissions.MEMBER)
    keys.add(connection, user, keep=True, description=description)
    return user


def members(connection: sqlite3.Connection, viewer: User, entity: Entity) -> list[Member]:
    """Who belongs to an entity and who was asked to, in the order in which they came.

    Args:
        connection: a reader.
        viewer: who asks.
        entity: a team; a user's own entity has the user alone.
    """
    if entity.kind != "team":
        owner = users.find_user(connection, entity.name)
        return [] if owner is None else [_of_user(owner, permissions.ADMIN, PERSON, None, owner.created_at)]
    shown = permissions.may_manage(connection, viewer, entity.id)
    found: list[Member] = []
    for row in connection.execute(
        "SELECT m.user_id, m.role, m.created_at, u.service FROM members m JOIN users u ON u.id = m.user_id"
        " WHERE m.entity_id = ?",
        (entity.id,),
    ).fetchall():
        user = users.user_by_id(connection, row["user_id"])
        assert user is not None
        key = users.kept_key(connection, user) if row["service"] and shown else None
        found.append(_of_user(user, row["role"], SERVICE if row["service"] else PERSON, key, row["created_at"]))
    for row in connection.execute("SELECT * FROM invites WHERE entity_id = ?", (entity.id,)):
        role = permissions.ADMIN if row["admin"] else permissions.MEMBER
        node_id = ids.encode("Invite", row["id"])
        found.append(Member(node_id, role, True, row["email"], None, row["email"], PERSON, None, row["created_at"]))
    return sorted(found, key=lambda member: member.created_at)


def _of_user(user: User, role: str, account_type: str, key: str | None, joined: str) -> Member:
    node_id = ids.encode("User", user.id)
    return Member(node_id, role, False, user.email, user.username, user.name, account_type, key, joined)


def storage_bytes(connection: sqlite3.Connection, entity: Entity) -> int:
    """How many bytes the files of an entity's runs and the versions of its artifacts have."""
    row = connection.execute(
        "SELECT (SELECT coalesce(sum(f.size), 0) FROM projects p JOIN runs r ON r.project_id = p.id"
        " JOIN files f ON f.run_id = r.id WHERE p.entity_id = :entity)"
        " + (SELECT coalesce(sum(a.size), 0) FROM projects p JOIN artifact_collections c ON c.project_id = p.id"
        " JOIN artifacts a ON a.sequence_id = c.id WHERE p.entity_id = :entity)",
        {"entity": entity.id},
    ).fetchone()
    return int(row[0])
