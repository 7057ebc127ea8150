"""A compacted history reads with the official client as it does from the lines."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from runframe.testing.serving import Server

LOG = """
import wandb
with wandb.init(project="p", id="r") as run:
    for step in range(40):
        run.log({"loss": 1 / (step + 1), "accuracy": step / 40, "epoch": step // 4})
"""
READ = """
import json, os, sys, wandb
run = wandb.Api(timeout=30).run("p/r")
rows = list(run.scan_history())
complete = sys.argv[2] == "complete"
files = [str(path) for path in run.download_history_exports(sys.argv[1], require_complete_history=complete).paths]
print(json.dumps({"rows": rows, "files": files}), flush=True)
os._exit(0)  # what reads histories with it may hang at its end
"""


def python(server: Server, program: str, *arguments: str) -> str:
    command = [sys.executable, "-c", program, *arguments]
    environment = {**server.environment, "WANDB__FILE_STREAM_TRANSMIT_INTERVAL": "1"}
    done = subprocess.run(command, env=environment, check=True, timeout=120, stdout=subprocess.PIPE, text=True)
    return done.stdout


@pytest.mark.sdk
def test_the_official_client_reads_the_parquet_file(runframe_server: Server, tmp_path: Path) -> None:
    python(runframe_server, LOG)
    live: dict[str, Any] = json.loads(python(runframe_server, READ, str(tmp_path / "live"), "partly"))
    assert len(live["rows"]) == 40 and live["files"] == []

    assert [(each.rows, each.reason) for each in runframe_server.local.compact()] == [(40, None)]
    exported = json.loads(python(runframe_server, READ, str(tmp_path / "exported"), "complete"))
    assert exported["rows"] == live["rows"]
    assert [pq.read_metadata(file).num_rows for file in exported["files"]] == [40]
