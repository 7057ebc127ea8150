"""The command in this process: what it prints, and its exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from runframe.cli import main


@dataclass(frozen=True)
class Said:
    """What one call of the command came to."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def complaint(self) -> str:
        """The one line that a refused call says; fails where there is more or less."""
        assert self.out == ""
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("runframe: ")
        return self.err.strip()


Run = Callable[..., Said]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Calls the command with the words given."""

    def call(*words: str | Path) -> Said:
        capsys.readouterr()
        status = main([str(word) for word in words])
        said = capsys.readouterr()
        return Said(status, said.out, said.err)

    return call


@pytest.fixture
def local(demo_store: Path) -> str:
    """The address of the demo store."""
    return f"local:{demo_store}"


@pytest.fixture
def environment(_no_settings_of_ours: Path) -> dict[str, str]:
    """The environment of a command that runs as a process of its own."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
