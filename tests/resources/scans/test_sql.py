"""`api.sql`: a project's tables, read as far as a query needs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runframe import Api, Frame, NotFoundError, UnsupportedError, UsageError

IDS = ["run-0", "run-1", "run-2", "run-3"]


def rows(api: Api, query: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = api.sql(query, project="digits").to_arrow().to_pylist()
    return found


def test_documents_are_columns_by_their_paths(api: Api) -> None:
    found = api.sql(
        """select id, "summary.loss" from runs
           where state = 'finished' and "config.optimizer.lr" < 0.2 order by id""",
        project="local/digits",
    )
    assert isinstance(found, Frame)
    assert found.to_arrow().to_pylist() == [{"id": "run-0", "summary.loss": 1.0}, {"id": "run-1", "summary.loss": 0.5}]
    assert found.provenance is not None
    assert (found.provenance.completeness, found.provenance.source) == ("complete", "local/digits")


def test_each_table_is_there(api: Api) -> None:
    assert [row["id"] for row in rows(api, 'select id from configs where "config.big" > 1 order by id')] == IDS
    assert rows(api, 'select max("summary.loss") as worst from summaries') == [{"worst": 1.0}]
    history = rows(api, "select run_id, count(*) as n, min(_step) as first from history group by all order by all")
    assert history == [{"run_id": id, "n": 25, "first": 0} for id in IDS]
    files = rows(api, "select run_id, name from files where name like '%.json' order by all")
    assert files == [{"run_id": id, "name": "report.json"} for id in IDS]
    assert rows(api, "select count(*) as n from artifacts, sweeps") == [{"n": 0}]


def test_tables_join(api: Api) -> None:
    query = """with good as (select id, "summary.loss" as loss from summaries where "summary.loss" < 0.4)
               select r.name, loss from runs r join good using (id) order by loss"""
    assert rows(api, query) == [{"name": "run 3", "loss": 0.25}, {"name": "run 2", "loss": pytest.approx(1 / 3)}]


def test_only_what_is_named_is_read(api: Api) -> None:
    assert rows(api, "select 'runs and history' as x") == [{"x": "runs and history"}]
    with pytest.raises(NotFoundError, match="local/nowhere"):
        api.sql("select id from runs", project="nowhere")
    assert api.sql("select 1 as one", project="nowhere").to_arrow().to_pylist() == [{"one": 1}]


def test_the_project_that_is_set_is_taken(store: Path) -> None:
    with Api({"base_url": f"local:{store}", "project": "other"}) as api:
        assert api.sql("select id from runs").to_arrow()["id"].to_pylist() == ["lonely"]


def test_times_are_in_utc(api: Api) -> None:
    assert str(api.sql("select created_at from runs", project="digits").to_arrow().schema.types[0]) == (
        "timestamp[us, tz=UTC]"
    )


@pytest.mark.parametrize("query", ["selec 1", "select * from nothing", "select nonsense from runs", "", "load 'x'"])
def test_a_query_that_cannot_be_run_is_a_usage_error(api: Api, query: str) -> None:
    with pytest.raises(UsageError, match="the query"):
        api.sql(query, project="digits")


def test_without_duckdb_the_error_says_what_to_install(store: Path) -> None:
    code = f"""
import sys
sys.modules["duckdb"] = None
from runframe import Api, UnsupportedError
with Api("local:{store}") as api:
    for call in (lambda: api.sql("select 1", project="digits"), api.runs("digits").to_duckdb):
        try:
            call()
        except UnsupportedError as error:
            print(error)
    print(api.runs("digits").to_arrow(["id"]).num_rows)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.splitlines() == ["this needs DuckDB: pip install 'runframe[duckdb]'"] * 2 + ["5"]
    assert issubclass(UnsupportedError, UsageError)
