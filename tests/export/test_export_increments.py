"""A second export fetches only what has changed, and the dataset is the one that a first export would make now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from datasets import assert_equal, assert_whole, manifest, table

from runframe import Api
from runframe.export import export_project
from runframe.server import LocalServer
from runframe.testing import Server

Row = dict[str, Any]
Serve = Callable[[Callable[[str, Row, Row], Row]], Server]
Record = Callable[..., None]


class Asked:
    """Counts the requests by operation, and the histories by run."""

    def __init__(self) -> None:
        self.operations: Counter[str] = Counter()
        self.histories: Counter[str] = Counter()

    def __call__(self, operation: str, variables: Row, answer: Row) -> Row:
        self.operations[operation] += 1
        if operation in ("HistoryPage", "RunHistoryKeys"):
            self.histories[variables.get("run") or variables["name"]] += 1
        return answer

    def reset(self) -> None:
        self.operations.clear()
        self.histories.clear()


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def api(altered: Serve, asked: Asked, recorder: Record) -> Iterator[Api]:
    recorder("a", [{"loss": 1 / (step + 1)} for step in range(5)])
    recorder("b", [{"loss": step} for step in range(5)])
    recorder("c", [{"loss": 0.5, "note": "x"}])
    yield altered(asked).api()


def fresh(api: Api, folder: Path) -> Path:
    """What a first export makes now."""
    export_project(api, "made", to=folder)
    return folder


def test_nothing_changed_costs_no_history_and_writes_nothing(api: Api, asked: Asked, tmp_path: Path) -> None:
    export_project(api, "made", to=tmp_path / "d")
    before = (tmp_path / "d" / "manifest.json").read_bytes()
    asked.reset()
    report = export_project(api, "made", to=tmp_path / "d")
    assert asked.histories == {}
    assert asked.operations == {"RunStamps": 1, "FullRuns": 1}
    assert (report.changed, report.fetched, report.runs, report.rows) == (False, 0, 3, 11)
    assert (tmp_path / "d" / "manifest.json").read_bytes() == before


def test_a_new_run_is_the_only_one_that_is_fetched(api: Api, asked: Asked, recorder: Record, tmp_path: Path) -> None:
    export_project(api, "made", to=tmp_path / "d")
    recorder("aa", [{"loss": 7.5, "acc": 1}])
    asked.reset()
    report = export_project(api, "made", to=tmp_path / "d")
    assert set(asked.histories) == {"aa"}
    assert (report.changed, report.fetched, report.runs) == (True, 1, 4)
    assert_whole(tmp_path / "d")
    assert_equal(tmp_path / "d", fresh(api, tmp_path / "fresh"))


def test_a_run_that_went_on_is_fetched_again(api: Api, asked: Asked, recorder: Record, tmp_path: Path) -> None:
    export_project(api, "made", to=tmp_path / "d")
    recorder("b", [{"loss": step} for step in range(9)])
    asked.reset()
    report = export_project(api, "made", to=tmp_path / "d")
    assert set(asked.histories) == {"b"}
    assert report.rows == 15
    assert_equal(tmp_path / "d", fresh(api, tmp_path / "fresh"))


def test_a_type_that_only_an_outdated_row_had_is_gone(
    api: Api, recorder: Record, runframe_store: LocalServer, tmp_path: Path
) -> None:
    recorder("w", [{"score": "high"}])
    export_project(api, "made", to=tmp_path / "d")
    assert table(tmp_path / "d", "history").schema.field("score").type == "string"
    recorder("w", [{"score": 3}])
    export_project(api, "made", to=tmp_path / "d")
    assert table(tmp_path / "d", "history").schema.field("score").type == "int64"
    assert_equal(tmp_path / "d", fresh(api, tmp_path / "fresh"))


def test_a_run_that_still_runs_is_read_each_time(api: Api, asked: Asked, recorder: Record, tmp_path: Path) -> None:
    recorder("going", [{"loss": 1.0}], exit_code=None)
    assert export_project(api, "made", to=tmp_path / "d").live == ["going"]
    asked.reset()
    report = export_project(api, "made", to=tmp_path / "d")
    assert set(asked.histories) == {"going"}
    assert not report.changed
    recorder("going", [{"loss": 1.0}, {"loss": 0.5}])
    report = export_project(api, "made", to=tmp_path / "d")
    assert (report.changed, report.live) == (True, [])
    assert_equal(tmp_path / "d", fresh(api, tmp_path / "fresh"))


def test_new_tags_change_the_runs_and_leave_the_histories(api: Api, asked: Asked, tmp_path: Path) -> None:
    export_project(api, "made", to=tmp_path / "d")
    history = manifest(tmp_path / "d")["tables"]["history"]["files"]
    run = api.run("made/c")
    run.tags = ["best"]
    run.update()
    asked.reset()
    report = export_project(api, "made", to=tmp_path / "d")
    assert asked.histories == {}
    assert report.changed
    assert manifest(tmp_path / "d")["tables"]["history"]["files"] == history
    tags = pl.read_parquet(tmp_path / "d" / "runs" / "*.parquet").filter(id="c")["tags"].to_list()
    assert tags == [["best"]]
    assert_whole(tmp_path / "d")


def test_a_deleted_run_stays_and_is_marked(api: Api, asked: Asked, tmp_path: Path) -> None:
    export_project(api, "made", to=tmp_path / "d")
    before = table(tmp_path / "d", "history")
    api.run("made/b").delete()
    asked.reset()
    report = export_project(api, "made", to=tmp_path / "d")
    assert (report.deleted, report.changed, report.complete) == (["b"], True, True)
    assert asked.histories == {}
    runs = pl.read_parquet(tmp_path / "d" / "runs" / "*.parquet")
    assert runs.filter(pl.col("deleted_at").is_not_null())["id"].to_list() == ["b"]
    assert runs.height == 3
    assert table(tmp_path / "d", "history").equals(before)
    assert manifest(tmp_path / "d")["deleted_runs"] == ["b"]
    assert not export_project(api, "made", to=tmp_path / "d").changed


def test_a_run_that_comes_back_under_its_name_is_not_deleted_any_more(
    api: Api, recorder: Record, tmp_path: Path
) -> None:
    export_project(api, "made", to=tmp_path / "d")
    api.run("made/b").delete()
    assert export_project(api, "made", to=tmp_path / "d").deleted == ["b"]
    recorder("b", [{"loss": 9}])
    report = export_project(api, "made", to=tmp_path / "d")
    assert (report.deleted, report.runs, report.rows) == ([], 3, 7)
    assert_equal(tmp_path / "d", fresh(api, tmp_path / "fresh"))


def test_a_run_of_long_ago_that_came_in_late_is_found_by_the_count(
    api: Api, runframe_store: LocalServer, recorder: Record, tmp_path: Path
) -> None:
    export_project(api, "made", to=tmp_path / "d")
    recorder("old", [{"loss": 2.0}])
    with runframe_store.store.write() as connection:
        connection.execute(
            "UPDATE runs SET created_at = '2020-01-01T00:00:00.000000Z', heartbeat_at = '2020-01-02T00:00:00.000000Z'"
            " WHERE name = 'old'"
        )
    report = export_project(api, "made", to=tmp_path / "d")
    assert (report.runs, report.fetched) == (4, 1)
    assert table(tmp_path / "d", "runs")["id"].to_pylist()[0] == "old"
    assert_equal(tmp_path / "d", fresh(api, tmp_path / "fresh"))


def test_a_change_that_left_no_sign_is_found_by_comparing_all(
    api: Api, runframe_store: LocalServer, tmp_path: Path
) -> None:
    with runframe_store.store.write() as connection:
        connection.execute("UPDATE runs SET heartbeat_at = '2020-01-02T00:00:00.000000Z' WHERE name <> 'c'")
        connection.execute("UPDATE runs SET created_at = '2020-01-01T00:00:00.000000Z' WHERE name <> 'c'")
    export_project(api, "made", to=tmp_path / "d")
    with runframe_store.store.write() as connection:
        connection.execute("UPDATE runs SET state = 'failed' WHERE name = 'a'")
        connection.execute("UPDATE runs SET notes = 'too hot' WHERE name = 'b'")
    assert not export_project(api, "made", to=tmp_path / "d").changed
    report = export_project(api, "made", to=tmp_path / "d", compare_all=True)
    assert (report.changed, report.fetched) == (True, 1)
    assert table(tmp_path / "d", "runs")["notes"].to_pylist() == [None, "too hot", None]
    assert_equal(tmp_path / "d", fresh(api, tmp_path / "fresh"))


def test_a_run_that_fell_silent_is_looked_at_again(
    api: Api, runframe_store: LocalServer, recorder: Record, tmp_path: Path
) -> None:
    recorder("silent", [{"loss": 1.0}], exit_code=None)
    assert export_project(api, "made", to=tmp_path / "d").live == ["silent"]
    with runframe_store.store.write() as connection:
        connection.execute("UPDATE runs SET heartbeat_at = '2020-01-02T00:00:00.000000Z' WHERE name = 'silent'")
    report = export_project(api, "made", to=tmp_path / "d")
    assert report.live == []
    assert table(tmp_path / "d", "runs").filter(pl_equal("id", "silent"))["state"].to_pylist() == ["crashed"]


def pl_equal(column: str, value: str) -> Any:
    import pyarrow.compute as pc

    return pc.field(column) == value


def test_a_file_that_was_damaged_is_written_again(api: Api, tmp_path: Path) -> None:
    export_project(api, "made", to=tmp_path / "d")
    [file] = (tmp_path / "d" / "history").iterdir()
    file.write_bytes(b"PAR1")
    report = export_project(api, "made", to=tmp_path / "d")
    assert report.complete
    assert_equal(tmp_path / "d", fresh(api, tmp_path / "fresh"))


def test_without_its_state_a_dataset_is_made_anew(api: Api, asked: Asked, tmp_path: Path) -> None:
    import shutil

    export_project(api, "made", to=tmp_path / "d")
    shutil.rmtree(tmp_path / "d" / "_runframe")
    asked.reset()
    export_project(api, "made", to=tmp_path / "d")
    assert set(asked.histories) == {"a", "b", "c"}
    assert_equal(tmp_path / "d", fresh(api, tmp_path / "fresh"))
