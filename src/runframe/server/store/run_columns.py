"""Where the store keeps the fields that filters and orders on runs name."""

from __future__ import annotations

from runframe.server.store.fragments import FieldSQL
from runframe.server.store.states import Grace, state_sql


def run_columns(grace: Grace, run: str = "r") -> dict[str, FieldSQL]:
    """The fields of `RUN_FIELDS` that the store has, for a query on the runs table.

    Args:
        grace: how long a run may be silent before its state says so.
        run: the name that the runs table has in the query.
    """
    user = f"(SELECT u.username FROM users u WHERE u.id = {run}.user_id)"
    project = f"(SELECT p.name FROM projects p WHERE p.id = {run}.project_id)"
    entity = f"(SELECT e.name FROM projects p JOIN entities e ON e.id = p.entity_id WHERE p.id = {run}.project_id)"
    seconds = "CAST(strftime('%s', {run}.{column}) AS INTEGER)"
    ended, began = (seconds.format(run=run, column=column) for column in ("heartbeat_at", "created_at"))
    return {
        "name": FieldSQL(f"{run}.name", "text", nullable=False),
        "display_name": FieldSQL(f"{run}.display_name", "text"),
        "state": FieldSQL(f"({state_sql(grace, run)})", "text", nullable=False),
        "group": FieldSQL(f"{run}.group_name", "text"),
        "job_type": FieldSQL(f"{run}.job_type", "text"),
        "host": FieldSQL(f"{run}.host", "text"),
        "username": FieldSQL(user, "text"),
        "entity": FieldSQL(entity, "text", nullable=False),
        "project": FieldSQL(project, "text", nullable=False),
        "sweep": FieldSQL(f"{run}.sweep_name", "text"),
        "commit": FieldSQL(f"{run}.commit_hash", "text"),
        "notes": FieldSQL(f"{run}.notes", "text"),
        "tags": FieldSQL(f"{run}.tags", "list", nullable=False),
        "created_at": FieldSQL(f"{run}.created_at", "time", nullable=False),
        "heartbeat_at": FieldSQL(f"{run}.heartbeat_at", "time", nullable=False),
        "updated_at": FieldSQL(f"{run}.updated_at", "time", nullable=False),
        "duration": FieldSQL(f"({ended} - {began})", "number", nullable=False),
        "config": FieldSQL(f"{run}.config", "entries", nullable=False),
        "summary_metrics": FieldSQL(f"{run}.summary", "document", nullable=False),
        "keys_info": FieldSQL(f"{run}.history_keys", "document", nullable=False),
        "input_artifacts": FieldSQL(_artifacts("artifact_inputs", run), "list", nullable=False),
        "output_artifacts": FieldSQL(_artifacts("artifact_outputs", run), "list", nullable=False),
    }


def _artifacts(table: str, run: str) -> str:
    """The full names, ``entity/project/collection:v3``, of the artifacts that a table ties to a run."""
    return (
        "(SELECT json_group_array(e.name || '/' || p.name || '/' || c.name || ':v' || a.version_index)"
        f" FROM {table} x JOIN artifacts a ON a.id = x.artifact_id JOIN artifact_collections c ON c.id = a.sequence_id"
        " JOIN projects p ON p.id = c.project_id JOIN entities e ON e.id = p.entity_id"
        f" WHERE x.run_id = {run}.id AND a.state = 'COMMITTED')"
    )
