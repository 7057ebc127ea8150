from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runframe.errors import FrameError
from runframe.frames import CATEGORY, JSON, TIME, Column, Frame, Provenance, Schema, flatten, to_batch

THINGS = Schema(
    "things",
    [
        Column("name", pa.string(), "name", "The name."),
        Column("kind", CATEGORY, "kind", "One of few."),
        Column("at", TIME, "at", "When."),
        Column("tags", pa.list_(pa.string()), "tags", "Tags."),
        Column("count", pa.int64(), "count", "How many."),
        Column("score", pa.float64(), "score", "How well."),
        Column("ok", pa.bool_(), "ok", "Whether."),
        Column("spec", JSON, "spec", "Anything."),
    ],
)
PAGES = [
    [
        {
            "name": "a",
            "kind": "x",
            "at": "2024-01-02T03:04:05.5",
            "tags": ["p", "q"],
            "count": 2**60 + 1,
            "score": float("nan"),
        },
        {"name": "b", "kind": "y", "tags": [], "ok": True, "spec": '{"v":NaN}'},
    ],
    [{"name": "c", "kind": "z", "count": 1, "score": 0.5, "ok": False, "spec": "[1]"}],
]
ROWS = [
    ("a", "x", 2**60 + 1, None, None),
    ("b", "y", None, True, '{"v":NaN}'),
    ("c", "z", 1, False, "[1]"),
]


class Counter:
    """Pages that count how often they were opened, and how many were read."""

    def __init__(self) -> None:
        self.opened = 0
        self.read = 0

    def __call__(self) -> Iterator[Any]:
        self.opened += 1
        for page in PAGES:
            self.read += 1
            yield to_batch(THINGS, page)


@pytest.fixture
def source() -> Counter:
    return Counter()


@pytest.fixture
def frame(source: Counter) -> Frame:
    return Frame(THINGS.arrow, source, Provenance("complete", source="e/p", server_rows=3))


def test_nothing_is_read_before_it_is_asked_for(source: Counter, frame: Frame) -> None:
    assert frame.columns == THINGS.names
    assert pa.schema(frame) == THINGS.arrow
    assert frame.provenance is not None and frame.provenance.rows is None
    assert source.opened == 0


def test_a_frame_can_be_read_again_and_again(source: Counter, frame: Frame) -> None:
    assert str(pa.table(frame).to_pylist()) == str(pa.table(frame).to_pylist())
    assert source.opened == 2


def test_batches_come_as_they_are_read(source: Counter, frame: Frame) -> None:
    batches = frame.to_batches()
    first = next(batches)
    assert (first.num_rows, source.read) == (2, 1)
    assert first.schema.equals(THINGS.arrow, check_metadata=True)


def test_rows_are_counted_once(source: Counter, frame: Frame) -> None:
    assert (len(frame), frame.num_rows, source.opened) == (3, 3, 1)


def test_arrow_has_the_exact_schema_and_the_provenance(frame: Frame) -> None:
    table = frame.to_arrow()
    assert table.schema == THINGS.arrow
    assert table.schema.field("name").metadata == {b"runframe.meaning": b"The name."}
    assert Provenance.from_metadata(table.schema.metadata) == Provenance("complete", "e/p", rows=3, server_rows=3)
    assert [(row["name"], row["kind"], row["count"], row["ok"], row["spec"]) for row in table.to_pylist()] == ROWS


def test_polars_has_the_exact_schema(frame: Frame) -> None:
    found = frame.to_polars()
    assert found.schema == {
        "name": pl.String(),
        "kind": pl.Categorical(),
        "at": pl.Datetime("us", "UTC"),
        "tags": pl.List(pl.String()),
        "count": pl.Int64(),
        "score": pl.Float64(),
        "ok": pl.Boolean(),
        "spec": pl.String(),
    }
    assert found.select("name", "kind", "count", "ok", "spec").rows() == ROWS


def test_polars_keeps_nan_apart_from_null(frame: Frame) -> None:
    score = frame.to_polars()["score"]
    assert score.is_nan().to_list() == [True, None, False]
    assert score.is_null().to_list() == [False, True, False]


def test_pandas_has_the_exact_dtypes_and_no_integer_passes_through_a_float(frame: Frame) -> None:
    found = frame.to_pandas()
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == {
        "name": "str",
        "kind": "category",
        "at": "datetime64[us, UTC]",
        "tags": "object",
        "count": "Int64",
        "score": "float64",
        "ok": "boolean",
        "spec": "str",
    }
    assert found["count"].to_list() == [2**60 + 1, pd.NA, 1]
    assert found["score"].isna().to_list() == [True, True, False]
    assert list(found.index) == [0, 1, 2]


def test_pandas_without_nulls_has_plain_numpy_types() -> None:
    table = pa.table({"n": pa.array([1, 2]), "b": pa.array([True, False])})
    assert [str(dtype) for dtype in Frame.from_arrow(table).to_pandas().dtypes] == ["int64", "bool"]


def test_pandas_nullable_types(frame: Frame) -> None:
    found = frame.to_pandas("numpy_nullable")
    assert [str(found[name].dtype) for name in ("name", "count", "score", "ok")] == [
        "string",
        "Int64",
        "Float64",
        "boolean",
    ]


def test_pandas_arrow_types_keep_nan_apart_from_null(frame: Frame) -> None:
    found = frame.to_pandas("pyarrow")
    assert found.dtypes["score"] == pd.ArrowDtype(pa.float64())
    assert found["score"].array.__arrow_array__().null_count == 1
    assert found.dtypes["spec"] == pd.ArrowDtype(pa.string())


def test_another_backend_is_refused(frame: Frame) -> None:
    with pytest.raises(FrameError, match="'numpy_nullable', 'pyarrow' or None, not 'numpy'"):
        frame.to_pandas("numpy")  # type: ignore[arg-type]


def test_others_read_the_stream(frame: Frame) -> None:
    assert pl.DataFrame(frame)["name"].to_list() == ["a", "b", "c"]
    assert pd.DataFrame.from_arrow(frame)["name"].to_list() == ["a", "b", "c"]
    reader = pa.RecordBatchReader.from_stream(frame)
    assert reader.schema == THINGS.arrow
    assert [batch.num_rows for batch in reader] == [2, 1]


def test_a_stream_can_be_asked_for_in_another_schema() -> None:
    frame = Frame.from_arrow(pa.table({"n": pa.array([1, 2], pa.int64())}))
    asked = pa.schema([pa.field("n", pa.int32())])
    assert pa.RecordBatchReader.from_stream(frame, asked).read_all().schema == asked


def test_a_batch_of_another_schema_is_an_error() -> None:
    schema = pa.schema([pa.field("a", pa.int64()), pa.field("b", pa.string())])
    other = pa.record_batch({"a": [1], "b": [2]})
    with pytest.raises(FrameError, match="'b' is int64, expected string"):
        Frame(schema, lambda: [other]).to_arrow()
    with pytest.raises(FrameError, match=r"missing \['b'\], not expected \['c'\]"):
        Frame(schema, lambda: [pa.record_batch({"a": [1], "c": [2]})]).to_arrow()


def test_a_frame_without_batches_has_its_schema() -> None:
    frame = Frame(THINGS.arrow, list)
    assert frame.to_arrow().schema == THINGS.arrow
    assert frame.to_polars().shape == (0, 8)
    assert frame.to_pandas().shape == (0, 8)
    assert len(frame) == 0
    assert repr(frame).startswith("Frame · 0 rows × 8 columns")


@pytest.mark.parametrize("make", [pl.DataFrame, pd.DataFrame, pa.table])
def test_frames_are_made_from_anything_that_speaks_arrow(make: Any) -> None:
    frame = Frame.from_arrow(make({"n": [1, 2]}))
    assert frame.to_arrow().column("n").to_pylist() == [1, 2]
    assert len(frame) == 2


def test_a_reader_becomes_a_frame_that_can_be_read_twice() -> None:
    table = pa.table({"n": [1, 2]})
    frame = Frame.from_arrow(pa.RecordBatchReader.from_batches(table.schema, table.to_batches()))
    assert frame.to_arrow() == frame.to_arrow() == table


def test_what_does_not_speak_arrow_is_refused() -> None:
    with pytest.raises(FrameError, match="a list cannot be read as a frame"):
        Frame.from_arrow([1])


def test_repr_shows_provenance_and_a_head_of_the_first_batch(source: Counter, frame: Frame) -> None:
    assert repr(frame).splitlines()[:4] == [
        "Frame · ? rows × 8 columns · complete · e/p",
        "name    kind                at                                tags          count                "
        "score   ok    spec",
        "string  dictionary<string>  timestamp[us, UTC]                list<string>  int64                "
        "double  bool  json",
        "a       x                   2024-01-02 03:04:05.500000+00:00  ['p', 'q']    1152921504606846977  "
        "nan     null  null",
    ]
    assert repr(frame) == repr(frame)
    assert (source.opened, source.read) == (1, 1)


def test_repr_of_a_wide_frame_is_short() -> None:
    wide = Frame.from_arrow(pa.table({f"c{number}": ["x" * 100] for number in range(50)}))
    lines = repr(wide).splitlines()
    assert "+42" in lines[1]
    assert max(map(len, lines)) < 320


def test_html_is_escaped() -> None:
    frame = Frame.from_arrow(pa.table({"<b>": ["<script>"]}))
    assert "&lt;script&gt;" in frame._repr_html_()
    assert "<script>" not in frame._repr_html_()


def test_complete_frames_pass(frame: Frame) -> None:
    assert frame.require_complete() is frame


@pytest.mark.parametrize(
    ("provenance", "says"),
    [
        (Provenance("sampled", "e/p"), "it was sampled"),
        (Provenance("live", "e/p"), "while it was being written"),
        (Provenance("complete", "e/p", server_rows=4), "it has 3 rows, and the server counted 4"),
        (None, "says nothing of its completeness"),
    ],
)
def test_frames_that_are_not_complete_raise(source: Counter, provenance: Provenance | None, says: str) -> None:
    with pytest.raises(FrameError, match=says):
        Frame(THINGS.arrow, source, provenance).require_complete()


def test_provenance_may_be_known_only_after_reading() -> None:
    counted: list[int] = []

    def read() -> Iterator[Any]:
        yield pa.record_batch({"n": [1, 2]})
        counted.append(2)

    schema = pa.schema([pa.field("n", pa.int64())])
    frame = Frame(schema, read, lambda: Provenance("complete", server_rows=counted[0] if counted else None))
    table = frame.to_arrow()
    assert Provenance.from_metadata(table.schema.metadata) == Provenance("complete", rows=2, server_rows=2)


def live_when_read(read: list[int]) -> Frame:
    """A frame that finds out by reading that it is live."""

    def batches() -> Iterator[Any]:
        yield pa.record_batch({"n": [1]})
        read.append(1)
        yield pa.record_batch({"n": [2]})

    schema = pa.schema([pa.field("n", pa.int64())])
    return Frame(schema, batches, lambda: Provenance("live" if read else "complete", "e/p"))


def test_a_frame_that_was_not_read_to_its_end_promises_nothing() -> None:
    frame = live_when_read([])
    assert frame.provenance == Provenance("unread", "e/p")
    assert repr(frame).startswith("Frame · ? rows × 1 column · unread · e/p")
    assert Provenance.from_metadata(pa.schema(frame).metadata) == Provenance("unread", "e/p")
    next(frame.to_batches())
    assert frame.provenance == Provenance("unread", "e/p")
    frame.to_arrow()
    assert frame.provenance == Provenance("live", "e/p", rows=2)


def test_what_shows_only_by_reading_is_read_before_a_frame_counts_as_complete() -> None:
    with pytest.raises(FrameError, match="while it was being written"):
        live_when_read([]).require_complete()


def test_a_frame_of_a_given_schema_says_what_its_source_says_once_it_is_read() -> None:
    asked = pa.schema([pa.field("n", pa.int64())])
    frame = flatten(live_when_read([]), schema=asked)
    assert frame.provenance is not None and frame.provenance.completeness == "unread"
    assert Provenance.from_metadata(frame.to_arrow().schema.metadata) == Provenance("live", "e/p", rows=2)


def test_parquet_is_written_batch_by_batch_with_provenance(frame: Frame, tmp_path: Path) -> None:
    path = frame.to_parquet(tmp_path / "deep" / "things.parquet")
    assert [found.name for found in path.parent.iterdir()] == ["things.parquet"]
    assert str(pq.read_table(path).to_pylist()) == str(frame.to_arrow().to_pylist())
    metadata = pq.read_metadata(path)
    assert metadata.row_group(0).column(0).compression == "ZSTD"
    assert Provenance.from_metadata(metadata.metadata) == Provenance("complete", "e/p", rows=3, server_rows=3)
    assert pl.read_parquet(path)["name"].to_list() == ["a", "b", "c"]


def test_reading_leaves_no_generator_open(source: Counter, frame: Frame) -> None:
    next(frame.to_batches())
    gc.collect()
    assert len(frame) == 3
