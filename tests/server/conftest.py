"""A store in a temporary folder, and a client of its app."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from store_client import Client

from runframe.server import LocalServer, open_local


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalServer]:
    with open_local(tmp_path / "store") as server:
        yield server


@pytest.fixture
def client(local: LocalServer) -> Client:
    return Client(local)


@pytest.fixture
def make_client(tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """Opens the store in ``tmp_path / "store"`` (again) with arguments of one's own."""
    opened: list[LocalServer] = []

    def make(**arguments: Any) -> Client:
        opened.append(open_local(tmp_path / "store", **arguments))
        return Client(opened[-1])

    yield make
    for server in opened:
        server.close()
