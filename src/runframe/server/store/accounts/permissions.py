"""Who may change what.

Everybody who has a key may read everything: a store is one group's. Two things are shown to fewer: keys (their names,
and those of service accounts whole) to whose they are and to who may change them, and the search for people to the
store's admins, as W&B has it. Changing is narrower:

| what | who |
|---|---|
| what an entity owns: projects, runs, artifacts, sweeps, reports, queues | its user, its members, the store's admins |
| who belongs to a team | the team's admins, the store's admins |
| who has an account | the store's admins |
| a key | whose it is, the store's admins |

An entity that nobody has becomes a team when something is written to it, and who wrote is its first admin.
"""

from __future__ import annotations

import sqlite3

from runframe.server.errors import Refusal
from runframe.server.store import projects, times, users
from runframe.server.store.users import Entity, User

ADMIN = "admin"
MEMBER = "member"


def may_write(connection: sqlite3.Connection, viewer: User, entity_id: int) -> bool:
    """Whether somebody may change what an entity owns."""
    return viewer.admin or viewer.entity_id == entity_id or role(connection, viewer.id, entity_id) is not None


def may_manage(connection: sqlite3.Connection, viewer: User, entity_id: int) -> bool:
    """Whether somebody may say who belongs to an entity."""
    return viewer.admin or role(connection, viewer.id, entity_id) == ADMIN


def role(connection: sqlite3.Connection, user_id: int, entity_id: int) -> str | None:
    """What a user is in a team: "admin", "member", or None for nothing."""
    row = connection.execute(
        "SELECT role FROM members WHERE entity_id = ? AND user_id = ?", (entity_id, user_id)
    ).fetchone()
    return None if row is None else str(row["role"])


def check_write(connection: sqlite3.Connection, viewer: User, entity: Entity) -> None:
    """Let pass who may change what an entity owns.

    Raises:
        Refusal: (403) the viewer may not.
    """
    if not may_write(connection, viewer, entity.id):
        raise _denied(viewer, entity.name, "write to")


def check_project(connection: sqlite3.Connection, viewer: User, project_id: int) -> None:
    """Let pass who may change a project.

    Raises:
        Refusal: (403) the viewer may not.
    """
    project = None if viewer.admin else projects.by_id(connection, project_id)
    if project is not None and not may_write(connection, viewer, project.entity_id):
        raise _denied(viewer, f"{project.entity}/{project.name}", "write to")


def check_run(connection: sqlite3.Connection, viewer: User, run_id: int) -> None:
    """Let pass who may change a run.

    Raises:
        Refusal: (403) the viewer may not.
    """
    row = connection.execute("SELECT project_id FROM runs WHERE id = ?", (run_id,)).fetchone()
    if row is not None:
        check_project(connection, viewer, row["project_id"])


def check_manage(connection: sqlite3.Connection, viewer: User, entity: Entity) -> None:
    """Let pass who may say who belongs to a team.

    Raises:
        Refusal: (403) the viewer may not, or (400) the entity is no team.
    """
    if entity.kind != "team":
        raise Refusal(f"{entity.name!r} is a user's own entity, not a team: nobody else can belong to it.")
    if not may_manage(connection, viewer, entity.id):
        raise _denied(viewer, entity.name, "manage")


def check_admin(viewer: User, what: str) -> None:
    """Let pass the store's admins.

    Raises:
        Refusal: (403) the viewer is none.
    """
    if not viewer.admin:
        raise Refusal(f"permission denied: {viewer.username!r} is no admin of this server and cannot {what}.", 403)


def writable(connection: sqlite3.Connection, viewer: User, name: str) -> Entity:
    """The entity of this name for writing to; where there is none, a new team whose admin the viewer is.

    Raises:
        Refusal: (403) the viewer may not write to it, or (400) nothing can be called so.
    """
    entity = users.find_entity(connection, name)
    if entity is None:
        if not users.valid_name(name):
            raise Refusal(f"{name!r} cannot be the name of an entity: it is too long or holds a slash.")
        entity = users.ensure_entity(connection, name)
        join(connection, entity.id, viewer.id, ADMIN)
    check_write(connection, viewer, entity)
    return entity


def join(connection: sqlite3.Connection, entity_id: int, user_id: int, role: str) -> None:
    """Make a user a member of a team."""
    connection.execute(
        "INSERT INTO members (entity_id, user_id, role, created_at) VALUES (?, ?, ?, ?)",
        (entity_id, user_id, role, times.now()),
    )


def _denied(viewer: User, what: str, verb: str) -> Refusal:
    return Refusal(
        f"permission denied: {viewer.username!r} may not {verb} {what!r}. "
        "Ask an admin of the team, or of this server, to add you.",
        403,
    )
