"""A history with a row a value: the same values as the wide one, each as what it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from datasets import assert_equal, assert_whole, manifest, table

from runframe import Api, UsageError
from runframe.cli import main
from runframe.frames.melt import IDENTITY, LONG

Record = Callable[..., None]


@pytest.fixture
def made(recorder: Record, runframe_api: Api) -> Api:
    recorder("a", [{"loss": 0.5, "n": 2**53 + 1, "ok": True}, {"loss": float("nan"), "mixed": 3}, {"wort": "né"}])
    recorder("b", [{"loss": 1, "mixed": "text", "list": [1, None]}, {"mixed": {"_type": "image-file", "x": 1}}])
    return runframe_api


def values_of_wide(dataset: Path) -> list[tuple[str, str, int, str]]:
    """Each value of a wide history: run, column, step, JSON."""
    history = table(dataset, "history")
    is_json = {field.name for field in history.schema if (field.metadata or {}).get(b"runframe.json")}
    found = []
    for row in history.to_pylist():
        for key, value in row.items():
            if value is not None and key not in IDENTITY:
                text = json.dumps(json.loads(value) if key in is_json else value)
                found.append((row["run_id"], key, row["_step"], text))
    return found


def value_of(row: dict[str, Any]) -> Any:
    if row["json"] is not None:
        return json.loads(row["json"])
    if row["type"] == "string":
        return row["text"]
    return {"bool": bool, "int64": int, "double": float}[row["type"]](row["value"])


def values_of_long(dataset: Path) -> list[tuple[str, str, int, str]]:
    history = table(dataset, "history").to_pylist()
    return [(row["run_id"], row["key"], row["step"], json.dumps(value_of(row))) for row in history]


def test_a_long_history_holds_the_values_of_the_wide_one_in_its_order(made: Api, tmp_path: Path) -> None:
    made.export("made", to=tmp_path / "wide")
    report = made.export("made", to=tmp_path / "long", layout="long")
    assert values_of_long(tmp_path / "long") == values_of_wide(tmp_path / "wide")
    assert report.rows == len(values_of_wide(tmp_path / "wide")) == 10
    assert table(tmp_path / "long", "history").column_names == LONG.names
    assert_whole(tmp_path / "long")


def test_a_demo_history_holds_the_same_values_either_way(demo: Api, tmp_path: Path) -> None:
    demo.export("digits", to=tmp_path / "wide")
    demo.export("digits", to=tmp_path / "long", layout="long")
    assert values_of_long(tmp_path / "long") == values_of_wide(tmp_path / "wide")
    assert manifest(tmp_path / "long")["layout"] == "long"
    one, two = (manifest(tmp_path / name)["tables"]["runs"]["files"] for name in ("wide", "long"))
    assert one == two


def test_values_of_many_types_are_no_conflict(made: Api, tmp_path: Path) -> None:
    assert made.export("made", to=tmp_path / "wide").conflicts == 1
    assert made.export("made", to=tmp_path / "long", layout="long").conflicts == 0
    types = [row["type"] for row in table(tmp_path / "long", "history").to_pylist() if row["key"] == "mixed"]
    assert types == ["int64", "string", "json"]


def test_another_layout_is_made_of_what_was_fetched(made: Api, tmp_path: Path) -> None:
    made.export("made", to=tmp_path / "d")
    made.export("made", to=tmp_path / "fresh", layout="long")
    report = made.export("made", to=tmp_path / "d", layout="long")
    assert (report.fetched, report.changed) == (0, True)
    assert_equal(tmp_path / "d", tmp_path / "fresh")
    assert not made.export("made", to=tmp_path / "d", layout="long").changed


def test_a_long_history_says_whether_all_logged_rows_are_in_it(made: Api, tmp_path: Path) -> None:
    made.export("made", to=tmp_path / "d", layout="long")
    said = pq.read_metadata(tmp_path / "d" / manifest(tmp_path / "d")["tables"]["history"]["files"][0]["path"]).metadata
    assert (said[b"runframe.rows_read"], said[b"runframe.server_rows"], said[b"runframe.rows"]) == (b"5", b"5", b"10")


def test_runs_without_a_history_give_an_empty_long_table(recorder: Record, runframe_api: Api, tmp_path: Path) -> None:
    recorder("a", [])
    assert runframe_api.export("made", to=tmp_path / "d", layout="long").rows == 0
    assert table(tmp_path / "d", "history").column_names == LONG.names


def test_runs_to_parquet_takes_the_layout_of_a_dataset(made: Api, tmp_path: Path) -> None:
    made.runs("made", filters={"name": "b"}).to_parquet(tmp_path / "d", layout="long")
    assert {each[0] for each in values_of_long(tmp_path / "d")} == {"b"}
    with pytest.raises(UsageError, match="for a dataset"):
        made.runs("made").to_parquet(tmp_path / "runs.parquet", layout="long")


def test_there_is_no_other_layout(made: Api, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'wide' .* or 'long' .*, not 'tall'"):
        made.export("made", to=tmp_path / "d", layout="tall")
    assert list(tmp_path.glob("d*")) == []


def test_the_command_writes_a_layout_and_sync_keeps_it(
    demo_store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--to", str(tmp_path / "d"), "--base-url", f"local:{demo_store}"]
    assert main(["export", "local/digits", "--layout", "long", *where]) == 0
    assert main(["sync", *where]) == 0
    assert "unchanged" in capsys.readouterr().out.splitlines()[-1]
    assert main(["sync", "--layout", "wide", *where]) == 0
    assert manifest(tmp_path / "d")["layout"] == "wide"
    assert table(tmp_path / "d", "history").num_rows == 577
