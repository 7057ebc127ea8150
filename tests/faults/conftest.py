"""A project to be exported, and the dataset of it that is made without faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runframe.export import export_project
from runframe.server import LocalServer
from runframe.testing.serving import open_api

RUNS = 13
LONG = 2503


def rows(run: int) -> list[dict[str, Any]]:
    """Histories of several lengths and types, with what is hard to keep: NaN, nulls, text, lists, nested keys."""
    length = LONG if run == 4 else 0 if run == 7 else 3 * run + 1
    found: list[dict[str, Any]] = []
    for step in range(length):
        row: dict[str, Any] = {"loss": 1 / (step + run + 1), "val": {"accuracy": step / 7}, "épochs": step // 10}
        if step % 5 == 0:
            row["note"] = f"step {step} of {run} – ü"
        if run == 3:
            row["loss"] = float("nan") if step % 2 else step
        if run == 9:
            row["sizes"] = list(range(step % 4))
        found.append(row)
    return found


@pytest.fixture
def project(runframe_store: LocalServer, recorder: Callable[..., None]) -> LocalServer:
    """A store with the project `local/made`: runs short and long, one of them still running."""
    for run in range(RUNS):
        recorder(f"run-{run:02}", rows(run), exit_code=None if run == 5 else 0)
    return runframe_store


@pytest.fixture
def faultless(project: LocalServer, tmp_path: Path) -> Path:
    """The dataset of the project, made in one go and without faults."""
    with open_api(f"local:{project.store.directory}", project.api_key, tmp_path / "quiet") as api:
        assert export_project(api, "made", to=tmp_path / "faultless").complete
    return tmp_path / "faultless"
