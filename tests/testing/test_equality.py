from __future__ import annotations

import math
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from runframe.testing import assert_frame_equal

TABLE = pa.table(
    {
        "name": pa.array(["a", None, "é"]),
        "state": pa.array(["x", "x", "y"]).dictionary_encode(),
        "loss": pa.array([math.nan, None, -0.0]),
        "tags": pa.array([["t"], [], None], pa.list_(pa.string())),
        "step": pa.array([1, 2**62, None], pa.int64()),
    }
)


def with_column(name: str, values: Any) -> pa.Table:
    return TABLE.set_column(TABLE.column_names.index(name), name, values)


@pytest.mark.parametrize("convert", [lambda table: table, pl.DataFrame, lambda table: table.to_batches()[0]])
def test_equal_frames_of_any_library_pass(convert: Any) -> None:
    assert_frame_equal(convert(TABLE), TABLE)
    assert_frame_equal(TABLE, convert(TABLE))
    assert_frame_equal(convert(TABLE), convert(TABLE))


def test_pandas_and_arrow_meet_where_null_is_nan() -> None:
    table = TABLE.select(["name", "loss"])
    frame = table.to_pandas()
    assert_frame_equal(frame, table)
    assert_frame_equal(frame, frame.copy())


def test_a_lazy_frame_is_collected() -> None:
    assert_frame_equal(pl.DataFrame(TABLE).lazy(), TABLE)


def test_json_is_text_to_polars_and_a_type_to_arrow() -> None:
    documents = pa.table({"config": pa.array(['{"a":1}'], pa.json_())})
    text = pa.table({"config": ['{"a":1}']})
    assert_frame_equal(documents, pl.DataFrame({"config": ['{"a":1}']}))
    with pytest.raises(AssertionError, match="types differ"):
        assert_frame_equal(documents, text)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (TABLE.drop_columns(["step"]), "columns differ"),
        (TABLE.select(TABLE.column_names[::-1]), "columns differ"),
        (TABLE.slice(1), "3 rows, expected 2"),
        (with_column("step", TABLE["step"].cast(pa.int32(), safe=False)), "'step': int64, expected int32"),
        (with_column("name", TABLE["name"].cast(pa.large_string())), "'name': string, expected large_string"),
        (with_column("state", TABLE["state"].cast(pa.string())), "'state': dictionary"),
        (with_column("loss", pa.array([None, None, 0.0])), "'loss' differs in row 0: nan, expected None"),
        (with_column("tags", pa.array([["t"], None, None], pa.list_(pa.string()))), r"'tags' differs in row 1: \[\]"),
        (pl.DataFrame(TABLE).with_columns(pl.col("step").cast(pl.Float64)), "'step': int64, expected double"),
    ],
)
def test_the_first_difference_is_named(other: Any, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        assert_frame_equal(TABLE, other)


def test_types_of_one_library_are_compared_as_its_own() -> None:
    left = pd.DataFrame({"a": pd.Series(["x"], dtype="object")})
    right = pd.DataFrame({"a": pd.Series(["x"], dtype="string")})
    with pytest.raises(AssertionError, match="types differ"):
        assert_frame_equal(left, right)


def test_rows_can_be_a_bag() -> None:
    turned = TABLE.take([2, 0, 1])
    assert_frame_equal(turned, TABLE, ordered=False)
    with pytest.raises(AssertionError, match="row 0"):
        assert_frame_equal(turned, TABLE)
    with pytest.raises(AssertionError, match="too often"):
        assert_frame_equal(TABLE.take([0, 0, 1]), TABLE, ordered=False)


def test_metadata_counts_where_it_is_asked_for() -> None:
    other = TABLE.replace_schema_metadata({"runframe.complete": "true"})
    assert_frame_equal(TABLE, other)
    with pytest.raises(AssertionError, match="metadata"):
        assert_frame_equal(TABLE, other, check_metadata=True)


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(TypeError, match="list is not a frame"):
        assert_frame_equal([1], TABLE)
