"""Runs: what they are, and changing them."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType

from runframe import extjson
from runframe.server.context import Context, Info
from runframe.server.errors import Refusal
from runframe.server.store import alerts, documents, ids, projects, rewind, runs, upsert, users
from runframe.server.store.accounts import permissions
from runframe.server.store.artifacts import edits

mutation = MutationType()
run_type = ObjectType("Run")

_ALIASES = {
    "displayName": "display_name",
    "sweepName": "sweep_name",
    "group": "group_name",
    "jobType": "job_type",
    "commit": "commit_hash",
    "jobProgram": "program",
    "jobRepo": "repo",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
    "heartbeatAt": "heartbeat_at",
    "projectId": "project_id",
    "historyLineCount": "history_lines",
    "eventsLineCount": "event_lines",
    "logLineCount": "log_lines",
}
for _field, _attribute in _ALIASES.items():
    run_type.set_alias(_field, _attribute)


def load(context: Context, number: int) -> runs.Run:
    """The run in a row that was just written."""
    run = runs.by_id(context.connection, number, context.store.grace)
    assert run is not None
    return run


def number_of(context: Context, node_id: str) -> int:
    """The row of the run with this node id, for changing it.

    Raises:
        Refusal: it is no run's, or (403) the viewer may not change it.
    """
    number = ids.decode("Run", node_id)
    run = None if number is None else runs.by_id(context.connection, number, context.store.grace, documents=False)
    if run is None:
        raise Refusal(f"id {node_id!r} is no run's.", 404)
    permissions.check_project(context.connection, context.viewer, run.project_id)
    return run.id


@mutation.field("upsertBucket")
def _resolve_upsert(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        written = upsert.upsert(connection, context.viewer, input, context.store.grace, shared=context.shared)
    return {"bucket": load(context, written.run_id), "inserted": written.inserted}


@mutation.field("rewindRun")
def _resolve_rewind(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        number = rewind.rewind(connection, context.viewer, input, context.store.grace)
    return {"rewoundRun": load(context, number)}


@mutation.field("stopRun")
def _resolve_stop(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    number = number_of(context, input["id"])
    with context.store.write() as connection:
        runs.change(connection, number, {"stop_requested": 1})
    return {"success": True}


@mutation.field("updateRunState")
def _resolve_update_state(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    number_of(context, input["id"])
    with context.store.write() as connection:
        upsert.set_state(connection, input["id"], input["state"], context.store.grace)
    return {"success": True}


@mutation.field("deleteRun")
def _resolve_delete(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    number = number_of(context, input["id"])
    with context.store.write() as connection:
        if input.get("deleteArtifacts"):
            edits.delete_logged(connection, number)
        runs.delete(connection, number)
    return {"clientMutationId": input.get("clientMutationId")}


@mutation.field("notifyScriptableRunAlert")
def _resolve_alert(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        alerts.add(connection, context.viewer, input, context.store.grace)
    return {"success": True}


@run_type.field("id")
def _resolve_id(run: runs.Run, _: Info) -> str:
    return ids.encode("Run", run.id)


@run_type.field("project")
def _resolve_project(run: runs.Run, info: Info) -> projects.Project | None:
    context = info.context
    return context.project(run.project_id)


@run_type.field("readOnly")
def _resolve_read_only(run: runs.Run, info: Info) -> bool:
    return not info.context.may_write(run.project_id)


@run_type.field("stopped")
def _resolve_stopped(run: runs.Run, _: Info) -> bool:
    return bool(run.stop_requested)


@run_type.field("tags")
def _resolve_tags(run: runs.Run, _: Info) -> Any:
    return documents.from_stored(run.tags)


@run_type.field("user")
def _resolve_user(run: runs.Run, info: Info) -> users.User:
    context = info.context
    return context.user(run.user_id) or context.store.owner.user  # the official client fails where there is none


@run_type.field("config")
def _resolve_config(run: runs.Run, info: Info) -> str:
    context = info.context
    return documents.to_extended(context.document(run, "config"))


@run_type.field("wandbConfig")
def _resolve_wandb_config(run: runs.Run, info: Info, keys: list[str] | None = None) -> str:
    context = info.context
    config = documents.from_stored(context.document(run, "config"))
    reserved = config.get("_wandb")
    value = reserved.get("value") if isinstance(reserved, dict) else None
    held = value if isinstance(value, dict) else {}
    return extjson.dumps(held if keys is None else {key: held[key] for key in keys if key in held})


@run_type.field("summaryMetrics")
def _resolve_summary(run: runs.Run, info: Info, keys: list[str] | None = None) -> str:
    context = info.context
    stored = context.document(run, "summary")
    if keys is None:
        return documents.to_extended(stored)
    held = documents.from_stored(stored)
    return extjson.dumps({key: held[key] for key in keys if key in held})


@run_type.field("systemMetrics")
def _resolve_system_metrics(run: runs.Run, info: Info) -> str:
    context = info.context
    return documents.to_extended(context.document(run, "system_metrics"))


@run_type.field("historyKeys")
def _resolve_history_keys(run: runs.Run, info: Info) -> Any:
    context = info.context
    return documents.from_stored(context.document(run, "history_keys")) or None


BINDABLES = (mutation, run_type)
