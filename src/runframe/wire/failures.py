"""Every way in which a request fails, as an error of ours.

The table names each exception of httpx and of gql; a test walks both libraries and fails where a name is missing. An
error says which server it is about, what was the matter in the server's own words where it said any, and what to do.
No text of a URL's query and no header gets into a message.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
from collections.abc import Iterator, Sequence
from typing import Any

from gql.transport import exceptions as gql

from runframe.errors import AuthenticationError, CommError, NotFoundError, ServerError, TransportError

from .http import httpx, origin_of, shown
from .retry import Kind

__all__ = ["bare", "error_of_answer", "error_of_exception", "error_of_query", "kind_of", "server_text"]

# What each exception of httpx says about an attempt, and how a person reads it.
HTTPX: dict[str, tuple[Kind, str]] = {
    "ConnectError": (Kind.UNREACHABLE, "cannot be reached"),
    "ConnectTimeout": (Kind.UNREACHABLE, "cannot be reached: no connection within the time allowed"),
    "ProxyError": (Kind.UNREACHABLE, "cannot be reached through the proxy"),
    "ReadTimeout": (Kind.TIMEOUT, "did not answer within the time allowed"),
    "WriteTimeout": (Kind.TIMEOUT, "did not take the request within the time allowed"),
    "PoolTimeout": (Kind.TIMEOUT, "had no free connection within the time allowed"),
    "TimeoutException": (Kind.TIMEOUT, "did not answer within the time allowed"),
    "ReadError": (Kind.BROKEN, "broke off the connection while answering"),
    "WriteError": (Kind.BROKEN, "broke off the connection while the request was sent"),
    "CloseError": (Kind.BROKEN, "broke off the connection"),
    "NetworkError": (Kind.BROKEN, "broke off the connection"),
    "RemoteProtocolError": (Kind.BROKEN, "broke off or garbled its answer"),
    "ProtocolError": (Kind.BROKEN, "broke the HTTP protocol"),
    "TransportError": (Kind.BROKEN, "gave no answer"),
    "LocalProtocolError": (Kind.HOPELESS, "could not be sent the request, which breaks the HTTP protocol"),
    "UnsupportedProtocol": (Kind.HOPELESS, "has a URL that is neither http:// nor https://"),
    "InvalidURL": (Kind.HOPELESS, "has a malformed URL"),
    "DecodingError": (Kind.HOPELESS, "sent an answer whose compression is broken"),
    "TooManyRedirects": (Kind.HOPELESS, "redirects without end"),
    "HTTPStatusError": (Kind.HOPELESS, "answered with an error"),
    "HTTPError": (Kind.HOPELESS, "gave no usable answer"),
    "RequestError": (Kind.HOPELESS, "gave no usable answer"),
    "CookieConflict": (Kind.HOPELESS, "sent conflicting cookies"),
    "StreamError": (Kind.HOPELESS, "had its answer read in the wrong order"),
    "StreamConsumed": (Kind.HOPELESS, "had its answer read twice"),
    "StreamClosed": (Kind.HOPELESS, "had its answer read after it was closed"),
    "ResponseNotRead": (Kind.HOPELESS, "had its answer used before it was read"),
    "RequestNotRead": (Kind.HOPELESS, "had a request used before it was read"),
}

# The same for gql; errors inside an answer have their own function, `error_of_query`.
GQL: dict[str, str] = {
    "TransportQueryError": "answered the query with errors",
    "TransportServerError": "answered with an error",
    "TransportProtocolError": "answered with something that is not GraphQL",
    "TransportClosed": "is no longer connected: the session was closed",
    "TransportAlreadyConnected": "is connected already",
    "TransportConnectionFailed": "broke off the connection",
    "TransportError": "gave no usable answer",
}

_REDIRECT = range(300, 400)
_TEXT_LIMIT = 600


def kind_of(error: Exception) -> Kind:
    """What an exception of httpx says about an attempt."""
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
        return Kind.HOPELESS
    return HTTPX.get(type(error).__name__, (Kind.HOPELESS, ""))[0]


def bare(error: Exception) -> Exception:
    """The exception without the frames of the libraries below, whose variables hold headers, the key's among them."""
    for cause in _causes(error):
        cause.__traceback__ = None
    return error


def error_of_exception(
    error: Exception, url: httpx.URL | str, *, attempts: int = 1, seconds: float = 0.0, path: str | None = None
) -> CommError:
    """The error of ours for an exception of httpx or gql while `url` was asked."""
    if isinstance(error, gql.TransportQueryError):
        return error_of_query(error, path=path)
    name = type(error).__name__
    phrase = GQL.get(name, "gave no usable answer") if isinstance(error, gql.TransportError) else HTTPX[name][1]
    reason = _reason(error)
    tried = f" ({attempts} attempts in {seconds:.1f} s)" if attempts > 1 else ""
    message = f"{_server(url)} {phrase}{f': {reason}' if reason else ''}{tried}"
    if kind_of(error) is Kind.UNREACHABLE:
        message += ". Is the server running, and is base_url (WANDB_BASE_URL) right?"
    if isinstance(error, gql.TransportServerError) and error.code is not None:
        return ServerError(message, error, status=error.code, path=path)
    return TransportError(message, error, path=path)


def error_of_query(error: gql.TransportQueryError, *, path: str | None = None) -> ServerError:
    """The error for errors inside a GraphQL answer; its text is the server's own."""
    texts = [_message(item) for item in error.errors or [str(error)]]
    return ServerError("; ".join(filter(None, texts)) or "the server reported an error", error, path=path)


def error_of_answer(response: httpx.Response, *, attempts: int = 1, path: str | None = None) -> CommError:
    """The error that an HTTP status stands for; the body must have been read."""
    status, url = response.status_code, response.request.url
    text = server_text(response)
    where = _server(url)
    if status == 401:
        did = "refused the API key" if "authorization" in response.request.headers else "asks for an API key"
        said = f"HTTP 401: {text}" if text else "HTTP 401"
        return AuthenticationError(
            f"{where} {did} ({said}). Check WANDB_API_KEY, or the server's entry in netrc", status=401, path=path
        )
    if status in _REDIRECT:
        target = response.headers.get("location")
        moved = shown(url.join(target)) if target else "nowhere"
        return ServerError(
            f"{where} redirects to {moved} (HTTP {status}), where the API key is not sent; "
            "set base_url (WANDB_BASE_URL) to the server's own address",
            status=status,
            path=path,
        )
    tried = f" ({attempts} attempts)" if attempts > 1 else ""
    if status == 404:
        return NotFoundError(text or f"{shown(url)} does not exist (HTTP 404)", status=404, path=path)
    if not text:
        return ServerError(f"{where} answered HTTP {status} {response.reason_phrase}{tried}", status=status, path=path)
    return ServerError(f"{where} answered HTTP {status}: {text}{tried}", status=status, path=path)


def server_text(response: httpx.Response) -> str:
    """What the server says in an error's body: `errors`, `error` or text; empty where it is a web page or nothing."""
    try:
        body = json.loads(response.content)
    except ValueError:
        if "html" in response.headers.get("content-type", "") or response.content.lstrip()[:1] == b"<":
            return ""
        return _cut(response.text.strip())
    if not isinstance(body, dict):
        return _cut(str(body)) if body else ""
    found = body.get("errors") or body.get("error") or body.get("message") or body.get("detail")
    items: Sequence[Any] = found if isinstance(found, list) else [found] if found else []
    return _cut("; ".join(filter(None, map(_message, items))))


def _message(item: object) -> str:
    if isinstance(item, dict):
        return str(item.get("message") or item)
    return str(item)


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_LIMIT else f"{text[:_TEXT_LIMIT]}… ({len(text)} characters)"


def _server(url: httpx.URL | str) -> str:
    try:
        return str(origin_of(httpx.URL(url)))
    except (httpx.InvalidURL, TypeError):
        return "the server"


def _reason(error: BaseException) -> str:
    """The operating system's reason where there is one, else the exception's own text."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate was refused ({cause.verify_message})"
        if isinstance(cause, socket.gaierror):
            return "its name is not known"
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno).lower()
    return str(error)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and everything that led to it."""
    found: list[BaseException] = [error]
    seen: set[int] = set()
    while found:
        cause = found.pop()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        found += cause.exceptions if isinstance(cause, BaseExceptionGroup) else ()
        found += [next_one for next_one in (cause.__context__, cause.__cause__) if next_one is not None]
