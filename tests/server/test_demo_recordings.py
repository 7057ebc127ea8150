"""The recorded runs that ship with the package: whole, real, and silent about who made them."""

from __future__ import annotations

import json
import math
import platform
import re
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runframe import extjson
from runframe.offline import OfflineRun, find_logs, read_run
from runframe.offline.framing import Records
from runframe.offline.protobuf import WireError, fields
from runframe.server.demo import recordings
from runframe.server.demo.recordings import FOLDER

FILES = sorted(path for path in FOLDER.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def runs() -> dict[str, OfflineRun]:
    return {run.run_id: run for run in map(read_run, recordings())}


def rows(run: OfflineRun) -> list[dict[str, Any]]:
    return [extjson.loads(line) for line in run.history()]


def test_there_are_sixteen_and_each_is_whole(runs: dict[str, OfflineRun]) -> None:
    assert len(runs) == len(recordings()) == 16
    assert recordings() == find_logs([FOLDER])
    for run in runs.values():
        assert (run.tear, run.remarks) == (None, [])
        assert run.history_rows == len(rows(run)) >= 12
        assert (run.project, run.entity, run.job_type) == ("digits", None, "train")
        assert run.display_name and run.group in run.tags


def test_one_run_failed_and_the_others_finished(runs: dict[str, OfflineRun]) -> None:
    assert {run_id: run.exit_code for run_id, run in runs.items() if run.exit_code} == {"mlp-5": 1}


def test_the_config_is_a_nested_grid(runs: dict[str, OfflineRun]) -> None:
    config = runs["mlp-4"].config
    assert config["optimizer"]["value"] == {"lr": 0.2, "alpha": 0.01, "momentum": {"rate": 0.9, "nesterov": True}}
    assert config["model"]["value"]["hidden"] == [64, 32]
    linear = [run.config["optimizer"]["value"] for run_id, run in runs.items() if run_id.startswith("sgd")]
    assert len({(optimizer["lr"], optimizer["alpha"]) for optimizer in linear}) == 6


def test_training_is_logged_every_epoch_and_validation_every_few(runs: dict[str, OfflineRun]) -> None:
    for run in runs.values():
        train = [row["epoch"] for row in rows(run) if "train/loss" in row]
        validation = [row["epoch"] for row in rows(run) if "val/loss" in row]
        assert train == list(range(1, len(train) + 1))
        assert 1 < len(validation) < len(train) / 2
        assert set(validation) < set(train)


def test_the_models_learn(runs: dict[str, OfflineRun]) -> None:
    accuracies = [run.summary["val/accuracy"]["max"] for run in runs.values() if run.exit_code == 0]
    assert min(accuracies) > 0.85
    assert max(accuracies) > 0.975


def test_the_run_that_diverged_has_nan(runs: dict[str, OfflineRun]) -> None:
    losses = [row["train/loss"] for row in rows(runs["mlp-5"])]
    assert math.isnan(losses[-1]) and losses[-2] > 1e300
    assert math.isnan(runs["mlp-5"].summary["train/loss"])


def test_metrics_are_defined_with_a_step_and_a_summary(runs: dict[str, OfflineRun]) -> None:
    defined = runs["sgd-1"].config["_wandb"]["value"]["m"]
    assert {"2": "train/*", "5": 1, "6": [1], "7": []} in defined
    assert {"1": "val/accuracy", "5": 1, "6": [1, 3], "7": [2, 5]} in defined


def test_every_finished_run_has_an_image_a_table_and_a_histogram(runs: dict[str, OfflineRun]) -> None:
    for run in (run for run in runs.values() if run.exit_code == 0):
        files = {file.name: file.read() for file in run.files}
        last = rows(run)[-1]
        image, table, histogram = last["val/confusion"], last["val/predictions"], last["val/confidence"]
        assert image["_type"] == "image-file"
        assert struct.unpack(">II", files[image["path"]][16:24]) == (image["width"], image["height"]) == (120, 120)
        assert table["_type"] == "table-file"
        content = json.loads(files[table["path"]])
        assert content["columns"] == ["image", "label", "predicted", "confidence"]
        assert (len(content["data"]), len(content["columns"])) == (table["nrows"], table["ncols"]) == (20, 4)
        assert histogram["_type"] == "histogram"
        assert sum(histogram["values"]) == 599
        assert len(run.artifacts) == 1


def test_every_run_has_real_system_metrics(runs: dict[str, OfflineRun]) -> None:
    for run in runs.values():
        events = [extjson.loads(line) for line in run.events()]
        assert len(events) == run.event_rows >= 3
        assert all(event["system.proc.memory.rssMB"] > 50 for event in events)
        assert any("system.cpu" in event for event in events)


def test_console_and_metadata_are_there(runs: dict[str, OfflineRun]) -> None:
    for run in runs.values():
        assert any("validation loss" in line for line in run.console())
        assert run.metadata["python"].startswith("CPython")
        assert run.metadata["cpu_count"] > 0


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in FILES) < 1_500_000


def test_only_logs_and_run_files_are_kept() -> None:
    for path in FOLDER.rglob("*"):
        assert not path.is_symlink()
        if path.is_file():
            _, kind, *_ = path.relative_to(FOLDER).parts
            assert kind == "files" or re.fullmatch(r"run-[a-z]+-\d\.wandb", kind)


def texts(message: bytes) -> Iterator[str]:
    """Everything inside a protobuf message that can be read as text."""
    try:
        values = [value for _, _, value in fields(message) if isinstance(value, bytes)]
    except WireError:
        return
    for value in values:
        yield value.decode("utf-8", errors="replace")
        yield from texts(value)


def told(path: Path) -> Iterator[str]:
    """Every text in a recorded file."""
    if path.suffix == ".wandb":
        with path.open("rb") as file:
            for record in Records(file):
                yield from texts(record)
    elif path.suffix != ".png":
        yield path.read_text()


def test_they_name_no_folder_of_the_machine_but_the_neutral_one() -> None:
    absolute = re.compile(r"(?:^|[\s\"'=(,])(/[A-Za-z][\w.-]*/[^\s\"']*)")
    found = {match for path in FILES for text in told(path) for match in absolute.findall(text)}
    assert {path for path in found if not path.startswith("/tmp/digits/")} == set()
    assert found, "the staged tables are named"


def test_they_name_no_host_and_no_user(runs: dict[str, OfflineRun]) -> None:
    # Names of a few letters occur by chance in ids.
    names = {name for name in (platform.node(), Path.home().name) if len(name) > 4}
    assert [path for path in FILES for text in told(path) if any(name in text for name in names)] == []
    for run in runs.values():
        assert run.host == run.metadata["host"] == "demo"
        assert [run.metadata[key] for key in ("program", "executable", "root")] == ["record.py", "python", "."]
        assert not {"username", "email", "git", "docker", "args"} & run.metadata.keys()


def test_version_control_keeps_them() -> None:
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        pytest.skip("not a checkout")
    paths = [str(path) for path in FILES]
    ignored = subprocess.run(
        ["git", "check-ignore", "--stdin"],
        input="\n".join(paths),
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ignored.stdout == ""
