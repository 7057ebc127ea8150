"""Answers: strict JSON, and the one shape that every error has."""

from __future__ import annotations

import functools
import json
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from runframe.server.errors import Refusal

Endpoint = Callable[[Request], Awaitable[Response]]

_log = logging.getLogger("runframe.server")


class JSONAnswer(Response):
    """Strict JSON."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The bytes of a value; integers beyond 64 bits keep all their digits."""
        try:
            return orjson.dumps(content)
        except TypeError:
            return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def failure(message: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """An error: ``{"errors": [{"message": …}]}``."""
    if status == 401:
        headers = {"WWW-Authenticate": 'Basic realm="runframe"', **(headers or {})}
    return JSONAnswer({"errors": [{"message": message}]}, status, dict(headers or {}))


def answering(endpoint: Endpoint) -> Endpoint:
    """An endpoint whose every exception becomes an answer."""

    @functools.wraps(endpoint)
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Exception as error:
            return failed(request, error)

    return answer


def failed(request: Request, error: Exception) -> Response:
    """The answer to a request that raised."""
    where = f"{request.method} {request.url.path}"
    if isinstance(error, Refusal):
        return failure(error.message, error.status, error.headers)
    if isinstance(error, HTTPException):
        return failure(f"{error.detail}: {where}", error.status_code, error.headers)
    if isinstance(error, ClientDisconnect):
        return failure("The request broke off.", 400)
    if isinstance(error, sqlite3.OperationalError):
        _log.error("The store cannot answer %s", where, exc_info=error)
        return failure(f"The store cannot answer now: {error}.", 503, {"Retry-After": "2"})
    _log.error("%s failed", where, exc_info=error)
    return failure(f"The server failed: {type(error).__name__}: {error}", 500)


async def unrouted(request: Request, error: Exception) -> Response:
    """The answer where there is no such path, or it does not take this method."""
    return failed(request, error)
