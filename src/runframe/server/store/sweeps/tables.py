"""The tables of sweeps.

A trial is a run that a sweep asked for. It is made before any agent has it: nothing that was handed out is lost.
"""

from __future__ import annotations

TABLES = (
    "CREATE INDEX runs_sweep ON runs (project_id, sweep_name, id)",
    # `config` is the YAML text that came; `seed` makes all that is drawn for the sweep repeatable. `next_number` counts
    # trials, `next_index` the points of a grid. `exhausted` says that there is nothing left to try.
    """CREATE TABLE sweeps (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        display_name TEXT,
        description TEXT,
        state TEXT NOT NULL,
        method TEXT NOT NULL,
        seed TEXT NOT NULL,
        next_number INTEGER NOT NULL DEFAULT 1,
        next_index INTEGER NOT NULL DEFAULT 0,
        exhausted INTEGER NOT NULL DEFAULT 0,
        user_id INTEGER REFERENCES users(id),
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        heartbeat_at TEXT,
        prior_runs TEXT,
        controller TEXT,
        scheduler TEXT,
        launch_scheduler TEXT,
        template_variables TEXT,
        config TEXT NOT NULL,
        UNIQUE (project_id, name)
    )""",
    "CREATE INDEX sweeps_created ON sweeps (project_id, created_at, id)",
    """CREATE TABLE sweep_agents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        sweep_id INTEGER NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
        name TEXT NOT NULL UNIQUE,
        host TEXT NOT NULL,
        left INTEGER NOT NULL DEFAULT 0,
        user_id INTEGER REFERENCES users(id),
        created_at TEXT NOT NULL,
        heartbeat_at TEXT NOT NULL
    )""",
    "CREATE INDEX sweep_agents_sweep ON sweep_agents (sweep_id, id)",
    # `offers` counts how often the trial was handed out, `seen` whether an agent said that it had it, `stopped` whether
    # it is to be stopped. The last three follow the metric for stopping early: the last line that was read, how many
    # values there were, and the best of them.
    """CREATE TABLE sweep_trials (
        run_id INTEGER PRIMARY KEY REFERENCES runs(id) ON DELETE CASCADE,
        sweep_id INTEGER NOT NULL REFERENCES sweeps(id) ON DELETE CASCADE,
        agent_id INTEGER REFERENCES sweep_agents(id),
        number INTEGER NOT NULL,
        args TEXT NOT NULL,
        offers INTEGER NOT NULL DEFAULT 0,
        seen INTEGER NOT NULL DEFAULT 0,
        stopped INTEGER NOT NULL DEFAULT 0,
        last_line INTEGER NOT NULL DEFAULT 0,
        value_count INTEGER NOT NULL DEFAULT 0,
        best REAL
    )""",
    "CREATE INDEX sweep_trials_sweep ON sweep_trials (sweep_id, number)",
    "CREATE INDEX sweep_trials_args ON sweep_trials (sweep_id, args)",
    "CREATE INDEX sweep_trials_agent ON sweep_trials (agent_id)",
    # The best value that a trial had when it had logged so many.
    """CREATE TABLE sweep_bands (
        run_id INTEGER NOT NULL REFERENCES sweep_trials(run_id) ON DELETE CASCADE,
        band INTEGER NOT NULL,
        value REAL NOT NULL,
        PRIMARY KEY (run_id, band)
    ) WITHOUT ROWID""",
)
