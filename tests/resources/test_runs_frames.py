"""The documents and sampled histories of all runs, side by side."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from runframe import Api, CommError, Frame, UsageError
from runframe.resources.client import Client
from runframe.resources.runs import Runs

if TYPE_CHECKING:
    from conftest import Asked

BIG = 2**62 + 1
IDS = ["run-0", "run-1", "run-2", "run-3", "empty"]


def test_a_frame_is_attributes_and_a_typed_column_for_each_entry(api: Api) -> None:
    table = api.runs("digits").frame().to_arrow()
    assert table["id"].to_pylist() == IDS
    assert table["config.optimizer.lr"].type == pa.float64()
    assert table["config.big"].to_pylist() == [BIG] * 4 + [None]
    assert table["config.big"].type == pa.int64()
    assert table[r"config.a\.dot"].to_pylist()[0] == 1.5
    assert math.isnan(table["summary.nested.best"].to_pylist()[0])
    assert table["summary.word"].to_pylist()[-1] is None
    assert not [name for name in table.column_names if "_wandb" in name]


def test_a_frame_of_chosen_columns_asks_for_no_more_than_it_needs(asked: Asked, client: Client) -> None:
    runs = Runs(client, "local", "digits")
    frame = runs.frame(["state", "id"])
    assert frame.to_arrow().column_names == ["state", "id"]
    assert asked.counts == {"Runs": 1}
    assert runs.frame(["config.optimizer.lr", "id"]).to_arrow()["config.optimizer.lr"].to_pylist()[:2] == [0.0, 0.1]
    with pytest.raises(UsageError, match="nonsense"):
        runs.frame(["nonsense.lr"])


def test_configs_and_summaries_come_in_every_form(api: Api) -> None:
    runs = api.runs("digits")
    frame = runs.configs()
    assert isinstance(frame, Frame)
    assert frame.columns[0] == "id"
    assert "config.optimizer.name" in frame.columns
    assert isinstance(runs.configs("polars"), pl.DataFrame)
    assert isinstance(runs.summaries("pandas"), pd.DataFrame)
    rows = runs.configs("default")
    assert isinstance(rows, list)
    assert rows[1] == {"run_id": "run-1", **runs[1].config}
    summaries = runs.summaries("default")
    assert isinstance(summaries, list)
    assert [row["run_id"] for row in summaries] == IDS
    assert summaries[1]["loss"] == 0.5
    with pytest.raises(UsageError, match="'excel'"):
        runs.configs("excel")  # type: ignore[arg-type]


def test_histories_of_all_runs_are_one_list(api: Api) -> None:
    rows = api.runs("digits").histories(samples=5)
    assert isinstance(rows, list)
    assert len(rows) == 20
    assert [row["run_id"] for row in rows[::5]] == IDS[:4]
    assert rows[0]["loss"] == 1.0


def test_histories_of_all_runs_are_one_frame(api: Api) -> None:
    runs = api.runs("digits")
    whole = runs.histories(keys=["loss"], format="pandas")
    assert isinstance(whole, pd.DataFrame)
    assert list(whole) == ["_step", "loss", "run_id"]
    assert whole.index.tolist() == list(range(100))
    table = runs.histories(keys=["loss"], format="polars")
    assert isinstance(table, pl.DataFrame)
    assert table.columns == ["_step", "loss", "run_id"]
    assert table.height == 100
    system = runs.histories(stream="system")
    assert isinstance(system, list)
    assert system[0]["system.cpu"] == 5.5
    nothing = api.runs("digits", {"state": "failed"})
    assert len(nothing.histories(format="pandas")) == len(nothing.histories(format="polars")) == 0
    assert nothing.histories() == []


def test_another_format_is_an_error_of_both_kinds(api: Api) -> None:
    with pytest.raises(ValueError, match="excel") as caught:
        api.runs("digits").histories(format="excel")  # type: ignore[arg-type]
    assert isinstance(caught.value, CommError)


@pytest.mark.parametrize(
    "arguments", [{"keys": "loss"}, {"keys": [1]}, {"keys": ["loss"], "stream": "system"}], ids=str
)
def test_misuse_of_histories_warns_and_gives_nothing(api: Api, arguments: dict[str, object]) -> None:
    with pytest.warns(UserWarning, match="no rows are given") as warned:
        assert api.runs("digits").histories(**arguments) == []  # type: ignore[arg-type]
    assert warned[0].filename == __file__
