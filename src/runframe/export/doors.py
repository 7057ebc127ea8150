"""The functions that people call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runframe.export.engine import run_export
from runframe.export.options import Options
from runframe.export.planning import ExportPlan, plan_dataset
from runframe.export.remote import local_copy, remote_manifest, run_remote_export
from runframe.export.report import ExportReport
from runframe.export.source import Source
from runframe.export.stores import is_remote, local_path
from runframe.export.target import read_manifest
from runframe.progress import Report
from runframe.resources.client import Client, Connected


def export_project(
    api: Connected,
    path: str,
    *,
    to: str | Path,
    tables: Iterable[str] | str | None = None,
    layout: str = "wide",
    files: Iterable[str] | str = (),
    memory: int | str | None = None,
    compare_all: bool = False,
    progress: bool | Report | None = None,
) -> ExportReport:
    """Write a project as a Parquet dataset, or bring the one that is there up to date.

    The folder gets a folder for each table and `manifest.json`: `runs/` (a row a run: its attributes, config and
    summary as typed columns and as JSON text), `history/` (a row a step: `run_id`, `_step`, and a typed column a
    metric, sorted by run and step; with the layout "long" a row a value). Each table has one schema. All of it appears
    at once when it is whole, and an earlier export of the same project is replaced at once.

    What was fetched is kept below `_runframe/` in the folder. So an export that was stopped, however it was, goes on
    where it was when it is started again; and one that is made again fetches only runs that are new, have changed
    (state, heartbeat) or are still being written. Runs that were deleted on the server stay, and are marked.

    Args:
        api: the connection.
        path: `entity/project`, or `project` of the default entity.
        to: the dataset's folder: new, empty, or an earlier export of the same project. Or the URL of such a place in
            an object store, as in ``s3://bucket/folder``; the manifest is put there last.
        tables: the tables to write, of `runs`, `history`, `system`, `console`, `artifacts`, `files`, `sweeps`,
            `reports` and `projects`; None for `runs` and `history`, "all" for all.
        layout: "wide" for a history with a column a metric, "long" for one with a row a value.
        files: names of files whose content is fetched too, with ``*`` for any text.
        memory: how much memory it may use for what it holds: bytes, or text such as ``512MB`` (which is the default).
        compare_all: list every run again and compare it with what is known, instead of asking the server for
            those that gave a sign since.
        progress: what shows how far it is; see `runframe.progress`.

    Returns:
        What was written, and what was noticed: see `ExportReport.complete`. A run that cannot be read is named there,
        and the rest is written.

    Raises:
        UsageError: the folder holds something else, another export is writing to it, or an argument is malformed.
        NotFoundError: there is no such project.
        CommError: the server refused, or could not be reached.
        OSError: the folder or the store cannot be written.
    """
    options = Options.of(tables=tables, layout=layout, files=files, memory=memory, compare_all=compare_all)
    return _run(Source.of_path(api.client, path), to, options, progress)


def export_runs(
    client: Client,
    entity: str,
    project: str,
    filters: Mapping[str, Any],
    *,
    to: str | Path,
    tables: Iterable[str] | str | None = None,
    layout: str = "wide",
    files: Iterable[str] | str = (),
    memory: int | str | None = None,
    progress: bool | Report | None = None,
) -> ExportReport:
    """What `export_project` does, for the runs that match a filter."""
    options = Options.of(tables=tables, layout=layout, files=files, memory=memory)
    return _run(Source(client, entity, project, dict(filters)), to, options, progress)


def _run(source: Source, to: str | Path, options: Options, progress: bool | Report | None) -> ExportReport:
    if is_remote(to):
        return run_remote_export(source, str(to), options, progress)
    return run_export(source, local_path(to), options, progress)


def plan_export(
    api: Connected,
    path: str,
    *,
    to: str | Path,
    tables: Iterable[str] | str | None = None,
    layout: str = "wide",
    files: Iterable[str] | str = (),
    memory: int | str | None = None,
    compare_all: bool = False,
) -> ExportPlan:
    """What `export_project` would fetch with the same arguments; nothing is written.

    Every run is compared, whatever `compare_all` says. How many bytes the histories are is estimated from a few rows.
    """
    options = Options.of(tables=tables, layout=layout, files=files, memory=memory, compare_all=compare_all)
    source = Source.of_path(api.client, path)
    if not is_remote(to):
        return plan_dataset(source, local_path(to), options)
    with local_copy(str(to), source.path) as (folder, _):
        return replace(plan_dataset(source, folder, options), target=str(to))


@dataclass(frozen=True)
class KnownDataset:
    """A dataset that is there.

    Attributes:
        path: `entity/project` that it is an export of.
        tables: its tables.
        layout: of its history.
    """

    path: str
    tables: tuple[str, ...]
    layout: str


def known_dataset(to: str | Path) -> KnownDataset | None:
    """What the dataset in a folder is an export of; None where there is none."""
    manifest = remote_manifest(str(to)) if is_remote(to) else read_manifest(local_path(to))
    if manifest is None:
        return None
    return KnownDataset(manifest["source"]["path"], tuple(manifest["tables"]), manifest.get("layout", "wide"))
