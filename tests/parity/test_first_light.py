"""What `runframe.Api` and `wandb.Api` read back from the same server is equal, field by field."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from runframe.server import open_local
from runframe.testing import serving

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.slow,
    # The official package's own modules warn while they are imported and closed.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

RUNS = ["lr-0.001", "lr-0.01", "lr-0.1", "failed"]
FIELDS = [
    "id", "name", "entity", "project", "state", "tags", "notes", "description", "group", "job_type", "created_at",
    "heartbeat_at", "storage_id", "commit", "read_only", "sweep_name", "path", "url", "history_line_count",
    "lastHistoryStep",
]  # fmt: skip


def same(left: Any, right: Any) -> bool:
    """Equality in which NaN equals NaN and an int is not a float; floats compare exactly."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    return type(left) is type(right) and left == right


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A history row as the official scan gives it: it turns whole floats into integers on the way."""

    def convert(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: convert(item) for key, item in value.items()}
        if isinstance(value, list):
            return [convert(item) for item in value]
        return int(value) if isinstance(value, float) and value.is_integer() else value

    return {key: convert(value) for key, value in row.items()}


def test_the_listing_is_the_same_runs_in_the_same_order(official: Any, ours: Any) -> None:
    assert [run.id for run in ours.runs("parity")] == [run.id for run in official.runs("parity")] == RUNS


@pytest.mark.parametrize("run_id", RUNS)
@pytest.mark.parametrize("field", FIELDS)
def test_each_field_of_a_run_is_equal(official: Any, ours: Any, run_id: str, field: str) -> None:
    assert same(getattr(ours.run(f"parity/{run_id}"), field), getattr(official.run(f"parity/{run_id}"), field))


@pytest.mark.parametrize("run_id", RUNS)
@pytest.mark.parametrize("document", ["config", "rawconfig", "summary_metrics", "system_metrics", "metadata"])
def test_each_document_of_a_run_is_equal(official: Any, ours: Any, run_id: str, document: str) -> None:
    mine = getattr(ours.run(f"parity/{run_id}"), document)
    assert same(mine, getattr(official.run(f"parity/{run_id}"), document))
    assert mine or document in ("config", "system_metrics", "metadata")


def test_awkward_values_arrive_as_they_were_logged(ours: Any) -> None:
    run = ours.run("parity/lr-0.01")
    assert run.config["big"] == 2**62 + 1
    assert run.config["optimizer"] == {"name": "sgd", "lr": 0.01}
    assert math.isnan(run.summary["worst"])
    assert run.summary["verdict"]["big"] == 2**62 + 1
    rows = list(run.scan_history())
    assert [row["seen"] for row in rows[:30]] == [2**62 + 1 + epoch for epoch in range(30)]
    assert math.isnan(rows[3]["grad"])
    assert rows[4]["grad"] == math.inf


@pytest.mark.parametrize("run_id", RUNS)
def test_complete_history_is_equal(official: Any, ours: Any, run_id: str) -> None:
    mine = list(ours.run(f"parity/{run_id}").scan_history())
    theirs = list(official.run(f"parity/{run_id}").scan_history())
    assert len(mine) == len(theirs) == (1 if run_id == "failed" else 31)
    for row, other in zip(mine, theirs, strict=True):
        assert same(plain(row), plain(other))


def test_history_of_keys_is_equal(official: Any, ours: Any) -> None:
    keys = ["epoch", "valid/loss"]
    mine = list(ours.run("parity/lr-0.1").scan_history(keys=keys))
    theirs = list(official.run("parity/lr-0.1").scan_history(keys=keys))
    assert len(mine) == 6
    assert [plain(row) for row in mine] == [plain(row) for row in theirs]


@pytest.mark.parametrize("stream", ["default", "system"])
def test_sampled_history_is_equal(official: Any, ours: Any, stream: str) -> None:
    mine = ours.run("parity/lr-0.1").history(samples=500, pandas=False, stream=stream)
    theirs = official.run("parity/lr-0.1").history(samples=500, pandas=False, stream=stream)
    assert same(mine, theirs)


def test_history_frames_are_equal(official: Any, ours: Any) -> None:
    import pandas as pd

    mine = ours.run("parity/lr-0.1").history(keys=["epoch", "train.accuracy"])
    theirs = official.run("parity/lr-0.1").history(keys=["epoch", "train.accuracy"])
    pd.testing.assert_frame_equal(mine, theirs)
    mine, theirs = (api.run("parity/lr-0.1").history() for api in (ours, official))
    assert list(mine.columns) == list(theirs.columns)
    assert len(mine) == 31


def test_files_are_equal_and_so_is_their_content(official: Any, ours: Any, tmp_path: Path) -> None:
    mine = {file.name: file for file in ours.run("parity/lr-0.1").files()}
    theirs = {file.name: file for file in official.run("parity/lr-0.1").files()}
    assert mine.keys() == theirs.keys()
    assert {"report.json", "output.log", "config.yaml", "wandb-summary.json", "wandb-metadata.json"} <= mine.keys()
    assert any(name.startswith("media/images/digit_") for name in mine)
    for name, file in mine.items():
        other = theirs[name]
        for field in ("id", "name", "size", "md5", "mimetype", "updated_at"):
            assert same(getattr(file, field), getattr(other, field)), (name, field)
        file.download(root=str(tmp_path / "mine")).close()
        other.download(root=str(tmp_path / "theirs")).close()
        assert (tmp_path / "mine" / name).read_bytes() == (tmp_path / "theirs" / name).read_bytes()


def test_exit_codes_become_states(ours: Any) -> None:
    assert {run.id: run.state for run in ours.runs("parity")} == dict.fromkeys(RUNS[:3], "finished") | {
        "failed": "failed"
    }


@pytest.mark.parametrize(
    "filters",
    [
        {"state": "failed"},
        {"config.optimizer.lr": {"$gt": 0.005}},
        {"summary_metrics.train.accuracy": {"$exists": True}},
        {"tags": "sgd"},
        {"$or": [{"display_name": {"$regex": "^lr 0.0"}}, {"name": "failed"}]},
        {"group": {"$ne": "grid"}},
    ],
    ids=str,
)
def test_filters_choose_the_same_runs(official: Any, ours: Any, filters: dict[str, Any]) -> None:
    mine = [run.id for run in ours.runs("parity", filters=filters)]
    assert mine == [run.id for run in official.runs("parity", filters=filters)]
    assert 0 < len(mine) < len(RUNS)


@pytest.mark.parametrize(
    "order", ["+created_at", "-created_at", "-summary_metrics.epoch", "+config.optimizer.value.lr"]
)
def test_orders_are_the_same(official: Any, ours: Any, order: str) -> None:
    mine = [run.id for run in ours.runs("parity", order=order)]
    assert mine == [run.id for run in official.runs("parity", order=order)]
    assert sorted(mine) == sorted(RUNS)


def test_projects_and_viewer_are_equal(official: Any, ours: Any) -> None:
    assert ours.default_entity == official.default_entity
    assert ours.viewer.username == official.viewer.username
    fields = ("id", "name", "entity", "created_at", "url", "path")
    mine, theirs = ([tuple(getattr(p, f) for f in fields) for p in api.projects()] for api in (ours, official))
    assert mine == theirs
    assert {"parity", "par", "lab"} <= {row[1] for row in mine}


def test_another_server_s_end_leaves_the_official_client_alone(official: Any, tmp_path: Path) -> None:
    with open_local(tmp_path / "store") as local, serving(local, tmp_path / "home"):
        pass
    assert official.run("parity/failed").state == "failed"
