"""The tables of views and custom charts."""

from __future__ import annotations

TABLES = (
    # kind: "runs" is a published report, "runs/draft" one that is not, "project-view" a workspace.
    """CREATE TABLE views (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        display_name TEXT,
        description TEXT,
        created_using TEXT,
        user_id INTEGER REFERENCES users(id),
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        spec TEXT NOT NULL,
        UNIQUE (project_id, kind, name)
    )""",
    """CREATE TABLE view_tokens (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        view_id INTEGER NOT NULL REFERENCES views(id) ON DELETE CASCADE,
        token TEXT NOT NULL UNIQUE,
        projects TEXT NOT NULL,
        created_at TEXT NOT NULL,
        revoked_at TEXT
    )""",
    "CREATE INDEX view_tokens_view ON view_tokens (view_id, id)",
    """CREATE TABLE custom_charts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        entity_id INTEGER NOT NULL REFERENCES entities(id),
        name TEXT NOT NULL,
        display_name TEXT NOT NULL,
        kind TEXT NOT NULL,
        access TEXT NOT NULL,
        spec TEXT NOT NULL,
        user_id INTEGER REFERENCES users(id),
        created_at TEXT NOT NULL,
        UNIQUE (entity_id, name)
    )""",
)
