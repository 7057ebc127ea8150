"""`runframe export` and `runframe sync`: a project as a dataset, and its increments."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runframe.cli.options import ApiKey, BaseUrl, connect
from runframe.cli.output import count, note, say, size
from runframe.errors import UsageError

if TYPE_CHECKING:
    from runframe.export import ExportPlan, ExportReport
    from runframe.progress import Progress

To = Annotated[str, typer.Option("--to", metavar="DIR", help="The dataset's folder or s3://, gs://, az:// URL.")]
Tables = Annotated[
    str | None,
    typer.Option("--tables", metavar="NAMES", help="Names with commas between them, or all. By default runs,history."),
]
LAYOUT = "The history's: wide (a column a metric) or long (a row a value)."
Files = Annotated[
    str,
    typer.Option("--files", metavar="PATTERNS", help="Files whose content is fetched too, as in '*.yaml,media/*'."),
]
Memory = Annotated[
    str | None,
    typer.Option("--memory", metavar="SIZE", help="How much memory it may use for what it holds, as in 512MB."),
]
CompareAll = Annotated[
    bool,
    typer.Option(
        "--compare-all",
        help="List every run again and compare it, not only those that gave a sign since.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but what is missing.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="The report as a JSON object on stdout; progress as JSON lines on stderr.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be fetched and how much it is; write nothing.")]


def export(
    path: Annotated[str, typer.Argument(metavar="ENTITY/PROJECT")],
    to: To,
    tables: Tables = None,
    layout: Annotated[str, typer.Option("--layout", metavar="LAYOUT", help=LAYOUT)] = "wide",
    files: Files = "",
    memory: Memory = None,
    compare_all: CompareAll = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
    dry_run: DryRun = False,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
) -> None:
    """Write a project as Parquet: runs, complete histories, and what else is asked for.

    The dataset appears in DIR when it is whole, and takes the place of an earlier export of the same project at once;
    anything else in DIR is refused. An export that was stopped goes on where it was when it is started again, and one
    that is made again fetches only what has changed. Exit status 1 says that something is missing which the server
    counted, or that a run could not be read.
    """
    from runframe.export import export_project, plan_export

    asked: dict[str, Any] = {"to": to, "tables": tables, "layout": layout, "files": files, "memory": memory}
    asked["compare_all"] = compare_all
    with connect(base_url, api_key) as api:
        if dry_run:
            _say_plan(plan_export(api, path, **asked), as_json=as_json)
            return
        progress = JsonLines() if as_json else False if quiet else None
        report = export_project(api, path, **asked, progress=progress)
    _say_report(report, quiet=quiet, as_json=as_json)
    if not report.complete:
        raise typer.Exit(1)


def sync(
    to: To,
    path: Annotated[
        str | None, typer.Argument(metavar="[ENTITY/PROJECT]", help="By default the project that DIR holds.")
    ] = None,
    tables: Annotated[
        str | None,
        typer.Option("--tables", metavar="NAMES", help="Names with commas between them, or all. By default as before."),
    ] = None,
    layout: Annotated[
        str | None, typer.Option("--layout", metavar="LAYOUT", help=f"{LAYOUT} By default as before.")
    ] = None,
    files: Files = "",
    memory: Memory = None,
    compare_all: CompareAll = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
    dry_run: DryRun = False,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
) -> None:
    """Bring an exported dataset up to date: only runs that are new, have changed or still run are read again.

    It is the same work as `runframe export`. Runs that were deleted on the server stay, and are marked in
    runs/deleted_at. Whoever reads the dataset meanwhile sees the old one or the new one, never something between.
    """
    from runframe.export import known_dataset

    known = known_dataset(to)
    if path is None and known is None:
        raise UsageError(f"{to} holds no export: name the project, as in `runframe sync ENTITY/PROJECT --to {to}`")
    if known is not None:
        path, tables, layout = path or known.path, tables or ",".join(known.tables), layout or known.layout
    export(
        str(path), to, tables, layout or "wide", files, memory, compare_all, quiet, as_json, dry_run, base_url, api_key
    )


def summary(report: ExportReport) -> str:
    """One line: what was written, how much, how long it took, and where it is."""
    what = f"{count(report.runs, 'run')}, {count(report.rows, 'history row')}, {size(report.bytes)}"
    how = "in" if report.changed else "unchanged, in"
    return f"{report.path}: {what} {how} {report.seconds:.1f} s -> {report.target}"


class JsonLines:
    """Progress for machines: a JSON object a line on stderr, a few a second at most."""

    def __init__(self, seconds: float = 0.5) -> None:
        self._seconds = seconds
        self._said = -seconds

    def __call__(self, progress: Progress) -> None:
        """Takes a change."""
        now = time.monotonic()
        if progress.finished or now - self._said >= self._seconds:
            self._said = now
            print(json.dumps(asdict(progress)), file=sys.stderr, flush=True)  # noqa: T201


def _say_report(report: ExportReport, *, quiet: bool, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({**asdict(report), "target": str(report.target), "complete": report.complete}))
        return
    if not quiet:
        typer.echo(summary(report))
        if report.live:
            note(f"{count(len(report.live), 'run')} still being written: a later export may hold more")
        if report.deleted:
            note(f"{count(len(report.deleted), 'run')} deleted on the server, kept and marked in runs/")
        if report.conflicts:
            note(f"{count(report.conflicts, 'column')} with values of several types, kept as JSON; see manifest.json")
    for gap in report.gaps:
        say(gap.reason)


def _say_plan(plan: ExportPlan, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(plan)))
        return
    rows = f"{count(plan.rows, 'history row')} (about {size(plan.bytes)} of JSON)"
    typer.echo(f"{plan.path}: {count(plan.runs, 'run')}; {plan.fetch:,} to fetch, {rows} -> {plan.target}")
    if plan.deleted:
        note(f"{count(plan.deleted, 'run')} deleted on the server would be marked")
