"""Presets of custom charts."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runframe.server.errors import Refusal
from runframe.server.store import json_texts, times, users
from runframe.server.store.accounts import permissions

_ACCESS = ("PRIVATE", "PUBLIC")


@dataclass(frozen=True, slots=True)
class Chart:
    """A preset; `spec` is the JSON text that came."""

    number: int
    entity: str
    name: str
    display_name: str
    kind: str
    access: str
    spec: str
    created_at: str

    @property
    def id(self) -> str:
        """What plots name the preset by: ``entity/name``."""
        return f"{self.entity}/{self.name}"


_CHART = (
    "SELECT c.id, e.name, c.name, c.display_name, c.kind, c.access, c.spec, c.created_at"
    " FROM custom_charts c JOIN entities e ON e.id = c.entity_id"
)


def create(connection: sqlite3.Connection, viewer: users.User, fields: Mapping[str, Any]) -> Chart:
    """A new preset.

    Args:
        connection: the writer.
        viewer: who asks.
        fields: the fields of ``CreateCustomChartInput``.

    Raises:
        Refusal: the name is taken or cannot be one, the access is not known, the spec is not JSON, or the viewer may
            not write to the entity.
    """
    name, access = fields["name"], fields["access"].upper()
    if not users.valid_name(name):
        raise Refusal(f"{name!r} cannot be the name of a chart: it is empty, too long, or holds a slash.")
    if access not in _ACCESS:
        raise Refusal(f"access is {fields['access']!r}, expected 'private' or 'public'.")
    json_texts.object_of(fields["spec"], "spec")
    entity = permissions.writable(connection, viewer, fields["entity"])
    try:
        cursor = connection.execute(
            "INSERT INTO custom_charts (entity_id, name, display_name, kind, access, spec, user_id, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (entity.id, name, fields["displayName"], fields["type"], access, fields["spec"], viewer.id, times.now()),
        )
    except sqlite3.IntegrityError as error:
        raise Refusal(f"There is a custom chart {entity.name}/{name} already.", 409) from error
    return Chart(*connection.execute(f"{_CHART} WHERE c.id = ?", (cursor.lastrowid,)).fetchone())


def of_entity(connection: sqlite3.Connection, entity: users.Entity) -> list[Chart]:
    """An entity's presets by their names."""
    rows = connection.execute(f"{_CHART} WHERE c.entity_id = ? ORDER BY c.name", (entity.id,))
    return [Chart(*row) for row in rows]
