"""Servers around a store's app: one that knows only W&B's protocol, one that counts, one that refuses."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any


class Watched:
    """An app whose GraphQL requests are looked at before they go on.

    Args:
        app: the store's.
        look: takes operation and variables; gives a status and a body to answer with instead, or None.
        after: takes operation and the answer; gives the answer that goes out.
        began: is called at every request, with its method and path.
    """

    def __init__(
        self,
        app: Any,
        *,
        look: Callable[[str, dict[str, Any]], tuple[int, Any] | None] = lambda operation, variables: None,
        after: Callable[[str, Any], Any] | None = None,
        began: Callable[[str, str], None] = lambda method, path: None,
    ) -> None:
        self.app, self.look, self.after, self.began = app, look, after, began

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.began(scope["method"], scope["path"])
        if scope["path"] != "/graphql":
            await self.app(scope, receive, send)
            return
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        body += message.get("body", b"")
        request = json.loads(body)
        operation = request["operationName"]
        refused = self.look(operation, request.get("variables") or {})
        if refused is not None:
            await _answer(send, *refused)
            return
        given = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def again() -> Any:
            return next(given, {"type": "http.disconnect"})

        if self.after is None:
            await self.app(scope, again, send)
            return
        answered = bytearray()

        async def catch(message: Any) -> None:
            answered.extend(message.get("body", b""))

        await self.app(scope, again, catch)
        await _answer(send, 200, self.after(operation, json.loads(answered)))


async def _answer(send: Any, status: int, value: Any) -> None:
    content = json.dumps(value).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def error(text: str) -> dict[str, Any]:
    """The body of a refusal."""
    return {"errors": [{"message": text}]}


def plain(app: Any) -> Watched:
    """The app of a server that knows W&B's protocol and no more."""

    def look(operation: str, variables: dict[str, Any]) -> tuple[int, Any] | None:
        return (400, error(f"no operation {operation}")) if operation.startswith("Replay") else None

    def after(operation: str, answer: Any) -> Any:
        if operation == "ServerFeatures":
            info = answer["data"]["serverInfo"]
            info["features"] = [each for each in info["features"] if each["name"] != "RUNFRAME_REPLAY"]
        return answer

    return Watched(app, look=look, after=after)


class Countdown:
    """Sets `reached` when so many requests have begun."""

    def __init__(self, requests: int) -> None:
        self.left = requests
        self.reached = threading.Event()

    def __call__(self, method: str, path: str) -> None:
        self.left -= 1
        if self.left <= 0:
            self.reached.set()
