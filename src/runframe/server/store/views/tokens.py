"""Share links of reports: tokens, and the projects that each is for.

They are kept and listed. Nothing is opened by them: this server shows no pages.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from runframe import extjson
from runframe.server.errors import Refusal
from runframe.server.store import times, users
from runframe.server.store.accounts import permissions
from runframe.server.store.views import views
from runframe.server.store.views.views import View


@dataclass(frozen=True, slots=True)
class Token:
    """A share link's token.

    Attributes:
        projects: ``{"entityName", "name"}`` of each project that the report shows.
        revoked_at: since when it counts no more.
    """

    token: str
    projects: list[dict[str, Any]]
    revoked_at: str | None


def of_view(connection: sqlite3.Connection, view: View) -> list[Token]:
    """A view's tokens, oldest first."""
    rows = connection.execute("SELECT * FROM view_tokens WHERE view_id = ? ORDER BY id", (view.id,))
    return [Token(row["token"], extjson.loads(row["projects"]), row["revoked_at"]) for row in rows]


def create(connection: sqlite3.Connection, view: View, projects: Sequence[dict[str, Any]]) -> Token:
    """A new token for a view."""
    token = Token(secrets.token_urlsafe(24), _shown(projects), None)
    connection.execute(
        "INSERT INTO view_tokens (view_id, token, projects, created_at) VALUES (?, ?, ?, ?)",
        (view.id, token.token, extjson.dumps(token.projects), times.now()),
    )
    return token


def set_projects(
    connection: sqlite3.Connection, viewer: users.User, token: str, projects: Sequence[dict[str, Any]]
) -> None:
    """Say anew which projects a token is for.

    Raises:
        Refusal: there is no such token, or the viewer may not change the report.
    """
    number = _changeable(connection, viewer, token)
    connection.execute("UPDATE view_tokens SET projects = ? WHERE id = ?", (extjson.dumps(_shown(projects)), number))


def revoke(connection: sqlite3.Connection, viewer: users.User, token: str) -> None:
    """Make a token count no more.

    Raises:
        Refusal: there is no such token, or the viewer may not change the report.
    """
    number = _changeable(connection, viewer, token)
    connection.execute(
        "UPDATE view_tokens SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", (times.now(), number)
    )


def _changeable(connection: sqlite3.Connection, viewer: users.User, token: str) -> int:
    row = connection.execute("SELECT id, view_id FROM view_tokens WHERE token = ?", (token,)).fetchone()
    view = None if row is None else views.by_id(connection, row["view_id"])
    if view is None:
        raise Refusal("There is no such access token.", 404)
    permissions.check_project(connection, viewer, view.project_id)
    return int(row["id"])


def _shown(projects: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"entityName": project.get("entityName"), "name": project["projectName"]} for project in projects]
