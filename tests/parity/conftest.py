"""One server in this process, filled once by the official SDK; both clients read from it over HTTP.

Where tests run in several processes, whichever comes first fills the store, and the others take a copy.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from recording import Recording
from stage import Stage, filled

from runframe import Api
from runframe.server import open_local
from runframe.testing import serving


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("parity")
    # Processes of one session have folders beside each other.
    shared = tmp_path_factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else home
    recording = Recording()
    filled(shared / "filled", home, recording)
    with pytest.MonkeyPatch.context() as patch, open_local(home / "store") as local:
        local.app = recording.around(local.app)  # type: ignore[assignment]
        with serving(local, home / "home") as server:
            server.use(patch)
            import wandb

            with Api({"base_url": server.url}, api_key=server.api_key) as ours:
                yield Stage(server, recording, home / "cases", wandb.Api(timeout=60), ours)


@pytest.fixture(autouse=True)
def _environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the stage is used, both clients find its server, and folders that nobody else uses."""
    if "stage" in request.fixturenames:
        request.getfixturevalue("stage").server.use(monkeypatch)
        monkeypatch.delenv("WANDB_ARTIFACT_DIR")


@pytest.fixture
def official(stage: Stage) -> Any:
    """The official client on the served data."""
    stage.official.flush()
    return stage.official


@pytest.fixture
def ours(stage: Stage) -> Any:
    """Our client on the served data."""
    stage.ours.flush()
    return stage.ours
