"""`runframe compact`: the histories of ended runs as Parquet, for fast reading."""

from __future__ import annotations

from typing import Annotated

import typer

from runframe.cli.options import StoreDir
from runframe.cli.output import count, note, say


def compact(
    dir: StoreDir,
    project: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only the runs of the projects with this name.")
    ] = None,
) -> None:
    """Write the histories of ended runs as Parquet, also while the store is served.

    Clients read such a history many times faster. A history that columns cannot tell whole is named and stays as it is.
    """
    from runframe.server import open_local

    with open_local(dir, create=False) as local:
        done = local.compact(project)
    for each in done:
        if each.reason is None:
            typer.echo(f"{each.run_path}  {count(each.rows, 'row')}, {each.bytes:,} bytes")
        else:
            say(f"{each.run_path}: left as it is: {each.reason}")
    note(f"{count(sum(each.reason is None for each in done), 'run')} written as Parquet in {dir}")
