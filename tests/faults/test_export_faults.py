"""Exports on bad days: the dataset is the one that is made without faults, row for row."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from datasets import assert_equal, assert_whole, manifest
from misbehaving import Misbehaving

from runframe import Api, UsageError
from runframe.export import export_project
from runframe.export.state import peek_state
from runframe.server import LocalServer
from runframe.testing import Server, serving

pytestmark = pytest.mark.slow


def served(project: LocalServer, seed: int, **options: Any) -> Misbehaving:
    front = Misbehaving(project.app, seed, **options)
    project.app = front  # type: ignore[assignment]
    return front


def impatient(server: Server) -> Api:
    return Api({"base_url": server.url}, timeout=1, api_key=server.api_key)


@pytest.mark.parametrize("fault", ["busy", "away", "late", "torn", "repeated", "shifted"])
def test_a_fault_changes_nothing(project: LocalServer, faultless: Path, tmp_path: Path, fault: str) -> None:
    share = 0.1 if fault == "late" else 0.3
    front = served(project, 7, share=share, faults=(fault,))
    with serving(project, tmp_path / "home") as server, impatient(server) as api:
        report = export_project(api, "made", to=tmp_path / "d")
    assert front.happened[fault] > 0
    assert report.complete
    assert_equal(tmp_path / "d", faultless)


@pytest.mark.parametrize("seed", [1, 2])
def test_all_faults_together_change_nothing(project: LocalServer, faultless: Path, tmp_path: Path, seed: int) -> None:
    front = served(project, seed)
    with serving(project, tmp_path / "home") as server, impatient(server) as api:
        report = export_project(api, "made", to=tmp_path / "d")
    assert sum(front.happened.values()) > front.happened[""]
    assert report.complete
    assert_equal(tmp_path / "d", faultless)


class Started:
    """An export as a process of its own."""

    def __init__(self, server: Server, target: Path, environment: dict[str, str]) -> None:
        words = [sys.executable, "-m", "runframe", "export", "made", "--to", str(target), "--base-url", server.url]
        self.process = subprocess.Popen(
            [*words, "--api-key", server.api_key], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def kill(self, _: int = 0) -> None:
        self.process.send_signal(signal.SIGKILL)

    def end(self) -> int:
        self.process.communicate(timeout=60)
        return int(self.process.returncode)


@pytest.fixture
def environment(_no_settings_of_ours: Path) -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


@pytest.mark.parametrize("seed", [3, 4])
def test_a_killed_export_goes_on(
    project: LocalServer, faultless: Path, tmp_path: Path, environment: dict[str, str], seed: int
) -> None:
    front = served(project, seed, share=0.0)
    moods = random.Random(seed)
    target = tmp_path / "d"
    with serving(project, tmp_path / "home") as server:
        for _ in range(4):
            front.requests = 0
            export = Started(server, target, environment)
            number, later = moods.randint(2, 18), moods.random() * 0.3

            def on_request(count: int, number: int = number, later: float = later, export: Started = export) -> None:
                if count == number:
                    threading.Timer(later, export.kill).start()

            front.on_request = on_request
            export.end()
            if (target / "manifest.json").exists():
                assert_whole(target)
        front.on_request = lambda count: None
        assert Started(server, target, environment).end() == 0
    assert_whole(target)
    assert_equal(target, faultless)
    assert [path.name for path in target.parent.glob(".d.*")] == []


def noted(target: Path) -> int:
    """How many parts an export has fetched and noted."""
    with peek_state(target) as catalog:
        return 0 if catalog is None else len(list(catalog.parts()))


def test_a_second_start_fetches_only_what_is_missing(
    project: LocalServer, faultless: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    front = served(project, 0, share=0.0)
    target = tmp_path / "d"
    with serving(project, tmp_path / "home") as server:
        export = Started(server, target, environment)
        front.on_request = lambda count: export.kill() if any(target.rglob("*.arrow")) and noted(target) else None
        assert export.end() == -signal.SIGKILL
        assert not (target / "manifest.json").exists()
        there = noted(target)
        assert 0 < there < 13
        front.on_request = lambda count: None
        with impatient(server) as api:
            report = export_project(api, "made", to=target)
    assert report.fetched == 13 - there
    assert_equal(target, faultless)


def test_an_export_whose_session_is_closed_leaves_what_was_fetched(
    project: LocalServer, faultless: Path, tmp_path: Path
) -> None:
    front = served(project, 0, share=0.0)
    with serving(project, tmp_path / "home") as server, impatient(server) as api:
        closing = threading.Thread(target=api.close)

        def on_request(count: int) -> None:
            if any((tmp_path / "d").rglob("*.arrow")) and not closing.ident:
                closing.start()

        front.on_request = on_request
        with pytest.raises(UsageError, match="closed"):
            export_project(api, "made", to=tmp_path / "d")
        closing.join()
        front.on_request = lambda count: None
        with impatient(server) as again:
            assert export_project(again, "made", to=tmp_path / "d").complete
    assert_equal(tmp_path / "d", faultless)


def test_what_is_shown_while_the_next_one_is_made_is_whole(project: LocalServer, tmp_path: Path) -> None:
    with serving(project, tmp_path / "home") as server, impatient(server) as api:
        export_project(api, "made", to=tmp_path / "d")
        stop = threading.Event()
        seen: list[int] = []
        failures: list[BaseException] = []

        def look() -> None:
            while not stop.is_set():
                try:
                    found = manifest(tmp_path / "d")
                    seen.append(found["generation"])
                except BaseException as error:
                    failures.append(error)

        looking = threading.Thread(target=look)
        looking.start()
        try:
            for number in range(5):
                run = api.run("made/run-01")
                run.tags = [f"tag-{number}"]
                run.update()
                assert export_project(api, "made", to=tmp_path / "d").changed
        finally:
            stop.set()
            looking.join()
    assert failures == []
    assert len(set(seen)) > 2
    assert seen == sorted(seen)
