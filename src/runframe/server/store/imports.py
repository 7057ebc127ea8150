"""Which logs were imported into a run, and where the lines of each begin."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from runframe import extjson
from runframe.offline import Shift
from runframe.server.store import documents, lines, runs

#: The files of file_stream that a log fills.
FILES = (lines.HISTORY, lines.EVENTS, lines.CONSOLE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the lines of a log lie in its run.

    Attributes:
        history: offset of the first history line; likewise `events` and `console`.
        step: what the log's steps are raised by.
        runtime: what its times are raised by, in seconds.
        resumed: whether the log goes on with what earlier ones began.
        followed: whether a later log goes on with it.
    """

    history: int = 0
    events: int = 0
    console: int = 0
    step: int = 0
    runtime: float = 0.0
    resumed: bool = False
    followed: bool = False

    @property
    def shift(self) -> Shift:
        """What the log's lines are changed by."""
        return Shift(self.step, self.runtime)

    def offset(self, file: str) -> int:
        """Where its lines of a file begin."""
        return {lines.HISTORY: self.history, lines.EVENTS: self.events, lines.CONSOLE: self.console}[file]


def find(connection: sqlite3.Connection, run_id: int, started: str) -> Place | None:
    """The place of the run's log that began at this time."""
    row = connection.execute("SELECT * FROM imports WHERE run_id = ? AND started_at = ?", (run_id, started)).fetchone()
    if row is None:
        return None
    later = connection.execute(
        "SELECT 1 FROM imports WHERE run_id = ? AND id > ? LIMIT 1", (run_id, row["id"])
    ).fetchone()
    return Place(
        history=row["history_offset"],
        events=row["event_offset"],
        console=row["console_offset"],
        step=row["step"],
        runtime=row["runtime"],
        resumed=bool(row["resumed"]),
        followed=later is not None,
    )


def add(connection: sqlite3.Connection, run_id: int, started: str, place: Place) -> None:
    """Keep the place of a log."""
    connection.execute(
        "INSERT INTO imports (run_id, started_at, history_offset, event_offset, console_offset, step, runtime, resumed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (run_id, started, place.history, place.events, place.console, place.step, place.runtime, int(place.resumed)),
    )


def behind(connection: sqlite3.Connection, run: runs.Run) -> Place:
    """The place of a log that goes on where the run ends (protocol, section 7)."""
    runtime = 0.0
    summary = documents.from_stored(runs.load_documents(connection, run.id)["summary"])
    candidates = [summary.get("_runtime")]
    candidates += [summary["_wandb"].get("runtime")] if isinstance(summary.get("_wandb"), dict) else []
    for file in (lines.HISTORY, lines.EVENTS):
        candidates += [extjson.loads(text).get("_runtime") for _, text in lines.tail(connection, run.id, file, 1)]
    for value in candidates:
        if isinstance(value, int | float) and value > runtime:
            runtime = float(value)
    step = 0 if run.last_step is None else run.last_step + 1
    return Place(run.history_lines, run.event_lines, run.log_lines, step, runtime, resumed=True)
