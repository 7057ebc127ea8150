"""Registries: projects of a whole organisation. Their names begin with ``wandb-registry-``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runframe.resources.client import Client
from runframe.resources.errors import ArgumentError

Organization = Mapping[str, Any]


def registry_entity(client: Client, organization: str) -> str:
    """The entity that the registries of an organisation belong to.

    It is found by way of the entity that is set, or else the default one: a team belongs to one organisation, a user
    may belong to several.

    Args:
        client: the connection.
        organization: the organisation's name or that of its entity; empty for the one that is set, else the only one.

    Raises:
        ArgumentError: (a ValueError) the entity belongs to no organisation, to another, or to several without a choice.
    """
    entity = client.default_entity()
    found = [item for item in _organizations(client, entity) if item.get("orgEntity")]
    if not found:
        raise ArgumentError(
            f"{entity!r} belongs to no organisation, so its registries can't be found; set the entity to a team of one"
        )
    wanted = organization or client.settings.get("organization")
    if not wanted and len(found) == 1:
        return _owner(found[0])
    names = ", ".join(repr(item["name"]) for item in found)
    if not wanted:
        raise ArgumentError(f"{entity!r} belongs to the organisations {names}: name one before the registry, or a team")
    for item in found:
        if wanted in (item["name"], _owner(item)):
            return _owner(item)
    raise ArgumentError(f"{entity!r} belongs to the organisation {names}, not to {wanted!r}")


def organization_of(client: Client, entity: str) -> str | None:
    """The name of the organisation whose entity this is, or whose team; None where there is none."""
    return next((item["name"] for item in _organizations(client, entity)), None)


def _owner(organization: Organization) -> str:
    return str(organization["orgEntity"]["name"])


def _organizations(client: Client, entity: str | None) -> list[Organization]:
    """The organisation of a team, or those of a user."""
    found = client.query("artifacts", "FetchOrgInfoFromEntity", {"entity": entity}).get("entity") or {}
    if found.get("organization"):
        return [found["organization"]]
    return list((found.get("user") or {}).get("organizations") or [])
