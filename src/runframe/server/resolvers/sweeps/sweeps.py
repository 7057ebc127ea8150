"""Sweeps: reading, making and changing them."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType

from runframe.server.context import Info
from runframe.server.errors import Refusal
from runframe.server.resolvers.connections import connection_of
from runframe.server.resolvers.sweeps.runs import run_connection
from runframe.server.selection import selects
from runframe.server.store import ids, json_texts, projects, run_query, users
from runframe.server.store.accounts import permissions
from runframe.server.store.artifacts.pages import also
from runframe.server.store.fragments import Fragment, join
from runframe.server.store.sweeps import controller, pages, sweeps, trials
from runframe.server.store.sweeps.sweeps import Sweep

mutation = MutationType()
project_type = ObjectType("Project")
sweep_type = ObjectType("Sweep")

SWEEP = "Sweep"


@project_type.field("totalSweeps")
def _resolve_total(project: projects.Project, info: Info) -> int:
    return sweeps.count(info.context.connection, project.id)


@project_type.field("sweep")
def _resolve_sweep(project: projects.Project, info: Info, sweepName: str) -> Sweep | None:
    return sweeps.find(info.context.connection, project.id, sweepName, info.context.store.grace)


@project_type.field("sweeps")
def _resolve_sweeps(
    project: projects.Project,
    info: Info,
    after: str | None = None,
    first: int | None = None,
    filters: str | None = None,
    order: str | None = None,
) -> dict[str, Any]:
    connection, grace = info.context.connection, info.context.store.grace
    words, listing = pages.vocabulary(grace), pages.listing(grace)
    condition, sorting = also("s.project_id", project.id, words.condition(filters)), words.order(order)
    page = connection_of(
        lambda cursor, limit: listing.page(connection, condition, sorting, cursor, limit),
        lambda found: found[1],
        after,
        first,
        node_of=lambda found: found[0],
    )
    if selects(info, ("totalCount",)):
        page["totalCount"] = listing.count(connection, condition)
    return page


@sweep_type.field("id")
def _resolve_id(sweep: Sweep, _: Info) -> str:
    return ids.encode(SWEEP, sweep.id)


@sweep_type.field("project")
def _resolve_project(sweep: Sweep, info: Info) -> projects.Project | None:
    return info.context.project(sweep.project_id)


@sweep_type.field("user")
def _resolve_user(sweep: Sweep, info: Info) -> users.User | None:
    return info.context.user(sweep.user_id)


@sweep_type.field("bestLoss")
def _resolve_best_loss(sweep: Sweep, info: Info) -> float | None:
    return pages.best_value(info.context.connection, sweep, info.context.store.grace)


@sweep_type.field("runCount")
def _resolve_run_count(sweep: Sweep, info: Info) -> int:
    return sweeps.run_count(info.context.connection, sweep)


@sweep_type.field("runCountExpected")
def _resolve_expected(sweep: Sweep, _: Info) -> int | None:
    return sweep.settings.size


@sweep_type.field("earlyStopJobRunning")
def _resolve_early_stop(sweep: Sweep, _: Info) -> bool:
    return False  # stopping early is part of each heartbeat here


@sweep_type.field("controllerRunName")
def _resolve_controller_run(sweep: Sweep, _: Info) -> str:
    return f"{sweep.name}-controller"


@sweep_type.field("runs")
def _resolve_runs(
    sweep: Sweep,
    info: Info,
    filters: str | None = None,
    after: str | None = None,
    first: int | None = None,
    order: str | None = None,
) -> dict[str, Any]:
    own = Fragment("r.sweep_name = ?", (sweep.name,))
    condition = join([own, run_query.condition(filters, info.context.store.grace)], "AND")
    return run_connection(info, sweep.project_id, condition, after, first, order)


@mutation.field("upsertSweep")
def _resolve_upsert(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        sweep, warnings = sweeps.upsert(connection, context.viewer, input, context.store.grace)
        if input.get("controller") is not None:
            controller.follow(connection, sweep, context.viewer.id)
    written = sweeps.by_id(context.connection, sweep.id, context.store.grace)
    return {"sweep": written, "configValidationWarnings": list(warnings), "inserted": input.get("id") is None}


@mutation.field("enqueueSweepRun")
def _resolve_enqueue(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    args = controller.wrapped(json_texts.object_of(input["config"], "config"))
    number = ids.decode(SWEEP, input["id"])
    with context.store.write() as connection:
        sweep = None if number is None else sweeps.by_id(connection, number, context.store.grace)
        if sweep is None:
            raise Refusal(f"id {input['id']!r} is no sweep's.", 404)
        permissions.check_project(connection, context.viewer, sweep.project_id)
        if sweep.state in ("FINISHED", "CANCELED") and not sweep.exhausted:
            raise Refusal(f"Sweep {sweep.name!r} is {sweep.state}: it takes no more runs.")
        trial = trials.create(connection, sweep, args, context.viewer.id, input.get("displayName"))
        sweeps.change(connection, sweep.id, {"exhausted": 0})
    return {"id": trial.run_name, "runQueueItemId": None}


for _field, _attribute in {
    "displayName": "display_name",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
    "heartbeatAt": "heartbeat_at",
    "launchScheduler": "launch_scheduler",
    "templateVariableValues": "template_variables",
    "priorRunsFilters": "prior_runs",
}.items():
    sweep_type.set_alias(_field, _attribute)

BINDABLES = (mutation, project_type, sweep_type)
