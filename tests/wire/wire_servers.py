"""Servers for the wire's tests: ASGI apps in this process, uvicorn where sockets matter, and bare sockets that lie."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from runframe.wire import Document, Limits

KEY = "0123456789abcdef0123456789abcdef01234567"
VIEWER = Document("query Viewer { viewer { id } }")

# Waits short enough for tests; the deadlines themselves are tested with a clock of their own.
QUICK = Limits(
    soft_deadline=1.0,
    hard_deadline=5.0,
    unreachable_deadline=0.2,
    restart_deadline=1.0,
    first_wait=0.01,
    longest_wait=0.05,
)


async def answer(send: Any, body: bytes | dict[str, Any], status: int = 200, **headers: str) -> None:
    """Send a whole ASGI answer; header names are written with underscores."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    pairs.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": content})


async def read_body(receive: Any) -> bytes:
    """The whole body of an ASGI request."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def header(scope: Any, name: str) -> str | None:
    """A request header in an ASGI scope."""
    return next((value.decode() for key, value in scope["headers"] if key == name.encode()), None)


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The base URL of an ASGI app behind a real socket."""
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    )
    bound = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        bound.close()


@contextmanager
def scripted(*scripts: Callable[[socket.socket, bytes], None]) -> Iterator[str]:
    """A bare socket server: connection n is read to the end of its headers and handed to script n; the last repeats."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    stop = threading.Event()

    def run() -> None:
        count = 0
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(2)
                request = b""
                while b"\r\n\r\n" not in request and (chunk := connection.recv(65536)):
                    request += chunk
                scripts[min(count, len(scripts) - 1)](connection, request)
                count += 1

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        thread.join(5)
        listener.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
