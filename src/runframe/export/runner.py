"""Carries out an export: the listing, then one complete history after the other, into Parquet.

Memory is bounded whatever the size of the project: histories are spooled to disk while their columns' types are found
out, and written from there. The histories are read to their end, never sampled, and counted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from runframe.errors import CommError, NotFoundError
from runframe.export.plan import COLUMNS, Plan, Planned, plan_export, planned
from runframe.export.report import ExportReport, Gap, Notes, write_manifest
from runframe.export.tables import Table, write_table
from runframe.export.target import check_target, new_dataset
from runframe.frames import Frame, Provenance, flatten
from runframe.frames.schema import MEANING, is_json
from runframe.progress import Report, Task, track
from runframe.resources.history.live import HISTORY, history_batches

if TYPE_CHECKING:
    from runframe.api import Api
    from runframe.resources.runs import Runs


def export_project(api: Api, path: str, *, to: str | Path, progress: bool | Report | None = None) -> ExportReport:
    """Write a project's runs and complete histories as a Parquet dataset.

    The folder gets `runs/` (a row a run: its attributes, config and summary as typed columns and as JSON text),
    `history/` (a row a step: `run_id`, `_step`, and a typed column a metric, sorted by run and step) and
    `manifest.json`. Each table has one schema. The folder appears when it is whole; an earlier export of the same
    project is replaced at once; after an error or Ctrl-C it is as it was before.

    Args:
        api: the connection.
        path: `entity/project`, or `project` of the default entity.
        to: the dataset's folder: new, empty, or an earlier export of the same project.
        progress: what shows how far it is; see `runframe.progress`.

    Returns:
        What was written, and what was noticed: see `ExportReport.complete`.

    Raises:
        UsageError: the folder holds something else.
        NotFoundError: there is no such project.
        CommError: the server refused, or could not be reached.
        OSError: the folder cannot be written.
    """
    began, started = datetime.now(UTC), time.monotonic()
    target = Path(to)
    plan = plan_export(api, path)
    check_target(target, plan.path)
    notes = Notes()
    with track(f"Reading {plan.path}", unit="rows", progress=progress) as task, new_dataset(target, plan.path) as part:
        runs = _write_runs(part, plan)
        histories = _planned(part, runs)
        task.update(total=sum(each.rows for each in histories))
        history = write_table(part, "history", _history_frame(plan, histories, notes, task))
        task.update(total=history.rows, done=history.rows)
        write_manifest(part, plan, began, [runs, history], notes)
    return ExportReport(
        path=plan.path,
        target=target,
        runs=runs.rows,
        rows=history.rows,
        bytes=runs.bytes + history.bytes,
        seconds=time.monotonic() - started,
        conflicts=len(runs.conflicts) + len(history.conflicts),
        live=notes.live,
        gaps=notes.gaps,
    )


def _write_runs(part: Path, plan: Plan) -> Table:
    """The listing; refused where runs are missing that the server counted."""
    listed = plan.runs()
    table = write_table(part, "runs", _runs_frame(plan, listed))
    counted = listed.length
    if counted is not None and table.rows < counted:
        raise CommError(
            f"the server counts {counted:,} runs in {plan.path} and listed {table.rows:,}: runs were probably deleted "
            "while they were being listed; try again",
            path=plan.path,
        )
    return table


def _runs_frame(plan: Plan, listed: Runs) -> Frame:
    """The runs with their documents twice: as typed columns, and as the JSON text that the server holds."""
    documents = [each for each in listed.schema if is_json(each.type)]
    raw = [
        pa.field(f"raw_{each.name}", each.type, metadata={MEANING: b"As the server holds it."}) for each in documents
    ]
    schema = pa.schema([*listed.schema, *raw])

    def open_() -> Iterator[Any]:
        for batch in listed.to_batches():
            twice = [*batch.columns, *(batch.column(each.name) for each in documents)]
            yield pa.RecordBatch.from_arrays(twice, schema=schema)

    def provenance() -> Provenance:
        return Provenance("complete", source=plan.path, server_rows=listed.length, query=listed.order)

    return flatten(Frame(schema, open_, provenance), documents=[each.name for each in documents])


def _planned(part: Path, runs: Table) -> list[Planned]:
    """Which histories to fetch, read back from the listing on disk."""
    return planned(
        row
        for file in runs.files
        for batch in pq.ParquetFile(part / file.path).iter_batches(columns=COLUMNS)
        for row in batch.to_pylist()
    )


def _history_frame(plan: Plan, histories: list[Planned], notes: Notes, task: Task) -> Frame:
    """The rows of all histories, flattened to one schema."""

    def open_() -> Iterator[Any]:
        notes.live.clear()
        notes.gaps.clear()
        task.update(done=0)
        for each in histories:
            yield from _counted(plan, each, notes, task)

    def provenance() -> Provenance:
        counted = sum(each.rows for each in histories)
        return Provenance("live" if notes.live else "complete", source=plan.path, server_rows=counted)

    return flatten(Frame(HISTORY.arrow, open_, provenance))


def _counted(plan: Plan, planned_: Planned, notes: Notes, task: Task) -> Iterator[Any]:
    """The history of one run, held against the server's count."""
    history = plan.history(planned_.run_id)
    batches = history_batches(history, extent=planned_.extent)
    if planned_.live:
        notes.live.append(planned_.run_id)
    try:
        for batch in batches:
            yield batch
            task.advance(batch.num_rows)
    except NotFoundError as error:
        notes.gaps.append(Gap(planned_.run_id, batches.rows, batches.server_rows, error.message))
        return
    counted = batches.server_rows
    if counted is not None and batches.rows < counted:
        reason = f"{history.path} has {batches.rows:,} rows, and the server counted {counted:,}"
        notes.gaps.append(Gap(planned_.run_id, batches.rows, counted, reason))
