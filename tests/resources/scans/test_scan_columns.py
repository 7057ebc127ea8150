"""Names, patterns and filters of columns."""

from __future__ import annotations

import copy
import pickle
import re

import polars as pl
import pyarrow as pa
import pytest

from runframe import UsageError
from runframe.frames.schema import JSON
from runframe.resources.runs import Runs

CONFIG = [r"config.a\.dot", "config.big", "config.off", "config.optimizer.lr", "config.optimizer.name"]


def test_a_list_is_exact_names_in_the_order_given(runs: Runs) -> None:
    names = ["config.optimizer.lr", "state", r"config.a\.dot", "id"]
    table = runs.to_arrow(names)
    assert table.column_names == names
    assert table[r"config.a\.dot"].to_pylist()[0] == 1.5
    assert runs.to_arrow(["state", "id"]).column_names == ["state", "id"]


def test_a_name_of_a_document_is_its_text_and_of_an_object_its_leaves(runs: Runs) -> None:
    table = runs.to_arrow(["config.optimizer", "config", "id"])
    assert table.column_names == ["config.optimizer.lr", "config.optimizer.name", "config", "id"]
    assert table.schema.field("config").type == JSON
    assert '"sgd"' in table["config"][0].as_py()


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("id|config.*", ["id", *CONFIG]),
        ("config.opt*", CONFIG[3:]),
        ("config", ["config"]),
        ("*_at", ["created_at", "heartbeat_at"]),
        ("summary.l?ss|state", ["state", "summary.loss"]),
        ("config*", ["config", *CONFIG]),
    ],
)
def test_a_text_is_a_pattern(runs: Runs, pattern: str, names: list[str]) -> None:
    assert runs.to_arrow(pattern).column_names == names
    assert runs.scan(pattern).schema.names == names


def test_everything_is_a_star(runs: Runs) -> None:
    names = runs.to_arrow("*").column_names
    assert {*runs.schema.names, *CONFIG, "summary.loss"} < set(names)


def test_a_filter_is_everything_else(runs: Runs) -> None:
    assert runs.to_arrow(re.compile(r"lr$|^id$")).column_names == ["id", "config.optimizer.lr"]
    assert runs.to_arrow(lambda name: name.endswith("big")).column_names == ["config.big", "summary.nested.big"]


def test_nothing_is_nothing(runs: Runs) -> None:
    assert runs.to_arrow([]).column_names == []
    assert runs.to_polars([]).columns == []
    with pytest.raises(UsageError, match="no column 'stat'"):
        runs.scan("stat")


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["id", "id"], "asked for twice"),
        (["id.x"], "no column 'id.x'"),
        ([3], "names as text"),
        (["conf.lr"], "config"),
    ],
)
def test_names_that_cannot_be_are_refused(runs: Runs, columns: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        runs.scan(columns)


def test_a_scan_can_be_narrowed(runs: Runs) -> None:
    scan = runs.scan(["id", "state", "config.big"], where={"state": "finished"})
    assert scan.scan(["id"], where={"tags": "n1"}).to_arrow().to_pylist() == [{"id": "run-1"}]
    assert scan.scan("config.*", limit=1).to_arrow().column_names == ["config.big"]
    assert scan.to_arrow().num_rows == 4
    first = runs.scan(["id"], limit=2)
    assert first.scan(where=pl.col("id") == "run-3").to_arrow().num_rows == 0
    assert first.scan(limit=1).to_arrow()["id"].to_pylist() == ["run-0"]
    with pytest.raises(UsageError, match="notes"):
        scan.scan(["notes"])


def test_scans_copy_and_pickle(runs: Runs) -> None:
    scan = runs.scan(["id"], limit=2)
    assert copy.copy(scan).to_arrow().num_rows == 2
    assert "columns=['id'] limit=2" in repr(scan)
    plain = pickle.loads(pickle.dumps(runs.schema))
    assert plain == runs.schema


def test_the_arrow_schema_is_known_without_reading(runs: Runs) -> None:
    scan = runs.scan(["id", "created_at"])
    assert pa.schema(scan).names == ["id", "created_at"]
    assert pl.DataFrame(scan).height == pa.table(scan).num_rows == 5
