"""`runframe serve` as a process: says where it is, serves, and ends in order."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runframe import Api


@pytest.fixture
def served(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "runframe", "serve", "--dir", str(tmp_path / "store"), "--port", "0"]
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    yield process
    process.kill()
    process.communicate()


def said(process: subprocess.Popen[str]) -> tuple[str, str]:
    """The address and the key that the first two lines set."""
    assert process.stdout is not None
    first, second = process.stdout.readline(), process.stdout.readline()
    url = re.fullmatch(r"export WANDB_BASE_URL=(http://127\.0\.0\.1:[0-9]+)\n", first)
    key = re.fullmatch(r"export WANDB_API_KEY=([A-Za-z0-9]{40,})\n", second)
    assert url and key, first + second
    return url[1], key[1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_when_it_has_spoken_and_ends_in_order(served: subprocess.Popen[str], number: signal.Signals) -> None:
    url, key = said(served)
    with Api(url, api_key=key) as api:
        assert api.default_entity == "local"
    served.send_signal(number)
    out, err = served.communicate(timeout=20)
    assert (served.returncode, out) == (0, "")
    assert "Traceback" not in err
    assert "stopped" in err


def test_the_key_stays_the_same(environment: dict[str, str], tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        command = [sys.executable, "-m", "runframe", "serve", "--dir", str(tmp_path / "store"), "--port", "0"]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        ) as process:
            keys.append(said(process)[1])
            process.terminate()
    assert keys[0] == keys[1]
