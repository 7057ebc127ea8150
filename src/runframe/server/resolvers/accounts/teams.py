"""Teams: who belongs to an entity, and changing that."""

from __future__ import annotations

import sqlite3
from typing import Any

from ariadne import MutationType, ObjectType

from runframe.server.context import Info
from runframe.server.errors import Refusal
from runframe.server.store import users
from runframe.server.store.accounts import invites, permissions, teams
from runframe.server.store.accounts.invites import Invite
from runframe.server.store.users import Entity

mutation = MutationType()
entity_type = ObjectType("Entity")
member_type = ObjectType("Member")
invite_type = ObjectType("Invite")


@entity_type.field("available")
@entity_type.field("readOnlyAdmin")
@entity_type.field("privateOnly")
@entity_type.field("isPaid")
def _resolve_false(entity: Entity, _: Info) -> bool:
    return False


@entity_type.field("codeSavingEnabled")
def _resolve_code_saving(entity: Entity, _: Info) -> bool:
    return True


@entity_type.field("readOnly")
def _resolve_read_only(entity: Entity, info: Info) -> bool:
    return not permissions.may_write(info.context.connection, info.context.viewer, entity.id)


@entity_type.field("defaultAccess")
def _resolve_default_access(entity: Entity, _: Info) -> str:
    return "PRIVATE"  # its members write; who has no key of this server sees nothing


@entity_type.field("limits")
def _resolve_limits(entity: Entity, _: Info) -> str:
    return "{}"


@entity_type.field("storageBytes")
def _resolve_storage(entity: Entity, info: Info) -> int:
    return teams.storage_bytes(info.context.connection, entity)


@entity_type.field("members")
def _resolve_members(entity: Entity, info: Info) -> list[teams.Member]:
    return teams.members(info.context.connection, info.context.viewer, entity)


@mutation.field("createTeam")
def _resolve_create(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        entity = teams.create(connection, context.viewer, input["teamName"], input.get("teamAdminUserName"))
    return {"entity": entity}


@mutation.field("createInvite")
def _resolve_invite(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        invite = invites.ask(
            connection,
            context.viewer,
            _managed(connection, context.viewer, input["entityName"]),
            username=input.get("username"),
            email=input.get("email"),
            admin=bool(input.get("admin")),
        )
    return {"invite": invite}


@mutation.field("deleteInvite")
def _resolve_withdraw(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        entity = _managed(connection, context.viewer, input.get("entityName") or "")
        success = invites.withdraw(connection, entity, input.get("id") or "")
    return {"success": success}


@mutation.field("createServiceAccount")
def _resolve_service(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        entity = _managed(connection, context.viewer, input["entityName"])
        user = teams.create_service_account(connection, entity, input["description"])
    return {"user": user}


def _managed(connection: sqlite3.Connection, viewer: users.User, name: str) -> Entity:
    """The team of this name, for changing who belongs to it."""
    entity = users.find_entity(connection, name)
    if entity is None:
        raise Refusal(f"There is no team {name!r}.", 404)
    permissions.check_manage(connection, viewer, entity)
    return entity


@invite_type.field("toUser")
def _resolve_to_user(invite: Invite, _: Info) -> users.User | None:
    return invite.user


invite_type.set_alias("createdAt", "created_at")
member_type.set_alias("accountType", "account_type")
member_type.set_alias("apiKey", "api_key")
member_type.set_alias("createdAt", "created_at")

BINDABLES = (mutation, entity_type, member_type, invite_type)
