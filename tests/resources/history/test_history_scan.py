"""`scan_history`, `history` and the batches of a history, on a real store."""

from __future__ import annotations

import itertools
import math
import pickle

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from runframe import Api, CommError, NotFoundError, extjson
from runframe.resources.history.live import HISTORY, history_batches
from runframe.resources.history.pages import Extent, RunHistory, choose
from runframe.resources.run import Run

BIG = 2**62 + 1


@pytest.fixture
def run(api: Api) -> Run:
    return api.run("digits/run-0")


def test_a_scan_gives_every_row_in_order(run: Run) -> None:
    rows = list(run.scan_history())
    assert [row["_step"] for row in rows] == list(range(25))
    assert [row["loss"] for row in rows] == [1.0 / (step + 1) for step in range(25)]
    assert rows[5] == {
        "_step": 5,
        "_runtime": 0.5,
        "_timestamp": 1.5,
        "loss": 1 / 6,
        "grad": 1.0,
        "valid": {"acc": 0.25},
    }


def test_numbers_keep_their_kind(run: Run) -> None:
    rows = list(run.scan_history())
    assert math.isnan(rows[3]["grad"])
    assert rows[4]["grad"] == math.inf
    assert (rows[3]["count"], rows[4]["count"]) == (BIG, 2**70)
    assert type(rows[0]["loss"]) is float
    assert type(rows[0]["_step"]) is int


@pytest.mark.parametrize("page_size", [1, 2, 7, 24, 25, 26, 1000])
def test_the_page_size_changes_nothing(run: Run, page_size: int) -> None:
    assert [row["_step"] for row in run.scan_history(page_size=page_size)] == list(range(25))
    chosen = [row["_step"] for row in run.scan_history(["valid.acc"], page_size=page_size)]
    assert chosen == [0, 5, 10, 15, 20]


def test_the_range_ends_before_its_end(run: Run) -> None:
    assert [row["_step"] for row in run.scan_history(min_step=5, max_step=8)] == [5, 6, 7]
    assert [row["_step"] for row in run.scan_history(["loss"], min_step=5, max_step=8)] == [5, 6, 7]
    assert len(list(run.scan_history(max_step=99))) == 25
    assert len(list(run.scan_history(min_step=None, max_step=24))) == 24
    assert list(run.scan_history(min_step=25)) == list(run.scan_history(max_step=0)) == []


def test_chosen_keys_give_the_rows_that_have_all_of_them(run: Run) -> None:
    rows = list(run.scan_history(keys=["grad", "loss"]))
    assert [list(row) for row in rows] == [["_step", "grad", "loss"]] * 7
    assert [row["_step"] for row in rows] == [0, 3, 4, 5, 10, 15, 20]
    assert math.isnan(rows[1]["grad"])
    assert rows[2]["grad"] == math.inf
    assert [row["count"] for row in run.scan_history(keys=["count"])] == [BIG, 2**70]
    assert list(run.scan_history(keys=["nope"])) == []
    assert len(list(run.scan_history(keys=[]))) == 25


def test_a_scan_is_an_iterator_that_starts_again(run: Run) -> None:
    scan = run.scan_history(page_size=10)
    assert next(scan)["_step"] == 0
    assert scan.next()["_step"] == 1
    assert (scan.run, scan.min_step, scan.max_step, scan.page_size, scan.keys) == (run, 0, 24, 10, None)
    assert (scan.scan_offset, scan.page_offset, len(scan.rows)) == (2, 10, 10)
    assert [row["_step"] for row in scan] == list(range(25))
    assert [row["_step"] for row in itertools.islice(scan, 2)] == [0, 1]


def test_a_scan_can_be_taken_in_chunks_as_polars_does(run: Run) -> None:
    rows = iter(run.scan_history(page_size=4))
    chunks = [[row["_step"] for row in itertools.islice(rows, 10)] for _ in range(4)]
    assert chunks == [list(range(10)), list(range(10, 20)), list(range(20, 25)), []]
    assert len(pl.DataFrame(run.scan_history(keys=["loss"]))) == 25


def test_a_scan_sees_what_was_there_when_it_was_made(run: Run, api: Api) -> None:
    assert list(api.run("digits/empty").scan_history()) == []
    assert "steps 0 to 24" in repr(run.scan_history())


def test_a_scan_can_be_pickled(run: Run) -> None:
    scan = pickle.loads(pickle.dumps(run.scan_history()))
    assert len(list(scan)) == 25
    scan.run.client.session.close()


@pytest.mark.parametrize("keys", ["loss", ["loss", 1], {"loss"}])
def test_keys_must_be_a_list_of_text(run: Run, keys: object) -> None:
    with pytest.raises(CommError, match="keys must be a list") as caught:
        run.scan_history(keys=keys)  # type: ignore[arg-type]
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value.exc, ValueError)


def test_a_page_holds_at_least_one_row(run: Run) -> None:
    with pytest.raises(CommError, match="page_size must be at least 1, not 0"):
        run.scan_history(page_size=0)


def test_a_sampled_history_is_a_pandas_frame_or_a_list(run: Run) -> None:
    frame = run.history()
    assert isinstance(frame, pd.DataFrame)
    assert len(frame) == 25
    rows = run.history(samples=5, pandas=False)
    assert isinstance(rows, list)
    assert [row["_step"] for row in rows] == [0, 6, 12, 18, 24]
    assert run.history(stream="system", pandas=False)[0]["system.cpu"] == 5.5


def test_a_sampled_history_of_keys_holds_them_and_the_axis(run: Run) -> None:
    rows = run.history(keys=["grad"], pandas=False)
    assert isinstance(rows, list)
    assert [list(row) for row in rows] == [["_step", "grad"]] * 7
    assert math.isnan(rows[1]["grad"])
    frame = run.history(keys=["loss"], x_axis="_runtime")
    assert isinstance(frame, pd.DataFrame)
    assert list(frame) == ["_runtime", "loss"]
    assert frame["loss"].dtype == float


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"keys": "loss"}, "must be a list, not 'loss'"),
        ({"keys": [1]}, "1 is not one"),
        ({"keys": ["loss"], "stream": "system"}, "can't be given together"),
    ],
)
def test_misuse_of_a_sampled_history_warns_and_gives_nothing(run: Run, arguments: dict[str, object], said: str) -> None:
    with pytest.warns(UserWarning, match=said) as caught:
        assert run.history(**arguments) == []  # type: ignore[arg-type]
    assert caught[0].filename == __file__


def test_a_run_that_is_gone_is_said(api: Api) -> None:
    gone = Run(api.client, "local", "digits", "gone", {})
    with pytest.raises(NotFoundError, match="local/digits/gone"):
        gone.history()
    with pytest.raises(NotFoundError, match="local/digits/gone"):
        list(RunHistory(api.client, "local", "digits", "gone").rows(0, 5))


def test_batches_hold_the_rows_as_they_were_logged(run: Run) -> None:
    batches = run.history_batches()
    table = pa.Table.from_batches(batches, HISTORY.arrow)
    assert (batches.rows, batches.server_rows, batches.path) == (25, 25, "local/digits/run-0")
    assert table["step"].to_pylist() == list(range(25))
    assert table["run_id"].unique().to_pylist() == ["run-0"]
    texts = table["row"].combine_chunks().storage.to_pylist() if table["row"].num_chunks == 1 else []
    assert "Infinity" in texts[4]
    assert extjson.loads(texts[4])["count"] == 2**70
    assert table.schema.field("row").metadata[b"runframe.document"] == b"row"


def test_batches_come_a_page_at_a_time(run: Run) -> None:
    batches = history_batches(run, page_size=10)
    assert [batch.num_rows for batch in batches] == [10, 10, 5]
    assert [batch.num_rows for batch in history_batches(run, min_step=3, max_step=7)] == [4]
    assert list(history_batches(run, min_step=25)) == []
    stopped = history_batches(run, page_size=10)
    next(stopped)
    stopped.close()
    assert list(stopped) == []


def test_batches_need_only_know_where_the_run_is(api: Api) -> None:
    where = RunHistory(api.client, "local", "digits", "run-3")
    batches = history_batches(where, extent=Extent(24, 25))
    assert sum(batch.num_rows for batch in batches) == batches.server_rows == 25


def test_keys_are_looked_up_as_they_are_and_as_paths() -> None:
    row = {"a.b": 1, "a": {"b": 2, "c": {"d": 3}}, "x.y": {"z": 4}, "n": None}
    assert choose(row, ["a.b", "a.c.d", "x.y.z", "n"]) == {"a.b": 1, "a.c.d": 3, "x.y.z": 4, "n": None}
    assert choose(row, ["a.c.e"]) is None
