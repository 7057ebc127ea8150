"""Reports and workspaces: finding, making, changing and deleting them."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runframe.server.errors import Refusal
from runframe.server.store import ids, json_texts, times, users
from runframe.server.store.accounts import permissions
from runframe.server.store.upsert import ensure_project

VIEW = "View"
REPORT = "runs"
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_COLUMNS = (
    "v.id, v.project_id, v.kind, v.name, v.display_name, v.description, v.created_using, v.user_id, v.created_at,"
    " v.updated_at, v.spec"
)


@dataclass(frozen=True, slots=True)
class View:
    """A view; `spec` is the JSON text that came."""

    id: int
    project_id: int
    kind: str
    name: str
    display_name: str | None
    description: str | None
    created_using: str | None
    user_id: int | None
    created_at: str
    updated_at: str
    spec: str


def by_id(connection: sqlite3.Connection, number: int) -> View | None:
    """The view in this row."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM views v WHERE v.id = ?", (number,)).fetchone()
    return None if row is None else View(*row)


def by_node_id(connection: sqlite3.Connection, node_id: str) -> View | None:
    """The view with this id; report URLs carry it without its padding."""
    number = ids.decode(VIEW, node_id)
    return None if number is None else by_id(connection, number)


def find(connection: sqlite3.Connection, project_id: int, kind: str, name: str) -> View | None:
    """The project's view of this kind and name."""
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM views v WHERE v.project_id = ? AND v.kind = ? AND v.name = ?", (project_id, kind, name)
    ).fetchone()
    return None if row is None else View(*row)


def upsert(connection: sqlite3.Connection, viewer: users.User, fields: Mapping[str, Any]) -> tuple[View, bool]:
    """Make a view, or change the one with the id, or with the kind and name, that is given.

    A field that is missing or None leaves what is there.

    Args:
        connection: the writer.
        viewer: who asks.
        fields: the fields of ``UpsertViewInput``.

    Returns:
        The view, and whether it was made by this.

    Raises:
        Refusal: the id is no view's, the spec is not JSON, or the viewer may not write there.
    """
    if fields.get("spec") is not None:
        json_texts.value_of(fields["spec"], "spec")
    kind = fields.get("type")
    if fields.get("id"):
        found = by_node_id(connection, fields["id"])
        if found is None:
            raise Refusal(f"id {fields['id']!r} is no view's.", 404)
        permissions.check_project(connection, viewer, found.project_id)
        return _change(connection, found, fields), False
    project = ensure_project(connection, viewer, fields.get("entityName"), fields.get("projectName"))
    name = fields.get("name") or "".join(secrets.choice(_ALPHABET) for _ in range(12))
    found = find(connection, project.id, kind or REPORT, name)
    if found is not None:
        return _change(connection, found, fields), False
    moment = times.now()
    connection.execute(
        "INSERT INTO views (project_id, kind, name, user_id, created_at, updated_at, spec)"
        " VALUES (?, ?, ?, ?, ?, ?, '{}')",
        (project.id, kind or REPORT, name, viewer.id, moment, moment),
    )
    made = find(connection, project.id, kind or REPORT, name)
    assert made is not None
    return _change(connection, made, {**fields, "name": name}), True


_FIELDS = {
    "type": "kind",
    "name": "name",
    "displayName": "display_name",
    "description": "description",
    "createdUsing": "created_using",
    "spec": "spec",
}


def _change(connection: sqlite3.Connection, view: View, fields: Mapping[str, Any]) -> View:
    values = {column: fields[name] for name, column in _FIELDS.items() if fields.get(name) is not None}
    values["updated_at"] = times.now()
    assignments = ", ".join(f"{column} = ?" for column in values)
    try:
        connection.execute(f"UPDATE views SET {assignments} WHERE id = ?", (*values.values(), view.id))
    except sqlite3.IntegrityError as error:
        raise Refusal(f"The project has another view {fields.get('name')!r} of this type.", 409) from error
    changed = by_id(connection, view.id)
    assert changed is not None
    return changed


def delete(connection: sqlite3.Connection, viewer: users.User, node_id: str) -> None:
    """Delete a view.

    Raises:
        Refusal: the id is no view's, or the viewer may not change it.
    """
    view = by_node_id(connection, node_id)
    if view is None:
        raise Refusal(f"id {node_id!r} is no view's.", 404)
    permissions.check_project(connection, viewer, view.project_id)
    connection.execute("DELETE FROM views WHERE id = ?", (view.id,))


def page(
    connection: sqlite3.Connection,
    project_id: int,
    *,
    kind: str | None,
    name: str | None,
    username: str | None,
    after: Sequence[Any] | None,
    first: int,
) -> tuple[list[View], bool]:
    """Up to `first` views of a project, newest first, and whether more follow.

    Args:
        connection: a reader.
        project_id: whose views.
        kind: these alone; None for all.
        name: the one of this name alone; None for all.
        username: the views of this user alone; None for everybody's.
        after: the row number of the last view of the page before.
        first: how many at the most.
    """
    where: list[str] = ["v.project_id = ?"]
    values: list[Any] = [project_id]
    for condition, value in (
        ("v.kind = ?", kind),
        ("v.name = ?", name),
        ("v.user_id = (SELECT u.id FROM users u WHERE u.username = ?)", username),
        ("v.id < ?", after[0] if after else None),
    ):
        if value is not None:
            where.append(condition)
            values.append(value)
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM views v WHERE {' AND '.join(where)} ORDER BY v.id DESC LIMIT ?", (*values, first + 1)
    ).fetchall()
    return [View(*row) for row in rows[:first]], len(rows) > first
