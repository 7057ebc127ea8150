"""Projects and their runs."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType, QueryType

from runframe.server.context import Info
from runframe.server.errors import Refusal
from runframe.server.resolvers.account import project_connection
from runframe.server.resolvers.connections import connection_of
from runframe.server.selection import selects
from runframe.server.store import ids, projects, run_pages, run_query, runs, upsert, users
from runframe.server.store.accounts import permissions

query = QueryType()
mutation = MutationType()
project_type = ObjectType("Project")
HEAVY = ("config", "wandbConfig", "summaryMetrics", "systemMetrics", "historyKeys")


@query.field("project")
@query.field("model")
def _resolve_project(
    _: None, info: Info, name: str | None = None, entityName: str | None = None
) -> projects.Project | None:
    context = info.context
    return projects.find(context.connection, entityName or context.viewer.entity, name or upsert.DEFAULT_PROJECT)


@query.field("models")
def _resolve_models(
    _: None, info: Info, entityName: str | None = None, after: str | None = None, first: int | None = None
) -> dict[str, Any] | None:
    context = info.context
    entity = users.find_entity(context.connection, entityName or context.viewer.entity)
    return None if entity is None else project_connection(context, entity.id, after, first)


@mutation.field("upsertModel")
def _resolve_upsert_model(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        project, inserted = _upsert_project(connection, context.viewer, input)
    return {"project": project, "model": project, "inserted": inserted}


def _upsert_project(connection: Any, viewer: users.User, fields: dict[str, Any]) -> tuple[projects.Project, bool]:
    if fields.get("id") is not None:
        number = ids.decode("Project", fields["id"])
        found = None if number is None else projects.by_id(connection, number)
        if found is None:
            raise Refusal(f"id {fields['id']!r} is no project's.", 404)
    else:
        if not fields.get("name"):
            raise Refusal("A project needs a name.")
        found = projects.find(connection, fields.get("entityName") or viewer.entity, fields["name"])
    if found is not None:
        permissions.check_project(connection, viewer, found.id)
    project = found or upsert.ensure_project(connection, viewer, fields.get("entityName"), fields["name"])
    changed = projects.update(connection, project, description=fields.get("description"), access=fields.get("access"))
    return changed, found is None


@project_type.field("id")
@project_type.field("internalId")
def _resolve_id(project: projects.Project, _: Info) -> str:
    return ids.encode("Project", project.id)


@project_type.field("entity")
def _resolve_entity(project: projects.Project, info: Info) -> users.Entity | None:
    context = info.context
    return users.entity_by_id(context.connection, project.entity_id)


@project_type.field("readOnly")
def _resolve_read_only(project: projects.Project, info: Info) -> bool:
    return not info.context.may_write(project.id)


@project_type.field("isBenchmark")
def _resolve_false(project: projects.Project, _: Info) -> bool:
    return False


@project_type.field("views")
def _resolve_views(project: projects.Project, _: Info) -> str:
    return "{}"


@project_type.field("user")
def _resolve_user(project: projects.Project, info: Info) -> users.User | None:
    context = info.context
    return context.user(project.user_id)


@project_type.field("runCount")
def _resolve_run_count(project: projects.Project, info: Info, filters: str | None = None) -> int:
    context = info.context
    condition = run_query.condition(filters, context.store.grace)
    return run_pages.count(context.connection, project.id, condition)


@project_type.field("runs")
def _resolve_runs(
    project: projects.Project,
    info: Info,
    filters: str | None = None,
    after: str | None = None,
    first: int | None = None,
    order: str | None = None,
) -> dict[str, Any]:
    context = info.context
    grace = context.store.grace
    condition, sorting = run_query.condition(filters, grace), run_query.order(order, grace)
    heavy = selects(info, HEAVY)
    page = connection_of(
        lambda cursor, limit: run_pages.page(
            context.connection, project.id, condition, sorting, grace, after=cursor, first=limit, documents=heavy
        ),
        lambda found: found[1],
        after,
        first,
        node_of=lambda found: found[0],
    )
    if selects(info, ("totalCount",)):
        page["totalCount"] = run_pages.count(context.connection, project.id, condition)
    return page


@project_type.field("run")
def _resolve_run(project: projects.Project, info: Info, name: str, desc: str | None = None) -> runs.Run | None:
    # `desc` says nothing of the run: `wandb verify` fills it, to see that large requests come through.
    context = info.context
    return runs.find(context.connection, project.id, name, context.store.grace, documents=selects(info, HEAVY))


@project_type.field("bucket")
def _resolve_bucket(
    project: projects.Project, info: Info, name: str, missingOk: bool | None = False
) -> runs.Run | None:
    run: runs.Run | None = _resolve_run(project, info, name)
    if run is None and not missingOk:
        raise Refusal(f"There is no run {name!r} in {project.entity}/{project.name}.", 404)
    return run


project_type.set_alias("entityName", "entity")
project_type.set_alias("createdAt", "created_at")
project_type.set_alias("updatedAt", "updated_at")

BINDABLES = (query, mutation, project_type)
