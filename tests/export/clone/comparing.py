"""Two stores side by side: every row of theirs that means something, by names instead of the rows' own numbers."""

from __future__ import annotations

import base64
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

VERSION = (
    "(SELECT c.name || ':v' || v.version_index FROM artifacts v JOIN artifact_collections c ON c.id = v.sequence_id"
)
RUN = "(SELECT name FROM runs WHERE id = {})"
COMMITTED = "state = 'COMMITTED'"

QUERIES = {
    "projects": "SELECT name, description, created_at FROM projects p WHERE p.id = :p",
    "runs": """SELECT name, display_name, state, preempting, exit_code, group_name, job_type, sweep_name, commit_hash,
        host, program, repo, created_at, updated_at, heartbeat_at, last_step, history_lines, event_lines, log_lines,
        tags, description, notes, config, summary, system_metrics, history_keys FROM runs WHERE project_id = :p""",
    "lines": """SELECT r.name, s.file, l.id - (s.id << 33), l.step, l.text FROM lines l
        JOIN streams s ON s.id = l.stream_id JOIN runs r ON r.id = s.run_id WHERE r.project_id = :p""",
    "files": """SELECT r.name, f.name, f.sha256, f.md5, f.size, f.mimetype, f.committed, f.updated_at FROM files f
        JOIN runs r ON r.id = f.run_id WHERE r.project_id = :p""",
    "sweeps": """SELECT name, display_name, description, state, method, config, created_at, updated_at FROM sweeps
        WHERE project_id = :p""",
    "views": """SELECT kind, name, display_name, description, created_using, created_at, updated_at, spec FROM views
        WHERE project_id = :p""",
    "collections": """SELECT kind, c.name, t.name, c.description, c.created_at, c.updated_at FROM artifact_collections c
        JOIN artifact_types t ON t.id = c.type_id WHERE c.project_id = :p""",
    "versions": f"""SELECT c.name, a.version_index, digest, commit_hash, size, file_count, ttl_seconds, history_step,
        {RUN.format("a.run_id")}, a.created_at, a.updated_at, a.description, metadata FROM artifacts a
        JOIN artifact_collections c ON c.id = a.sequence_id WHERE c.project_id = :p AND a.{COMMITTED}""",
    "entries": f"""SELECT {VERSION} WHERE v.id = e.artifact_id), path, e.digest, e.size, ref FROM artifact_entries e
        JOIN artifacts a ON a.id = e.artifact_id JOIN artifact_collections c ON c.id = a.sequence_id
        WHERE c.project_id = :p AND a.{COMMITTED}""",
    "memberships": f"""SELECT c.name, {VERSION} WHERE v.id = m.artifact_id), m.version_index, m.created_at
        FROM artifact_memberships m JOIN artifact_collections c ON c.id = m.collection_id WHERE c.project_id = :p""",
    "aliases": f"""SELECT c.name, alias, {VERSION} WHERE v.id = m.artifact_id) FROM artifact_aliases l
        JOIN artifact_memberships m ON m.id = l.membership_id JOIN artifact_collections c ON c.id = l.collection_id
        WHERE c.project_id = :p""",
    "tags": f"""SELECT {VERSION} WHERE v.id = x.artifact_id), t.name FROM artifact_tags x JOIN tags t ON t.id = x.tag_id
        WHERE t.project_id = :p""",
    "collection tags": """SELECT c.name, t.name FROM collection_tags x JOIN tags t ON t.id = x.tag_id
        JOIN artifact_collections c ON c.id = x.collection_id WHERE t.project_id = :p""",
    "inputs": f"""SELECT r.name, {VERSION} WHERE v.id = i.artifact_id) FROM artifact_inputs i
        JOIN runs r ON r.id = i.run_id WHERE r.project_id = :p""",
    "outputs": f"""SELECT r.name, {VERSION} WHERE v.id = o.artifact_id) FROM artifact_outputs o
        JOIN runs r ON r.id = o.run_id JOIN artifacts a ON a.id = o.artifact_id
        WHERE r.project_id = :p AND a.{COMMITTED}""",
}  # fmt: skip


def contents(store: Path, project: str, *, entity: str = "local") -> dict[str, list[tuple[Any, ...]]]:
    """All that a project of a store holds, sorted."""
    with closing(sqlite3.connect(f"file:{store / 'runframe.sqlite'}?mode=ro", uri=True)) as connection:
        row = connection.execute(
            "SELECT p.id FROM projects p JOIN entities e ON e.id = p.entity_id WHERE e.name = ? AND p.name = ?",
            (entity, project),
        ).fetchone()
        assert row is not None, f"no project {entity}/{project} in {store}"
        found = {name: connection.execute(query, {"p": row[0]}).fetchall() for name, query in QUERIES.items()}
        names = _versions(connection)
    found["entries"] = [(*entry[:4], _by_name(entry[4], names)) for entry in found["entries"]]
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def _versions(connection: sqlite3.Connection) -> dict[str, str]:
    rows = connection.execute(
        "SELECT a.id, c.name, a.version_index FROM artifacts a JOIN artifact_collections c ON c.id = a.sequence_id"
    )
    return {f"Artifact:{number}".encode().hex(): f"{name}:v{index}" for number, name, index in rows}


def _by_name(ref: str | None, names: dict[str, str]) -> str | None:
    """A reference with the version's name instead of its id."""
    return None if ref is None else re.sub(r"(?<=^wandb-artifact://)\w+", lambda found: names[found[0]], ref)


def hex_of(node_id: str) -> str:
    return base64.b64decode(node_id).hex()
