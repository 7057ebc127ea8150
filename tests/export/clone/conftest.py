"""A store that the official SDK has filled, and empty ones beside it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from runframe import Api
from runframe.server import open_local
from runframe.testing import serving

TRAINING = Path(__file__).with_name("training.py")
PROJECT = "digits"


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store with the project `local/digits`. For reading alone."""
    home = tmp_path_factory.mktemp("clone")
    (home / "work").mkdir()
    with open_local(home / "store") as local, serving(local, home) as server:
        command = [sys.executable, str(TRAINING), str(home / "work"), PROJECT]
        subprocess.run(command, env=server.environment, check=True, timeout=120, capture_output=True)
    return home / "store"


@pytest.fixture
def source(filled: Path, tmp_path: Path) -> Path:
    """A copy of that store, to change."""
    return Path(shutil.copytree(filled, tmp_path / "source"))


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """The folder of a store without anything."""
    with open_local(tmp_path / "target"):
        pass
    return tmp_path / "target"


@pytest.fixture
def opened() -> Iterator[Callable[[Path], Api]]:
    """Opens the `Api` of a store's folder."""
    with ExitStack() as exits:
        yield lambda folder: exits.enter_context(Api(f"local:{folder}"))
