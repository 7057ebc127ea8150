"""Documents are executed, and every kind of answer has its error, with the server's own words."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from wire_servers import KEY, VIEWER, answer, free_port, header, read_body, scripted, served

from runframe.errors import AuthenticationError, NotFoundError, ServerError, TransportError, UsageError
from runframe.wire import Document, Limits, Session

Open = Callable[..., Session]


def giving(body: bytes | dict[str, Any], status: int = 200, **headers: str) -> Any:
    """An app that gives every request the same answer."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await answer(send, body, status, **headers)

    return app


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with what was asked."""
    if scope["type"] == "http":
        asked = json.loads(await read_body(receive))
        headers = {key.decode(): value.decode() for key, value in scope["headers"]}
        await answer(send, {"data": {"asked": asked, "headers": headers, "path": scope["path"]}})


def test_a_document_is_sent_as_it_was_written_with_its_variables(open_session: Open) -> None:
    text = "query  Runs($n: Int) {\n  runs(first: $n) { id }\n}"
    asked = open_session(echo).execute(Document(text), {"n": 3})["asked"]
    assert asked == {"operationName": "Runs", "query": text, "variables": {"n": 3}}


def test_requests_say_who_asks_and_go_below_the_base_url(open_session: Open) -> None:
    with served(echo) as url:
        data = open_session(f"{url}/prefix/").execute(VIEWER)
    assert data["path"] == "/prefix/graphql"
    assert data["headers"]["user-agent"] == "W&B Public Client test"
    assert data["headers"]["use-admin-privileges"] == "true"
    assert data["headers"]["authorization"].startswith("Basic ")


def test_variables_without_a_json_form_are_refused(open_session: Open) -> None:
    session = open_session(echo)
    for value in (float("nan"), object()):
        with pytest.raises(UsageError, match="the variables of Viewer"):
            session.execute(VIEWER, {"x": value})


def test_integers_of_any_size_and_nan_in_an_answer_are_kept(open_session: Open) -> None:
    session = open_session(giving(b'{"data": {"nan": NaN, "big": 123456789012345678901234567890}}'))
    data = session.execute(VIEWER)
    assert data["nan"] != data["nan"]
    assert data["big"] == 123456789012345678901234567890


def test_errors_in_an_answer_are_errors_even_beside_data(open_session: Open) -> None:
    body = {"data": {"viewer": {}}, "errors": [{"message": "project not found", "path": ["project"]}]}
    with pytest.raises(ServerError, match=r"^project not found$") as caught:
        open_session(giving(body)).execute(VIEWER)
    assert caught.value.status == 200


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, ServerError), (401, AuthenticationError), (403, ServerError), (404, NotFoundError), (409, ServerError)],
)
def test_a_refusal_is_told_in_the_servers_words_at_once(open_session: Open, status: int, kind: type[Exception]) -> None:
    session = open_session(giving({"errors": [{"message": "no operation Frob"}]}, status))
    with pytest.raises(kind, match="no operation Frob"):
        session.execute(VIEWER)


def test_a_server_that_stays_broken_is_told_in_its_words_after_the_deadline(open_session: Open) -> None:
    with pytest.raises(ServerError, match="the database is away") as caught:
        open_session(giving({"error": "the database is away"}, 503)).execute(VIEWER)
    assert caught.value.status == 503


def test_something_that_is_not_graphql_is_no_answer(open_session: Open) -> None:
    session = open_session(giving(b"<html>Welcome</html>", content_type="text/html"))
    with pytest.raises(ServerError, match=r"not GraphQL.*base_url"):
        session.execute(VIEWER)


def test_an_empty_answer_is_none(open_session: Open) -> None:
    with pytest.raises(ServerError, match="not GraphQL"):
        open_session(giving(b"")).execute(VIEWER)


def test_a_server_that_is_down_fails_fast_and_is_named(open_session: Open) -> None:
    port = free_port()
    began = time.monotonic()
    with pytest.raises(TransportError, match=f"127.0.0.1:{port} cannot be reached: connection refused"):
        open_session(f"http://127.0.0.1:{port}", limits=Limits()).execute(VIEWER)
    assert 1.5 < time.monotonic() - began < 4


def test_a_server_that_never_answers_times_out(open_session: Open) -> None:
    with scripted(lambda connection, request: time.sleep(0.5)) as url:
        session = open_session(url, timeout=0.1, limits=Limits(soft_deadline=0.2, first_wait=0.01))
        with pytest.raises(TransportError, match="did not answer within the time allowed"):
            session.execute(VIEWER)


def good(connection: socket.socket, request: bytes) -> None:
    body = b'{"data": {"viewer": {"id": "1"}}}'
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def truncated(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"data": ')


def reset(connection: socket.socket, request: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def nonsense(connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HELLO?\r\n\r\n")


@pytest.mark.parametrize("trouble", [truncated, reset, nonsense])
def test_a_broken_answer_is_asked_for_again(open_session: Open, trouble: Any) -> None:
    with scripted(trouble, trouble, good) as url:
        assert open_session(url).execute(VIEWER) == {"viewer": {"id": "1"}}


@pytest.mark.parametrize("trouble", [truncated, reset, nonsense])
def test_an_answer_that_stays_broken_names_the_server(open_session: Open, trouble: Any) -> None:
    with scripted(trouble) as url:
        session = open_session(url, limits=Limits(soft_deadline=0.1, first_wait=0.01))
        with pytest.raises(TransportError, match=url):
            session.execute(VIEWER)


def test_retry_after_is_waited_for(open_session: Open) -> None:
    times: list[float] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            times.append(time.monotonic())
            if len(times) == 1:
                await answer(send, {"error": "slow down"}, 429, retry_after="0.3")
            else:
                await answer(send, {"data": {}})

    open_session(app).execute(VIEWER)
    assert times[1] - times[0] >= 0.3


def test_a_redirect_of_a_query_is_not_followed_but_told(open_session: Open) -> None:
    seen: list[str | None] = []

    async def other(scope: Any, receive: Any, send: Any) -> None:
        seen.append(header(scope, "authorization"))
        await answer(send, {"data": {}})

    with served(other) as there:
        session = open_session(giving(b"", 307, location=f"{there}/graphql"))
        with pytest.raises(ServerError, match=f"redirects to {there}/graphql"):
            session.execute(VIEWER)
    assert seen == []


def test_the_key_is_in_no_error_text(open_session: Open) -> None:
    with pytest.raises(AuthenticationError) as caught:
        open_session(giving({"error": "no"}, 401)).execute(VIEWER)
    assert KEY not in repr(caught.value)
