"""Offline runs into the store.

Importing a log again leaves the same lines at the same places. A run that was resumed has a log for each time it ran:
where each log's lines begin is kept, so each can be imported again alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

from runframe import extjson
from runframe.errors import LogError
from runframe.offline import OfflineFile, OfflineRun, Tear, find_logs, read_run
from runframe.server.errors import Refusal
from runframe.server.importing_artifacts import import_artifacts
from runframe.server.store import alerts, documents, files, fork, imports, lines, runs, times
from runframe.server.store.blobs import Blob
from runframe.server.store.states import final_state
from runframe.server.store.store import Store
from runframe.server.store.upsert import ensure_project, ensure_run

_BATCH = 5_000
_MAX_SECONDS = 250_000_000_000  # the year 9892


@dataclass(frozen=True, slots=True)
class ImportedRun:
    """What came of one log.

    Attributes:
        path: the log.
        run_path: ``entity/project/run`` of the run it went into.
        rows: history lines.
        files: how many files.
        state: what the run is left as.
        tear: where the log stopped being readable; None for one that ends cleanly.
        notes: a sentence for each thing that could not be had.
        artifacts: how many artifacts.
    """

    path: Path
    run_path: str
    rows: int
    files: int
    state: str
    tear: Tear | None = None
    notes: list[str] = field(default_factory=list)
    artifacts: int = 0


def import_logs(
    store: Store, paths: Sequence[str | Path], *, entity: str | None = None, project: str | None = None
) -> Iterator[ImportedRun]:
    """Import every log at or below the paths, in the order in which they began; nothing before all could be read.

    Args:
        store: where to.
        paths: logs, run folders or folders above them.
        entity: whose the runs become; None for what each log says, or else the store's owner.
        project: which project they go into; None for what each log says, or else "uncategorized".

    Raises:
        UsageError: there is no log at a path.
        LogError: a file is no log, or a name in it cannot be one here.
    """
    offline = [read_run(path) for path in find_logs([Path(path) for path in paths])]
    for run in sorted(offline, key=lambda run: run.started_at):
        try:
            yield _import(store, run, entity, project)
        except Refusal as error:
            raise LogError(f"{run.path}: {error.message}", path=str(run.path)) from error


def _import(store: Store, offline: OfflineRun, entity: str | None, project: str | None) -> ImportedRun:
    notes = list(offline.remarks)
    blobs = dict(_blobs(store, offline.files, notes))
    with store.write() as connection:
        viewer = store.owner.user
        found = ensure_project(connection, viewer, entity or offline.entity, project or offline.project)
        run, inserted = ensure_run(connection, found, offline.run_id, viewer, store.grace)
        place = _place(connection, run, offline, inserted=inserted)
        rows = _write(connection, run.id, lines.HISTORY, place, offline.history(place.shift))
        _write(connection, run.id, lines.EVENTS, place, offline.events(place.shift))
        _write(connection, run.id, lines.CONSOLE, place, offline.console())
        if place.followed:  # what a later log says of the run and its files is newer
            state = run.state
        else:
            _add_files(connection, run.id, blobs)
            state = _describe(connection, run.id, offline, resumed=place.resumed)
    artifacts = import_artifacts(store, offline, found, run, notes)
    path = f"{found.entity}/{found.name}/{run.name}"
    return ImportedRun(offline.path, path, rows, len(blobs), state, offline.tear, notes, artifacts)


def _blobs(store: Store, given: Iterable[OfflineFile], notes: list[str]) -> Iterator[tuple[str, Blob]]:
    for file in given:
        try:
            if file.source is None:
                yield file.name, store.blobs.add(BytesIO(file.content or b""))
            else:
                with file.source.open("rb") as source:
                    yield file.name, store.blobs.add(source)
        except OSError as error:
            notes.append(f"The file {file.name!r} is left out: it cannot be read ({error.strerror}).")


def _add_files(connection: sqlite3.Connection, run_id: int, blobs: Mapping[str, Blob]) -> None:
    for name, blob in blobs.items():
        files.fill(connection, files.announce(connection, run_id, name).id, blob)
    files.commit(connection, run_id, list(blobs))


def _place(connection: sqlite3.Connection, run: runs.Run, offline: OfflineRun, *, inserted: bool) -> imports.Place:
    """Where the log's lines belong, with room made for them."""
    started = times.stored(offline.started_at)
    place = imports.find(connection, run.id, started)
    if place is not None and (place.resumed or place.followed):
        if not place.followed:
            lines.cut(connection, run.id, {name: place.offset(name) for name in imports.FILES})
        return place
    known = not inserted and place is None and run.history_lines + run.event_lines > 0
    point = offline.branch_point
    if known and point is not None and point.run == offline.run_id:
        place = imports.rewound(connection, run, int(point.value))
    elif known and offline.resume:
        place = imports.behind(connection, run, _first_step(offline))
    else:
        if not inserted:
            runs.begin_anew(connection, run.id)
        place = imports.Place(history=fork.inherit(connection, run.id, offline.config))
    imports.add(connection, run.id, started, place)
    return place


def _first_step(offline: OfflineRun) -> int | None:
    """The step of the log's first row; None where it has no rows."""
    text = next(offline.history(), None)
    return None if text is None else extjson.loads(text).get("_step")


def _write(connection: sqlite3.Connection, run_id: int, file: str, place: imports.Place, texts: Iterator[str]) -> int:
    start = offset = place.offset(file)
    texts = islice(texts, place.room(file))
    while batch := list(islice(texts, _BATCH)):
        lines.write(connection, run_id, file, "", offset, batch)
        offset += len(batch)
    return offset - start


def _describe(connection: sqlite3.Connection, run_id: int, offline: OfflineRun, *, resumed: bool) -> str:
    """Set what the log says of the run itself; the state that it leaves the run in."""
    config, summary = offline.config, offline.summary
    if resumed:
        stored = runs.load_documents(connection, run_id)
        config = {**documents.from_stored(stored["config"]), **config}
        summary = {**documents.from_stored(stored["summary"]), **summary}
    if offline.exit_code is None:
        state = "preempted" if offline.preempting else "crashed"
    else:
        state = final_state(offline.exit_code, preempting=offline.preempting)
    values: dict[str, Any] = {
        "display_name": offline.display_name,
        "group_name": offline.group,
        "job_type": offline.job_type,
        "notes": offline.notes,
        "sweep_name": offline.sweep_id,
        "host": offline.host,
        "program": offline.program,
        "repo": offline.git_remote,
        "commit_hash": offline.git_commit,
        "tags": documents.to_stored(offline.tags) if offline.tags else None,
    }
    values = {column: value for column, value in values.items() if value}
    ended = times.stored(max([offline.updated_at, *_last_times(connection, run_id)]))
    values |= {
        "config": documents.to_stored(config),
        "summary": documents.to_stored(summary),
        "state": state,
        "exit_code": offline.exit_code,
        "heartbeat_at": ended,
        "updated_at": ended,
    }
    if not resumed:
        values["created_at"] = times.stored(offline.started_at)
    runs.change(connection, run_id, values)
    if not resumed:
        for alert in offline.alerts:
            severity = alert.level if alert.level in ("INFO", "WARN", "ERROR") else "INFO"
            alerts.insert(connection, run_id, alert.title, alert.text, severity, alert.wait_duration)
    return state


def _last_times(connection: sqlite3.Connection, run_id: int) -> Iterator[datetime]:
    """When the last lines were logged."""
    for file in (lines.HISTORY, lines.EVENTS):
        for _, text in lines.tail(connection, run_id, file, 1):
            seconds = extjson.loads(text).get("_timestamp")
            if isinstance(seconds, int | float) and 0 <= seconds < _MAX_SECONDS:
                yield datetime.fromtimestamp(seconds, UTC)
