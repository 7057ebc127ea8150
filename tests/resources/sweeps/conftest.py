"""A store with sweeps and reports for reading, and an empty one; other fixtures come from the folder above."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sweep_store import fill

from runframe import Api, Sweep
from runframe.server import open_local


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store with sweeps and reports. For reading alone."""
    folder = tmp_path_factory.mktemp("sweeps")
    with open_local(folder):
        pass
    with Api(f"local:{folder}") as api:
        fill(api)
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Api]:
    """An `Api` on an empty store of its own, to write to."""
    with open_local(tmp_path / "store"):
        pass
    with Api(f"local:{tmp_path / 'store'}") as api:
        yield api


@pytest.fixture(scope="module")
def grid(api: Api) -> Sweep:
    """The sweep over a grid: four runs, one without the metric, of two agents."""
    [found] = [sweep for sweep in api.project("p").sweeps() if sweep.name == "the grid"]
    return found
