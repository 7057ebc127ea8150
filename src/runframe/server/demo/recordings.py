"""The recorded runs that ship with the package."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

FOLDER: Final = Path(str(files("runframe.server.demo"))) / "runs"
"""Where the recordings lie: a folder a run, as the official SDK lays them out."""


def recordings() -> list[Path]:
    """The logs of the recorded runs, in the order in which they ran.

    16 real trainings of scikit-learn models on scikit-learn's digits, logged by the official SDK in offline mode;
    `runframe.server.demo.record` is the script that made them.
    """
    return sorted(FOLDER.glob("offline-run-*/run-*.wandb"))
