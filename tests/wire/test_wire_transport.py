"""Retry and pace around a transport: scripted answers, a clock that only moves when somebody sleeps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pytest

from runframe.wire.http import Limits, httpx, origin_of
from runframe.wire.transport import CALL, Call, Credentials, Patient

OWN = "http://wandb.example"


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await anyio.sleep(0)


class Scripted(httpx.AsyncBaseTransport):
    """Gives each request the next answer; the last one repeats."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = answers
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


class Run:
    """One request through a patient transport, and what was seen of it."""

    def __init__(self, *answers: httpx.Response | Exception, **call: Any) -> None:
        self.clock, self.inner, self.call = Clock(), Scripted(*answers), Call(**call)
        credentials = Credentials(origin_of(httpx.URL(OWN)), "a" * 40)
        self.patient = Patient(
            self.inner, Limits(), credentials, clock=self.clock, sleep=self.clock.sleep, wall=self.clock
        )

    def send(self, url: str = OWN + "/graphql") -> httpx.Response:
        async def main() -> httpx.Response:
            response = await self.patient.handle_async_request(
                httpx.Request("POST", url, content=b"{}", extensions={CALL: self.call})
            )
            await response.aread()
            return response

        return anyio.run(main)


def answered(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_a_good_answer_is_handed_on_at_once() -> None:
    run = Run(answered(200))
    assert run.send().status_code == 200
    assert (run.clock.slept, run.call.attempts) == ([], 1)


def test_a_busy_server_is_asked_again_until_it_answers() -> None:
    run = Run(answered(503), answered(502), answered(200))
    assert run.send().status_code == 200
    assert run.call.attempts == 3


def test_the_last_answer_of_a_server_that_stays_busy_is_handed_on_after_the_deadline() -> None:
    run = Run(answered(503))
    assert run.send().status_code == 503
    assert run.clock.now == pytest.approx(60, abs=0.01)
    assert run.call.seconds == pytest.approx(60, abs=0.01)


def test_retry_after_is_obeyed() -> None:
    run = Run(answered(429, retry_after="7"), answered(200))
    run.send()
    assert run.clock.slept == [7.0]


def test_a_broken_connection_is_made_again() -> None:
    run = Run(httpx.RemoteProtocolError("gone"), httpx.ReadError("reset"), answered(200))
    assert run.send().status_code == 200


def test_a_connection_that_stays_refused_fails_after_two_seconds() -> None:
    run = Run(httpx.ConnectError("refused"))
    with pytest.raises(httpx.ConnectError):
        run.send()
    assert run.clock.now == pytest.approx(2)


def test_a_server_that_is_restarting_is_waited_for() -> None:
    run = Run(answered(200), *[httpx.ConnectError("refused")] * 5, answered(200))
    run.send()
    assert run.send().status_code == 200


def test_a_timeout_is_final_where_the_caller_wants_that() -> None:
    run = Run(httpx.ReadTimeout("slow"), answered(200), retry_timeouts=False)
    with pytest.raises(httpx.ReadTimeout):
        run.send()


def test_a_quota_that_is_used_up_holds_the_next_request() -> None:
    run = Run(answered(200, ratelimit_remaining="0", ratelimit_reset="5"), answered(200))
    run.send()
    assert run.clock.slept == []
    run.send()
    assert run.clock.slept == [5.0]


def test_a_body_is_sent_anew_with_each_attempt() -> None:
    run = Run(answered(503), answered(200))
    run.send()
    assert [request.content for request in run.inner.requests] == [b"{}", b"{}"]


class Gate(httpx.AsyncBaseTransport):
    """Answers when it is opened, and counts what waits there."""

    def __init__(self) -> None:
        self.open = anyio.Event()
        self.waiting = self.most = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await self.open.wait()
        self.waiting -= 1
        return httpx.Response(200, stream=Empty())


class Empty(httpx.AsyncByteStream):
    """A body without bytes that is still to be read."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in ():
            yield chunk


def run_gated(body: Callable[[Patient, Gate], Any], limits: Limits) -> None:
    async def main() -> None:
        gate = Gate()
        await body(Patient(gate, limits, Credentials(origin_of(httpx.URL(OWN)), None)), gate)

    anyio.run(main)


async def settle() -> None:
    for _ in range(20):
        await anyio.sleep(0)


def test_no_more_requests_are_in_flight_than_allowed() -> None:
    async def body(patient: Patient, gate: Gate) -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(9):
                tasks.start_soon(patient.handle_async_request, httpx.Request("GET", OWN))
            await settle()
            assert gate.waiting == 3
            gate.open.set()
        assert gate.most >= 3

    run_gated(body, Limits(first_concurrency=3))


def test_origins_do_not_wait_for_each_other() -> None:
    async def body(patient: Patient, gate: Gate) -> None:
        async with anyio.create_task_group() as tasks:
            for url in (OWN, "http://store.example"):
                for _ in range(2):
                    tasks.start_soon(patient.handle_async_request, httpx.Request("GET", url))
            await settle()
            assert gate.waiting == 2
            gate.open.set()

    run_gated(body, Limits(first_concurrency=1))


def test_a_request_that_is_cancelled_while_it_waits_does_not_lose_a_turn() -> None:
    async def body(patient: Patient, gate: Gate) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(patient.handle_async_request, httpx.Request("GET", OWN))
            await settle()
            with anyio.move_on_after(0.01):
                await patient.handle_async_request(httpx.Request("GET", OWN))
            gate.open.set()
        await patient.handle_async_request(httpx.Request("GET", OWN))

    run_gated(body, Limits(first_concurrency=1))


def test_the_turn_of_a_request_that_was_cancelled_goes_to_the_next() -> None:
    async def body(patient: Patient, gate: Gate) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(patient.handle_async_request, httpx.Request("GET", OWN))
            await settle()
            async with anyio.create_task_group() as impatient:
                impatient.start_soon(patient.handle_async_request, httpx.Request("GET", OWN))
                await settle()
                tasks.start_soon(patient.handle_async_request, httpx.Request("GET", OWN))
                await settle()
                impatient.cancel_scope.cancel()
            gate.open.set()
            tasks.cancel_scope.deadline = anyio.current_time() + 2
        assert not tasks.cancel_scope.cancelled_caught

    run_gated(body, Limits(first_concurrency=1, concurrency=1))


def test_a_stream_keeps_its_turn_until_it_is_closed() -> None:
    async def body(patient: Patient, gate: Gate) -> None:
        gate.open.set()
        request = httpx.Request("GET", OWN, extensions={CALL: Call(whole=False)})
        response = await patient.handle_async_request(request)
        with anyio.move_on_after(0.01) as scope:
            await patient.handle_async_request(httpx.Request("GET", OWN))
        assert scope.cancelled_caught
        await response.aclose()
        await response.aclose()
        await patient.handle_async_request(httpx.Request("GET", OWN))

    run_gated(body, Limits(first_concurrency=1, concurrency=1))


def test_an_answer_that_only_trickles_is_ended_at_the_hard_deadline() -> None:
    async def body(patient: Patient, gate: Gate) -> None:
        with pytest.raises(httpx.ReadTimeout, match=r"0\.05 s"):
            await patient.handle_async_request(httpx.Request("GET", OWN, extensions={CALL: Call(bounded=True)}))

    run_gated(body, Limits(soft_deadline=0.01, hard_deadline=0.05))
