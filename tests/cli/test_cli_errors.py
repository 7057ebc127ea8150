"""Whatever is wrong, it is one line on stderr and exit status 2, and nothing is left behind."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runframe.server import LocalServer
from runframe.testing import serving

KEY = "k" * 40


@pytest.fixture(scope="module")
def nobody() -> str:
    """An address at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_server_that_is_down(run: Any, nobody: str, tmp_path: Path) -> None:
    said = run("export", "ada/digits", "--to", tmp_path / "out", "--base-url", nobody, "--api-key", KEY)
    assert said.status == 2
    assert nobody in said.complaint and "cannot be reached" in said.complaint
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_key(run: Any, runframe_store: LocalServer, tmp_path: Path) -> None:
    with serving(runframe_store, tmp_path / "home") as server:
        said = run("export", "local/digits", "--to", tmp_path / "out", "--base-url", server.url, "--api-key", KEY)
    assert said.status == 2
    assert "refused the API key" in said.complaint
    assert KEY not in said.err
    assert not (tmp_path / "out").exists()


def test_no_key_at_all(run: Any, nobody: str) -> None:
    said = run("runs", "ada/digits", "--base-url", nobody)
    assert said.status == 2
    assert "WANDB_API_KEY" in said.complaint


@pytest.mark.parametrize("command", [["runs"], ["export", "--to", "out"]])
def test_a_project_that_is_not_there(
    run: Any, local: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    said = run(*command, "local/digitz", "--base-url", local)
    assert (said.status, said.complaint) == (2, "runframe: Could not find project local/digitz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["local/digits", "--filters", "{"], "--filters is no JSON"),
        (["local/digits", "--filters", "[1]"], "expected a JSON object"),
        (["local/digits", "--filters", '{"state": {"$near": 1}}'], "$near"),
        (["local/digits", "--columns", "stat"], "did you mean 'state'?"),
        (["local/digits", "--columns", "name,config.nope*"], "config.nope*"),
        (["local/digits", "--columns", " , "], "--columns names no column"),
        (["local/digits", "--limit", "0"], "--limit"),
        (["local/digits", "--order", "+nope"], "nope"),
        (["a/b/c/d"], "a/b/c/d"),
        (["local/digits", "--format", "xml"], "--format"),
        (["local/digits", "--nope"], "--nope"),
        ([], "ENTITY/PROJECT"),
    ],
)
def test_a_listing_that_cannot_be(run: Any, local: str, words: list[str], expected: str) -> None:
    said = run("runs", *words, "--base-url", local)
    assert said.status == 2
    assert expected in said.complaint


def test_an_entity_that_is_not_there(run: Any, local: str) -> None:
    said = run("projects", "nobody", "--base-url", local)
    assert said.status == 2
    assert "nobody" in said.complaint


def test_a_store_that_is_not_there_is_not_made(run: Any, tmp_path: Path) -> None:
    said = run("runs", "local/digits", "--base-url", f"local:{tmp_path / 'store'}")
    assert said.status == 2
    assert str(tmp_path / "store") in said.complaint
    assert list(tmp_path.iterdir()) == []


def test_a_target_with_something_else_in_it(run: Any, local: str, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("mine")
    said = run("export", "local/digits", "--to", tmp_path, "--base-url", local)
    assert said.status == 2
    assert "already holds something" in said.complaint
    assert [path.name for path in tmp_path.iterdir()] == ["notes.md"]


def test_a_target_that_cannot_be_written(run: Any, local: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    said = run("export", "local/digits", "--to", tmp_path / "file" / "out", "--base-url", local)
    assert said.status == 2
    assert str(tmp_path / "file") in said.complaint


def test_a_path_without_logs(run: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = run("import", tmp_path / "empty", "--dir", tmp_path / "store")
    assert said.status == 2
    assert str(tmp_path / "empty") in said.complaint
    assert not (tmp_path / "store").exists()


def test_a_port_that_is_taken(run: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        said = run("serve", "--dir", tmp_path / "store", "--port", port)
    assert said.status == 2
    assert port in said.complaint and "--port 0" in said.complaint
    assert not (tmp_path / "store").exists()


def test_no_word_at_all_shows_the_help(run: Any) -> None:
    said = run()
    assert (said.status, said.out) == (2, "")
    assert "export" in said.err


def test_a_real_process_says_the_same(environment: dict[str, str], nobody: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "runframe", "export", "ada/digits", "--to", "out", "--base-url", nobody]
    said = subprocess.run(
        [*command, "--api-key", KEY], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.count("\n") == 1
    assert "Traceback" not in said.stderr
    assert list(tmp_path.iterdir()) == []
