"""`runframe serve`: the embedded server as a process of its own."""

from __future__ import annotations

from typing import Annotated

import typer

from runframe.cli.options import StoreDir
from runframe.cli.output import note


def serve(
    dir: StoreDir,
    host: Annotated[
        str, typer.Option(metavar="HOST", help="The address to listen at; 0.0.0.0 is all of them.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", min=0, max=65535, help="The port; 0 takes a free one.")] = 8080,
) -> None:
    """Serve a local store to the official SDK.

    Any client will do, until Ctrl-C. Prints the two settings that point a client at it, ready to paste.
    """
    from runframe.server import serving

    def announce(url: str, api_key: str) -> None:
        typer.echo(f"export WANDB_BASE_URL={url}\nexport WANDB_API_KEY={api_key}")
        note(f"serving {dir} at {url} (Ctrl-C ends it)")

    serving.serve(dir, host, port, announce)
    note(f"stopped; everything that was acknowledged is in {dir}")
