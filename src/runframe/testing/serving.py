"""A store served over real HTTP from a thread of this process."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from runframe.api import Api
    from runframe.server import LocalServer

_START_SECONDS = 30
_STOP_SECONDS = 10


class Server:
    """A running server.

    Attributes:
        url: its address, without a slash at the end.
        api_key: the key that it asks for.
        entity: the key owner's entity.
        local: the store behind it.
        environment: the whole environment of a process that logs to this server with the official SDK, and to nothing
            else: ours without its `WANDB_*` variables, then the address, the key, and folders of its own for all that
            the SDK writes.
    """

    def __init__(self, url: str, local: LocalServer, home: Path, exits: ExitStack) -> None:
        self.url = url
        self.local = local
        self.api_key = local.api_key
        self.entity = local.entity
        self.environment = _environment(url, local.api_key, home)
        self._home = home
        self._exits = exits

    def api(self) -> Api:
        """A `runframe.Api` on this server, closed with it at the latest."""
        return self._exits.enter_context(open_api(self.url, self.api_key, self._home))

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Point this process at the server, so that `wandb.init()` and both `Api()` need no arguments."""
        for name in _wandb_names():
            monkeypatch.delenv(name)
        for name in self.environment.keys() - os.environ.keys():
            monkeypatch.setenv(name, self.environment[name])
        monkeypatch.setenv("NETRC", self.environment["NETRC"])

    def __repr__(self) -> str:
        return f"<Server {self.url}>"


@contextmanager
def serving(local: LocalServer, home: Path) -> Iterator[Server]:
    """Serve a store on a free port of this machine for the block's time.

    At the end, `Api`s that `Server.api` made are closed, and a run of the official SDK in this process that was left
    open on this server is finished. The SDK forgets its settings then, so that the next server is found.

    Args:
        local: the store.
        home: a folder for what the SDK and `Api` read and write.

    Raises:
        RuntimeError: the server did not start; what it raised is the cause.
    """
    from runframe.server.serving import listen

    with ExitStack() as exits:
        listener = exits.enter_context(listen("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        exits.enter_context(_running(local, listener))
        server = Server(url, local, home, exits)
        exits.callback(_leave_sdk, url)
        yield server


@contextmanager
def open_api(base_url: str, api_key: str, home: Path) -> Iterator[Api]:
    """An `Api` that finds no settings but these, for the block's time."""
    import pytest

    from runframe.api import Api

    with pytest.MonkeyPatch.context() as monkeypatch:  # settings are read when an Api is made, and not again
        for name in _wandb_names():
            monkeypatch.delenv(name)
        monkeypatch.setenv("WANDB_CONFIG_DIR", str(home / "config"))
        monkeypatch.setenv("WANDB_DIR", str(home))
        monkeypatch.setenv("NETRC", str(home / "netrc"))
        api = Api({"base_url": base_url}, api_key=api_key)
    with api:
        yield api


@contextmanager
def _running(local: LocalServer, listener: socket.socket) -> Iterator[None]:
    """Uvicorn in a thread, from when it answers until the end of the block."""
    import uvicorn

    config = uvicorn.Config(
        local.app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=_STOP_SECONDS
    )
    ready = threading.Event()
    failures: list[BaseException] = []

    class Telling(uvicorn.Server):
        """Says when it accepts requests."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            ready.set()

    server = Telling(config)

    def run() -> None:
        try:
            server.run(sockets=[listener])
        except BaseException as error:
            failures.append(error)
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="runframe-server", daemon=True)
    thread.start()
    try:
        if not ready.wait(_START_SECONDS) or not server.started:
            raise RuntimeError("the server did not start") from (failures[0] if failures else None)
        yield
    finally:
        server.should_exit = True
        thread.join(2 * _STOP_SECONDS)


def _leave_sdk(url: str) -> None:
    """End the official SDK's run in this process if it still logs to this server, as failed.

    An SDK that was set up for another server is left alone: it may still be in use.
    """
    wandb = sys.modules.get("wandb")
    if wandb is None:
        return
    if wandb.run is not None and wandb.run.settings.base_url.rstrip("/") == url:
        wandb.finish(exit_code=1)
    if wandb.run is None and wandb.setup().settings.base_url.rstrip("/") == url:
        wandb.teardown()


def _environment(url: str, api_key: str, home: Path) -> dict[str, str]:
    folders = {name: home / name.removeprefix("WANDB_").lower() for name in _FOLDERS}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    mine = set(_wandb_names())
    return {
        **{name: value for name, value in os.environ.items() if name not in mine},
        **{name: str(folder) for name, folder in folders.items()},
        "WANDB_BASE_URL": url,
        "WANDB_API_KEY": api_key,
        "WANDB_MODE": "online",
        "WANDB_SILENT": "true",
        "WANDB_ERROR_REPORTING": "false",
        "NETRC": str(home / "netrc"),
    }


_FOLDERS = ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR", "WANDB_ARTIFACT_DIR")


def _wandb_names() -> list[str]:
    return [name for name in os.environ if name.startswith("WANDB_")]
