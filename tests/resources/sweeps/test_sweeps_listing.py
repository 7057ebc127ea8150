"""The sweeps of a project: pages, filters, columns."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pytest
from sweep_store import GRID, PLAIN, make_sweep

from runframe import Api, CommError, NotFoundError, Sweep, Sweeps, UnsupportedError
from runframe.resources.client import Client

if TYPE_CHECKING:
    from conftest import Asked


def test_sweeps_are_listed_newest_first_in_pages(asked: Asked, client: Client) -> None:
    sweeps = Sweeps(client, "local", "many", per_page=2)
    assert repr(sweeps) == "<Sweeps local/many>"
    assert (sweeps.more, sweeps.cursor, sweeps.index) == (True, None, -1)
    assert not asked.operations
    assert len(sweeps) == 5
    assert asked.counts == {"GetSweeps": 1}
    assert sweeps.more and sweeps.cursor
    assert [sweep.description for sweep in sweeps] == [f"number {number}" for number in (4, 3, 2, 1, 0)]
    assert asked.counts == {"GetSweeps": 3}
    assert not sweeps.more
    assert [sweep.id for sweep in sweeps[1:3]] == [sweep.id for sweep in sweeps][1:3]
    assert sweeps[0] is sweeps[0]
    assert sweeps[0].config == {**PLAIN, "description": "number 4"}
    assert asked.counts == {"GetSweeps": 3}
    with pytest.raises(IndexError):
        sweeps[5]


def test_a_project_lists_its_sweeps(api: Api) -> None:
    sweeps = api.project("many").sweeps(per_page=1)
    assert isinstance(sweeps, Sweeps)
    assert (sweeps.per_page, sweeps.entity, sweeps.project, sweeps.length) == (1, "local", "many", 5)
    assert bool(sweeps) is True
    assert isinstance(next(sweeps), Sweep)
    assert len(api.project("many").sweeps(None)[:]) == 5


def test_a_project_without_sweeps_has_none(own: Api) -> None:
    own.create_project("empty", "local")
    sweeps = own.project("empty").sweeps()
    assert (len(sweeps), list(sweeps), bool(sweeps)) == (0, [], False)
    assert sweeps.to_polars().height == 0


def test_a_missing_project_says_so(api: Api) -> None:
    sweeps = api.project("nowhere").sweeps()
    with pytest.raises(NotFoundError, match="Could not find project local/nowhere"):
        len(sweeps)
    with pytest.raises(ValueError, match="nowhere"):
        list(sweeps)


def test_sweeps_are_filtered_and_ordered(api: Api) -> None:
    project = api.project("p")
    chosen = project.sweeps(filters={"method": {"$ne": "grid"}})
    assert (len(chosen), [sweep.name for sweep in chosen][::2]) == (3, ["unborn", "renamed later"])
    assert [sweep.method for sweep in project.sweeps(order="+created_at")] == ["grid", "random", "random", "random"]
    assert next(sweep.name for sweep in project.sweeps(5, {"state": "RUNNING"}, "-runCount")) == "the grid"
    assert list(project.sweeps(filters={"state": "CANCELED"})) == []
    with pytest.raises(CommError, match="no field 'nonsense' on sweeps"):
        list(project.sweeps(filters={"nonsense": 1}))
    with pytest.raises(CommError, match="not JSON serializable"):
        project.sweeps(filters={"name": {1, 2}})


def test_a_server_that_cannot_filter_sweeps_is_named(client: Client) -> None:
    client._features = frozenset()
    with pytest.raises(UnsupportedError, match="cannot filter sweeps"):
        Sweeps(client, "local", "p", filters={"method": "grid"})
    assert len(Sweeps(client, "local", "p")) == 4


def test_sweeps_are_columns(api: Api, grid: Sweep) -> None:
    sweeps = api.project("p").sweeps()
    table = sweeps.to_polars()
    assert table.columns == Sweeps.SCHEMA.names
    [row] = table.filter(pl.col("id") == grid.id).to_dicts()
    assert row["config"] == (
        '{"description":"why","method":"grid","metric":{"goal":"maximize","name":"val.acc"},"name":"the grid",'
        '"parameters":{"lr":{"values":[0.1,0.2,0.3,0.4]}}}'
    )
    for name in ("created_at", "updated_at"):
        assert row[name] == dt.datetime.fromisoformat(getattr(grid, name))
    for name in set(table.columns) - {"config", "created_at", "updated_at"}:
        assert row[name] == getattr(grid, name), name
    assert pa.table(sweeps).schema.equals(Sweeps.SCHEMA.arrow)
    assert table["expected_run_count"].to_list() == [None, None, None, 4]


def test_sweeps_are_one_wide_frame(api: Api) -> None:
    frame = api.project("p").sweeps().frame(["name", "config.metric.name", "config.parameters.lr.values"])
    assert frame.to_polars().rows()[-1] == ("the grid", "val.acc", [0.1, 0.2, 0.3, 0.4])
    whole = api.project("p").sweeps().frame()
    assert {"id", "best_loss", "config.method", "config.parameters.x.max"} <= set(whole.columns)
    assert whole.provenance is not None
    assert (whole.provenance.completeness, whole.provenance.source) == ("live", "local/p/sweeps")


def test_a_few_columns_read_a_page_once(asked: Asked, client: Client) -> None:
    sweeps = Sweeps(client, "local", "many")
    assert sweeps.to_pandas(columns=["id", "state"]).shape == (5, 2)
    assert [sweep.id for sweep in sweeps] == sweeps.to_arrow().column("id").to_pylist()
    assert asked.counts == {"GetSweeps": 1}


def test_columns_of_what_was_read_ask_for_nothing(asked: Asked, client: Client) -> None:
    sweeps = Sweeps(client, "local", "many")
    ids = [sweep.id for sweep in sweeps]
    assert sweeps.to_pandas(columns=["id", "state"]).shape == (5, 2)
    assert sweeps.to_arrow().column("id").to_pylist() == ids
    assert asked.counts == {"GetSweeps": 1}


def test_configs_that_json_does_not_know_are_columns_too(own: Api) -> None:
    config = {**GRID, "parameters": {"lr": {"values": [float("inf"), 1]}}, "since": dt.date(2024, 1, 2), 3: "three"}
    make_sweep(own, config, project="odd")
    [text] = own.project("odd").sweeps().to_polars()["config"]
    assert '"since":"2024-01-02"' in text and '"3":"three"' in text and "[Infinity,1]" in text.replace('"', "")
