"""Retry, pace and the rule on secrets, as an httpx transport around a transport.

GraphQL and files go through the same one. It decides nothing about waits (`retry`) or about concurrency (`pace`): it
sends, sleeps and reports.
"""

from __future__ import annotations

import base64
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import anyio

from .asgi import IN_PROCESS
from .failures import kind_of
from .http import Limits, Origin, httpx, origin_of
from .pace import Pace
from .retry import Kind, Outcome, Retry, quota_pause

__all__ = ["CALL", "Call", "Credentials", "Patient"]

# Key of a request's extensions that holds its `Call`.
CALL = "runframe.call"


@dataclass
class Call:
    """How one request wants to be treated, and what became of it.

    Attributes:
        kind: a name for requests that are alike; their latencies are compared.
        whole: read the answer's body before it is handed on: then a body that breaks off is tried again as well.
        retry_timeouts: whether an attempt that timed out is repeated.
        bounded: whether the hard deadline holds for an answer that keeps coming, but slowly.
        with_secrets: whether the key may go along, if the origin is its own.
        attempts: how often it was sent.
        seconds: how long it took in all.
    """

    kind: str = ""
    whole: bool = True
    retry_timeouts: bool = True
    bounded: bool = False
    with_secrets: bool = True
    attempts: int = 0
    seconds: float = 0.0


class Credentials:
    """What identifies us to one origin, and is sent to no other: the API key, and headers from the settings."""

    __slots__ = ("_headers", "origin")

    def __init__(self, origin: Origin, api_key: str | None, headers: Mapping[str, str] | None = None) -> None:
        self.origin = origin
        self._headers = dict(headers or {})
        if api_key:
            token = base64.b64encode(f"api:{api_key}".encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"

    def __repr__(self) -> str:
        return f"Credentials({self.origin})"

    def add_to(self, request: httpx.Request) -> None:
        """Add the headers to a request to our own origin; what the request already has stays."""
        if origin_of(request.url) == self.origin:
            for name, value in self._headers.items():
                if name not in request.headers:
                    request.headers[name] = value


@dataclass
class _Lane:
    """The requests to one origin: their pace, and who waits for a turn."""

    pace: Pace
    waiting: deque[anyio.Event] = field(default_factory=deque)
    answered: bool = False


class Patient(httpx.AsyncBaseTransport):
    """Sends a request until it is answered, or until its deadline has passed.

    Args:
        inner: the transport that sends.
        limits: deadlines and concurrency.
        credentials: what is added to requests to its own origin.
        clock: seconds on a clock that only goes forward.
        sleep: waits for a number of seconds.
        wall: Unix time.

    Attributes:
        ahead: how many seconds the server's clock is ahead of ours, by the last answer that told the time; None where
            none did.
    """

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        limits: Limits,
        credentials: Credentials,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._inner = inner
        self._limits = limits
        self._credentials = credentials
        self._clock = clock
        self._sleep = sleep
        self._wall = wall
        self._lanes: dict[Origin, _Lane] = {}
        self.ahead: float | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; the answer is the last one that came, an error's included.

        Raises:
            httpx.TransportError: no attempt was answered; the last attempt's reason.
        """
        call: Call = request.extensions.get(CALL) or Call()
        lane = self._lane(origin_of(request.url))
        if call.with_secrets:
            self._credentials.add_to(request)
        start = self._clock()
        retry = Retry(self._limits, start, known=lane.answered, timeouts=call.retry_timeouts)
        try:
            while True:
                result = await self._attempt(request, call, lane)
                outcome = self._outcome(result)
                call.attempts += 1
                wait = retry.after(outcome, self._clock())
                if wait is None:
                    break
                await self._sleep(wait)
        finally:
            call.seconds += self._clock() - start
        if isinstance(result, httpx.Response):
            return result
        raise result

    async def aclose(self) -> None:
        """Close the transport inside."""
        await self._inner.aclose()

    def _lane(self, origin: Origin) -> _Lane:
        lane = self._lanes.get(origin)
        if lane is None:
            lane = self._lanes[origin] = _Lane(Pace(self._limits))
        return lane

    def _outcome(self, result: httpx.Response | Exception) -> Outcome:
        if isinstance(result, Exception):
            return Outcome(kind_of(result))
        in_process = IN_PROCESS in result.extensions
        return Outcome.of_answer(result.status_code, result.headers, self._wall(), in_process=in_process)

    async def _attempt(self, request: httpx.Request, call: Call, lane: _Lane) -> httpx.Response | Exception:
        """Send once, in its turn; a failure is returned, as it may not be the last word."""
        await self._turn(lane)
        sent = self._clock()
        held = False
        try:
            with anyio.fail_after(self._limits.hard_deadline) if call.bounded else contextlib.nullcontext():
                response = await self._inner.handle_async_request(request)
                response.request = request
                lane.answered = True
                outcome = self._outcome(response)
                held = not call.whole and outcome.kind is Kind.ANSWER and not response.is_closed
                if held:
                    response.stream = _Held(response.stream, lambda: self._done(lane))
                else:
                    await _read(response)
            self._learn(lane, call, outcome, response.headers, sent)
            if origin_of(request.url) == self._credentials.origin:
                self._set_clock(response.headers.get("date"))
            return response
        except TimeoutError:
            lane.pace.failed(sent, self._clock())
            return httpx.ReadTimeout(f"no whole answer within {self._limits.hard_deadline:g} s", request=request)
        except httpx.RequestError as error:
            lane.pace.failed(sent, self._clock())
            return error
        finally:
            if not held:
                self._done(lane)

    def _learn(self, lane: _Lane, call: Call, outcome: Outcome, headers: Mapping[str, str], sent: float) -> None:
        """What an answer says about the server's state."""
        now = self._clock()
        if outcome.kind is not Kind.ANSWER:
            lane.pace.failed(sent, now)
        else:
            lane.pace.succeeded(call.kind, now - sent)
        pause = quota_pause(headers, self._wall())
        if pause:
            lane.pace.pause(now + min(pause, self._limits.hard_deadline))

    def _set_clock(self, date: str | None) -> None:
        """Takes the server's time from an answer; it is given in whole seconds, rounded down."""
        if date is not None:
            with contextlib.suppress(ValueError):
                self.ahead = parsedate_to_datetime(date).timestamp() - self._wall()

    async def _turn(self, lane: _Lane) -> None:
        while (wait := lane.pace.wait(self._clock())) != 0:
            if wait is not None:
                await self._sleep(wait)
                continue
            event = anyio.Event()
            lane.waiting.append(event)
            try:
                await event.wait()
            except BaseException:
                # A turn that was given to us while we were cancelled goes to the next.
                if event.is_set():
                    _wake(lane)
                else:
                    lane.waiting.remove(event)
                raise
        lane.pace.started()

    def _done(self, lane: _Lane) -> None:
        lane.pace.finished()
        _wake(lane)


class _Held(httpx.AsyncByteStream):
    """A body that keeps its request's turn until it is closed."""

    def __init__(self, stream: httpx.AsyncByteStream | httpx.SyncByteStream, done: Callable[[], None]) -> None:
        if not isinstance(stream, httpx.AsyncByteStream):
            raise TypeError(f"an async body was expected, not {type(stream).__name__}")
        self._stream = stream
        self._done: Callable[[], None] | None = done

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk

    async def aclose(self) -> None:
        done, self._done = self._done, None
        try:
            await self._stream.aclose()
        finally:
            if done is not None:
                done()


async def _read(response: httpx.Response) -> None:
    try:
        await response.aread()
    except BaseException:
        with anyio.CancelScope(shield=True):
            await response.aclose()
        raise


def _wake(lane: _Lane) -> None:
    free = int(lane.pace.limit) - lane.pace.in_flight
    while free > 0 and lane.waiting:
        lane.waiting.popleft().set()
        free -= 1
