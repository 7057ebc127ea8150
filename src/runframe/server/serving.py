"""The server as a process of its own: uvicorn over a store."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from runframe.errors import UsageError
from runframe.server.local import open_local

# Longer than the SDK's heartbeat of 30 s: a connection that the server closes while the SDK is about to use it costs a
# retry of 2 s and more.
_KEEP_ALIVE_SECONDS = 120

# What answers under way get to finish after Ctrl-C.
_GRACE_SECONDS = 5
_STOP_SECONDS = 5


def serve(
    directory: str | Path, host: str = "127.0.0.1", port: int = 8080, on_ready: Callable[[str, str], None] | None = None
) -> None:
    """Serve a store until the process is told to stop (SIGINT, SIGTERM).

    Args:
        directory: the store's folder; it is made where there is none.
        host: the address to listen at.
        port: the port; 0 takes a free one.
        on_ready: called with the base URL and the key when requests are accepted.

    Raises:
        UsageError: the folder cannot be a store, or the address is taken.
    """
    with listen(host, port) as listener, open_local(directory) as local:
        url = _url(host, listener.getsockname()[1])
        config = uvicorn.Config(
            local.app,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        _Server(config, lambda: on_ready(url, local.api_key) if on_ready else None).run(sockets=[listener])


class _Server(uvicorn.Server):
    """A uvicorn server that says when it is ready, and returns when it is told to stop."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop in good order at SIGINT and SIGTERM; uvicorn's own would raise the signal again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {sign: signal.signal(sign, self.handle_exit) for sign in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sign, handler in before.items():
                signal.signal(sign, handler)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything else is done: a port in use leaves nothing behind.

    It names its protocol: asyncio sends without delay only where the socket says TCP, and with a delay an answer on a
    kept connection comes 40 ms late.

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
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot listen at {host}:{port}: {reason}; --port 0 takes a free port") from error
    return listener


def _url(host: str, port: int) -> str:
    """The address for a client on this machine."""
    reachable = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"
