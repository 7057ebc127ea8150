"""An ASGI app as a transport that streams: a body chunk is handed on when the app sends it.

httpx's own ASGI transport gathers a whole body before it answers, so a large file would lie in memory. Here the app
runs as a task of its own, waits while its chunk is not yet taken, and is cancelled when the reader closes the answer
before its end. Lifespan events are sent once, at the start and at the end.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from types import TracebackType
from typing import Any

import anyio
from anyio.abc import TaskGroup

from .http import httpx

__all__ = ["IN_PROCESS", "ASGIApp", "StreamingASGI"]

# Key of an answer's extensions that says: this came from an app in this process.
IN_PROCESS = "runframe.in_process"

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_log = logging.getLogger(__name__)

# Seconds that requests in flight get to end by themselves when the transport is closed.
_GRACE = 2.0


class StreamingASGI(httpx.AsyncBaseTransport):
    """Requests answered by an ASGI app in this process; an async context manager around the app's life.

    Args:
        app: the ASGI app (version 3). Where it knows no lifespan events, none are sent.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._state: dict[str, Any] = {}
        self._stack = contextlib.AsyncExitStack()
        self._tasks: TaskGroup | None = None

    async def __aenter__(self) -> StreamingASGI:
        await self._stack.__aenter__()
        await self._stack.enter_async_context(_Lifespan(self._app, self._state))
        self._tasks = await self._stack.enter_async_context(anyio.create_task_group())
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        if self._tasks is not None:
            self._tasks.cancel_scope.deadline = anyio.current_time() + _GRACE
            self._tasks = None
        await self._stack.__aexit__(None, None, None)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Run the app on a request; returns when it has sent its status and headers."""
        if self._tasks is None:
            raise RuntimeError("the in-process server is not running")
        exchange = _Exchange(request)
        self._tasks.start_soon(exchange.run, self._app, self._state)
        try:
            start = await exchange.next_message()
            if start is None:
                raise httpx.RemoteProtocolError("the in-process server gave no answer", request=request)
        except BaseException:
            exchange.close()
            raise
        headers, stream = start.get("headers", []), _Body(exchange)
        return httpx.Response(start["status"], headers=headers, stream=stream, extensions={IN_PROCESS: True})


class _Exchange:
    """One request and its answer, between the caller's task and the app's."""

    def __init__(self, request: httpx.Request) -> None:
        self.request = request
        self.scope = anyio.CancelScope()
        timeout = request.extensions.get("timeout", {}).get("read")
        self._patience = math.inf if timeout is None else timeout
        # No buffer: the app waits until its chunk is taken, which bounds memory to one chunk.
        self._sender, self._receiver = anyio.create_memory_object_stream[Message](0)
        self._body = aiter(request.stream) if isinstance(request.stream, httpx.AsyncByteStream) else None
        self._closed = anyio.Event()
        self._started = False
        self._complete = False
        self._failure: Exception | None = None

    async def run(self, app: ASGIApp, state: dict[str, Any]) -> None:
        """The app's task."""
        with self.scope:
            try:
                await app(self._scope(state), self._receive, self._send)
            except Exception as error:
                _log.error(
                    "the in-process server failed at %s %s", self.request.method, self.request.url.path, exc_info=error
                )
                self._failure = error
                await self._answer_failure(error)
            finally:
                self._sender.close()

    async def _answer_failure(self, error: Exception) -> None:
        """A 500 in place of an answer that the app failed to begin, as any server would give."""
        if not self._started:
            text = f"the in-process server failed: {error!r}".encode()
            await self._send(
                {"type": "http.response.start", "status": 500, "headers": [(b"content-type", b"text/plain")]}
            )
            await self._send({"type": "http.response.body", "body": text})

    async def next_message(self) -> Message | None:
        """The app's next message; None at the end.

        Raises:
            httpx.ReadTimeout: none came within the request's read timeout.
            httpx.ReadError: the app failed before its answer was complete.
        """
        try:
            with anyio.fail_after(self._patience):
                return await self._receiver.receive()
        except TimeoutError:
            raise httpx.ReadTimeout("the in-process server was too slow", request=self.request) from None
        except anyio.EndOfStream:
            if self._failure is not None and not self._complete:
                raise httpx.ReadError(f"the in-process server failed: {self._failure!r}") from self._failure
            return None

    @property
    def complete(self) -> bool:
        """Whether the app has sent its last chunk."""
        return self._complete

    def close(self) -> None:
        """The reader is done: an answer that is complete lets the app finish, any other one cancels it."""
        self._closed.set()
        if not self._complete:
            self.scope.cancel()
        self._receiver.close()

    def _scope(self, state: dict[str, Any]) -> dict[str, Any]:
        url = self.request.url
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": self.request.method,
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.split(b"?", 1)[0],
            "query_string": url.query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in self.request.headers.raw],
            "client": ("127.0.0.1", 0),
            "server": (url.host, url.port),
            "state": state.copy(),
        }

    async def _receive(self) -> Message:
        if self._body is not None:
            async for chunk in self._body:
                return {"type": "http.request", "body": chunk, "more_body": True}
            self._body = None
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._closed.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            # Set before the chunk is handed over: its reader may close at once, and must not cancel a finished app.
            self._complete = not message.get("more_body", False)
            if self._complete and not message.get("body"):
                self._sender.close()
                return
        elif message["type"] == "http.response.start":
            self._started = True
        else:
            return
        with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            await self._sender.send(message)
        if self._complete:
            self._sender.close()


class _Body(httpx.AsyncByteStream):
    """The chunks of an answer, as the app sends them."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while (message := await self._exchange.next_message()) is not None:
                if message.get("body") and self._exchange.request.method != "HEAD":
                    yield message["body"]
            if not self._exchange.complete:
                raise httpx.RemoteProtocolError("the in-process server ended its answer early")
        except BaseException:
            self._exchange.close()
            raise

    async def aclose(self) -> None:
        self._exchange.close()


class _Lifespan:
    """The app's lifespan: started, and later stopped, once."""

    def __init__(self, app: ASGIApp, state: dict[str, Any]) -> None:
        self._app = app
        self._state = state
        self._started = anyio.Event()
        self._stopping = anyio.Event()
        self._begun = False
        self._failure: str | None = None
        self._group = anyio.create_task_group()

    async def __aenter__(self) -> None:
        await self._group.__aenter__()
        self._group.start_soon(self._run)
        await self._started.wait()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            await self._group.__aexit__(None, None, None)
            raise RuntimeError(f"the in-process server did not start: {failure}")

    async def __aexit__(self, *exc: object) -> None:
        self._stopping.set()
        self._group.cancel_scope.shield = True
        await self._group.__aexit__(None, None, None)

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self._state}
        try:
            await self._app(scope, self._receive, self._send)
        except Exception:
            # An app that raises on the lifespan scope does not know it: the specification says to go on without.
            if self._failure is None and self._started.is_set():
                raise
        finally:
            self._started.set()

    async def _receive(self) -> Message:
        if not self._begun:
            self._begun = True
            return {"type": "lifespan.startup"}
        await self._stopping.wait()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "lifespan.startup.failed":
            self._failure = message.get("message") or "no reason given"
        if message["type"].startswith("lifespan.startup."):
            self._started.set()
