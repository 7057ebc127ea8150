"""polars, DuckDB and pandas: what a query needs is what is asked, and the rows are the same."""

from __future__ import annotations

import copy
import pickle
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from runframe import NotFoundError
from runframe.resources.client import Client
from runframe.resources.runs import Runs

if TYPE_CHECKING:
    from conftest import Asked, Watch


def test_a_lazy_query_is_its_request(runs: Runs, watch: Watch) -> None:
    lazy = runs.lazy()
    assert isinstance(lazy, pl.LazyFrame)
    assert watch.look() == []
    query = lazy.filter(pl.col("state") == "finished", pl.col("name").is_in(["run 1", "run 2"])).select("id")
    assert query.collect().to_dicts() == [{"id": "run-1"}, {"id": "run-2"}]
    sent = watch.one()
    assert sent.fields == {"id", "name", "state", "displayName"}
    assert sent.filters["$and"][0] in ({"state": "finished"}, {"displayName": {"$in": ["run 1", "run 2"]}})
    assert len(sent.filters["$and"]) == 2
    assert lazy.select("id").head(2).collect()["id"].to_list() == ["run-0", "run-1"]
    assert watch.one().size == 2


def test_a_lazy_head_comes_before_a_later_filter(runs: Runs, watch: Watch) -> None:
    assert runs.lazy().head(2).filter(pl.col("id") == "run-3").collect().is_empty()
    sent = watch.one()
    assert (sent.filters, sent.size) == ({}, 2)
    assert runs.lazy(limit=2).filter(pl.col("id") == "run-3").collect().is_empty()
    assert watch.one().filters == {}


def test_a_head_after_a_filter_is_the_size_of_the_page(runs: Runs, watch: Watch) -> None:
    finished = runs.lazy().filter(pl.col("state") == "finished")
    assert finished.select("id").head(2).collect()["id"].to_list() == ["run-0", "run-1"]
    sent = watch.one()
    assert (sent.filters, sent.size) == ({"state": "finished"}, 2)
    assert finished.slice(1, 2).collect()["id"].to_list() == ["run-1", "run-2"]
    assert watch.one().size == 3
    # Rows that only we can tell: the server's first two are not the answer.
    late = runs.lazy().filter(pl.col("name").str.ends_with("3") | (pl.col("state") == "failed")).head(2)
    assert late.collect()["id"].to_list() == ["run-3", "empty"]


def test_a_head_stays_above_what_changes_the_rows(runs: Runs) -> None:
    finished = runs.lazy().filter(pl.col("state") == "finished")
    assert finished.sort("id", descending=True).head(1).collect()["id"].to_list() == ["run-3"]
    assert finished.head(3).filter(pl.col("id") != "run-0").head(1).collect()["id"].to_list() == ["run-1"]
    both = finished.head(1).join(finished.select("id", "state"), on="state")
    assert both.collect().height == 4
    assert pl.concat([finished.head(1), finished]).collect().height == 5
    named = finished.filter(pl.col("name") != "a\nSLICE[offset: 0, len: 1]\n PYTHON[runframe] SCAN")
    assert named.head(3).collect().height == 3
    grouped = finished.group_by("group").agg(pl.len()).head(1)
    assert grouped.collect()["len"].to_list() == [4]


def test_a_lazy_query_may_name_what_documents_hold(runs: Runs, watch: Watch) -> None:
    lazy = runs.lazy()
    query = lazy.filter(pl.col("config.optimizer.lr") > 0.1, pl.col("summary.loss") < 0.3).select("id", "summary.loss")
    assert query.collect().to_dicts() == [{"id": "run-3", "summary.loss": 0.25}]
    types, sent = watch.look()
    assert types.filters == {}
    assert sent.keys == types.keys == ["loss"]
    assert str(sent.filters).count("config.optimizer.lr") == str(sent.filters).count("summary_metrics.loss") == 2
    assert query.collect_schema() == {"id": pl.String, "summary.loss": pl.Float64}
    assert query.collect().height == 1
    grouped = lazy.group_by("config.optimizer.name").agg(pl.col("summary.loss").max()).sort("config.optimizer.name")
    assert grouped.collect().rows() == [(None, None), ("sgd", 1.0)]
    assert lazy.collect_schema().names() == runs.schema.names
    with pytest.raises(pl.exceptions.ColumnNotFoundError, match="nonsense"):
        lazy.select("nonsense").collect()


def test_a_lazy_join_of_two_scans_knows_its_columns(runs: Runs) -> None:
    left = runs.lazy(["id", "config.optimizer.lr"])
    right = runs.lazy(["id", "summary.loss"]).filter(pl.col("summary.loss") <= 0.5)
    joined = left.join(right, on="id").sort("id").collect()
    assert joined.rows() == [("run-1", 0.1, 0.5), ("run-2", 0.2, 1 / 3), ("run-3", pytest.approx(0.3), 0.25)]
    named = (
        runs.lazy().select("id").join(runs.lazy().select("id", "config.off"), on="id").filter(pl.col("id") == "run-1")
    )
    assert named.collect().rows() == [("run-1", False)]
    assert runs.lazy().select("id").join(pl.LazyFrame({"id": ["empty"]}), on="id").collect().rows() == [("empty",)]


def test_what_polars_alone_can_decide_is_exact(runs: Runs, watch: Watch) -> None:
    query = runs.lazy().filter(pl.col("id").str.len_chars() == 5, pl.col("tags").list.contains("n2")).select("id")
    assert query.collect()["id"].to_list() == ["run-2"]
    assert watch.one().filters == {"tags": "n2"}
    assert runs.lazy().select(pl.len()).collect().item() == 5
    assert runs.lazy().filter(pl.col("state") == "failed").collect(engine="streaming")["id"].to_list() == ["empty"]
    assert "runframe" in runs.lazy().explain()


def test_what_the_server_refuses_is_the_same_error_from_every_face(client: Client) -> None:
    nowhere = Runs(client, "local", "nowhere")
    for call in (
        lambda: nowhere.lazy().select("id").collect(),
        lambda: nowhere.lazy().select("config.x").collect(),
        lambda: nowhere.lazy(["config.x"]).collect_schema(),
        lambda: nowhere.to_pandas(["id"], where={"state": "finished"}),
    ):
        with pytest.raises(NotFoundError, match="local/nowhere"):
            call()


def test_lazy_queries_run_side_by_side(runs: Runs) -> None:
    lazy, found = runs.lazy(), {}

    def collect(number: int) -> None:
        query = lazy.filter(pl.col("config.optimizer.lr") > number / 10)
        found[number] = query.select("id", f"summary.{['loss', 'word'][number % 2]}").collect().height

    threads = [threading.Thread(target=collect, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {0: 3, 1: 2, 2: 1, 3: 1}


def test_lazy_frames_go_where_polars_goes(runs: Runs, tmp_path: Path) -> None:
    lazy = runs.lazy(["id", "config.big"])
    lazy.sink_parquet(tmp_path / "x.parquet")
    assert pl.read_parquet(tmp_path / "x.parquet")["config.big"].to_list() == [2**62 + 1] * 4 + [None]
    assert pl.concat([runs.lazy().select("id"), runs.lazy().select("id")]).collect().height == 10
    assert runs.lazy().sql("select id from self where state = 'failed'").collect()["id"].to_list() == ["empty"]
    assert [frame.height for frame in pl.collect_all([lazy, runs.lazy(limit=2)])] == [5, 2]
    assert runs.lazy().with_columns(lr=pl.col("config.optimizer.lr")).select(pl.col("lr").sum()).collect().item() == (
        pytest.approx(0.6)
    )


def test_duckdb_reads_a_variable_with_its_columns_and_filter(runs: Runs, watch: Watch) -> None:
    query = "select id, name from runs where state = 'finished' and name in ('run 1', 'run 3') order by id"
    assert duckdb.sql(query).pl().rows() == [("run-1", "run 1"), ("run-3", "run 3")]
    sent = watch.one()
    assert sent.fields == {"id", "name", "state", "displayName"}
    assert {"state": "finished"} in sent.filters["$and"]
    assert {"displayName": {"$in": ["run 1", "run 3"]}} in sent.filters["$and"]


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("state <> 'finished'", ["empty"]),
        ("name like '%2'", ["run-2"]),
        ('"group" is null', ["empty"]),
        ("created_at > '2020-01-01' and id >= 'run-2'", ["run-2", "run-3"]),
        ("state = 'failed' or id = 'run-1'", ["empty", "run-1"]),
        ("id not in ('run-1', 'run-2', 'empty')", ["run-0", "run-3"]),
        ("list_contains(tags, 'n3')", ["run-3"]),
    ],
)
def test_duckdb_filters_are_exact(runs: Runs, where: str, ids: list[str]) -> None:
    assert duckdb.sql(f"select id from runs where {where} order by id").pl()["id"].to_list() == ids
    assert duckdb.sql(f"select count(*) from runs where {where}").pl().item() == len(ids)


def test_duckdb_reads_flattened_columns_of_a_scan(runs: Runs, watch: Watch) -> None:
    scan = runs.scan(["id", "config.optimizer.lr", "summary.loss"])
    query = 'select id from scan where "summary.loss" < 0.4 and "config.optimizer.lr" <= 0.2'
    assert duckdb.sql(query).pl()["id"].to_list() == ["run-2"]
    assert scan.schema.names[1] == "config.optimizer.lr"
    *types, sent = watch.look()
    assert len(types) == 1
    assert "summary_metrics.loss" in str(sent.filters)
    assert sent.keys == ["loss"]


def test_duckdb_reads_no_further_than_a_limit(client: Client, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runframe.resources.collection.BATCH_PAGE", 1)
    runs = Runs(client, "local", "digits")
    assert duckdb.sql("select id from runs limit 1").pl().height == 1
    assert len(watch.look()) < len(runs)


def test_to_duckdb_is_a_view(runs: Runs, watch: Watch) -> None:
    connection = runs.to_duckdb()
    assert connection.sql("select id from runs where state = 'failed'").pl()["id"].to_list() == ["empty"]
    assert watch.one().filters == {"state": "failed"}
    runs.to_duckdb("good", connection, columns=["id"], where={"state": "finished"})
    assert connection.sql("select count(*) from good").pl().item() == 4
    connection.close()


def test_a_collection_is_a_dataset_to_arrow_and_polars(runs: Runs, watch: Watch) -> None:
    assert isinstance(runs, ds.Dataset)
    assert type(runs).__name__ == "Runs"
    found = pl.scan_pyarrow_dataset(runs).filter(pl.col("state") == "failed").select("id").collect()
    assert found["id"].to_list() == ["empty"]
    assert watch.look()[-1].filters == {"state": "failed"}
    assert runs.scanner(columns=["id"], filter=ds.field("state") == "failed").to_table().to_pylist() == [
        {"id": "empty"}
    ]
    for name in ("get_fragments", "join", "partition_expression"):
        with pytest.raises(AttributeError, match=name):
            getattr(runs, name)


def test_copies_of_datasets_are_datasets(runs: Runs) -> None:
    twin = copy.copy(runs)
    assert duckdb.sql("select count(*) from twin where state = 'finished'").pl().item() == 4
    assert type(twin).__reduce_ex__(twin, 4)[1] == (Runs,)
    assert isinstance(pickle.dumps(Runs), bytes)


def test_pandas_reads_by_the_arrow_interface(runs: Runs) -> None:
    frame = pd.DataFrame.from_arrow(runs.scan(["id", "config.big"]))
    assert frame["id"].tolist()[:2] == ["run-0", "run-1"]
    assert runs.to_pandas(["config.big"])["config.big"].dtype == pd.Int64Dtype()
    typed = runs.to_pandas(["id", "created_at"], dtype_backend="pyarrow", limit=1)
    assert [str(dtype) for dtype in typed.dtypes] == ["string[pyarrow]", "timestamp[us, tz=UTC][pyarrow]"]
    assert runs.to_pandas(["read_only"], dtype_backend="numpy_nullable")["read_only"].dtype == pd.BooleanDtype()


def test_parquet_has_the_rows_and_what_they_say(runs: Runs, tmp_path: Path) -> None:
    path = runs.to_parquet(tmp_path / "runs.parquet", ["id", "config.big"], where={"state": "finished"})
    table = pq.read_table(path)
    assert table["config.big"].to_pylist() == [2**62 + 1] * 4
    assert table.schema.metadata[b"runframe.completeness"] == b"complete"


def test_every_face_gives_the_same_rows(runs: Runs, asked: Asked) -> None:
    columns = ["id", "config.optimizer.lr", "summary.word"]
    expected = runs.to_arrow(columns, where={"config.optimizer.lr": {"$gte": 0.2}}).to_pylist()
    assert [row["id"] for row in expected] == ["run-2", "run-3"]
    scan = runs.scan(columns)
    lr = "config.optimizer.lr"
    assert scan.lazy().filter(pl.col(lr) >= 0.2).collect().to_dicts() == expected
    assert duckdb.sql(f'select * from scan where "{lr}" >= 0.2').to_arrow_table().to_pylist() == expected
    frame = scan.to_pandas(dtype_backend="pyarrow")
    assert frame[frame[lr] >= 0.2].to_dict("records") == expected
    assert pa.table(scan).filter(ds.field(lr) >= 0.2).to_pylist() == expected
