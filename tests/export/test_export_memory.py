"""What an export holds at once does not grow with what it writes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasets import manifest

from runframe.export.options import MEMORY
from runframe.testing import Server

Row = dict[str, Any]

METRICS = 12
BUDGET = 64 * 10**6
FEW, MANY = 150_000, 750_000

pytestmark = pytest.mark.slow


class Synthetic:
    """Answers for one run as if its history had so many rows."""

    def __init__(self) -> None:
        self.rows = 0
        self.tail = ",".join(f'"metric/{number}":{number}.0123456789' for number in range(METRICS))

    def __call__(self, operation: str, variables: Row, answer: Row) -> Row:
        project = answer.get("data", {}).get("project") or {}
        for edge in (project.get("runs") or {}).get("edges", []):
            edge["node"]["historyLineCount"] = self.rows
            if "historyKeys" in edge["node"]:
                edge["node"]["historyKeys"] = {"lastStep": self.rows - 1, "keys": {}, "sets": []}
        if operation == "HistoryPage":
            steps = range(variables["minStep"], min(variables["maxStep"], self.rows))
            project["run"]["history"] = [f'{{"_step":{step},{self.tail}}}' for step in steps]
        return answer


STATUS = Path("/proc/self/status")

EXPORT = """
import re, sys
from pathlib import Path
from runframe.cli.app import main
status = main(sys.argv[1:])
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
sys.exit(status)
"""
"""Exports, and says the most memory that this process itself had: `ru_maxrss` counts what its parent had, too."""


def peak_of_export(server: Server, target: Path) -> int:
    """Exports in a process of its own; returns the most memory that it had, in bytes."""
    words = ["export", "made", "--to", str(target), "--memory", str(BUDGET), "--quiet"]
    words += ["--base-url", server.url, "--api-key", server.api_key]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-c", EXPORT, *words], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return int(done.stdout.split()[-1]) * 1024


@pytest.mark.skipif(not STATUS.exists(), reason="this system does not tell the peak of a process")
def test_the_peak_of_memory_does_not_grow_with_the_history(
    altered: Callable[[Callable[[str, Row, Row], Row]], Server],
    recorder: Callable[..., None],
    tmp_path: Path,
) -> None:
    recorder("long", [{"loss": 1.0}])
    synthetic = Synthetic()
    server = altered(synthetic)
    synthetic.rows = FEW
    few = peak_of_export(server, tmp_path / "few")
    synthetic.rows = MANY
    many = peak_of_export(server, tmp_path / "many")
    assert manifest(tmp_path / "many")["tables"]["history"]["rows"] == MANY
    assert (MANY - FEW) * len(synthetic.tail) > 2 * BUDGET  # what it would grow by, if all of it were held
    assert many - few < BUDGET
    assert many < MEMORY
