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
    with open_local(directory) as local, _listen(host, port) as listener:
        shown = host if host not in ("", "0.0.0.0", "::") else "127.0.0.1"
        url = f"http://{f'[{shown}]' if ':' in shown else shown}:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            local.app,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_STOP_SECONDS,
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


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        raise UsageError(f"Cannot listen at {host}:{port}: {error}. Take another port, or 0 for a free one.") from error
