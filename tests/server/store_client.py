"""A client that speaks HTTP to a store's app without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx

from runframe.server import LocalServer

STREAM = "/files/local/p/r/file_stream"


class Client:
    """Requests to an ASGI app, with the store's key unless told otherwise."""

    def __init__(self, local: LocalServer) -> None:
        self.local = local

    def request(
        self, method: str, url: str, *, auth: Any = ..., headers: Mapping[str, str] | None = None, **body: Any
    ) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.local.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
                chosen = ("api", self.local.api_key) if auth is ... else auth
                return await client.request(method, url, auth=chosen, headers=headers, **body)

        return asyncio.run(send())

    def graphql(self, query: str, **variables: Any) -> Any:
        """The data of a GraphQL answer; errors fail the test."""
        answer = self.request("POST", "/graphql", json={"query": query, "variables": variables})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert "errors" not in found, found
        return found["data"]

    def refused(self, query: str, **variables: Any) -> str:
        """The message of a GraphQL answer that must be an error."""
        errors = self.request("POST", "/graphql", json={"query": query, "variables": variables}).json()["errors"]
        return str(errors[0]["message"])

    def upsert(self, **fields: Any) -> Any:
        """UpsertBucket; config and summaryMetrics may be given as values."""
        for name in ("config", "summaryMetrics"):
            if isinstance(fields.get(name), dict):
                fields[name] = json.dumps(fields[name])
        query = """mutation UpsertBucket($input: UpsertBucketInput!) { upsertBucket(input: $input) {
            bucket { id name displayName historyLineCount state config project { name entity { name } } } inserted
        } }"""
        return self.graphql(query, input={"modelName": "p", **fields})["upsertBucket"]

    def begin(self, name: str = "r", **fields: Any) -> Any:
        """What the SDK sends when a process begins a run."""
        config = {"_wandb": {"value": {"t": {"1": [1]}}}, **fields.pop("config", {})}
        return self.upsert(name=name, host="a-host", jobProgram="train.py", config=config, **fields)

    def stream(
        self, files: Mapping[str, Any] | None = None, *, run: str = "r", headers: Any = None, **rest: Any
    ) -> Any:
        """A file_stream request; ``files`` maps names to (offset, lines)."""
        body: dict[str, Any] = dict(rest)
        if files is not None:
            body["files"] = {name: {"offset": offset, "content": lines} for name, (offset, lines) in files.items()}
        answer = self.request("POST", f"/files/local/p/{run}/file_stream", json=body, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def log(self, rows: list[dict[str, Any]], offset: int = 0, *, run: str = "r") -> None:
        """History rows as file_stream lines; ``_step`` is the offset where a row has none."""
        lines = [json.dumps({"_step": offset + index, **row}) for index, row in enumerate(rows)]
        self.stream({"wandb-history.jsonl": (offset, lines)}, run=run)

    def run(self, fields: str, name: str = "r") -> Any:
        """Fields of a run of the project ``p``."""
        query = f'query Run($name: String!) {{ project(name: "p") {{ run(name: $name) {{ {fields} }} }} }}'
        return self.graphql(query, name=name)["project"]["run"]

    def history(self, name: str = "r") -> list[Any]:
        """All rows of a history, parsed."""
        return [json.loads(line) for line in self.run("history(minStep: 0)", name)["history"]]
