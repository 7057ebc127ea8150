"""Histories, system metrics and console lines of runs."""

from __future__ import annotations

from typing import Any

from ariadne import ObjectType

from runframe.server import console, cursors, history
from runframe.server.context import Info
from runframe.server.resolvers.connections import page_size
from runframe.server.storage import export_path
from runframe.server.store import exports, lines, runs

run_type = ObjectType("Run")
_LOG_PAGE = 1000


@run_type.field("history")
def _resolve_history(
    run: runs.Run,
    info: Info,
    minStep: int | None = None,
    maxStep: int | None = None,
    samples: int | None = None,
) -> list[str]:
    context = info.context
    if minStep is None and maxStep is None:
        return history.sample(context.connection, run.id, lines.HISTORY, samples)
    return history.page(context.connection, run.id, minStep, maxStep)


@run_type.field("events")
def _resolve_events(run: runs.Run, info: Info, samples: int | None = None) -> list[str]:
    context = info.context
    return history.sample(context.connection, run.id, lines.EVENTS, samples)


@run_type.field("sampledHistory")
def _resolve_sampled(run: runs.Run, info: Info, specs: list[str]) -> list[Any]:
    context = info.context
    return [history.sampled(context.connection, run.id, spec) for spec in specs]


@run_type.field("parquetHistory")
def _resolve_parquet(run: runs.Run, info: Info, liveKeys: list[str]) -> dict[str, Any]:
    context = info.context
    export = exports.find(context.connection, run.id)
    if export is None or export.stale:
        # All of it is live, from its first step on: clients page for it, and whoever wants files alone hears that there
        # are none that hold it all (protocol, section 9.3).
        first = lines.first_step(context.connection, run.id)
        return {"parquetUrls": [], "liveData": [] if first is None else [{"_step": first}]}
    return {"parquetUrls": [context.signer.url("GET", export_path(export))], "liveData": []}


@run_type.field("historyTail")
def _resolve_history_tail(run: runs.Run, info: Info) -> str:
    context = info.context
    return history.tail(context.connection, run.id, lines.HISTORY)


@run_type.field("eventsTail")
def _resolve_events_tail(run: runs.Run, info: Info) -> str:
    context = info.context
    return history.tail(context.connection, run.id, lines.EVENTS)


@run_type.field("logLines")
def _resolve_log_lines(
    run: runs.Run,
    info: Info,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    useImprovedPagination: bool | None = None,
) -> dict[str, Any]:
    context = info.context
    more = False
    if last is not None:
        found = lines.tail(context.connection, run.id, lines.CONSOLE, page_size(last))
    else:
        point = cursors.decode(after, int)
        limit = page_size(first, _LOG_PAGE)
        found, more = lines.page(context.connection, run.id, lines.CONSOLE, point[0] if point else None, limit)
    edges = [{"node": console.parse(lines.offset_of(number), text)} for number, text in found]
    end = cursors.encode(found[-1][0]) if found else None
    return {"edges": edges, "pageInfo": {"endCursor": end, "hasNextPage": more and bool(found)}}


BINDABLES = (run_type,)
