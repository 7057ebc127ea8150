"""A store with a few runs, written as the SDK writes them, and a client that counts what it asks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import anyio
import httpx
import pytest

from runframe import Api, extjson
from runframe.resources.client import Client
from runframe.server import LocalServer, open_local
from runframe.wire import Session

BIG = 2**62 + 1
UPSERT = """mutation UpsertBucket($input: UpsertBucketInput!) { upsertBucket(input: $input) { bucket { id } } }"""
NEW_FILES = """mutation CreateRunFiles($input: CreateRunFilesInput!) {
  createRunFiles(input: $input) { files { name uploadUrl } } }"""


class Recorder:
    """Writes runs into a store, through the server's own doors."""

    def __init__(self, local: LocalServer) -> None:
        self.local = local
        self.entity = local.entity

    def send(self, method: str, url: str, **content: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.local.app)
            auth = ("api", self.local.api_key)
            async with httpx.AsyncClient(transport=transport, base_url="http://store", auth=auth) as http:
                return await http.request(method, url, **content)

        answer = anyio.run(send)
        assert answer.status_code == 200, answer.text
        return answer

    def graphql(self, query: str, **fields: Any) -> dict[str, Any]:
        answer = self.send("POST", "/graphql", json={"query": query, "variables": {"input": fields}})
        return cast("dict[str, Any]", answer.json()["data"])

    def run(
        self,
        path: str,
        *,
        config: Mapping[str, Any] | None = None,
        summary: Mapping[str, Any] | None = None,
        rows: Sequence[Mapping[str, Any]] = (),
        events: Sequence[Mapping[str, Any]] = (),
        files: Mapping[str, bytes] | None = None,
        exit_code: int | None = 0,
        **fields: Any,
    ) -> None:
        project, run_id = path.split("/")
        wrapped = {key: {"value": value, "desc": None} for key, value in (config or {}).items()}
        wrapped["_wandb"] = {"value": {"cli_version": "0.31.0"}, "desc": None}
        self.graphql(
            UPSERT, entityName=self.entity, modelName=project, name=run_id, config=extjson.dumps(wrapped), **fields
        )
        lines = [extjson.dumps({"_step": step, "_runtime": 0.5, "_timestamp": 1.5, **row}) for step, row in steps(rows)]
        sent: dict[str, Any] = {"wandb-history.jsonl": {"offset": 0, "content": lines}} if lines else {}
        if events:
            sent["wandb-events.jsonl"] = {"offset": 0, "content": [extjson.dumps(event) for event in events]}
        if summary is not None:
            sent["wandb-summary.json"] = {"offset": 0, "content": [extjson.dumps(summary)]}
        body: dict[str, Any] = {"files": sent, "uploaded": self.upload(project, run_id, files or {})}
        if exit_code is not None:
            body |= {"complete": True, "exitcode": exit_code}
        self.send("POST", f"/files/{self.entity}/{project}/{run_id}/file_stream", json=body)

    def upload(self, project: str, run_id: str, files: Mapping[str, bytes]) -> list[str]:
        if files:
            where = {"entityName": self.entity, "projectName": project, "runName": run_id}
            made = self.graphql(NEW_FILES, files=list(files), **where)["createRunFiles"]["files"]
            for each in made:
                self.send("PUT", each["uploadUrl"], content=files[each["name"]])
        return list(files)


def steps(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Each row with its step: its own `_step`, else its position."""
    for position, row in enumerate(rows):
        yield int(row.get("_step", position)), row


def fill(local: LocalServer) -> None:
    """Five runs that hold what is awkward to carry."""
    record = Recorder(local)
    for number in range(4):
        record.run(
            f"digits/run-{number}",
            displayName=f"run {number}",
            groupName="grid",
            jobType="train",
            tags=["digits", f"n{number}"],
            notes="a note",
            config={"optimizer": {"name": "sgd", "lr": 0.1 * number}, "big": BIG, "a.dot": 1.5, "off": False},
            summary={"loss": 1.0 / (number + 1), "nested": {"best": float("nan"), "big": BIG}, "word": "done"},
            rows=[{"loss": 1.0 / (step + 1), **extra(step)} for step in range(25)],
            events=[{"_wandb": True, "_runtime": 1.0, "_timestamp": 2.0, "system.cpu": 5.5}],
            files={"report.json": json.dumps({"n": number}).encode(), "media/a/b.txt": b"deep"},
        )
    record.run("digits/empty", displayName="nothing logged", exit_code=3)
    record.run("other/lonely", config={"seed": 1}, rows=[{"x": 1}])


def extra(step: int) -> dict[str, Any]:
    """What only some rows hold."""
    if step == 3:
        return {"grad": float("nan"), "count": BIG}
    if step == 4:
        return {"grad": float("inf"), "count": 2**70}
    return {"grad": 1.0, "valid": {"acc": 0.25}} if step % 5 == 0 else {}


@pytest.fixture(scope="session")
def recorder() -> type[Recorder]:
    """What writes runs into a store of one's own."""
    return Recorder


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store with runs in it. For reading alone."""
    folder = tmp_path_factory.mktemp("store")
    with open_local(folder) as local:
        fill(local)
    return folder


@pytest.fixture(scope="module")
def api(store: Path) -> Iterator[Api]:
    with Api(f"local:{store}") as api:
        yield api


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Api]:
    """An `Api` on a store of its own, to write to."""
    with open_local(tmp_path / "fresh") as local:
        fill(local)
    with Api(f"local:{tmp_path / 'fresh'}") as api:
        yield api


class Asked:
    """An app around a server's, that notes each GraphQL operation and its variables."""

    def __init__(self, local: LocalServer) -> None:
        self.local = local
        self.api_key = local.api_key
        self.operations: list[tuple[str, dict[str, Any]]] = []
        self.documents: list[str] = []

    async def app(self, scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        body = b""

        async def listen() -> Any:
            nonlocal body
            message = await receive()
            body += message.get("body", b"")
            if scope.get("path") == "/graphql" and message["type"] == "http.request" and not message.get("more_body"):
                request = json.loads(body)
                self.operations.append((request["operationName"], request.get("variables") or {}))
                self.documents.append(request["query"])
            return message

        await self.local.app(scope, listen, send)

    def close(self) -> None:
        self.local.close()

    @property
    def counts(self) -> Counter[str]:
        return Counter(name for name, _ in self.operations)


@pytest.fixture
def asked(store: Path) -> Iterator[Asked]:
    with open_local(store) as local:
        yield Asked(local)


@pytest.fixture
def client(asked: Asked) -> Iterator[Client]:
    """A connection to the store whose requests `asked` notes."""
    with Session("local", api_key=None, user_agent="W&B Public Client test", open_app=partial(_same, asked)) as session:
        yield Client(session, "http://local/", {})


def _same(asked: Asked) -> Asked:
    return asked


@pytest.fixture
def written(tmp_path: Path) -> Iterator[tuple[Recorder, Api]]:
    """What writes runs into an empty store, and an `Api` on it."""
    with open_local(tmp_path / "written") as local, Api(f"local:{tmp_path / 'written'}") as api:
        yield Recorder(local), api
