"""Stores for the tests of the faces: the recorded runs, and small ones written through the server's own doors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import settings

from runframe.server import LocalServer, open_local
from runframe.server.demo import recordings
from runframe.testing import Server, serving

Row = dict[str, Any]

# The same examples everywhere, and no time limits: a run of the suite says what a change did, and nothing of the
# machine. `--hypothesis-profile=default` looks for new examples.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

TOGETHER = {
    **dict.fromkeys(["test_parity.py", "test_sent_documents.py", "test_members.py"], "cases"),
    **dict.fromkeys(
        ["test_searches.py", "test_paths_alike.py", "test_first_light.py", "test_artifact_frames.py"], "reads"
    ),
}
"""Files of tests/parity by what they share: the cases that were played, or the served data alone."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `-n`, the tests of a file stay in one process, and so do those of files that share something costly."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        """Gives whole files away."""

        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            return TOGETHER.get(Path(path).name, path)

    return ByFile(config, log) if config.getoption("dist") == "load" else None


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `demo/store`, as `make demo` leaves it. For reading alone."""
    folder = tmp_path_factory.mktemp("faces")
    with open_local(folder / "demo" / "store") as local:
        local.import_logs(recordings())
    return folder


@pytest.fixture(scope="session")
def demo_store(demo_folder: Path) -> Path:
    """The store itself."""
    return demo_folder / "demo" / "store"


def record(local: LocalServer, run_id: str, rows: Sequence[Row], *, exit_code: int | None = 0) -> None:
    """One run of the project `local/made`, as the SDK streams it; without an exit code it stays running."""
    start = {"input": {"entityName": local.entity, "modelName": "made", "name": run_id}}
    upsert = "mutation Start($input: UpsertBucketInput!) { upsertBucket(input: $input) { bucket { id } } }"
    lines = [json.dumps({"_step": step, **row}) for step, row in enumerate(rows)]
    body: Row = {"files": {"wandb-history.jsonl": {"offset": 0, "content": lines}}}
    if exit_code is not None:
        body |= {"complete": True, "exitcode": exit_code}

    async def send() -> None:
        transport = httpx.ASGITransport(app=local.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://store", auth=("api", local.api_key)) as http:
            for url, content in (
                ("/graphql", {"query": upsert, "variables": start}),
                (f"/files/{local.entity}/made/{run_id}/file_stream", body),
            ):
                answer = await http.post(url, json=content)
                assert answer.status_code == 200, answer.text

    anyio.run(send)


class Altered:
    """A server's app whose GraphQL answers pass through a function: `alter(operation, variables, data)`."""

    def __init__(self, app: Any, alter: Callable[[str, Row, Row], Row]) -> None:
        self.app = app
        self.alter = alter

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != "/graphql":
            await self.app(scope, receive, send)
            return
        asked, answered = bytearray(), bytearray()

        async def listen() -> Any:
            message = await receive()
            asked.extend(message.get("body", b""))
            return message

        async def catch(message: Any) -> None:
            answered.extend(message.get("body", b""))

        await self.app(scope, listen, catch)
        request = json.loads(asked)
        data = json.loads(answered)
        if request.get("operationName"):
            data = self.alter(request["operationName"], request.get("variables") or {}, data)
        body = json.dumps(data).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def altered(
    runframe_store: LocalServer, tmp_path: Path
) -> Iterator[Callable[[Callable[[str, Row, Row], Row]], Server]]:
    """Serves `runframe_store` with answers that pass through a function."""
    with ExitStack() as exits:

        def serve(alter: Callable[[str, Row, Row], Row]) -> Server:
            runframe_store.app = Altered(runframe_store.app, alter)  # type: ignore[assignment]
            return exits.enter_context(serving(runframe_store, tmp_path / "home"))

        yield serve


@pytest.fixture
def recorder(runframe_store: LocalServer) -> Callable[..., None]:
    """Writes runs into `runframe_store`; see `record`."""

    def write(run_id: str, rows: Sequence[Row], *, exit_code: int | None = 0) -> None:
        record(runframe_store, run_id, rows, exit_code=exit_code)

    return write
