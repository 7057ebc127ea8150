"""Replaying what another server holds: what W&B's protocol has no place for."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType

from runframe.server.context import Info
from runframe.server.errors import Refusal
from runframe.server.resolvers.artifacts.finding import changeable, collection_of
from runframe.server.resolvers.runs import number_of
from runframe.server.store import projects, replay
from runframe.server.store.accounts import permissions
from runframe.server.store.sweeps import sweeps
from runframe.server.store.views import views

mutation = MutationType()


@mutation.field("replayProject")
def _resolve_project(_: None, info: Info, input: dict[str, Any]) -> dict[str, bool]:
    with info.context.store.write() as connection:
        found = projects.find(connection, input["entityName"], input["projectName"])
        if found is None:
            raise Refusal(f"There is no project {input['entityName']}/{input['projectName']}.", 404)
        permissions.check_project(connection, info.context.viewer, found.id)
        replay.set_columns(connection, "projects", found.id, replay.given_times(input))
    return {"success": True}


@mutation.field("replayRun")
def _resolve_run(_: None, info: Info, input: dict[str, Any]) -> dict[str, bool]:
    number = number_of(info.context, input["id"])
    with info.context.store.write() as connection:
        replay.replay_run(connection, number, input)
    return {"success": True}


@mutation.field("replaySweep")
def _resolve_sweep(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        project = projects.find(connection, input["entityName"], input["projectName"])
        there = project and sweeps.find(connection, project.id, input["name"], context.store.grace)
        if there:
            permissions.check_project(connection, context.viewer, there.project_id)
        sweep, _warnings = sweeps.upsert(connection, context.viewer, input, context.store.grace)
        replay.set_columns(connection, "sweeps", sweep.id, replay.given_times(input))
    return {"sweep": sweeps.by_id(context.connection, sweep.id, context.store.grace), "inserted": not there}


@mutation.field("replayArtifact")
def _resolve_artifact(_: None, info: Info, input: dict[str, Any]) -> dict[str, bool]:
    with info.context.store.write() as connection:
        artifact = changeable(connection, info.context.viewer, input["artifactID"])
        replay.replay_artifact(connection, artifact, input)
    return {"success": True}


@mutation.field("replayArtifactCollection")
def _resolve_collection(_: None, info: Info, input: dict[str, Any]) -> dict[str, bool]:
    with info.context.store.write() as connection:
        found = collection_of(connection, info.context.viewer, input["artifactCollectionID"])
        replay.set_columns(connection, "artifact_collections", found.id, replay.given_times(input))
    return {"success": True}


@mutation.field("replayView")
def _resolve_view(_: None, info: Info, input: dict[str, Any]) -> dict[str, bool]:
    with info.context.store.write() as connection:
        found = views.by_node_id(connection, input["id"])
        if found is None:
            raise Refusal(f"id {input['id']!r} is no view's.", 404)
        permissions.check_project(connection, info.context.viewer, found.project_id)
        replay.set_columns(connection, "views", found.id, replay.given_times(input))
    return {"success": True}


BINDABLES = (mutation,)
