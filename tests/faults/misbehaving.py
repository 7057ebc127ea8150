"""A server in front of the embedded one that does what servers and proxies do on bad days."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


class Misbehaving:
    """Passes GraphQL on to an app; now and then it answers something else instead.

    Args:
        app: the app.
        seed: of its moods.
        share: how many of the requests get a fault.
        faults: which ones; all by default.
        page: it gives at most so many runs a page.

    Attributes:
        happened: how often each fault was made.
        requests: how many requests came.
        on_request: called with the number of each request, before it is answered.
    """

    def __init__(
        self, app: Any, seed: int, share: float = 0.3, faults: tuple[str, ...] | None = None, page: int = 5
    ) -> None:
        self.app = app
        self.share = share
        self.page = page
        self.faults = faults or ("busy", "away", "late", "torn", "repeated", "shifted")
        self.happened: Counter[str] = Counter()
        self.requests = 0
        self.on_request: Callable[[int], None] = lambda number: None
        self._moods = random.Random(seed)
        self._last_edges: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != "/graphql":
            await self.app(scope, receive, send)
            return
        body = bytearray()
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        request = json.loads(body)
        self.requests += 1
        self.on_request(self.requests)
        variables = request.get("variables") or {}
        if "perPage" in variables:
            variables["perPage"] = min(variables["perPage"], self.page)
        fault = self._moods.choice(self.faults) if self._moods.random() < self.share else ""
        status, headers, content = await self._ask(scope, json.dumps(request).encode())
        if fault in ("repeated", "shifted"):
            content = self._altered(fault, content)
        self._remember(content)
        self.happened[fault] += 1
        if fault == "busy":
            await self._say(send, 429, b"slow down", [(b"retry-after", b"0")])
        elif fault == "away":
            await self._say(send, 502, b"<html>Bad Gateway</html>", [])
        elif fault == "torn":
            length = (b"content-length", str(len(content)).encode())
            await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
            await send({"type": "http.response.body", "body": content[: len(content) // 2], "more_body": True})
            raise ConnectionAbortedError
        else:
            if fault == "late":
                await asyncio.sleep(1.3)
            await self._say(send, status, content, headers)

    async def _ask(self, scope: Any, body: bytes) -> Answer:
        start: dict[str, Any] = {}
        content = bytearray()

        async def receive() -> Any:
            return {"type": "http.request", "body": body}

        async def send(message: Any) -> None:
            start.update(message if message["type"] == "http.response.start" else {})
            content.extend(message.get("body", b""))

        length = (b"content-length", str(len(body)).encode())
        rest = [each for each in scope["headers"] if each[0] not in (b"content-length", b"accept-encoding")]
        await self.app({**scope, "headers": [*rest, length]}, receive, send)
        return start["status"], [(b"content-type", b"application/json")], bytes(content)

    async def _say(self, send: Any, status: int, content: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        length = (b"content-length", str(len(content)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
        await send({"type": "http.response.body", "body": content})

    def _altered(self, fault: str, content: bytes) -> bytes:
        answer = json.loads(content)
        project = (answer.get("data") or {}).get("project") or {}
        if "runs" in project:
            edges = project["runs"]["edges"]
            project["runs"]["edges"] = edges[:1] + edges if fault == "repeated" else self._last_edges + edges
        run = project.get("run") or {}
        if fault == "repeated" and run.get("history"):
            run["history"] += run["history"][:3]
        return json.dumps(answer).encode()

    def _remember(self, content: bytes) -> None:
        try:
            edges = json.loads(content)["data"]["project"]["runs"]["edges"]
        except (KeyError, TypeError, ValueError):
            return
        # The same fields must be there: a page of one document says nothing to another.
        self._last_edges = edges[-2:] if edges and "config" in edges[-1]["node"] else []
