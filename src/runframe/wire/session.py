"""A session with one server: the sync face of everything on the wire, and its life.

The event loop behind it starts at the first request, on a thread of its own, so a session works in scripts and under
Jupyter's running loop alike. It ends with `close`, with the `with` block, when the session is no longer used, or with
the program. A forked child starts a loop of its own when it first needs one. Two sessions share nothing.
"""

from __future__ import annotations

import math
import os
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, TypeVarTuple

from runframe.errors import Error, UsageError

from .asgi import ASGIApp, StreamingASGI
from .documents import Document
from .exchange import Exchange
from .failures import error_of_answer
from .graphql import GraphQL
from .http import Limits, Network, Timeouts, httpx, origin_of
from .loop import Loop
from .pages import Ask, Connection, Pages, Paging
from .transfer import CONTENT_RANGE, Download, fetch, send
from .transport import Call, Credentials, Patient

__all__ = ["Session"]

R = TypeVar("R")
Args = TypeVarTuple("Args")

# The address of an in-process server: a name that can never be a host on a network (RFC 2606).
IN_PROCESS_ROOT = "http://local.invalid"


@dataclass(frozen=True)
class _Settings:
    """What a session was made with; what may be secret is in no repr, so in no traceback that shows variables."""

    base_url: str
    timeout: float
    user_agent: str
    limits: Limits
    api_key: str | None = field(repr=False)
    headers: Mapping[str, str] | None = field(repr=False)
    proxies: Mapping[str, str] | None = field(repr=False)
    open_app: Callable[[], Any] | None


@dataclass(frozen=True)
class _Live:
    """What is alive on the loop."""

    exchange: Exchange
    graphql: GraphQL
    transport: Patient


class Session:
    """GraphQL and files of one server.

    Args:
        base_url: the server's address; for an in-process one any text that tells a person which it is.
        api_key: sent to the server's own origin and to no other. For an in-process server that brings a key of its
            own (`api_key` of what `open_app` returns) None is enough.
        timeout: seconds that one attempt may wait to connect, and for each piece of the answer.
        user_agent: name and version of the client.
        limits: deadlines of retries, concurrency, page size.
        headers: further headers for the server's own origin.
        proxies: URL of the proxy for `http` and `https`; None reads the environment.
        open_app: opens the in-process server: gives an ASGI app, or an object with `app` and, where it has them,
            `api_key` and `close()`. Called on the loop's thread at the first request, and again in a forked child.
    """

    _lock: threading.Lock
    _loop: Loop[_Live] | None
    _inherited: Loop[_Live] | None
    _finalizer: weakref.finalize[[], Session] | None

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None,
        timeout: float = 19,
        user_agent: str,
        limits: Limits | None = None,
        headers: Mapping[str, str] | None = None,
        proxies: Mapping[str, str] | None = None,
        open_app: Callable[[], Any] | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.timeout = timeout
        self.limits = limits or Limits()
        self.in_process = open_app is not None
        self._settings = _Settings(
            base_url=base_url,
            timeout=timeout,
            user_agent=user_agent,
            limits=self.limits,
            api_key=api_key,
            headers=headers,
            proxies=proxies,
            open_app=open_app,
        )
        self._begin()

    def __repr__(self) -> str:
        return f"Session({self.base_url!r})"

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Callable[..., Session], tuple[()]]:
        return partial(Session, **vars(self._settings)), ()

    def execute(
        self, document: Document, variables: Mapping[str, Any] | None = None, *, retry_timeouts: bool = True
    ) -> dict[str, Any]:
        """Execute a GraphQL document and wait for the `data` of its answer.

        Args:
            document: the document, with one operation. Mutations are tried again as queries are: all of W&B's
                are upserts or deletes.
            variables: strict JSON values.
            retry_timeouts: False raises at the first attempt that times out.

        Raises:
            AuthenticationError: the server refused the key.
            NotFoundError, ServerError: it answered with an error; the message is its own.
            TransportError: it did not answer before the deadline.
            UsageError: the variables have no JSON form, or the session is closed.
        """
        return self._wait(self.submit(document, variables, retry_timeouts=retry_timeouts))

    def submit(
        self, document: Document, variables: Mapping[str, Any] | None = None, *, retry_timeouts: bool = True
    ) -> Future[dict[str, Any]]:
        """Send a GraphQL document now; the future gives what `execute` does. Cancelling it ends the request."""
        return self._submit(_execute, document, variables, retry_timeouts)

    def pages(
        self,
        document: Document,
        variables: Mapping[str, Any] | None,
        connection: Connection,
        *,
        size: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        ahead: bool = True,
    ) -> Pages:
        """The pages of a connection; nothing is sent before the first is asked for.

        A page that the server does not manage in time is asked for again with half the size.

        Args:
            document: has variables for size and cursor, named by `connection`.
            variables: all others.
            connection: where the connection lies in the answer.
            size: nodes a page; `limits.page_size` where it is None.
            limit: nodes in all.
            cursor: where to begin.
            ahead: keep the next page in flight while one is being used.

        Raises:
            NotFoundError: from the iteration, where something on the connection's path is null.
            CommError: from the iteration, as `execute` does.
        """
        paging = Paging(connection, size=size or self.limits.page_size, limit=limit, cursor=cursor)
        given = dict(variables or {})

        def submit(ask: Ask) -> Future[dict[str, Any]]:
            return self.submit(document, given | connection.variables(ask), retry_timeouts=False)

        return Pages(paging, submit, self._wait, ahead=ahead)

    def read(self, url: str) -> bytes:
        """The whole content at a URL; a relative one belongs to this server.

        Raises:
            CommError: as `execute` does.
        """
        return self._wait(self._submit(_read, url))

    def read_range(self, url: str, start: int, stop: int | None = None) -> tuple[bytes, int, int]:
        """A part of the content at a URL: its bytes, where they begin, and the size of the whole.

        Args:
            url: absolute, or relative to this server.
            start: the first byte; a negative number counts from the end.
            stop: the byte after the last one; None is the end.

        Returns:
            More than was asked for where the server doesn't know ranges: then the whole.

        Raises:
            CommError: as `execute` does.
        """
        return self._wait(self._submit(_read_range, url, start, stop))

    def headers(self, url: str) -> dict[str, str]:
        """The headers of the answer to a GET, by lower-case name; the content is not read.

        Raises:
            CommError: as `execute` does.
        """
        return self._wait(self._submit(_headers, url))

    def post(self, url: str, content: bytes) -> bytes:
        """Send JSON with POST; the answer's content.

        Args:
            url: absolute, or relative to this server.
            content: JSON text. It may be sent more than once: the server must take a repetition as one.

        Raises:
            CommError: as `execute` does.
        """
        return self._wait(self._submit(_post, url, content))

    def download(
        self, url: str, target: Path, *, md5: str | None = None, size: int | None = None, etag: str | None = None
    ) -> Path:
        """Download a file: into a part file beside the target, then renamed.

        Args:
            url: absolute, or relative to this server.
            target: where it goes; its folder is made, a file that is there is replaced.
            md5: the digest that it must have, in base64 as W&B writes it, or in hexadecimal.
            size: the number of bytes that it must have.
            etag: the ETag that the server must name it by, without the quotes around it.

        Raises:
            CommError: the server said no, broke off for good, or sent something else than was expected.
            Error: the disk has not enough room.
            OSError: the file cannot be written.
        """
        return self._wait(self._submit(_download, self.limits, Download(url, Path(target), md5, size, etag)))

    def downloads(
        self, items: Iterable[Download], *, at_once: int | None = None
    ) -> Iterator[tuple[Download, Path | Error]]:
        """Download many files, a bounded number at once; each is given as it is done, with its path or its error.

        Args:
            items: what to fetch; taken from the iterable as room becomes free.
            at_once: how many at once; `limits.downloads` where it is None.

        Raises:
            OSError: from the iteration, where a file cannot be written; the others are cancelled.
        """
        waiting: dict[Future[Path], Download] = {}
        room = at_once or self.limits.downloads
        try:
            for item in items:
                waiting[self._submit(_download, self.limits, item)] = item
                if len(waiting) >= room:
                    yield from self._finished(waiting)
            while waiting:
                yield from self._finished(waiting)
        finally:
            for future in waiting:
                future.cancel()

    def _finished(self, waiting: dict[Future[Path], Download]) -> list[tuple[Download, Path | Error]]:
        """Take out what is done, waiting for the first."""
        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
        results: list[tuple[Download, Path | Error]] = []
        for future in done:
            item = waiting.pop(future)
            try:
                results.append((item, self._wait(future)))
            except Error as error:
                results.append((item, error))
        return results

    def upload(self, url: str, source: Path | bytes, headers: Sequence[str] | Mapping[str, str] = ()) -> None:
        """Upload a file, or bytes, with PUT.

        Args:
            url: absolute, or relative to this server.
            source: a file's path, or the content itself.
            headers: as the server gave them, `"Name:value"` each, or a mapping.

        Raises:
            CommError: as `execute` does.
            OSError: the file cannot be read.
        """
        self._wait(self._submit(_upload, url, source, headers))

    def close(self) -> None:
        """End every request and the background loop. A closed session cannot be used again."""
        with self._lock:
            self._closed = True
            loop, self._loop = self._loop, None
            if self._finalizer is not None:
                self._finalizer.detach()
        if loop is not None:
            loop.stop()

    def server_time(self, moment: float) -> datetime:
        """A moment of our clock (Unix time) by the server's clock, as its answers tell it; UTC, in whole seconds.

        An in-process server, and one that never told the time, have our clock. What was cut off makes it earlier.
        """
        ahead = None if self._loop is None or self._closed else self._loop.live.transport.ahead
        return datetime.fromtimestamp(math.floor(moment + (ahead or 0.0)), UTC)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def _begin(self) -> None:
        """The state of a session that has not been used yet, in this process."""
        self._lock = threading.Lock()
        self._loop = None
        self._finalizer = None
        self._closed = False
        _sessions.add(self)

    def _after_fork(self) -> None:
        """In a forked child: the loop's thread is gone, and what it held belongs to the parent.

        The dead loop is kept, not closed: closing it would take the parent's sockets off the parent's own poll.
        """
        closed = self._closed
        self._inherited = self._loop
        if self._finalizer is not None:
            self._finalizer.detach()
        self._begin()
        self._closed = closed

    def _submit(self, function: Callable[[_Live, *Args], Awaitable[R]], *args: *Args) -> Future[R]:
        loop = self._running()
        try:
            return loop.submit(function, loop.live, *args)
        except RuntimeError:
            raise UsageError(f"the session with {self.base_url} is closed") from None

    def _running(self) -> Loop[_Live]:
        loop = self._loop
        if loop is not None:
            return loop
        with self._lock:
            if self._closed:
                raise UsageError(f"the session with {self.base_url} is closed")
            if self._loop is None:
                self._loop = Loop(partial(_open, self._settings))
                self._finalizer = weakref.finalize(self, self._loop.abandon)
                # At the end of the program the loop stops itself, and is waited for.
                self._finalizer.atexit = False
            return self._loop

    def _wait(self, future: Future[R]) -> R:
        try:
            return future.result()
        except CancelledError:
            raise UsageError(f"the session with {self.base_url} was closed during a request") from None
        except BaseException:
            # Ctrl-C while waiting: what nobody waits for is not left running.
            future.cancel()
            raise


# For the hook below alone: every session that is alive, so that a forked child can set it back.
_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


def _set_back_sessions() -> None:
    for session in list(_sessions):
        session._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_set_back_sessions)


@asynccontextmanager
async def _open(settings: _Settings) -> AsyncIterator[_Live]:
    """Everything that a session needs on its loop, closed in the reverse order."""
    async with AsyncExitStack() as stack:
        root, opened = settings.base_url, None
        inner: httpx.AsyncBaseTransport = Network(settings.proxies)
        stack.push_async_callback(inner.aclose)
        if settings.open_app is not None:
            root, opened = IN_PROCESS_ROOT, settings.open_app()
            if hasattr(opened, "close"):
                stack.callback(opened.close)
            app: ASGIApp = getattr(opened, "app", opened)
            inner = _Either(await stack.enter_async_context(StreamingASGI(app)), inner)
        transport = Patient(inner, settings.limits, _credentials(settings, root, opened))
        timeouts = Timeouts.of(settings.timeout, settings.limits)
        exchange = Exchange(transport, root, timeouts, settings.user_agent)
        graphql = GraphQL(exchange, {"Use-Admin-Privileges": "true"})
        await graphql.connect()
        stack.push_async_callback(graphql.close)
        yield _Live(exchange, graphql, transport)


def _credentials(settings: _Settings, root: str, opened: object) -> Credentials:
    api_key = settings.api_key or getattr(opened, "api_key", None)
    return Credentials(origin_of(httpx.URL(root)), api_key, settings.headers)


class _Either(httpx.AsyncBaseTransport):
    """Requests to the in-process server go to it, all others to the network."""

    def __init__(self, app: httpx.AsyncBaseTransport, network: httpx.AsyncBaseTransport) -> None:
        self._app = app
        self._network = network
        self._own = origin_of(httpx.URL(IN_PROCESS_ROOT))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        chosen = self._app if origin_of(request.url) == self._own else self._network
        return await chosen.handle_async_request(request)


async def _execute(
    live: _Live, document: Document, variables: Mapping[str, Any] | None, retry_timeouts: bool
) -> dict[str, Any]:
    return await live.graphql.execute(document, variables, retry_timeouts=retry_timeouts)


async def _read(live: _Live, url: str) -> bytes:
    return (await live.exchange.whole("GET", url, call=Call(kind="GET"))).content


async def _read_range(live: _Live, url: str, start: int, stop: int | None) -> tuple[bytes, int, int]:
    asked = f"bytes={start}" if start < 0 else f"bytes={start}-{'' if stop is None else stop - 1}"
    headers = [("Accept-Encoding", "identity"), ("Range", asked)]
    answer = await live.exchange.whole("GET", url, headers=headers, call=Call(kind="GET"))
    found = CONTENT_RANGE.match(answer.headers.get("content-range", ""))
    if answer.status_code != 206 or found is None:
        return answer.content, 0, len(answer.content)
    first, whole = int(found[1]), found[2]
    return answer.content, first, first + len(answer.content) if whole == "*" else int(whole)


async def _headers(live: _Live, url: str) -> dict[str, str]:
    async with live.exchange.stream("GET", url, call=Call(kind="GET")) as response:
        if response.status_code >= 300:
            await response.aread()
            raise error_of_answer(response)
        return dict(response.headers)


async def _post(live: _Live, url: str, content: bytes) -> bytes:
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
    return (await live.exchange.whole("POST", url, headers=headers, content=content, call=Call(kind="POST"))).content


async def _download(live: _Live, limits: Limits, item: Download) -> Path:
    return await fetch(live.exchange, limits, item)


async def _upload(live: _Live, url: str, source: Path | bytes, headers: Sequence[str] | Mapping[str, str]) -> None:
    await send(live.exchange, url, source, headers)
