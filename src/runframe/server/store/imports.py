"""Which logs were imported into a run, and where the lines of each begin."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from runframe import extjson
from runframe.offline import Shift
from runframe.server.store import documents, lines, rewind, runs

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
        ends: where a later log goes on, as offsets of history, events and console; None for the last log.
    """

    history: int = 0
    events: int = 0
    console: int = 0
    step: int = 0
    runtime: float = 0.0
    resumed: bool = False
    ends: tuple[int, int, int] | None = None

    @property
    def followed(self) -> bool:
        """Whether a later log goes on with this one."""
        return self.ends is not None

    @property
    def shift(self) -> Shift:
        """What the log's lines are changed by."""
        return Shift(self.step, self.runtime)

    def offset(self, file: str) -> int:
        """Where its lines of a file begin."""
        return (self.history, self.events, self.console)[FILES.index(file)]

    def room(self, file: str) -> int | None:
        """How many lines of a file it may have: up to where a later log goes on, which may have rewound the run."""
        return None if self.ends is None else max(0, self.ends[FILES.index(file)] - self.offset(file))


def find(connection: sqlite3.Connection, run_id: int, started: str) -> Place | None:
    """The place of the run's log that began at this time."""
    row = connection.execute("SELECT * FROM imports WHERE run_id = ? AND started_at = ?", (run_id, started)).fetchone()
    if row is None:
        return None
    later = connection.execute(
        "SELECT history_offset, event_offset, console_offset FROM imports WHERE run_id = ? AND id > ?"
        " ORDER BY id LIMIT 1",
        (run_id, row["id"]),
    ).fetchone()
    return Place(
        history=row["history_offset"],
        events=row["event_offset"],
        console=row["console_offset"],
        step=row["step"],
        runtime=row["runtime"],
        resumed=bool(row["resumed"]),
        ends=None if later is None else (later[0], later[1], later[2]),
    )


def add(connection: sqlite3.Connection, run_id: int, started: str, place: Place) -> None:
    """Keep the place of a log."""
    connection.execute(
        "INSERT INTO imports (run_id, started_at, history_offset, event_offset, console_offset, step, runtime, resumed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (run_id, started, place.history, place.events, place.console, place.step, place.runtime, int(place.resumed)),
    )


def rewound(connection: sqlite3.Connection, run: runs.Run, last_step: int) -> Place:
    """The place of a log that goes back to a step of its own run and goes on from there, in steps of the run."""
    rewind.truncate(connection, run.id, last_step)
    kept = connection.execute("SELECT history_lines FROM runs WHERE id = ?", (run.id,)).fetchone()
    return Place(history=kept[0], resumed=True)


def behind(connection: sqlite3.Connection, run: runs.Run, first_step: int | None) -> Place:
    """The place of a log that goes on where the run ends (protocol, section 7).

    Args:
        connection: the writer.
        run: the run so far.
        first_step: the first step of the log. An offline log begins at 0 again; one that was written online goes on
            with the steps and times of the run, and is not shifted.
    """
    if first_step is not None and run.last_step is not None and first_step > run.last_step:
        return Place(run.history_lines, run.event_lines, run.log_lines, resumed=True)
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
