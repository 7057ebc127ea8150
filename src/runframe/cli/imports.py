"""`runframe import`: offline folders into a local store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runframe.cli.options import StoreDir
from runframe.cli.output import count, note, say
from runframe.errors import LogError

if TYPE_CHECKING:
    from runframe.server import ImportedRun


def import_logs(
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help=".wandb files, run folders, or folders that hold them.")
    ],
    dir: StoreDir,
    entity: Annotated[
        str | None, typer.Option(metavar="NAME", help="Put the runs under this entity, whatever the log says.")
    ] = None,
    project: Annotated[
        str | None, typer.Option(metavar="NAME", help="Put the runs into this project, whatever the log says.")
    ] = None,
) -> None:
    """Read offline runs into a local store.

    A log whose end is missing is read up to the tear, and the tear is named. A log that cannot be read at all is
    named too, the others are imported, and the exit status is 1.
    """
    from runframe.offline import find_logs

    logs = find_logs(paths)
    from runframe.server import open_local

    unreadable = 0
    with open_local(dir) as local:
        for log in logs:
            try:
                imported = local.import_logs([log], entity=entity, project=project)
            except LogError as error:
                say(error.message)
                unreadable += 1
                continue
            for run in imported:
                _report(run)
    note(f"{count(len(logs) - unreadable, 'run')} in {dir}; open it with Api({f'local:{dir}'!r})")
    if unreadable:
        raise typer.Exit(1)


def _report(run: ImportedRun) -> None:
    artifacts = f", {count(run.artifacts, 'artifact')}" if run.artifacts else ""
    typer.echo(f"{run.run_path}  {count(run.rows, 'row')}, {count(run.files, 'file')}{artifacts}")
    for sentence in run.notes:
        say(f"{run.path}: {sentence}")
    if run.tear is not None:
        say(f"{run.path}: torn at byte {run.tear.offset:,} ({run.tear.reason}); everything before it is imported")
