"""Names, patterns and filters of columns."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from runframe import Api, UsageError
from runframe.frames.names import join_path
from runframe.frames.schema import JSON
from runframe.resources.runs import Runs
from runframe.server import open_local

if TYPE_CHECKING:
    from conftest import Recorder

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


def test_a_pattern_that_nothing_fits_is_told(runs: Runs) -> None:
    with pytest.warns(UserWarning, match=r"no column of <Runs local/digits> fits 'config\.zz\*'"):
        assert runs.to_arrow("config.zz*").column_names == []


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


KEYS = [
    "a.b",
    "ü ñ",
    'q"uote',
    "it's",
    "new\nline",
    "back\\slash",
    "value",
    "",
    "x/y",
    "a|b",
    "*",
    "id",
    "100",
    "config",
]


@pytest.fixture(scope="module")
def ugly(tmp_path_factory: pytest.TempPathFactory, recorder: type[Recorder]) -> Iterator[Runs]:
    folder = tmp_path_factory.mktemp("ugly")
    with open_local(folder) as local:
        for number in range(3):
            values = dict.fromkeys(KEYS, number)
            recorder(local).run(f"ugly/r{number}", config=values, summary={"deep": values})
        recorder(local).run("ugly/none")
    with Api(f"local:{folder}") as api:
        yield api.runs("ugly")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("document", [("config",), ("summary", "deep")], ids="/".join)
def test_a_key_may_be_any_text(ugly: Runs, document: tuple[str, ...], key: str) -> None:
    name = join_path((*document, key))
    assert ugly.to_arrow(["id", name])[name].to_pylist() == [0, 1, 2, None]
    for where in ({name: 1}, pl.col(name) == 1, pc.field(name) == 1):
        assert ugly.to_arrow(["id"], where=where)["id"].to_pylist() == ["r1"]
    assert ugly.lazy().filter(pl.col(name) >= 1).select("id").collect()["id"].to_list() == ["r1", "r2"]
    scan, quoted = ugly.scan(["id", name]), name.replace('"', '""')
    assert duckdb.sql(f'select id from scan where "{quoted}" = 1').pl()["id"].to_list() == ["r1"]
    assert scan.schema.names == ["id", name]


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
