"""The one engine: `api.export`, `runs.to_parquet`, `runframe export` and `runframe sync` come here.

A first export and a later one are the same work. The catalog is brought up to what the server has; the parts of runs
that are new, changed or not final are fetched, each whole in a file of its own; the tables are made of all parts, here
and without the server; and the new dataset takes the place of the old one at once. A process that is killed leaves its
catalog and its parts, and the next start goes on from there.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runframe.errors import AuthenticationError, CommError, UsageError
from runframe.export.assembling import contents, table_content, table_frame
from runframe.export.contents import drop_incomplete, link_contents, tidy_contents
from runframe.export.fetching import fetch_parts
from runframe.export.listing import refresh
from runframe.export.options import Options
from runframe.export.project_tables import OF_THE_PROJECT, PROJECT_TABLES, fetch_table
from runframe.export.report import ExportReport, Gap, Notes, manifest_of, same_data
from runframe.export.run_tables import ConsoleTable, FilesTable, HistoryTable, RunTable, SystemTable
from runframe.export.source import Source
from runframe.export.state import State, open_state
from runframe.export.tables import Table, kept_table, write_table
from runframe.export.target import check_target, publish, read_manifest, recover, write_manifest
from runframe.progress import Report, Task, track


def run_export(source: Source, to: str | Path, options: Options, progress: bool | Report | None = None) -> ExportReport:
    """Brings the dataset in a folder up to what the server has.

    Args:
        source: the project.
        to: the dataset's folder: new, empty, or an earlier export of the same project, finished or not.
        options: what is asked for.
        progress: what shows how far it is; see `runframe.progress`.

    Raises:
        UsageError: the folder holds something else, or another export is writing to it.
        NotFoundError: there is no such project.
        CommError: the server refused, or could not be reached.
        OSError: the folder cannot be written.
    """
    began, started = datetime.now(UTC), time.monotonic()
    target = Path(to).resolve()
    recover(target)
    check_target(target, source.path)
    with track(f"Listing {source.path}", unit="rows", progress=progress) as task:
        counted = source.count()
        with open_state(target) as state:
            work = _Export(source, options, target, state, task)
            work.fetch(counted)
            manifest, changed = work.write(began)
    tables = {name: Table.of_description(name, each) for name, each in manifest["tables"].items()}
    return ExportReport(
        path=source.path,
        target=Path(to),
        runs=work.runs,
        rows=tables["history"].rows if "history" in tables else 0,
        bytes=sum(table.bytes for table in tables.values()),
        seconds=time.monotonic() - started,
        conflicts=sum(len(table.conflicts) for table in tables.values()),
        live=work.notes.live,
        gaps=work.notes.gaps,
        deleted=work.notes.deleted,
        tables={name: table.rows for name, table in tables.items()},
        fetched=work.fetched,
        changed=changed,
    )


class _Export:
    """One export under way."""

    def __init__(self, source: Source, options: Options, target: Path, state: State, task: Task) -> None:
        self.notes = Notes()
        self.fetched = 0
        self.runs = 0
        self._source = source
        self._options = options
        self._target = target
        self._state = state
        self._task = task
        self._elsewhere = self._check_origin()
        self._number = self._begin()

    def _check_origin(self) -> bool:
        """Notes where the runs come from; returns whether it was another address before.

        Raises:
            UsageError: the state is that of another project, or of another filter.
        """
        catalog, source = self._state.catalog, self._source
        origin = json.dumps([source.path, dict(source.filters)], sort_keys=True)
        known, address = catalog.get("origin"), catalog.get("address")
        if known not in (None, origin):
            path, filters = json.loads(str(known))
            narrowed = f" with the filter {json.dumps(filters)}" if filters else ""
            raise UsageError(f"{self._target} holds the runs of {path}{narrowed}; give this export a folder of its own")
        catalog.set("origin", origin)
        catalog.set("address", source.address)
        return address not in (None, source.address)

    def _begin(self) -> int:
        """The number of the pass; one that was not finished goes on."""
        catalog = self._state.catalog
        number = int(catalog.get("pass") or 0)
        if catalog.get("finished") == str(number):
            number += 1
            catalog.set("pass", str(number))
        return number

    def fetch(self, counted: int | None) -> None:
        """Brings catalog and parts up to what the server has."""
        catalog, options = self._state.catalog, self._options
        # The same project under another address may be another server's: the times tell nothing of it.
        thorough = options.compare_all or self._elsewhere
        refresh(self._source, catalog, options.overlap, counted=counted, compare_all=thorough)
        drop_incomplete(self._state)
        tables = self._run_tables()
        todo = {table.name: catalog.todo(table.name, self._number, table.asked) for table in tables}
        expected = sum(run.rows for run in todo.get("history", []))
        self._task.update(total=expected, description=f"Reading {self._source.path}")
        failed: list[Gap] = []
        for table in tables:
            failed += fetch_parts(
                self._state, self._source, table, todo[table.name],
                number=self._number, workers=options.workers, task=self._task,
            )  # fmt: skip
        failed += [gap for name in options.tables if name in PROJECT_TABLES for gap in self._list(name)]
        self.fetched = len({run.storage_id for runs in todo.values() for run in runs})
        self._notice(failed, [table.name for table in tables])

    def _run_tables(self) -> list[RunTable]:
        """The tables asked for that are fetched run by run; histories last, as they take the longest."""
        files = FilesTable(self._options.files, self._state.contents)
        known: list[RunTable] = [SystemTable(), ConsoleTable(), files, HistoryTable()]
        return [table for table in known if table.name in self._options.tables]

    def _list(self, name: str) -> list[Gap]:
        """Lists a table of the project anew; what was listed before stays where that fails."""
        try:
            part = fetch_table(self._state.parts, self._source, PROJECT_TABLES[name])
        except AuthenticationError:
            raise
        except CommError as error:
            return [Gap(OF_THE_PROJECT, 0, None, f"{name} could not be listed: {error.message}", name)]
        self._state.remove(self._state.catalog.put_part(part, self._number))
        return []

    def _notice(self, failed: list[Gap], tables: list[str]) -> None:
        catalog, known = self._state.catalog, {(gap.run_id, gap.table) for gap in failed}
        for table in tables:
            for entry in catalog.entries(table):
                part = entry.part
                if part is not None and part.problem is not None and (entry.run_id, table) not in known:
                    failed.append(Gap(entry.run_id, part.rows, part.counted, part.problem, table))
        self.notes = Notes(
            live=catalog.live_names(),
            gaps=sorted(failed, key=lambda gap: (gap.table, gap.run_id)),
            deleted=catalog.deleted(),
            watermark=catalog.newest()[1],
        )
        self.runs = catalog.count() + len(self.notes.deleted)

    def write(self, began: datetime) -> tuple[dict[str, Any], bool]:
        """Makes the tables and publishes them; nothing is written where the dataset is up to date."""
        before = read_manifest(self._target)
        new = self._state.new_folder()
        self._task.update(description=f"Writing {self._target.name}")
        tables = [self._table(name, new, before) for name in self._options.tables]
        generation = 1 + int((before or {}).get("generation") or 0)
        manifest = manifest_of(self._source, began, tables, self.notes, generation, self._options.layout)
        if "files" in self._options.tables:
            manifest["contents"] = link_contents(self._state.contents, new, contents(self._state))
        history = next((table.rows for table in tables if table.name == "history"), 0)
        self._task.update(total=history, done=history)
        changed = not all(table.kept for table in tables) or not same_data(before, manifest)
        if changed:
            write_manifest(new, manifest)
            with self._state.put_away():
                publish(new, self._target, self._source.path)
            self._state.catalog.published()
        else:
            self._state.new_folder().rmdir()
        self._state.catalog.set("finished", str(self._number))
        tidy_contents(self._state.contents, contents(self._state))
        return manifest, changed

    def _table(self, name: str, new: Path, before: dict[str, Any] | None) -> Table:
        content = table_content(name, self._state, self._options)
        known = (before or {}).get("tables", {}).get(name)
        if known is not None and known.get("content") == content:
            kept = kept_table(self._target, new, name, known)
            if kept is not None:
                return kept
        frame = table_frame(name, self._state, self._source, self._options)
        return write_table(new, name, frame, content)
