"""An event loop on a thread of its own, with something alive on it.

The loop's thread is a daemon: it never keeps a program from ending.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeVar, TypeVarTuple

import anyio
from anyio.from_thread import BlockingPortal

__all__ = ["Loop"]

# Seconds that the loop gets to end; after that its thread, a daemon, is left behind.
_PATIENCE = 10.0

_log = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")
Args = TypeVarTuple("Args")


class Loop(Generic[T]):
    """A running loop on which an async context manager has been entered.

    Args:
        open_: makes the context manager; called on the loop's thread.

    Attributes:
        live: what the context manager gave.

    Raises:
        Exception: whatever entering it raised.
    """

    def __init__(self, open_: Callable[[], AbstractAsyncContextManager[T]]) -> None:
        self.pid = os.getpid()
        self._ready: Future[T] = Future()
        self._thread = threading.Thread(target=self._run, args=(open_,), name="runframe-wire", daemon=True)
        self._thread.start()
        try:
            self.live: T = self._ready.result()
        except BaseException:
            self._thread.join()
            raise
        atexit.register(self.stop)

    def submit(self, function: Callable[[*Args], Awaitable[R]], *args: *Args) -> Future[R]:
        """Run a coroutine function on the loop; cancelling the future cancels it.

        Raises:
            RuntimeError: the loop has ended.
        """
        return self._portal.start_task_soon(function, *args)

    def stop(self) -> None:
        """Cancel what is running, leave the context manager, end the loop. Safe to call twice, and from any thread."""
        self.abandon()
        if self.pid == os.getpid() and threading.current_thread() is not self._thread:
            self._thread.join(_PATIENCE)

    def abandon(self) -> None:
        """The same without waiting for the end: for finalisers, which may run anywhere, on the loop's thread too."""
        atexit.unregister(self.stop)
        # In a forked child there is no thread, and what the loop holds belongs to the parent.
        if self.pid == os.getpid():
            with contextlib.suppress(RuntimeError):
                self._asyncio.call_soon_threadsafe(self._stopping.set)

    def _run(self, open_: Callable[[], AbstractAsyncContextManager[T]]) -> None:
        try:
            anyio.run(self._main, open_)
        except BaseException as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            else:
                _log.warning("the background loop ended badly", exc_info=error)

    async def _main(self, open_: Callable[[], AbstractAsyncContextManager[T]]) -> None:
        self._asyncio = asyncio.get_running_loop()
        self._stopping = anyio.Event()
        async with open_() as live, BlockingPortal() as portal:
            self._portal = portal
            self._ready.set_result(live)
            await self._stopping.wait()
            await portal.stop(cancel_remaining=True)
