"""`runframe export`, `import`, `demo`, and the command itself."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import runframe
from runframe.server.demo import recordings


def test_export_says_in_one_line_what_it_wrote(run: Any, local: str, tmp_path: Path) -> None:
    said = run("export", "local/digits", "--to", tmp_path / "out", "--base-url", local)
    rows = pl.read_parquet(tmp_path / "out" / "history" / "*.parquet").height
    assert said.status == 0
    assert re.fullmatch(
        rf"local/digits: 16 runs, {rows} history rows, [0-9.]+ kB in [0-9.]+ s -> {re.escape(str(tmp_path / 'out'))}\n",
        said.out,
    )
    assert "Traceback" not in said.err


def test_an_incomplete_export_is_named_and_has_status_1(run: Any, recorder: Any, altered: Any, tmp_path: Path) -> None:
    def lose_rows(operation: str, variables: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        if operation == "HistoryPage":
            del answer["data"]["project"]["run"]["history"][3:]
        return answer

    recorder("short", [{"loss": 1.0}] * 5)
    server = altered(lose_rows)
    said = run("export", "made", "--to", tmp_path / "out", "--base-url", server.url, "--api-key", server.api_key)
    assert said.status == 1
    assert said.out.startswith("local/made: 1 run, 3 history rows")
    assert said.err == "runframe: local/made/short has 3 rows, and the server counted 5\n"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_export_shows_nothing_and_goes_on_later(
    recorder: Any, altered: Any, environment: dict[str, str], tmp_path: Path, number: signal.Signals, status: int
) -> None:
    asked = threading.Event()

    def hold(operation: str, variables: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        if operation == "HistoryPage":
            asked.set()
            time.sleep(1)
        return answer

    recorder("held", [{"loss": 1.0}])
    server = altered(hold)
    (tmp_path / "work").mkdir()
    command = [sys.executable, "-m", "runframe", "export", "made", "--to", "deep/out", "--base-url", server.url]
    with subprocess.Popen(
        [*command, "--api-key", server.api_key],
        env=environment,
        cwd=tmp_path / "work",
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert asked.wait(30)
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == status
    assert "Traceback" not in err
    assert [path.name for path in (tmp_path / "work" / "deep" / "out").iterdir()] == ["_runframe"]
    again = [*command, "--api-key", server.api_key]
    assert subprocess.run(again, env=environment, cwd=tmp_path / "work", capture_output=True).returncode == 0
    assert pl.read_parquet(tmp_path / "work" / "deep" / "out" / "history" / "*.parquet")["loss"].to_list() == [1.0]


def test_import_says_a_line_a_run(run: Any, tmp_path: Path) -> None:
    log = recordings()[0]
    said = run("import", log.parent, "--dir", tmp_path / "store", "--entity", "ada", "--project", "lab")
    assert (said.status, said.lines) == (0, ["ada/lab/sgd-1  41 rows, 7 files"])
    projects = run("projects", "ada", "--base-url", f"local:{tmp_path / 'store'}", "--format", "json")
    assert [each["name"] for each in json.loads(projects.out)] == ["lab"]


def test_a_torn_log_is_read_to_the_tear_and_the_tear_is_said(run: Any, tmp_path: Path) -> None:
    log = tmp_path / "run-sgd-1.wandb"
    content = recordings()[0].read_bytes()
    log.write_bytes(content[: len(content) // 2])
    said = run("import", log, "--dir", tmp_path / "store")
    assert said.status == 0
    rows = int(re.search(r"sgd-1  ([0-9]+) rows?,", said.out)[1])  # type: ignore[index]
    assert 0 < rows < 41
    assert "torn at byte" in said.err


def test_a_file_that_is_no_log_is_named_and_the_others_are_imported(run: Any, tmp_path: Path) -> None:
    shutil.copy(recordings()[0], tmp_path)
    (tmp_path / "run-nothing.wandb").write_bytes(b"this is no log at all")
    said = run("import", tmp_path, "--dir", tmp_path / "store")
    assert said.status == 1
    assert said.lines[0].startswith("local/digits/sgd-1  41 rows")
    assert "run-nothing.wandb" in said.err


def test_demo_does_the_main_job(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = run("demo", "--dir", "demo")
    assert (said.status, said.err) == (0, "")
    assert max(map(len, said.lines)) <= 100
    for run_id in ("mlp-4", "sgd-1", "mlp-5"):
        assert sum(line.split()[:1] == [run_id] for line in said.lines) == 1
    for where in ("demo/dataset/runs/*.parquet", "demo/dataset/history/*.parquet", "demo/store"):
        assert where in said.out
    runs = pl.read_parquet(tmp_path / "demo" / "dataset" / "runs" / "*.parquet")
    assert runs.height == 16
    best = runs.sort("summary.val/accuracy.max", descending=True, nulls_last=True)["id"][0]
    rule = next(number for number, line in enumerate(said.lines) if "──" in line)
    assert said.lines[rule + 1].split()[0] == best


def test_demo_may_be_called_again(run: Any, tmp_path: Path) -> None:
    first, again = (run("demo", "--dir", tmp_path / "demo") for _ in range(2))
    assert (first.status, again.status) == (0, 0)
    assert [re.sub(r"[0-9.]+ s$", "", line) for line in again.lines] == [
        re.sub(r"[0-9.]+ s$", "", line) for line in first.lines
    ]


def test_version(run: Any) -> None:
    said = run("--version")
    assert (said.status, said.out) == (0, f"runframe {runframe.__version__}\n")


@pytest.mark.parametrize("command", ["runs", "projects", "export", "serve", "import", "demo"])
def test_every_command_explains_itself(run: Any, command: str) -> None:
    said = run(command, "--help")
    assert said.status == 0
    assert "Usage: runframe " + command in said.out
    assert f"  {command} " in run("--help").out


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from runframe.cli import main; main(['--help']);"
        "print({'pandas', 'polars', 'pyarrow', 'gql', 'httpx', 'uvicorn', 'starlette', 'rich'} & set(sys.modules))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "set()"
