"""What two datasets have in common: compared value by value, type by type, in order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def manifest(dataset: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((dataset / "manifest.json").read_text())
    return found


def table(dataset: Path, name: str) -> pa.Table:
    """A table as the manifest tells of it, files in order."""
    files = manifest(dataset)["tables"][name]["files"]
    return pa.concat_tables([pq.read_table(dataset / file["path"], partitioning=None) for file in files])


def assert_equal(dataset: Path, other: Path) -> None:
    """The same tables: schema, order, values, and the files byte by byte."""
    one, two = manifest(dataset), manifest(other)
    assert one["tables"].keys() == two["tables"].keys()
    for name in one["tables"]:
        left, right = table(dataset, name), table(other, name)
        assert left.schema.equals(right.schema)
        assert left.num_rows == right.num_rows
        # NaN is not equal to itself: the texts of the columns tell.
        for column in left.column_names:
            assert repr(left[column].to_pylist()) == repr(right[column].to_pylist()), (name, column)
        assert [each["sha256"] for each in one["tables"][name]["files"]] == [
            each["sha256"] for each in two["tables"][name]["files"]
        ]
        assert one["tables"][name]["content"] == two["tables"][name]["content"]
    for key in ("gaps", "live_runs", "complete"):
        assert one[key] == two[key]


def assert_whole(dataset: Path) -> None:
    """Every file that the manifest names is there, with the rows, the size and nothing beside it."""
    tables = manifest(dataset)["tables"]
    named = {file["path"]: file for each in tables.values() for file in each["files"]}
    there = {path.relative_to(dataset).as_posix() for name in tables for path in (dataset / name).rglob("*.parquet")}
    assert there == set(named)
    for path, file in named.items():
        assert (dataset / path).stat().st_size == file["bytes"]
        assert pq.read_metadata(dataset / path).num_rows == file["rows"]
