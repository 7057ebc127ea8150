"""Every exception of the libraries below has its error here, by enumeration."""

from __future__ import annotations

import errno
import inspect
import socket
import ssl
from types import ModuleType

import pytest
from gql.transport import exceptions as gql

from runframe.errors import AuthenticationError, CommError, NotFoundError, ServerError, TransportError
from runframe.wire import failures
from runframe.wire.failures import error_of_answer, error_of_exception, error_of_query, kind_of, server_text
from runframe.wire.http import httpx
from runframe.wire.retry import Kind


def exceptions_of(module: ModuleType) -> set[str]:
    return {name for name, found in vars(module).items() if inspect.isclass(found) and issubclass(found, Exception)}


def made(name: str) -> Exception:
    """An exception of httpx with a text of its own."""
    made_with = {
        "HTTPStatusError": {"request": httpx.Request("GET", "http://x"), "response": httpx.Response(500)},
        "StreamConsumed": None,
        "StreamClosed": None,
        "ResponseNotRead": None,
        "RequestNotRead": None,
    }
    options = made_with.get(name, {})
    kind = getattr(httpx, name)
    found: Exception = kind() if options is None else kind("the reason", **options)
    return found


def response(status: int, body: bytes = b"", **headers: str) -> httpx.Response:
    request = httpx.Request(
        "GET", "https://wandb.example/graphql?sig=hidden", headers={"Authorization": "Basic hidden"}
    )
    return httpx.Response(status, content=body, request=request, headers=headers)


def test_every_exception_of_httpx_is_in_the_table() -> None:
    assert exceptions_of(httpx) == set(failures.HTTPX)


def test_every_exception_of_gqls_transports_is_in_the_table() -> None:
    assert exceptions_of(gql) == set(failures.GQL)


@pytest.mark.parametrize("name", sorted(failures.HTTPX))
def test_an_exception_of_httpx_becomes_an_error_that_names_the_server(name: str) -> None:
    error = error_of_exception(made(name), "https://wandb.example/graphql?sig=hidden")
    assert isinstance(error, TransportError)
    assert "https://wandb.example" in error.message
    assert "hidden" not in error.message


@pytest.mark.parametrize("name", sorted(set(failures.GQL) - {"TransportQueryError"}))
def test_an_exception_of_gql_becomes_an_error_that_names_the_server(name: str) -> None:
    error = error_of_exception(getattr(gql, name)("the reason"), "https://wandb.example/graphql")
    assert isinstance(error, CommError)
    assert "https://wandb.example" in error.message


def test_a_status_that_gql_saw_is_kept() -> None:
    error = error_of_exception(gql.TransportServerError("bad", 503), "https://wandb.example")
    assert isinstance(error, ServerError)
    assert error.status == 503


def test_errors_in_an_answer_keep_the_servers_words() -> None:
    error = error_of_query(gql.TransportQueryError("x", errors=[{"message": "no such run"}, {"message": "really"}]))
    assert (error.message, error.status) == ("no such run; really", 200)


def test_the_operating_systems_reason_is_told() -> None:
    error = httpx.ConnectError("All connection attempts failed")
    error.__cause__ = ExceptionGroup("", [ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed")])
    assert "connection refused" in error_of_exception(error, "http://localhost:1", attempts=4, seconds=2).message


def test_an_unknown_name_is_told() -> None:
    error = httpx.ConnectError("x")
    error.__cause__ = socket.gaierror(-2, "Name or service not known")
    assert "its name is not known" in error_of_exception(error, "http://nowhere").message


def test_a_certificate_that_is_refused_is_not_asked_again() -> None:
    error = httpx.ConnectError("x")
    error.__cause__ = ssl.SSLCertVerificationError(1, "certificate verify failed")
    assert kind_of(error) is Kind.HOPELESS
    assert kind_of(httpx.ConnectError("x")) is Kind.UNREACHABLE


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"errors": [{"message": "a"}, {"message": "b"}]}', "a; b"),
        (b'{"errors": ["a"]}', "a"),
        (b'{"error": "a"}', "a"),
        (b'{"error": {"message": "a"}}', "a"),
        (b'{"message": "a"}', "a"),
        (b"plain words\n", "plain words"),
        (b"<html>Bad gateway</html>", ""),
        (b"", ""),
        (b"{}", ""),
        (b'"words"', "words"),
    ],
)
def test_what_the_server_says_in_an_errors_body(body: bytes, text: str) -> None:
    assert server_text(response(500, body)) == text


def test_a_long_text_is_cut_and_says_so() -> None:
    assert server_text(response(500, b"x" * 5000)).endswith("(5000 characters)")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, AuthenticationError), (404, NotFoundError), (403, ServerError), (400, ServerError), (503, ServerError)],
)
def test_a_status_has_its_error(status: int, kind: type[CommError]) -> None:
    error = error_of_answer(response(status, b'{"error": "the words"}'))
    assert type(error) is kind
    assert "the words" in error.message
    assert "hidden" not in error.message
    assert getattr(error, "status", status) == status


def test_a_refused_key_says_how_to_mend_it() -> None:
    assert "WANDB_API_KEY" in error_of_answer(response(401)).message


def test_a_redirect_that_is_not_followed_says_where_the_server_went() -> None:
    error = error_of_answer(response(301, location="https://new.example/graphql?token=hidden"))
    assert "https://new.example/graphql" in error.message
    assert "base_url" in error.message
    assert "hidden" not in error.message
