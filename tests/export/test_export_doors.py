"""`api.export` and `runs.to_parquet`: ways into the same engine."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from datasets import assert_equal, manifest, table

from runframe import Api, UsageError
from runframe.export import ExportReport, export_project
from runframe.export.options import Options, size_in_bytes


def test_api_export_is_the_export_of_a_project(demo: Api, tmp_path: Path) -> None:
    report = demo.export("local/digits", to=tmp_path / "a")
    export_project(demo, "digits", to=tmp_path / "b")
    assert (report.runs, report.rows, report.complete) == (16, 577, True)
    assert_equal(tmp_path / "a", tmp_path / "b")


def test_runs_to_parquet_writes_the_runs_that_match_with_their_histories(demo: Api, tmp_path: Path) -> None:
    runs = demo.runs("digits", filters={"config.optimizer.lr": 0.001})
    report = runs.to_parquet(tmp_path / "d")
    assert isinstance(report, ExportReport)
    assert report.runs == len(runs) > 0
    ids = {run.id for run in runs}
    assert set(table(tmp_path / "d", "runs")["id"].to_pylist()) == ids
    assert set(table(tmp_path / "d", "history")["run_id"].to_pylist()) == ids
    assert manifest(tmp_path / "d")["source"]["filters"] == {"config.optimizer.lr": 0.001}
    assert not runs.to_parquet(tmp_path / "d").changed


def test_runs_to_parquet_writes_one_file_where_the_path_is_that_of_a_file(demo: Api, tmp_path: Path) -> None:
    runs = demo.runs("digits")
    path = runs.to_parquet(tmp_path / "runs.parquet", ["id", "state"], limit=3)
    assert pq.read_table(path).column_names == ["id", "state"]
    with pytest.raises(UsageError, match="for a dataset"):
        runs.to_parquet(tmp_path / "runs.parquet", tables="all")
    with pytest.raises(UsageError, match="for a file"):
        runs.to_parquet(tmp_path / "folder", ["id"])
    assert [each.name for each in tmp_path.iterdir()] == ["runs.parquet"]


def test_a_report_can_be_given_wherever_a_path_is_expected(demo: Api, tmp_path: Path) -> None:
    report = demo.runs("digits").to_parquet(tmp_path / "d")
    assert Path(report).joinpath("manifest.json").exists()


def test_the_runs_of_another_filter_go_elsewhere(demo: Api, tmp_path: Path) -> None:
    demo.runs("digits", filters={"state": "failed"}).to_parquet(tmp_path / "d")
    with pytest.raises(UsageError, match=r'with the filter \{"state": "failed"\}'):
        demo.export("digits", to=tmp_path / "d")


def test_a_run_that_matches_no_more_leaves_the_dataset(runframe_api: Api, recorder: object, tmp_path: Path) -> None:
    assert callable(recorder)
    for name in ("a", "b"):
        recorder(name, [{"loss": 1.0}])
        run = runframe_api.run(f"made/{name}")
        run.tags = ["good"]
        run.update()
    assert runframe_api.runs("made", filters={"tags": "good"}).to_parquet(tmp_path / "d").runs == 2
    run = runframe_api.run("made/a")
    run.tags = []
    run.update()
    report = runframe_api.runs("made", filters={"tags": "good"}).to_parquet(tmp_path / "d")
    assert (report.runs, report.deleted) == (1, [])
    assert table(tmp_path / "d", "history")["run_id"].to_pylist() == ["b"]


def test_other_tables_than_before_are_made_of_what_is_there(demo: Api, tmp_path: Path) -> None:
    demo.export("digits", to=tmp_path / "d")
    report = demo.export("digits", to=tmp_path / "d", tables=["runs"])
    assert (report.changed, report.tables) == (True, {"runs": 16})
    assert not (tmp_path / "d" / "history").exists()
    report = demo.export("digits", to=tmp_path / "d", tables="all")
    assert report.tables["history"] == 577


@pytest.mark.parametrize(
    ("text", "size"),
    [("512MB", 512_000_000), ("2GiB", 2**31), ("1.5 g", 1_500_000_000), (70_000_000, 70_000_000), ("99", 99)],
)
def test_sizes(text: str | int, size: int) -> None:
    assert size_in_bytes(text) == size


def test_tables_come_in_one_order() -> None:
    assert Options.of(tables="history, runs").tables == ("runs", "history")
    with pytest.raises(UsageError, match="no table is asked for"):
        Options.of(tables=[])
