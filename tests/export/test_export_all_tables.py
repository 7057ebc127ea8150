"""The tables besides runs and histories: system metrics, console, files, artifacts, sweeps, reports, the project."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from datasets import assert_equal, assert_whole, manifest, table

from runframe import Api, Artifact
from runframe.server import LocalServer
from runframe.testing import Server

Row = dict[str, Any]
Serve = Callable[[Callable[[str, Row, Row], Row]], Server]

ALL = ["runs", "history", "system", "console", "artifacts", "files", "sweeps", "reports", "projects"]


@pytest.fixture(scope="module")
def dataset(demo_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("all") / "dataset"
    with Api(f"local:{demo_store}") as api:
        report = api.export("local/digits", to=folder, tables="all", files=["*.yaml", "wandb-metadata.json"])
    assert report.complete
    return folder


def read(dataset: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(dataset / name / "*.parquet")


def test_all_tables_are_there_and_counted(dataset: Path) -> None:
    assert list(manifest(dataset)["tables"]) == ALL
    assert_whole(dataset)


def test_system_metrics_are_those_that_the_server_has(demo: Api, dataset: Path) -> None:
    system = read(dataset, "system")
    run = demo.run("digits/mlp-4")
    lines = run.history(stream="events", samples=100_000, pandas=False)
    mine = system.filter(run_id="mlp-4")
    assert mine.height == len(lines) > 0
    assert mine["_timestamp"].to_list() == [line["_timestamp"] for line in lines]
    assert mine["system.cpu"].to_list() == [line.get("system.cpu") for line in lines]
    assert "_wandb" not in system.columns
    assert not any("\\" in name for name in system.columns)


def test_console_lines_are_in_order(demo: Api, dataset: Path) -> None:
    mine = read(dataset, "console").filter(run_id="mlp-4")
    lines = list(demo.run("digits/mlp-4").console_logs())
    assert mine["content"].to_list() == [line.content for line in lines]
    assert mine["number"].to_list() == list(range(len(lines)))
    assert mine["timestamp"].to_list() == [line.timestamp for line in lines]


def test_files_are_listed_and_those_asked_for_are_there(demo: Api, dataset: Path) -> None:
    mine = read(dataset, "files").filter(run_id="mlp-4")
    files = {file.name: file for file in demo.run("digits/mlp-4").files()}
    assert set(mine["name"]) == set(files)
    fetched = dict(mine.filter(pl.col("content").is_not_null()).select("name", "content").iter_rows())
    assert set(fetched) == {name for name in files if name.endswith(".yaml") or name == "wandb-metadata.json"}
    for name, place in fetched.items():
        assert (dataset / place).stat().st_size == files[name].size
    assert place.startswith("file_contents/mlp-4/")


def test_the_project_has_one_row(dataset: Path) -> None:
    assert read(dataset, "projects")["name"].to_list() == ["digits"]


@pytest.fixture
def made(runframe_api: Api, recorder: Callable[..., None], tmp_path: Path) -> Api:
    """A project with a run, an artifact of two versions, and a sweep."""
    recorder("a", [{"loss": 1.0}])
    for number in range(2):
        draft = Artifact("mnist", "dataset", metadata={"split": {"train": number}})
        with draft.new_file("data.txt") as file:
            file.write(f"version {number}")
        draft.save(run=runframe_api.run("made/a"))
    query = """
      mutation ($input: UpsertSweepInput!) { upsertSweep(input: $input) { sweep { name } } }
    """
    config = "method: grid\nmetric: {name: loss, goal: minimize}\nparameters: {lr: {values: [0.1, 0.2]}}\n"
    given = {"input": {"config": config, "entityName": "local", "projectName": "made"}}
    runframe_api.client.execute(query, given)
    return runframe_api


def test_artifacts_are_all_versions_with_their_aliases(made: Api, tmp_path: Path) -> None:
    made.export("made", to=tmp_path / "d", tables=["artifacts"])
    rows = {row["name"]: row for row in read(tmp_path / "d", "artifacts").to_dicts()}
    assert set(rows) == {"mnist:v0", "mnist:v1"}
    assert (rows["mnist:v1"]["aliases"], rows["mnist:v1"]["type"]) == (["latest"], "dataset")
    assert [rows[name]["metadata.split.train"] for name in sorted(rows)] == [0, 1]
    assert json.loads(rows["mnist:v0"]["raw_metadata"]) == {"split": {"train": 0}}
    assert rows["mnist:v0"]["digest"] == made.artifact("made/mnist:v0").digest


def test_sweeps_have_their_config_as_columns(made: Api, tmp_path: Path) -> None:
    made.export("made", to=tmp_path / "d", tables=["sweeps"])
    sweeps = read(tmp_path / "d", "sweeps")
    assert sweeps["method"].to_list() == ["grid"]
    assert sweeps["config.parameters.lr.values"].to_list() == [[0.1, 0.2]]


def test_nothing_changed_writes_nothing_whatever_the_tables(made: Api, tmp_path: Path) -> None:
    made.export("made", to=tmp_path / "d", tables="all")
    assert not made.export("made", to=tmp_path / "d", tables="all").changed
    made.export("made", to=tmp_path / "fresh", tables="all")
    assert_equal(tmp_path / "d", tmp_path / "fresh")


def test_contents_that_are_asked_for_later_are_fetched_then(demo: Api, tmp_path: Path) -> None:
    demo.export("digits", to=tmp_path / "d", tables=["files"])
    assert not (tmp_path / "d" / "file_contents").exists()
    report = demo.export("digits", to=tmp_path / "d", tables=["files"], files="config.yaml")
    contents = manifest(tmp_path / "d")["contents"]
    assert (report.changed, contents["files"]) == (True, 16)
    assert contents["bytes"] == sum(path.stat().st_size for path in (tmp_path / "d").glob("file_contents/*/*"))
    assert not demo.export("digits", to=tmp_path / "d", tables=["files"], files="config.yaml").changed


def test_a_content_that_was_lost_is_fetched_again(demo: Api, tmp_path: Path) -> None:
    demo.export("digits", to=tmp_path / "d", tables=["files"], files="config.yaml")
    kept = [path for path in (tmp_path / "d" / "_runframe" / "contents").rglob("*") if path.is_file()]
    kept[0].unlink()
    assert demo.export("digits", to=tmp_path / "d", tables=["files"], files="config.yaml").fetched == 1
    assert len(list((tmp_path / "d").glob("file_contents/*/config.yaml"))) == 16


def test_a_file_whose_name_leads_out_is_not_written(
    runframe_store: LocalServer, recorder: Callable[..., None], altered: Serve, tmp_path: Path
) -> None:
    def rename(operation: str, variables: Row, answer: Row) -> Row:
        if operation == "RunFiles":
            node = {
                "id": "f", "name": "../../out.yaml", "url": "/x", "directUrl": "/x", "sizeBytes": "1",
                "mimetype": None, "md5": None, "updatedAt": "2026-01-01T00:00:00",
            }  # fmt: skip
            run = answer["data"]["project"]["run"]
            run["fileCount"] = 1
            run["files"] = {"edges": [{"node": node, "cursor": "c"}], "pageInfo": {"hasNextPage": False}}
        return answer

    recorder("a", [{"loss": 1.0}])
    report = altered(rename).api().export("made", to=tmp_path / "d", tables=["files"], files="*")
    assert [(gap.run_id, gap.table) for gap in report.gaps] == [("a", "files")]
    assert "leads out" in report.gaps[0].reason
    assert not (tmp_path / "out.yaml").exists()


def test_more_system_metrics_than_are_asked_for_first_come_all(
    runframe_store: LocalServer, runframe_api: Api, recorder: Callable[..., None], tmp_path: Path
) -> None:
    from runframe.server.store import lines

    recorder("a", [{"loss": 1.0}])
    texts = [json.dumps({"_wandb": True, "_timestamp": 1.5 + step, "system.cpu": step}) for step in range(2500)]
    with runframe_store.store.write() as connection:
        [number] = connection.execute("SELECT id FROM runs WHERE name = 'a'").fetchone()
        lines.write(connection, number, lines.EVENTS, "", 0, texts)
    report = runframe_api.export("made", to=tmp_path / "d", tables=["system"])
    assert report.complete
    assert table(tmp_path / "d", "system")["system.cpu"].to_pylist() == list(range(2500))


def test_a_table_of_the_project_that_cannot_be_listed_is_named(
    recorder: Callable[..., None], altered: Serve, tmp_path: Path
) -> None:
    def refuse(operation: str, variables: Row, answer: Row) -> Row:
        return {"errors": [{"message": "no such index"}]} if operation == "GetSweeps" else answer

    recorder("a", [{"loss": 1.0}])
    report = altered(refuse).api().export("made", to=tmp_path / "d", tables=["runs", "sweeps"])
    assert [(gap.table, gap.run_id) for gap in report.gaps] == [("sweeps", "")]
    assert "no such index" in report.gaps[0].reason
    assert report.tables == {"runs": 1, "sweeps": 0}
