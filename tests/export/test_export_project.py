"""A project's dataset: complete, typed, checked, and there as a whole or not at all."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from runframe import Api, CommError, NotFoundError, UsageError
from runframe.export import export_project
from runframe.progress import Progress
from runframe.server import LocalServer
from runframe.testing import Server

Row = dict[str, Any]


@pytest.fixture(scope="module")
def dataset(demo_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "dataset"
    with Api(f"local:{demo_store}") as api:
        export_project(api, "local/digits", to=folder)
    return folder


@pytest.fixture(scope="module")
def runs(dataset: Path) -> pl.DataFrame:
    return pl.read_parquet(dataset / "runs" / "*.parquet")


@pytest.fixture(scope="module")
def history(dataset: Path) -> pl.DataFrame:
    return pl.read_parquet(dataset / "history" / "*.parquet")


def test_every_run_has_as_many_rows_as_the_server_counts(demo: Api, history: pl.DataFrame) -> None:
    counted = {run.id: run.history_line_count for run in demo.runs("digits")}
    exported = dict(history.group_by("run_id").len().iter_rows())
    assert exported == counted
    assert len(counted) >= 12


@pytest.mark.parametrize("run_id", ["mlp-5", "sgd-1", "forest-2"])
def test_every_logged_number_is_there(demo: Api, history: pl.DataFrame, run_id: str) -> None:
    logged = list(demo.run(f"digits/{run_id}").scan_history())
    rows = history.filter(pl.col("run_id") == run_id).to_dicts()
    assert len(rows) == len(logged)
    for row, source in zip(rows, logged, strict=True):
        numbers = {key: value for key, value in source.items() if isinstance(value, int | float)}
        assert {key: type(row[key]) for key in numbers} == {key: type(value) for key, value in numbers.items()}
        assert all(row[key] == value or (math.isnan(row[key]) and math.isnan(value)) for key, value in numbers.items())


def test_nan_is_a_value_and_what_was_not_logged_is_null(history: pl.DataFrame) -> None:
    diverged = history.filter(pl.col("run_id") == "mlp-5")
    assert diverged["train/loss"].is_nan().any()
    assert diverged["val/loss"].null_count() > 0
    assert not diverged["val/loss"].is_nan().all()


def test_a_history_is_sorted_by_run_and_step(history: pl.DataFrame) -> None:
    assert history.select("run_id", "_step").equals(history.select("run_id", "_step").sort("run_id", "_step"))


def test_runs_have_their_config_as_columns_and_as_text(demo: Api, runs: pl.DataFrame) -> None:
    for row in runs.iter_rows(named=True):
        run = demo.run(f"digits/{row['id']}")
        assert row["config.optimizer.lr"] == run.config.get("optimizer", {}).get("lr")
        assert {
            key: entry["value"] for key, entry in json.loads(row["raw_config"]).items() if key != "_wandb"
        } == run.config
        assert "_wandb" in json.loads(row["raw_config"])
        assert json.loads(row["raw_summary"]).keys() >= {"train/loss", "epoch"}


def test_tables_join_by_run(runs: pl.DataFrame, history: pl.DataFrame) -> None:
    joined = history.join(runs, left_on="run_id", right_on="id")
    assert joined.height == history.height
    assert (runs.schema["id"], history.schema["run_id"]) == (pl.String, pl.String)


def test_the_manifest_counts_what_is_there(dataset: Path, runs: pl.DataFrame, history: pl.DataFrame) -> None:
    manifest = json.loads((dataset / "manifest.json").read_text())
    assert manifest["source"]["path"] == "local/digits"
    assert manifest["complete"] is True
    assert {name: table["rows"] for name, table in manifest["tables"].items()} == {
        "runs": runs.height,
        "history": history.height,
    }
    files = [file for table in manifest["tables"].values() for file in table["files"]]
    for file in files:
        content = (dataset / file["path"]).read_bytes()
        assert (file["bytes"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    there = {path.relative_to(dataset) for path in dataset.rglob("*") if path.is_file()}
    shown = {str(path) for path in there if path.parts[0] != "_runframe"}
    assert shown == {file["path"] for file in files} | {"manifest.json"}


def test_the_report_says_what_was_written(demo: Api, tmp_path: Path, history: pl.DataFrame) -> None:
    report = export_project(demo, "digits", to=tmp_path / "dataset")
    size = sum(path.stat().st_size for path in (tmp_path / "dataset").rglob("*.parquet"))
    assert (report.path, report.rows, report.bytes) == ("local/digits", history.height, size)
    assert report.seconds > 0
    assert report.complete and report.live == [] and report.gaps == []


def test_runs_that_came_meanwhile_are_in_the_second_export(
    recorder: Callable[..., None], runframe_api: Api, tmp_path: Path
) -> None:
    recorder("first", [{"loss": 1.0}])
    assert export_project(runframe_api, "made", to=tmp_path / "dataset").runs == 1
    recorder("second", [{"loss": 1.0}])
    assert export_project(runframe_api, "made", to=tmp_path / "dataset").runs == 2


def test_a_target_with_something_else_in_it_is_refused_before_anything_is_fetched(demo: Api, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("mine")
    with pytest.raises(UsageError, match="already holds something"):
        export_project(demo, "digits", to=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.md"]


def test_a_missing_project_leaves_nothing_behind(demo: Api, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="digitz"):
        export_project(demo, "local/digitz", to=tmp_path / "deep" / "dataset")
    assert list(tmp_path.iterdir()) == []


def test_progress_ends_at_the_number_of_rows(demo: Api, tmp_path: Path, history: pl.DataFrame) -> None:
    said: list[Progress] = []
    export_project(demo, "digits", to=tmp_path / "dataset", progress=said.append)
    assert (said[-1].done, said[-1].total, said[-1].finished) == (history.height, history.height, True)
    assert [each.done for each in said] == sorted(each.done for each in said)


def test_histories_of_many_pages_are_complete(recorder: Callable[..., None], runframe_api: Api, tmp_path: Path) -> None:
    recorder("long", [{"loss": step / 7} for step in range(2503)])
    recorder("empty", [])
    report = export_project(runframe_api, "made", to=tmp_path / "dataset")
    history = pl.read_parquet(tmp_path / "dataset" / "history" / "*.parquet")
    assert history["_step"].to_list() == list(range(2503))
    assert history["loss"].to_list() == [step / 7 for step in range(2503)]
    assert (report.runs, report.rows, report.complete) == (2, 2503, True)


def test_a_metric_of_two_types_is_kept_as_text_and_reported(
    recorder: Callable[..., None], runframe_api: Api, tmp_path: Path
) -> None:
    recorder("number", [{"score": 1}])
    recorder("word", [{"score": "high"}])
    report = export_project(runframe_api, "made", to=tmp_path / "dataset")
    history = pl.read_parquet(tmp_path / "dataset" / "history" / "*.parquet")
    assert history["score"].to_list() == ["1", '"high"']
    assert report.conflicts == 1
    manifest = json.loads((tmp_path / "dataset" / "manifest.json").read_text())
    assert [conflict["column"] for conflict in manifest["tables"]["history"]["conflicts"]] == ["score"]


def test_a_project_without_runs_is_a_dataset_without_rows(
    runframe_store: LocalServer, runframe_api: Api, tmp_path: Path
) -> None:
    runframe_api.create_project("made", runframe_store.entity)
    report = export_project(runframe_api, "made", to=tmp_path / "dataset")
    assert (report.runs, report.rows, report.complete) == (0, 0, True)
    assert pl.read_parquet(tmp_path / "dataset" / "runs" / "*.parquet").height == 0
    assert pl.read_parquet(tmp_path / "dataset" / "history" / "*.parquet").columns == ["run_id", "_step"]


def test_a_run_that_still_runs_is_named(recorder: Callable[..., None], runframe_api: Api, tmp_path: Path) -> None:
    recorder("done", [{"loss": 1.0}])
    recorder("going", [{"loss": 1.0}, {"loss": 0.5}], exit_code=None)
    report = export_project(runframe_api, "made", to=tmp_path / "dataset")
    assert (report.live, report.rows, report.complete) == (["going"], 3, True)
    assert json.loads((tmp_path / "dataset" / "manifest.json").read_text())["live_runs"] == ["going"]


Serve = Callable[[Callable[[str, Row, Row], Row]], Server]


@pytest.fixture
def two_runs(recorder: Callable[..., None]) -> Iterator[None]:
    recorder("a", [{"loss": 1.0}] * 5)
    recorder("b", [{"loss": 1.0}] * 5)
    yield


@pytest.mark.usefixtures("two_runs")
def test_rows_that_the_server_counts_but_does_not_give_are_reported(altered: Serve, tmp_path: Path) -> None:
    def lose_rows(operation: str, variables: Row, answer: Row) -> Row:
        if operation == "HistoryPage" and variables["run"] == "b":
            del answer["data"]["project"]["run"]["history"][3:]
        return answer

    report = export_project(altered(lose_rows).api(), "made", to=tmp_path / "dataset")
    assert not report.complete
    assert [(gap.run_id, gap.rows, gap.counted) for gap in report.gaps] == [("b", 3, 5)]
    manifest = json.loads((tmp_path / "dataset" / "manifest.json").read_text())
    assert (manifest["complete"], manifest["gaps"][0]["run_id"]) == (False, "b")
    assert report.rows == 8


@pytest.mark.usefixtures("two_runs")
def test_a_run_that_is_deleted_meanwhile_is_reported(altered: Serve, tmp_path: Path) -> None:
    def delete(operation: str, variables: Row, answer: Row) -> Row:
        if operation == "HistoryPage" and variables["run"] == "a":
            answer["data"]["project"]["run"] = None
        return answer

    report = export_project(altered(delete).api(), "made", to=tmp_path / "dataset")
    assert [(gap.run_id, gap.rows) for gap in report.gaps] == [("a", 0)]
    assert report.rows == 5


@pytest.mark.usefixtures("two_runs")
def test_a_run_that_the_server_refuses_is_named_and_the_rest_is_there(altered: Serve, tmp_path: Path) -> None:
    def refuse(operation: str, variables: Row, answer: Row) -> Row:
        if operation == "HistoryPage" and variables["run"] == "b":
            return {"errors": [{"message": "the disk is full"}]}
        return answer

    report = export_project(altered(refuse).api(), "made", to=tmp_path / "dataset")
    assert [(gap.run_id, gap.rows, gap.counted) for gap in report.gaps] == [("b", 0, 5)]
    assert "the disk is full" in report.gaps[0].reason
    assert not report.complete
    assert (report.runs, report.rows) == (2, 5)


@pytest.mark.usefixtures("two_runs")
def test_a_listing_that_lacks_runs_is_refused(altered: Serve, tmp_path: Path) -> None:
    def lose_run(operation: str, variables: Row, answer: Row) -> Row:
        if operation == "FullRuns":
            del answer["data"]["project"]["runs"]["edges"][0]
        return answer

    api = altered(lose_run).api()
    with pytest.raises(CommError, match=r"counts 2 runs .* listed 1"):
        export_project(api, "made", to=tmp_path / "dataset")
    assert [each.name for each in (tmp_path / "dataset").iterdir()] == ["_runframe"]
