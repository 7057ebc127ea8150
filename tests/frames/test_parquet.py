from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runframe.frames import ParquetSink

SCHEMA = pa.schema([pa.field("n", pa.int64())])


def batch(*numbers: int) -> pa.RecordBatch:
    return pa.record_batch({"n": pa.array(numbers, pa.int64())})


def test_small_batches_are_gathered_and_large_ones_cut(tmp_path: Path) -> None:
    with ParquetSink(tmp_path / "x.parquet", SCHEMA, row_group_rows=4) as sink:
        for part in (batch(1), batch(2, 3), batch(*range(4, 11)), batch()):
            sink.write(part)
    assert sink.rows == 10
    assert sink.bytes == sink.path.stat().st_size
    metadata = pq.read_metadata(sink.path)
    assert [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)] == [4, 4, 2]
    assert pq.read_table(sink.path).column("n").to_pylist() == list(range(1, 11))


def test_a_file_without_rows_has_its_schema(tmp_path: Path) -> None:
    with ParquetSink(tmp_path / "x.parquet", SCHEMA):
        pass
    assert pq.read_table(tmp_path / "x.parquet").schema == SCHEMA


def test_the_name_appears_only_when_the_file_is_whole(tmp_path: Path) -> None:
    with ParquetSink(tmp_path / "x.parquet", SCHEMA) as sink:
        sink.write(batch(1))
        assert not sink.path.exists()
    assert [found.name for found in tmp_path.iterdir()] == ["x.parquet"]


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), ParquetSink(path, SCHEMA) as sink:
        sink.write(batch(1))
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_batch_of_another_schema_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises((pa.ArrowInvalid, ValueError)), ParquetSink(tmp_path / "x.parquet", SCHEMA) as sink:
        sink.write(pa.record_batch({"m": ["x"]}))
    assert list(tmp_path.iterdir()) == []


def test_a_schema_that_parquet_cannot_hold_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(pa.ArrowException),
        ParquetSink(tmp_path / "x.parquet", pa.schema([pa.field("s", pa.struct([]))])),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_metadata_can_be_added_at_the_end(tmp_path: Path) -> None:
    with ParquetSink(tmp_path / "x.parquet", SCHEMA) as sink:
        sink.write(batch(1))
        sink.annotate({b"runframe.rows": b"1"})
        sink.annotate(None)
    assert pq.read_metadata(sink.path).metadata[b"runframe.rows"] == b"1"


def test_no_dictionary_is_looked_for_in_floats(tmp_path: Path) -> None:
    rows = [{"text": f"v{n % 3}", "x": n / 7, "s": {"y": n / 3, "names": ["a"]}} for n in range(100)]
    found = pa.RecordBatch.from_pylist(rows)
    with ParquetSink(tmp_path / "t.parquet", found.schema) as sink:
        sink.write(found)
    group = pq.ParquetFile(tmp_path / "t.parquet").metadata.row_group(0)
    encodings = {group.column(n).path_in_schema: group.column(n).encodings for n in range(group.num_columns)}
    with_dictionary = {name for name, found in encodings.items() if "RLE_DICTIONARY" in found}
    assert with_dictionary == {"text", "s.names.list.element"}
    assert pq.read_table(tmp_path / "t.parquet").to_pylist() == rows
