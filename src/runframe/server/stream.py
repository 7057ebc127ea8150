"""file_stream: lines at offsets, on the disk before they are acknowledged (protocol, section 5)."""

from __future__ import annotations

import sqlite3
from typing import Any

from runframe import extjson
from runframe.server.errors import Refusal
from runframe.server.store import documents, files, lines, runs, times, users
from runframe.server.store.states import final_state
from runframe.server.store.store import Store
from runframe.server.store.upsert import ensure_project, ensure_run


def take(store: Store, viewer: users.User, path: tuple[str, str, str], body: Any, client: str | None) -> dict[str, Any]:
    """Write what a file_stream request brings; the answer to it.

    Args:
        store: the store.
        viewer: who asks; owns the run where it has to be made.
        path: entity, project and run.
        body: the request's JSON value.
        client: the writer's id in shared mode.

    Raises:
        Refusal: the body has not the shape of a file_stream request, or a line cannot be taken.
    """
    if body is None:
        body = {}
    if not isinstance(body, dict):
        raise Refusal(f"The body is {type(body).__name__}, expected a JSON object.")
    entity, project, name = path
    with store.write() as connection:
        found = ensure_project(connection, viewer, entity, project)
        run, _ = ensure_run(connection, found, name, viewer, store.grace)
        _take_files(connection, run.id, body.get("files"), client or "")
        uploaded = body.get("uploaded")
        if isinstance(uploaded, list):
            files.commit(connection, run.id, [file for file in uploaded if isinstance(file, str)])
        runs.change(connection, run.id, _life(connection, run, body, shared=client is not None))
    return {"stopped": bool(run.stop_requested)}


def _take_files(connection: sqlite3.Connection, run_id: int, given: Any, client: str) -> None:
    if given is None:
        return
    if not isinstance(given, dict):
        raise Refusal(f"files is {type(given).__name__}, expected a JSON object.")
    for file, part in given.items():
        content = part.get("content") if isinstance(part, dict) else None
        offset = part.get("offset", 0) if isinstance(part, dict) else None
        if isinstance(content, str):
            content = [content]
        if not isinstance(content, list) or not all(isinstance(text, str) for text in content):
            raise Refusal(f"files[{file!r}].content is not a list of texts.")
        if isinstance(offset, bool) or not isinstance(offset, int):
            raise Refusal(f"files[{file!r}].offset is {offset!r}, expected an integer.")
        if file == lines.SUMMARY:
            if content:
                _take_summary(connection, run_id, content[-1])
            continue
        try:
            lines.write(connection, run_id, file, client, offset, content)
        except lines.LineError as error:
            raise Refusal(f"files[{file!r}]: {error}") from error


def _take_summary(connection: sqlite3.Connection, run_id: int, text: str) -> None:
    try:
        summary = extjson.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refusal(f"files[{lines.SUMMARY!r}] is not JSON: {text[:100]!r}.") from error
    if not isinstance(summary, dict):
        raise Refusal(f"files[{lines.SUMMARY!r}] is not a JSON object: {text[:100]!r}.")
    runs.change(connection, run_id, {"summary": documents.to_stored(summary)})


def _life(connection: sqlite3.Connection, run: runs.Run, body: dict[str, Any], *, shared: bool) -> dict[str, Any]:
    """What the request says of the run's being alive."""
    moment = times.now()
    values: dict[str, Any] = {"heartbeat_at": moment}
    exit_code = body.get("exitcode")
    preempting = bool(body.get("preempting")) or run.state in ("preempting", "preempted")
    if isinstance(exit_code, int) and not isinstance(exit_code, bool):
        state = final_state(exit_code, preempting=preempting)
        return values | {"exit_code": exit_code, "state": state, "preempting": 0}
    if body.get("complete") is True:
        return values | {"state": "finished", "preempting": 0}
    ended = run.state in ("finished", "failed", "killed") and shared
    if not ended:
        values["state"] = "running"
    if preempting:
        values["preempting"] = 1
    return values
