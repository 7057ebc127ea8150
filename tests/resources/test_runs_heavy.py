"""A listing in which one run is too much for the server: it is named, and all others are there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from runframe.resources import collection
from runframe.resources.client import Client
from runframe.resources.runs import Runs
from runframe.server import LocalServer, open_local
from runframe.wire import Session

SLOW = "run-3"


class Heavy:
    """A server that takes far too long wherever one run's config is asked for."""

    def __init__(self, local: LocalServer) -> None:
        self.local, self.api_key = local, local.api_key
        self.sizes: list[int] = []

    async def app(self, scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        if scope["type"] != "http":
            return await self.local.app(scope, receive, send)
        sent: list[Any] = []

        async def listen() -> Any:
            sent.append(await receive())
            return sent[-1]

        held: list[Any] = []

        async def hold(message: Any) -> None:
            held.append(message)

        await self.local.app(scope, listen, hold)
        asked = json.loads(b"".join(each.get("body", b"") for each in sent))
        body = b"".join(each.get("body", b"") for each in held)
        if asked["operationName"] == "FullRuns":
            self.sizes.append(asked["variables"]["perPage"])
            if f'"{SLOW}"'.encode() in body:
                await anyio.sleep(20)
        for message in held:
            await send(message)


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of a few runs, so that the patience for each attempt can be long enough for a busy machine."""
    monkeypatch.setattr(collection, "BATCH_PAGE", 4)


@pytest.fixture
def runs(store: Path) -> Iterator[tuple[Heavy, Runs]]:
    with open_local(store) as local:
        heavy = Heavy(local)
        opening = partial(Session, "local", api_key=None, user_agent="test", timeout=1.5)
        with opening(open_app=lambda: heavy) as session:
            yield heavy, Runs(Client(session, "http://local/", {}), local.entity, "digits")


def test_a_run_that_is_too_much_is_named_and_the_rest_is_there(runs: tuple[Heavy, Runs]) -> None:
    heavy, listed = runs
    with pytest.warns(UserWarning, match=rf"digits/{SLOW} in time") as caught:
        table = listed.to_arrow(["id", "name", "config"])
    assert len(caught) == 1
    found = {row["id"]: row["config"] for row in table.to_pylist()}
    assert found.pop(SLOW) is None
    assert len(found) == len(listed) - 1 and None not in found.values()
    assert heavy.sizes[0] == 4 and 1 in heavy.sizes
