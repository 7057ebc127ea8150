"""Runs as sweeps and agents list them, and what runs say for sweeps."""

from __future__ import annotations

from typing import Any

from ariadne import ObjectType

from runframe.server.context import Info
from runframe.server.resolvers.connections import connection_of
from runframe.server.resolvers.projects import HEAVY
from runframe.server.selection import selects
from runframe.server.store import run_pages, run_query, runs
from runframe.server.store.fragments import Fragment
from runframe.server.store.sweeps import sweeps

run_type = ObjectType("Run")
_ALIVE = ("running", "pending", "preempting")


def run_connection(
    info: Info, project_id: int, condition: Fragment, after: str | None, first: int | None, order: str | None
) -> dict[str, Any]:
    """A page of a project's runs that satisfy a condition."""
    connection, grace = info.context.connection, info.context.store.grace
    sorting, heavy = run_query.order(order, grace), selects(info, HEAVY)
    page = connection_of(
        lambda cursor, limit: run_pages.page(
            connection, project_id, condition, sorting, grace, after=cursor, first=limit, documents=heavy
        ),
        lambda found: found[1],
        after,
        first,
        node_of=lambda found: found[0],
    )
    if selects(info, ("totalCount",)):
        page["totalCount"] = run_pages.count(connection, project_id, condition)
    return page


@run_type.field("sweep")
def _resolve_sweep(run: runs.Run, info: Info) -> sweeps.Sweep | None:
    context = info.context
    if run.sweep_name is None:
        return None
    return sweeps.find(context.connection, run.project_id, run.sweep_name, context.store.grace)


@run_type.field("shouldStop")
def _resolve_should_stop(run: runs.Run, _: Info) -> bool:
    return bool(run.stop_requested)


@run_type.field("failed")
def _resolve_failed(run: runs.Run, _: Info) -> bool:
    return run.state in ("failed", "crashed", "killed")


@run_type.field("running")
def _resolve_running(run: runs.Run, _: Info) -> bool:
    return run.state in _ALIVE


run_type.set_alias("exitcode", "exit_code")

BINDABLES = (run_type,)
