"""`runframe serve`: the embedded server as a process of its own."""

from __future__ import annotations

import signal
import socket
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runframe.cli.options import StoreDir
from runframe.cli.output import note
from runframe.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

# Seconds that answers under way get to finish after Ctrl-C.
GRACE = 5

# Seconds that an idle connection stays open: longer than the SDK's heartbeat, for which a connection that closes while
# it is about to be used costs a retry.
KEEP_ALIVE = 120


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
    with _listen(host, port) as listener:
        _serve(dir, host, listener)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything else is done: a port in use leaves nothing behind.

    Raises:
        UsageError: the host has no address, or the port cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UsageError(f"cannot listen at {host!r}: {error.strerror or error}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise UsageError(
            f"cannot listen at {host}:{port}: {error.strerror or error}; --port 0 takes a free port"
        ) from error
    return listener


def _url(host: str, port: int) -> str:
    """The address for a client on this machine."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def _serve(directory: Path, host: str, listener: socket.socket) -> None:
    import uvicorn

    from runframe.server import open_local

    url = _url(host, listener.getsockname()[1])
    with open_local(directory) as local:

        class Announcing(uvicorn.Server):
            """Says where it is at the moment when it answers."""

            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                if self.started:
                    _announce(url, local.api_key, directory)

        config = uvicorn.Config(
            local.app,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
            timeout_keep_alive=KEEP_ALIVE,
        )
        server = Announcing(config)
        _stop_on_signals(server)
        server.run(sockets=[listener])
    note("stopped; everything that was acknowledged is in " + str(directory))


def _announce(url: str, api_key: str, directory: Path) -> None:
    typer.echo(f"export WANDB_BASE_URL={url}\nexport WANDB_API_KEY={api_key}")
    note(f"serving {directory} at {url} (Ctrl-C ends it)")


def _stop_on_signals(server: Any) -> None:
    """Make Ctrl-C and SIGTERM an orderly end with exit status 0.

    uvicorn sets its own handlers while it runs, and afterwards sends itself the signal that ended it, for the
    handlers that were there before: these. So they must be there before, and must not raise.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
