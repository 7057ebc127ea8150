"""The recorded trainings that ship with the package, read through every face."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pytest

from runframe import Api
from runframe.resources.history.live import HISTORY
from runframe.server import open_local
from runframe.server.demo.recordings import recordings


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("demo")
    with open_local(folder) as local:
        local.import_logs(recordings(), project="digits")
    with Api(f"local:{folder}") as api:
        yield api


def test_every_run_is_whole(demo: Api) -> None:
    runs = demo.runs("digits")
    assert len(runs) == len(recordings()) >= 12
    for run in runs:
        rows = list(run.scan_history())
        assert len(rows) == run.history_line_count == run.lastHistoryStep + 1
        assert rows == [row for batch in run.history_batches() for row in decoded(batch)]
        assert len(run.history()) == len(rows)
        assert run.metadata is not None
        assert {"config.yaml", "output.log", "wandb-metadata.json"} <= {file.name for file in run.files()}


def decoded(batch: object) -> list[dict[str, object]]:
    from runframe import extjson

    texts = batch.column(HISTORY.names.index("row")).storage.to_pylist()  # type: ignore[attr-defined]
    return [extjson.loads(text) for text in texts]


def test_objects_and_columns_agree(demo: Api) -> None:
    runs = demo.runs("digits")
    table = runs.frame().to_polars()
    by_id = {run.id: run for run in runs}
    for row in table.select("id", "name", "state", "config.optimizer.lr", "summary.train/loss").iter_rows(named=True):
        run = by_id[row["id"]]
        assert (row["name"], row["state"]) == (run.name, run.state)
        assert row["config.optimizer.lr"] == run.config.get("optimizer", {}).get("lr")
        assert same(row["summary.train/loss"], run.summary.get("train/loss"))


def same(one: object, other: object) -> bool:
    return one == other or (one != one and other != other)


def test_a_leaderboard_is_one_expression(demo: Api) -> None:
    board = demo.runs("digits").frame(["name", "summary.errors"]).to_polars().sort("summary.errors", nulls_last=True)
    assert board["summary.errors"].drop_nulls().is_sorted()
    assert board.filter(pl.col("name").is_null()).height == 0
