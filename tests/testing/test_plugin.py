"""The plugin as its users meet it: pytest runs in a process of its own, on a file that uses the fixtures."""

from __future__ import annotations

import socket
import subprocess
import sys
import textwrap
from importlib.metadata import entry_points
from pathlib import Path

import pytest


def run_pytest(tmp_path: Path, code: str, *options: str) -> str:
    """What pytest says of a test file."""
    (tmp_path / "test_user.py").write_text(textwrap.dedent(code))
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    installed = any(point.value == "runframe.testing.plugin" for point in entry_points(group="pytest11"))
    load = () if installed else ("-p", "runframe.testing.plugin")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *load, *options, "test_user.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


def test_loading_it_loads_nothing_heavy(tmp_path: Path) -> None:
    output = run_pytest(
        tmp_path,
        """
        import sys
        def test_modules():
            heavy = {"pandas", "polars", "pyarrow", "gql", "httpx", "rich", "starlette", "uvicorn", "runframe.server",
                     "runframe.api"}
            assert "runframe.testing.plugin" in sys.modules
            assert not heavy & set(sys.modules)
        """,
    )
    assert "1 passed" in output, output


def test_the_store_and_the_api_are_ready_and_apart_from_anybodys_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_ENTITY", "somebody")
    monkeypatch.setenv("WANDB_BASE_URL", "http://elsewhere.invalid")
    output = run_pytest(
        tmp_path,
        """
        import os
        def test_first(runframe_api, runframe_store):
            assert runframe_api.default_entity == runframe_store.entity
            assert os.environ["WANDB_ENTITY"] == "somebody"
            runframe_api.create_project("demo", runframe_store.entity)
            assert [project.name for project in runframe_api.projects()] == ["demo"]

        def test_second_starts_empty(runframe_api):
            assert list(runframe_api.projects()) == []
        """,
    )
    assert "2 passed" in output, output


def test_the_server_answers_over_http_and_ends_with_the_test(tmp_path: Path) -> None:
    output = run_pytest(
        tmp_path,
        """
        import os, socket, urllib.parse, urllib.request
        import runframe
        seen = []

        def test_it(runframe_server, monkeypatch):
            seen.append(runframe_server.url)
            forgotten = runframe_server.api()
            forgotten.create_project("demo", runframe_server.entity)
            runframe_server.use(monkeypatch)
            with runframe.Api() as api:
                assert [project.name for project in api.projects()] == ["demo"]
            assert runframe_server.environment["WANDB_BASE_URL"] == os.environ["WANDB_BASE_URL"] == seen[0]
            assert "PATH" in runframe_server.environment

        def test_afterwards():
            address = urllib.parse.urlsplit(seen[0])
            with socket.socket() as tried:
                assert tried.connect_ex((address.hostname, address.port)) != 0
        """,
    )
    assert "2 passed" in output, output


@pytest.mark.sdk
def test_the_sdk_logs_to_the_server_and_a_forgotten_run_is_closed(tmp_path: Path) -> None:
    output = run_pytest(
        tmp_path,
        """
        import subprocess, sys
        import pytest
        states = {}

        def test_in_a_process(runframe_server):
            code = "import wandb; r = wandb.init(project='demo', config={'lr': 0.1}); r.log({'loss': 1.5}); r.finish()"
            subprocess.run([sys.executable, "-c", code], env=runframe_server.environment, check=True)
            (run,) = runframe_server.api().runs(f"{runframe_server.entity}/demo", {"config.lr": {"$lt": 1}})
            assert (run.state, run.summary["loss"]) == ("finished", 1.5)

        @pytest.fixture
        def looked_at_last(runframe_store):
            yield
            with runframe_store.store.read() as connection:
                states.update(connection.execute("SELECT name, state FROM runs").fetchall())

        @pytest.mark.filterwarnings("default")
        def test_here(looked_at_last, runframe_server, monkeypatch):
            import wandb
            runframe_server.use(monkeypatch)
            wandb.init(project="demo", id="forgotten")

        def test_forgotten_run_was_ended():
            assert states == {"forgotten": "failed"}
        """,
    )
    assert "3 passed" in output, output


def test_answers_on_a_kept_connection_are_not_held_back() -> None:
    from runframe.server.serving import listen

    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP  # what asyncio looks at before it turns the delay off
