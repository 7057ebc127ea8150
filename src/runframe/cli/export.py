"""`runframe export`: a project as Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runframe.cli.options import ApiKey, BaseUrl, connect
from runframe.cli.output import count, note, say, size

if TYPE_CHECKING:
    from runframe.export import ExportReport


def export(
    path: Annotated[str, typer.Argument(metavar="ENTITY/PROJECT")],
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", help="The dataset's folder: new, empty, or an earlier export.")
    ],
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
) -> None:
    """Write runs and complete histories as Parquet.

    DIR appears when it is whole: runs/, history/ and manifest.json. An earlier export of the same project is replaced
    at once; anything else in DIR is refused. Exit status 1 says that rows are missing which the server counted.
    """
    from runframe.export import export_project

    with connect(base_url, api_key) as api:
        report = export_project(api, path, to=to)
    typer.echo(summary(report))
    if report.live:
        note(f"{count(len(report.live), 'run')} still being written: a later export may hold more")
    if report.conflicts:
        note(f"{count(report.conflicts, 'column')} with values of several types, kept as JSON text; see manifest.json")
    for gap in report.gaps:
        say(gap.reason)
    if not report.complete:
        raise typer.Exit(1)


def summary(report: ExportReport) -> str:
    """One line: what was written, how much, how long it took, and where it is."""
    what = f"{count(report.runs, 'run')}, {count(report.rows, 'history row')}, {size(report.bytes)}"
    return f"{report.path}: {what} in {report.seconds:.1f} s -> {report.target}"
