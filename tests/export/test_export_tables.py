"""A frame becomes Parquet files that every reader takes, without a value lost."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runframe.export import tables
from runframe.export.tables import write_table
from runframe.frames import Frame, Provenance

JSON = pa.json_()


def frame(*batches: pa.RecordBatch) -> Frame:
    return Frame(batches[0].schema, lambda: batches, Provenance("complete", source="ada/digits"))


def batch(**columns: pa.Array) -> pa.RecordBatch:
    return pa.record_batch(list(columns.values()), names=list(columns))


def test_rows_come_back_in_order_from_all_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "FILE_BYTES", 100)
    table = write_table(tmp_path, "history", frame(*(batch(step=pa.array(range(7 * i, 7 * i + 7))) for i in range(10))))
    assert table.rows == 70
    names = [f"history/history-0000{i}-{file.sha256[:8]}.parquet" for i, file in enumerate(table.files)]
    assert [file.path for file in table.files] == names
    assert [file.rows for file in table.files] == [14] * 5
    assert pl.read_parquet(tmp_path / "history" / "*.parquet")["step"].to_list() == list(range(70))
    assert table.bytes == sum(file.stat().st_size for file in (tmp_path / "history").iterdir())


def test_a_table_without_rows_has_a_file_with_its_schema(tmp_path: Path) -> None:
    table = write_table(tmp_path, "runs", Frame(pa.schema({"id": pa.string(), "step": pa.int64()}), list))
    assert (table.rows, len(table.files)) == (0, 1)
    assert pl.read_parquet(tmp_path / "runs" / "*.parquet").schema == {"id": pl.String, "step": pl.Int64}


def test_json_is_stored_as_text_and_marked(tmp_path: Path) -> None:
    config = pa.ExtensionArray.from_storage(JSON, pa.array(['{"a": NaN}', None]))
    file = tmp_path / write_table(tmp_path, "runs", frame(batch(config=config))).files[0].path
    assert pl.read_parquet(file)["config"].to_list() == ['{"a": NaN}', None]
    assert pq.read_schema(file).field("config").metadata[b"runframe.json"] == b"true"


def test_categories_are_stored_as_text(tmp_path: Path) -> None:
    states = [pa.array(values).dictionary_encode() for values in (["running", None], ["failed", "running"])]
    file = tmp_path / write_table(tmp_path, "runs", frame(*(batch(state=each) for each in states))).files[0].path
    assert pl.read_parquet(file)["state"].to_list() == ["running", None, "failed", "running"]
    assert pl.read_parquet_schema(file) == {"state": pl.String}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([None, None], pa.null()),
        ([[], None], pa.list_(pa.null())),
        ([[[1.5]], None], pa.list_(pa.list_(pa.float64()))),
        ([{"_type": "image-file", "width": 3}, None], pa.struct([("_type", pa.string()), ("width", pa.int64())])),
        ([2**63 - 1, -(2**63)], pa.int64()),
        ([float("inf"), None], pa.float64()),
    ],
)
def test_values_of_each_type_come_back(tmp_path: Path, values: list[object], kind: pa.DataType) -> None:
    table = write_table(tmp_path, "runs", frame(batch(value=pa.array(values, kind))))
    assert pl.read_parquet(tmp_path / table.files[0].path)["value"].to_list() == values


def test_files_are_compressed_and_say_where_they_come_from(tmp_path: Path) -> None:
    file = tmp_path / write_table(tmp_path, "runs", frame(batch(id=pa.array(["a"] * 100)))).files[0].path
    assert pq.read_metadata(file).row_group(0).column(0).compression == "ZSTD"
    assert pq.read_metadata(file).metadata[b"runframe.source"] == b"ada/digits"
