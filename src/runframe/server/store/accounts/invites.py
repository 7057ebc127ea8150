"""Asking people into teams: who has an account belongs to the team at once, others when they get one."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from runframe.server.errors import Refusal
from runframe.server.store import ids, times
from runframe.server.store.accounts import finding, permissions
from runframe.server.store.users import Entity, User


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation, as it is answered.

    Attributes:
        id: node id; a user's where it was accepted at once.
        name: the team's name.
        email: the address.
        created_at: when.
        user: who was asked, where they have an account.
    """

    id: str
    name: str
    email: str | None
    created_at: str
    user: User | None


def ask(
    connection: sqlite3.Connection,
    viewer: User,
    entity: Entity,
    *,
    username: str | None,
    email: str | None,
    admin: bool,
) -> Invite:
    """Ask somebody into a team.

    Args:
        connection: the writer.
        viewer: who asks.
        entity: the team.
        username: the name of somebody who has an account; or
        email: an address, with or without an account.
        admin: whether they become an admin of the team.

    Raises:
        Refusal: nobody is named, there is no such user, the address cannot be one, or they belong to the team or were
            asked before.
    """
    if bool(username) == bool(email):
        raise Refusal("An invitation needs either a username or an e-mail address.")
    user = _named(connection, username, email)
    moment = times.now()
    if user is not None:
        if permissions.role(connection, user.id, entity.id) is not None:
            raise Refusal(f"{user.username!r} belongs to {entity.name!r} already.", 409)
        permissions.join(connection, entity.id, user.id, permissions.ADMIN if admin else permissions.MEMBER)
        return Invite(ids.encode("User", user.id), entity.name, user.email, moment, user)
    try:
        cursor = connection.execute(
            "INSERT INTO invites (entity_id, email, admin, user_id, created_at) VALUES (?, ?, ?, ?, ?)",
            (entity.id, email, int(admin), viewer.id, moment),
        )
    except sqlite3.IntegrityError as error:
        raise Refusal(f"{email!r} was asked into {entity.name!r} before.", 409) from error
    assert cursor.lastrowid is not None
    return Invite(ids.encode("Invite", cursor.lastrowid), entity.name, email, moment, None)


def _named(connection: sqlite3.Connection, username: str | None, email: str | None) -> User | None:
    if username:
        user = finding.person(connection, username)
        if user is None:
            raise Refusal(f"There is no user {username!r}. Who has no account is asked by e-mail address.", 404)
        return user
    return None if email is None else finding.by_email(connection, finding.check_email(email))


def accept(connection: sqlite3.Connection, user: User) -> None:
    """Make a new user a member of the teams that asked for their address."""
    if user.email is None:
        return
    for row in connection.execute("SELECT entity_id, admin FROM invites WHERE email = ?", (user.email,)).fetchall():
        role = permissions.ADMIN if row["admin"] else permissions.MEMBER
        permissions.join(connection, row["entity_id"], user.id, role)
    connection.execute("DELETE FROM invites WHERE email = ?", (user.email,))


def withdraw(connection: sqlite3.Connection, entity: Entity, node_id: str) -> bool:
    """Take an invitation back, or a member out of a team; whether there was one.

    Raises:
        Refusal: it is the team's last admin.
    """
    invite, member = ids.decode("Invite", node_id), ids.decode("User", node_id)
    if invite is not None:
        deleted = connection.execute("DELETE FROM invites WHERE id = ? AND entity_id = ?", (invite, entity.id))
        return deleted.rowcount == 1
    if member is None or permissions.role(connection, member, entity.id) is None:
        return False
    admins = connection.execute(
        "SELECT user_id FROM members WHERE entity_id = ? AND role = ?", (entity.id, permissions.ADMIN)
    ).fetchall()
    if [row["user_id"] for row in admins] == [member]:
        raise Refusal(f"{entity.name!r} would be left without an admin: make another one first.", 409)
    connection.execute("DELETE FROM members WHERE entity_id = ? AND user_id = ?", (entity.id, member))
    service = connection.execute("SELECT service FROM users WHERE id = ?", (member,)).fetchone()["service"]
    if service:  # belongs to its team alone
        connection.execute("DELETE FROM api_keys WHERE user_id = ?", (member,))
        connection.execute("UPDATE users SET deleted_at = ? WHERE id = ?", (times.now(), member))
    return True
