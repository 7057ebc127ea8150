"""Fetching parts: several runs at once, under the one pace of their session."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import islice
from pathlib import Path
from threading import Event

from runframe.errors import AuthenticationError, CommError, NotFoundError, TransportError, UsageError
from runframe.export.report import Gap
from runframe.export.run_tables import RunTable
from runframe.export.source import Source
from runframe.export.state import PartRecord, PartWriter, State, Todo
from runframe.export.state.repeats import without_repeats
from runframe.progress import Task
from runframe.wire.pages import is_too_slow

PATIENCE = 3
"""After so many runs in a row for which the server could not be reached at all, it is taken to be away."""


class Stopped(Exception):
    """The export ends: what is under way is given up."""


def fetch_parts(
    state: State,
    source: Source,
    table: RunTable,
    runs: Sequence[Todo],
    *,
    number: int,
    workers: int,
    task: Task,
) -> list[Gap]:
    """Fetches the parts of many runs; each is noted in the catalog when it is whole.

    Args:
        state: where the parts go.
        source: the project.
        table: which part of each run.
        runs: the runs.
        number: of the pass under way.
        workers: how many runs are read at once.
        task: is told of the rows that came.

    Returns:
        The runs that failed; the others are there.

    Raises:
        AuthenticationError: the key is refused.
        TransportError: the server is away.
    """
    stop = Event()
    tally = _Tally(table.name, len(runs))
    todo = iter(runs)
    with ThreadPoolExecutor(workers, thread_name_prefix="runframe-export") as pool:
        waiting: dict[Future[PartRecord], Todo] = {}
        try:
            while True:
                for run in islice(todo, 2 * workers - len(waiting)):
                    waiting[pool.submit(_fetch, state.parts, source, table, run, stop, task)] = run
                if not waiting:
                    return tally.failed
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    _note(state, waiting.pop(future), future, number, tally)
        except BaseException:
            stop.set()
            # Not waited for: each ends with the page that it is waiting for, or with the session.
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _note(state: State, run: Todo, future: Future[PartRecord], number: int, tally: _Tally) -> None:
    try:
        part = future.result()
    except (AuthenticationError, UsageError):
        raise
    except (CommError, ValueError) as error:
        tally.fail(run, error)
        return
    tally.succeed()
    state.remove(state.catalog.put_part(part, number))


class _Tally:
    """Which runs failed, and whether it is the server that is away."""

    def __init__(self, table: str, runs: int) -> None:
        self.failed: list[Gap] = []
        self._table = table
        self._runs = runs
        self._in_a_row = 0

    def succeed(self) -> None:
        self._in_a_row = 0

    def fail(self, run: Todo, error: CommError | ValueError) -> None:
        counted = None if run.extent is None else run.extent.lines
        message = error.message if isinstance(error, CommError) else str(error)
        what = run.run_id if self._table == "history" else f"{self._table} of {run.run_id}"
        counted = counted if self._table == "history" else None
        self.failed.append(Gap(run.run_id, 0, counted, f"{what} could not be read: {message}", self._table))
        away = isinstance(error, TransportError) and not is_too_slow(error)
        self._in_a_row = self._in_a_row + 1 if away else 0
        if self._in_a_row >= min(PATIENCE, self._runs):
            raise error


def _fetch(root: Path, source: Source, table: RunTable, run: Todo, stop: Event, task: Task) -> PartRecord:
    """One run's part; on a thread of its own."""
    reading = table.open(source, run)
    writer = PartWriter(root, table.name, run.storage_id, run.stamp, table.schema)
    problem = None
    came = 0
    try:
        with writer:
            try:
                for batch in reading:
                    if stop.is_set():
                        raise Stopped
                    writer.write(batch)
                    came += batch.num_rows
                    task.advance(batch.num_rows)
            except NotFoundError as error:
                problem = error.message
            writer.commit()
    except CommError:
        task.advance(-came)
        raise
    finally:
        reading.close()
    counted = reading.counted
    part = PartRecord(
        run.storage_id, table.name, run.stamp, writer.name, writer.rows, writer.bytes, writer.digest, counted, problem
    )
    if counted is not None and part.rows > counted:
        part = without_repeats(root, table.schema, part)
    if problem is None and counted is not None and part.rows < counted:
        path = f"{source.path}/{run.run_id}"
        what = "rows" if table.name == "history" else f"rows of {table.name}"
        problem = f"{path} has {part.rows:,} {what}, and the server counted {counted:,}"
    return replace(part, problem=problem)
