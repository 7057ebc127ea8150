"""An app around a server's app that notes each GraphQL document which comes in, and who sent it."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

SENDERS = {"(runframe)": "ours", "W&B Public Client": "official client", "wandb-core": "official SDK"}
"""What a request's user agent has in it, and who that is."""


class Recording:
    """Passes everything on, and keeps the documents.

    Attributes:
        documents: by sender and operation, the texts that came.
        unknown: user agents that none of `SENDERS` is in.
    """

    def __init__(self) -> None:
        self.app: Any = None
        self.documents: dict[tuple[str, str], set[str]] = {}
        self.unknown: set[str] = set()

    def around(self, app: Any) -> Recording:
        """Itself, around an app."""
        self.app = app
        return self

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = bytearray()

        async def listen() -> Any:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        await self.app(scope, listen, send)
        # Of a request with a refused key the server does not read the document.
        if body and scope["type"] == "http" and scope["path"] == "/graphql":
            self._note(dict(scope["headers"]), bytes(body))

    def _note(self, headers: dict[bytes, bytes], body: bytes) -> None:
        from graphql import OperationDefinitionNode, parse

        agent = headers.get(b"user-agent", b"").decode()
        sender = next((name for part, name in SENDERS.items() if part in agent), None)
        if sender is None:
            self.unknown.add(agent)
            return
        text = json.loads(body)["query"]
        for node in parse(text).definitions:
            if isinstance(node, OperationDefinitionNode):
                name = node.name.value if node.name else "(nameless)"
                self.documents.setdefault((sender, name), set()).add(text)

    def save(self, path: Path) -> None:
        """Keeps what was sent so far, for another process."""
        path.write_bytes(pickle.dumps((self.documents, self.unknown)))

    def load(self, path: Path) -> None:
        """Takes over what another process kept."""
        self.documents, self.unknown = pickle.loads(path.read_bytes())

    def operations(self, sender: str) -> set[str]:
        """The operations that somebody sent."""
        return {name for who, name in self.documents if who == sender}
