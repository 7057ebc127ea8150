"""One `runframe serve` process, filled once by the official SDK, read by both clients."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TRAINING = Path(__file__).with_name("training.py")


@dataclass(frozen=True)
class Served:
    """A running server: where it is, its key, and the environment that points the SDK at it."""

    url: str
    key: str
    environment: dict[str, str]


def sdk_environment(url: str, key: str, home: Path) -> dict[str, str]:
    """What a training script needs to log to our server and to nothing else."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
    folders = {
        name: str(home / name) for name in ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR")
    }
    for folder in folders.values():
        Path(folder).mkdir(parents=True, exist_ok=True)
    return (
        kept
        | folders
        | {
            "WANDB_BASE_URL": url,
            "WANDB_API_KEY": key,
            "WANDB_ERROR_REPORTING": "false",
            "WANDB_SILENT": "true",
            "NETRC": str(home / "netrc"),
        }
    )


def start_server(folder: Path, port: int = 0) -> tuple[subprocess.Popen[str], str, str]:
    """`runframe serve` as a process; returns it with the URL and key that it printed."""
    command = [sys.executable, "-m", "runframe", "serve", "--dir", str(folder), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    printed = "".join(process.stdout.readline() for _ in range(2))
    url = re.search(r"^export WANDB_BASE_URL=(\S+)$", printed, re.M)
    key = re.search(r"^export WANDB_API_KEY=(\S+)$", printed, re.M)
    assert url and key, printed
    return process, url[1], key[1]


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("served")
    process, url, key = start_server(home / "store")
    try:
        environment = sdk_environment(url, key, home)
        subprocess.run([sys.executable, str(TRAINING), str(home)], env=environment, check=True, timeout=120)
        yield Served(url, key, environment)
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture
def official(served: Served, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The official client on the served data."""
    for name, value in served.environment.items():
        monkeypatch.setenv(name, value)
    import wandb

    return wandb.Api(timeout=60)


@pytest.fixture
def ours(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Our client on the served data."""
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    import runframe

    with runframe.Api({"base_url": served.url}, api_key=served.key) as api:
        yield api
