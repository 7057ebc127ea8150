"""The tables. Times are ISO-8601 texts in UTC with six digits of microseconds, so that their order is that of time."""

from __future__ import annotations

from runframe.server.store.accounts.tables import TABLES as ACCOUNT_TABLES
from runframe.server.store.artifacts.tables import TABLES as ARTIFACT_TABLES
from runframe.server.store.exports import TABLES as EXPORT_TABLES
from runframe.server.store.queues.tables import TABLES as QUEUE_TABLES
from runframe.server.store.sweeps.tables import TABLES as SWEEP_TABLES
from runframe.server.store.views.tables import TABLES as VIEW_TABLES

APPLICATION_ID = 0x52464D31
SCHEMA_VERSION = 2

TABLES = (
    """CREATE TABLE settings (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE entities (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        created_at TEXT NOT NULL
    )""",
    """CREATE TABLE users (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        username TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        email TEXT,
        admin INTEGER NOT NULL DEFAULT 0,
        service INTEGER NOT NULL DEFAULT 0,
        entity_id INTEGER NOT NULL REFERENCES entities(id),
        created_at TEXT NOT NULL,
        deleted_at TEXT
    )""",
    """CREATE TABLE members (
        entity_id INTEGER NOT NULL REFERENCES entities(id),
        user_id INTEGER NOT NULL REFERENCES users(id),
        role TEXT NOT NULL,
        created_at TEXT NOT NULL,
        PRIMARY KEY (entity_id, user_id)
    ) WITHOUT ROWID""",
    # A key is looked up by its SHA-256. Kept in the clear are the one that the store made for its owner, and those of
    # service accounts, which their team's admins can see.
    """CREATE TABLE api_keys (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user_id INTEGER NOT NULL REFERENCES users(id),
        digest TEXT NOT NULL UNIQUE,
        hint TEXT NOT NULL,
        secret TEXT,
        description TEXT,
        created_at TEXT NOT NULL
    )""",
    """CREATE TABLE projects (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        entity_id INTEGER NOT NULL REFERENCES entities(id),
        name TEXT NOT NULL,
        description TEXT,
        access TEXT,
        user_id INTEGER REFERENCES users(id),
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        UNIQUE (entity_id, name)
    )""",
    # The documents stand last: a page of runs without them does not read their overflow pages.
    """CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        display_name TEXT,
        state TEXT NOT NULL,
        preempting INTEGER NOT NULL DEFAULT 0,
        stop_requested INTEGER NOT NULL DEFAULT 0,
        exit_code INTEGER,
        user_id INTEGER REFERENCES users(id),
        group_name TEXT,
        job_type TEXT,
        sweep_name TEXT,
        commit_hash TEXT,
        host TEXT,
        program TEXT,
        repo TEXT,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        heartbeat_at TEXT NOT NULL,
        last_step INTEGER,
        history_lines INTEGER NOT NULL DEFAULT 0,
        event_lines INTEGER NOT NULL DEFAULT 0,
        log_lines INTEGER NOT NULL DEFAULT 0,
        tags TEXT NOT NULL DEFAULT '[]',
        description TEXT,
        notes TEXT,
        config TEXT NOT NULL DEFAULT '{}',
        summary TEXT NOT NULL DEFAULT '{}',
        system_metrics TEXT NOT NULL DEFAULT '{}',
        history_keys TEXT NOT NULL DEFAULT '{}',
        UNIQUE (project_id, name)
    )""",
    "CREATE INDEX runs_created ON runs (project_id, created_at, id)",
    "CREATE INDEX runs_heartbeat ON runs (project_id, heartbeat_at, id)",
    # One stream is what one writer sent of one file_stream file. A line's id is (stream id << 33) + offset: the lines
    # of a stream lie together in the order of their offsets, and a line sent twice falls on itself. Lines have no
    # foreign key: deleting a range of ids is fast, a cascade would look through all lines.
    """CREATE TABLE streams (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
        file TEXT NOT NULL,
        client TEXT NOT NULL DEFAULT '',
        next_offset INTEGER NOT NULL DEFAULT 0,
        UNIQUE (run_id, file, client)
    )""",
    """CREATE TABLE lines (
        id INTEGER PRIMARY KEY,
        stream_id INTEGER NOT NULL,
        step INTEGER,
        text TEXT NOT NULL
    )""",
    "CREATE INDEX lines_step ON lines (stream_id, step) WHERE step IS NOT NULL",
    """CREATE TABLE files (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        sha256 TEXT,
        md5 TEXT,
        size INTEGER,
        mimetype TEXT,
        committed INTEGER NOT NULL DEFAULT 0,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        UNIQUE (run_id, name)
    )""",
    """CREATE TABLE alerts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
        title TEXT NOT NULL,
        text TEXT NOT NULL,
        severity TEXT NOT NULL,
        wait_duration INTEGER,
        created_at TEXT NOT NULL
    )""",
    """CREATE TABLE imports (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
        started_at TEXT NOT NULL,
        history_offset INTEGER NOT NULL,
        event_offset INTEGER NOT NULL,
        console_offset INTEGER NOT NULL,
        step INTEGER NOT NULL,
        runtime REAL NOT NULL,
        resumed INTEGER NOT NULL,
        UNIQUE (run_id, started_at)
    )""",
    *ACCOUNT_TABLES,
    *ARTIFACT_TABLES,
    *SWEEP_TABLES,
    *VIEW_TABLES,
    *QUEUE_TABLES,
    *EXPORT_TABLES,
)

#: What makes a store of a version one of the next version.
UPGRADES = {1: EXPORT_TABLES}
