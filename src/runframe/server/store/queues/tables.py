"""The tables of launch queues."""

from __future__ import annotations

TABLES = (
    """CREATE TABLE resource_configs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        entity_id INTEGER NOT NULL REFERENCES entities(id),
        resource TEXT NOT NULL,
        config TEXT NOT NULL,
        template_variables TEXT NOT NULL,
        created_at TEXT NOT NULL
    )""",
    """CREATE TABLE run_queues (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        access TEXT NOT NULL,
        prioritization_mode TEXT NOT NULL,
        config_id INTEGER REFERENCES resource_configs(id),
        external_links TEXT NOT NULL,
        user_id INTEGER REFERENCES users(id),
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        UNIQUE (project_id, name)
    )""",
    # `run_spec` is what an agent gets: the queue's settings are in it, with the values of their variables.
    """CREATE TABLE run_queue_items (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue_id INTEGER NOT NULL REFERENCES run_queues(id) ON DELETE CASCADE,
        state TEXT NOT NULL,
        priority INTEGER,
        agent_id INTEGER REFERENCES launch_agents(id),
        run_name TEXT,
        user_id INTEGER REFERENCES users(id),
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        error TEXT,
        warnings TEXT NOT NULL DEFAULT '[]',
        run_spec TEXT NOT NULL
    )""",
    "CREATE INDEX run_queue_items_queue ON run_queue_items (queue_id, state, id)",
    """CREATE TABLE launch_agents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        hostname TEXT NOT NULL,
        status TEXT NOT NULL,
        stop_polling INTEGER NOT NULL DEFAULT 0,
        queues TEXT NOT NULL,
        config TEXT,
        version TEXT,
        user_id INTEGER REFERENCES users(id),
        created_at TEXT NOT NULL,
        heartbeat_at TEXT NOT NULL
    )""",
)
