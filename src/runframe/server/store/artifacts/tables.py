"""The tables of artifacts.

A version belongs to the sequence that it was logged to. That a version stands in a collection (its own sequence, or a
portfolio that it is linked to) is a membership, with an index and aliases of its own.
"""

from __future__ import annotations

TABLES = (
    """CREATE TABLE artifact_types (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        description TEXT,
        created_at TEXT NOT NULL,
        UNIQUE (project_id, name)
    )""",
    # Sequences and portfolios share their names' space: artifactCollection(name) finds either.
    """CREATE TABLE artifact_collections (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
        type_id INTEGER NOT NULL REFERENCES artifact_types(id) ON DELETE CASCADE,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        description TEXT,
        next_index INTEGER NOT NULL DEFAULT 0,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        UNIQUE (project_id, name)
    )""",
    "CREATE INDEX artifact_collections_type ON artifact_collections (type_id, id)",
    """CREATE TABLE artifacts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        sequence_id INTEGER NOT NULL REFERENCES artifact_collections(id) ON DELETE CASCADE,
        state TEXT NOT NULL,
        version_index INTEGER,
        digest TEXT NOT NULL,
        commit_hash TEXT NOT NULL,
        size INTEGER NOT NULL DEFAULT 0,
        file_count INTEGER NOT NULL DEFAULT 0,
        ttl_seconds INTEGER NOT NULL,
        history_step INTEGER,
        run_id INTEGER REFERENCES runs(id) ON DELETE SET NULL,
        user_id INTEGER REFERENCES users(id),
        distributed_id TEXT,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        manifest_sha256 TEXT,
        manifest_size INTEGER,
        description TEXT,
        wanted_aliases TEXT NOT NULL DEFAULT '[]',
        metadata TEXT
    )""",
    "CREATE INDEX artifacts_digest ON artifacts (sequence_id, digest)",
    "CREATE INDEX artifacts_run ON artifacts (run_id)",
    # What clients call a version, or its sequence, before the server has named it. A version that was logged twice
    # with the same content has several.
    """CREATE TABLE artifact_clients (
        client_id TEXT NOT NULL,
        artifact_id INTEGER NOT NULL REFERENCES artifacts(id) ON DELETE CASCADE,
        sequence_client_id TEXT,
        PRIMARY KEY (client_id, artifact_id)
    ) WITHOUT ROWID""",
    "CREATE INDEX artifact_clients_artifact ON artifact_clients (artifact_id)",
    "CREATE INDEX artifact_clients_sequence ON artifact_clients (sequence_client_id)",
    # What the writers of a version sent. What the commit makes of it is the version's own manifest.
    """CREATE TABLE artifact_manifests (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        artifact_id INTEGER NOT NULL REFERENCES artifacts(id) ON DELETE CASCADE,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        digest TEXT NOT NULL,
        base_id INTEGER,
        sha256 TEXT,
        size INTEGER,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    )""",
    "CREATE INDEX artifact_manifests_artifact ON artifact_manifests (artifact_id, id)",
    # The entries of committed versions. Their bytes are found by digest in artifact_contents.
    """CREATE TABLE artifact_entries (
        artifact_id INTEGER NOT NULL REFERENCES artifacts(id) ON DELETE CASCADE,
        path TEXT NOT NULL,
        digest TEXT NOT NULL,
        size INTEGER NOT NULL,
        ref TEXT,
        PRIMARY KEY (artifact_id, path)
    ) WITHOUT ROWID""",
    # Bytes by their base64 MD5, and the version that they first came with.
    """CREATE TABLE artifact_contents (
        md5 TEXT PRIMARY KEY,
        sha256 TEXT NOT NULL,
        size INTEGER NOT NULL,
        birth_id INTEGER NOT NULL,
        created_at TEXT NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE artifact_memberships (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        collection_id INTEGER NOT NULL REFERENCES artifact_collections(id) ON DELETE CASCADE,
        artifact_id INTEGER NOT NULL REFERENCES artifacts(id) ON DELETE CASCADE,
        version_index INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (collection_id, version_index),
        UNIQUE (artifact_id, collection_id)
    )""",
    """CREATE TABLE artifact_aliases (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        membership_id INTEGER NOT NULL REFERENCES artifact_memberships(id) ON DELETE CASCADE,
        collection_id INTEGER NOT NULL REFERENCES artifact_collections(id) ON DELETE CASCADE,
        alias TEXT NOT NULL,
        UNIQUE (collection_id, alias)
    )""",
    "CREATE INDEX artifact_aliases_membership ON artifact_aliases (membership_id)",
    """CREATE TABLE tags (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        UNIQUE (project_id, name)
    )""",
    """CREATE TABLE artifact_tags (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        artifact_id INTEGER NOT NULL REFERENCES artifacts(id) ON DELETE CASCADE,
        tag_id INTEGER NOT NULL REFERENCES tags(id) ON DELETE CASCADE,
        UNIQUE (artifact_id, tag_id)
    )""",
    """CREATE TABLE collection_tags (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        collection_id INTEGER NOT NULL REFERENCES artifact_collections(id) ON DELETE CASCADE,
        tag_id INTEGER NOT NULL REFERENCES tags(id) ON DELETE CASCADE,
        UNIQUE (collection_id, tag_id)
    )""",
    """CREATE TABLE artifact_inputs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
        artifact_id INTEGER NOT NULL REFERENCES artifacts(id) ON DELETE CASCADE,
        used_as TEXT,
        created_at TEXT NOT NULL,
        UNIQUE (run_id, artifact_id)
    )""",
    "CREATE INDEX artifact_inputs_artifact ON artifact_inputs (artifact_id)",
    """CREATE TABLE artifact_outputs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
        artifact_id INTEGER NOT NULL REFERENCES artifacts(id) ON DELETE CASCADE,
        created_at TEXT NOT NULL,
        UNIQUE (run_id, artifact_id)
    )""",
    "CREATE INDEX artifact_outputs_artifact ON artifact_outputs (artifact_id)",
)
