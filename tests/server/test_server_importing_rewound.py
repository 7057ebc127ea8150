"""The logs of a run that was rewound come in whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runframe.server import LocalServer, open_local

pytestmark = pytest.mark.sdk

LOG = """
import wandb
for more, rows in (({"id": "same"}, 5), ({"resume_from": "same?_step=2"}, 2)):
    with wandb.init(project="off", mode="offline", **more) as run:
        for row in range(rows):
            run.log({"x": row if "id" in more else 100 + row})
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("rewound")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
    places = dict.fromkeys(("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR"), str(home))
    environment = kept | places | {"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}
    subprocess.run([sys.executable, "-c", LOG], env=environment, cwd=home, check=True, timeout=60)
    return home / "wandb"


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalServer]:
    with open_local(tmp_path / "store") as local:
        yield local


def rows(local: LocalServer) -> list[tuple[int, int]]:
    query = "SELECT text FROM lines l JOIN streams s ON s.id = l.stream_id WHERE s.file = ? ORDER BY l.id"
    with local.store.read() as connection:
        found = [json.loads(text) for (text,) in connection.execute(query, ("wandb-history.jsonl",))]
    return [(row["_step"], row["x"]) for row in found]


def test_a_rewound_run_keeps_what_came_before_the_step(folder: Path, local: LocalServer) -> None:
    local.import_logs([folder])
    assert rows(local) == [(0, 0), (1, 1), (2, 2), (3, 100), (4, 101)]


@pytest.mark.parametrize("again", [slice(None), slice(0, 1), slice(1, 2)], ids=["both", "the first", "the second"])
def test_importing_its_logs_again_changes_nothing(folder: Path, local: LocalServer, again: slice) -> None:
    local.import_logs([folder])
    before = rows(local)
    local.import_logs(sorted(folder.glob("offline-run-*"))[again])
    assert rows(local) == before
