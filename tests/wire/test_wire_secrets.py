"""The key goes to its own server and nowhere else: no other origin, no redirect, no log, no repr, no traceback."""

from __future__ import annotations

import base64
import logging
import secrets
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from wire_servers import KEY, VIEWER, answer, header, scripted, served

from runframe.errors import Error
from runframe.wire import Limits, Session
from runframe.wire.exchange import Exchange
from runframe.wire.http import Timeouts, httpx, origin_of
from runframe.wire.transport import Credentials, Patient

Open = Callable[..., Session]
TOKEN = base64.b64encode(f"api:{KEY}".encode()).decode()


class Watch:
    """Notes what each request brought along."""

    def __init__(self, location: str | None = None) -> None:
        self.location = location
        self.seen: list[dict[str, str]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.seen.append({name.decode(): value.decode() for name, value in scope["headers"]})
        if self.location:
            return await answer(send, b"", 302, location=self.location)
        await answer(send, b'{"data": {}}')


def test_the_key_goes_to_its_own_server(open_session: Open) -> None:
    own = Watch()
    with served(own) as url:
        session = open_session(url)
        session.execute(VIEWER)
        session.read(f"{url}/file")
        session.upload("/file", b"x")
    assert [headers["authorization"] for headers in own.seen] == [f"Basic {TOKEN}"] * 3


def test_it_does_not_go_to_another_origin(open_session: Open, tmp_path: Path) -> None:
    other = Watch()
    with served(Watch()) as own, served(other) as store:
        session = open_session(own, headers={"X-Proxy-Token": "hidden"})
        session.read(f"{store}/file?X-Signature=abc")
        session.download(f"{store}/file?X-Signature=abc", tmp_path / "file")
        session.upload(f"{store}/file?X-Signature=abc", b"x")
    assert len(other.seen) == 3
    assert not any({"authorization", "x-proxy-token"} & set(headers) for headers in other.seen)


def test_it_does_not_follow_a_redirect_to_another_origin(open_session: Open, tmp_path: Path) -> None:
    other = Watch()
    with served(other) as store, served(Watch(f"{store}/file")) as own:
        session = open_session(own)
        session.read("/file")
        session.download("/file", tmp_path / "file")
        session.upload("/file", b"x", ["Authorization: Bearer hidden", "X-One: 1"])
    assert len(other.seen) == 3
    assert not any("authorization" in headers for headers in other.seen)
    assert other.seen[2]["x-one"] == "1"


def test_it_does_not_come_back_with_a_redirect_from_another_origin(open_session: Open) -> None:
    own = Watch()
    with served(own) as url, served(Watch(f"{url}/file")) as store:
        open_session(url).read(f"{store}/file")
    assert len(own.seen) == 1
    assert "authorization" not in own.seen[0]


def test_it_stays_with_a_redirect_on_its_own_server(open_session: Open) -> None:
    seen: list[str | None] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(header(scope, "authorization"))
        if scope["path"] == "/old":
            return await answer(send, b"", 301, location="/new")
        await answer(send, b"content")

    with served(app) as url:
        assert open_session(url).read("/old") == b"content"
    assert seen == [f"Basic {TOKEN}"] * 2


def test_a_download_that_is_resumed_after_a_redirect_sends_the_key_to_its_own_server_again(
    open_session: Open, tmp_path: Path
) -> None:
    def breaks(connection: Any, request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")

    def rest(connection: Any, request: bytes) -> None:
        head = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\n"
        connection.sendall(head + b"world")

    with scripted(breaks, rest) as store:
        own = Watch(f"{store}/file")
        with served(own) as url:
            assert open_session(url).download("/file", tmp_path / "file").read_bytes() == b"helloworld"
    assert [headers.get("authorization") for headers in own.seen] == [f"Basic {TOKEN}"] * 2


def test_redirects_without_end_are_an_error(open_session: Open) -> None:
    with served(Watch("/again")) as url, pytest.raises(Error, match="redirects without end"):
        open_session(url).read("/file")


def test_it_is_in_no_repr() -> None:
    credentials = Credentials(origin_of(httpx.URL("http://x")), KEY, {"X-Proxy-Token": "hidden"})
    request = httpx.Request("GET", "http://x/")
    credentials.add_to(request)
    for text in (repr(credentials), repr(request), repr(request.headers)):
        assert KEY not in text
        assert TOKEN not in text


def test_it_and_signatures_are_in_no_log_and_no_message(
    open_session: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, {"error": "no"}, 403)

    caplog.set_level(logging.DEBUG)
    signature = secrets.token_hex(8)
    with served(refuse) as url:
        session = open_session(url)
        signed = f"{url}/file?X={signature}"
        for act in (
            lambda: session.execute(VIEWER),
            lambda: session.read(signed),
            lambda: session.download(signed, tmp_path / "file"),
        ):
            with pytest.raises(Error) as caught:
                act()
            text = "".join(traceback.format_exception(caught.value))
            assert not any(word in text for word in (KEY, TOKEN, signature))
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    assert not any(word in line for line in ours for word in (KEY, TOKEN, signature))


def shown_with_variables(error: BaseException) -> str:
    """A traceback as rich and Jupyter extensions print it: with the variables of every frame."""
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


def breaks(connection: Any, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")


def test_it_is_in_no_traceback_that_shows_variables(open_session: Open, tmp_path: Path) -> None:
    quick = Limits(soft_deadline=0.05, first_wait=0.01)
    with scripted(breaks) as url:
        session = open_session(url, limits=quick, headers={"X-Proxy-Token": "hid" + "den"})
        for act in (
            lambda: session.execute(VIEWER),
            lambda: session.read("/file"),
            lambda: session.download("/file", tmp_path / "file"),
        ):
            with pytest.raises(Error) as caught:
                act()
            text = shown_with_variables(caught.value)
            assert "broke off" in text
            assert not any(word in text for word in (KEY, TOKEN, "hidden"))


def test_it_is_in_no_traceback_of_a_store_that_does_not_open(open_session: Open) -> None:
    session = Session("local:x", api_key=KEY, user_agent="test", open_app=lambda: [][1])
    with session, pytest.raises(IndexError) as caught:
        session.execute(VIEWER)
    assert KEY not in shown_with_variables(caught.value)


class Failing(httpx.AsyncBaseTransport):
    """Fails with the key among its variables, as the libraries below do when a request cannot be written."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        written = dict(request.headers)
        raise httpx.WriteError(f"{len(written)} headers were not written")


def test_it_is_in_no_frame_of_the_libraries_below() -> None:
    credentials = Credentials(origin_of(httpx.URL("http://x")), KEY)
    limits = Limits(soft_deadline=0.05, first_wait=0.01)
    exchange = Exchange(Patient(Failing(), limits, credentials), "http://x", Timeouts.of(1, limits), "test")

    async def main() -> None:
        await exchange.whole("GET", "/file")

    with pytest.raises(Error) as caught:
        anyio.run(main)
    text = shown_with_variables(caught.value)
    assert "headers were not written" in text
    assert TOKEN not in text
