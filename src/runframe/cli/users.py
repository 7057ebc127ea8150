"""`runframe user`: accounts of a local store."""

from __future__ import annotations

from typing import Annotated

import typer

from runframe.cli.options import StoreDir
from runframe.cli.output import note

app = typer.Typer(help="Add people to a local store.", no_args_is_help=True, rich_markup_mode=None)


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name: letters, digits, '_', '-' and '.'.")],
    dir: StoreDir,
    email: Annotated[
        str | None, typer.Option(metavar="E", help="The e-mail address; teams that asked for it are joined.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="The key, of 40 characters or more; else one is made.")
    ] = None,
    admin: Annotated[bool, typer.Option("--admin", help="May change everything, and add people.")] = False,
) -> None:
    """Add somebody, also while the store is served.

    Prints the name and the key.
    """
    from runframe.server import open_local

    with open_local(dir) as local:
        made = local.add_user(name, email=email, key=key, admin=admin)
    typer.echo(f"{name} {made}")
    note("this is the only time that the key is shown")


@app.command("key")
def key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose key it becomes.")],
    dir: StoreDir,
    key: Annotated[str | None, typer.Option(metavar="KEY", help="The key; else one is made.")] = None,
) -> None:
    """Give somebody one more key, who lost theirs or was added by e-mail address.

    Prints the name and the key.
    """
    from runframe.server import open_local

    with open_local(dir, create=False) as local:
        made = local.add_key(name, key)
    typer.echo(f"{name} {made}")
    note("this is the only time that the key is shown")
