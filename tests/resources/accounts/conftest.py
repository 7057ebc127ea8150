"""One server with a few people and teams on it, and both clients."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import runframe
from runframe.server import open_local
from runframe.testing import Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that knows its owner, an admin of the store, and two more people."""
    root = tmp_path_factory.mktemp("accounts")
    with open_local(root / "store") as local, serving(local, root / "home") as server:
        local.add_user("ann", "ann@example.org")
        local.add_user("anna", "anna@example.com", admin=True)
        yield server


@pytest.fixture
def ours(server: Server) -> Iterator[runframe.Api]:
    """Our client, with the owner's key."""
    with runframe.Api({"base_url": server.url}, api_key=server.api_key) as api:
        yield api


@pytest.fixture
def official(server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The official client, with the owner's key."""
    server.use(monkeypatch)
    import wandb

    return wandb.Api(timeout=60)


@pytest.fixture
def stranger(server: Server, tmp_path: Path) -> Iterator[runframe.Api]:
    """Our client, with the key of somebody who is no admin of anything."""
    key = server.local.add_user(f"stranger-{tmp_path.name}"[:60])
    with runframe.Api({"base_url": server.url}, api_key=key) as api:
        yield api
