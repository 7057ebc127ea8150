"""The in-process transport streams, waits for its reader, and ends what nobody reads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest
from wire_servers import answer, read_body

from runframe.wire.asgi import StreamingASGI
from runframe.wire.http import httpx


def run(app: Any, body: Callable[[StreamingASGI], Awaitable[None]]) -> None:
    async def main() -> None:
        async with StreamingASGI(app) as transport:
            await body(transport)

    anyio.run(main)


def get(path: str = "/", timeout: float = 2.0, **options: Any) -> httpx.Request:
    return httpx.Request("GET", f"http://local.invalid{path}", extensions={"timeout": {"read": timeout}}, **options)


async def start(send: Any, status: int = 200) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"x-one", b"1")]})


async def chunk(send: Any, body: bytes, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


def test_chunks_arrive_as_they_are_sent() -> None:
    sent: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await start(send)
            for number in range(100):
                await chunk(send, b"x" * 1000, number < 99)
                sent.append(number)

    async def body(transport: StreamingASGI) -> None:
        response = await transport.handle_async_request(get())
        parts = response.aiter_raw()
        assert len(await anext(parts)) == 1000
        assert len(sent) <= 2, "the app ran ahead of its reader"
        assert sum([len(part) async for part in parts]) == 1000 * 99
        await response.aclose()

    run(app, body)


def test_an_answer_that_is_closed_early_cancels_the_app() -> None:
    ended = anyio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        try:
            await start(send)
            while True:
                await chunk(send, b"x")
        finally:
            ended.set()

    async def body(transport: StreamingASGI) -> None:
        response = await transport.handle_async_request(get())
        await response.aclose()
        with anyio.fail_after(1):
            await ended.wait()

    run(app, body)


def test_an_app_that_has_answered_may_go_on() -> None:
    done: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await answer(send, b"ok")
            assert (await receive())["type"] in ("http.request", "http.disconnect")
            await anyio.sleep(0.01)
            done.append("afterwards")

    async def body(transport: StreamingASGI) -> None:
        response = await transport.handle_async_request(get())
        assert await response.aread() == b"ok"

    run(app, body)
    assert done == ["afterwards"]


def test_the_request_reaches_the_app_whole() -> None:
    seen: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            seen.update(scope, body=await read_body(receive))
            await answer(send, b"")

    async def body(transport: StreamingASGI) -> None:
        request = httpx.Request("POST", "http://local.invalid/a%20b?c=d%26", content=b"x" * 10, headers={"X-Two": "2"})
        await (await transport.handle_async_request(request)).aread()

    run(app, body)
    assert (seen["method"], seen["path"], seen["raw_path"]) == ("POST", "/a b", b"/a%20b")
    assert (seen["query_string"], seen["body"]) == (b"c=d%26", b"x" * 10)
    assert (b"x-two", b"2") in seen["headers"]


def test_lifespan_runs_once_and_its_state_reaches_requests() -> None:
    events: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for _ in range(2):
                event = (await receive())["type"]
                events.append(event)
                scope["state"]["store"] = "open"
                await send({"type": f"{event}.complete"})
        else:
            await answer(send, scope["state"]["store"].encode())

    async def body(transport: StreamingASGI) -> None:
        for _ in range(3):
            assert await (await transport.handle_async_request(get())).aread() == b"open"

    run(app, body)
    assert events == ["lifespan.startup", "lifespan.shutdown"]


def test_an_app_without_lifespan_is_served() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await answer(send, b"ok")

    async def body(transport: StreamingASGI) -> None:
        assert await (await transport.handle_async_request(get())).aread() == b"ok"

    run(app, body)


def test_an_app_that_fails_to_start_says_why() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "the disk is full"})

    async def body(transport: StreamingASGI) -> None:
        raise AssertionError("it started")

    with pytest.raises(RuntimeError, match="the disk is full"):
        run(app, body)


def test_a_failure_before_the_answer_is_a_500() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("a mistake")

    async def body(transport: StreamingASGI) -> None:
        response = await transport.handle_async_request(get())
        assert response.status_code == 500
        assert b"a mistake" in await response.aread()

    run(app, body)


def test_a_failure_within_the_answer_breaks_it_off() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await start(send)
            await chunk(send, b"half")
            raise ValueError("a mistake")

    async def body(transport: StreamingASGI) -> None:
        response = await transport.handle_async_request(get())
        with pytest.raises(httpx.ReadError, match="a mistake"):
            await response.aread()

    run(app, body)


def test_an_app_that_ends_without_its_last_chunk_has_broken_off() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await start(send)
            await chunk(send, b"half")

    async def body(transport: StreamingASGI) -> None:
        response = await transport.handle_async_request(get())
        with pytest.raises(httpx.RemoteProtocolError):
            await response.aread()

    run(app, body)


def test_a_slow_app_runs_into_the_read_timeout() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await anyio.sleep(30)

    async def body(transport: StreamingASGI) -> None:
        with pytest.raises(httpx.ReadTimeout):
            await transport.handle_async_request(get(timeout=0.02))

    run(app, body)


def test_a_head_request_has_no_body() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await answer(send, b"content")

    async def body(transport: StreamingASGI) -> None:
        response = await transport.handle_async_request(httpx.Request("HEAD", "http://local.invalid/"))
        assert (await response.aread(), response.headers["content-length"]) == (b"", "7")

    run(app, body)
