"""Documents that are columns already: flattened, they are what their JSON text is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runframe import FrameError, extjson
from runframe.frames import Frame, flatten
from runframe.frames.typed import TypedRows

SCHEMA = pa.schema([
    pa.field("run_id", pa.string()),
    pa.field("row", pa.json_(), metadata={b"runframe.document": b"row"}),
])  # fmt: skip


def as_text(rows: Sequence[dict[str, Any]]) -> Any:
    texts = pa.array([extjson.dumps(row) for row in rows], pa.string())
    return pa.ExtensionArray.from_storage(pa.json_(), texts)


def batch(name: str, column: Any) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([name] * len(column), pa.string()), column], names=SCHEMA.names)


def flattened(*batches: pa.RecordBatch, **options: Any) -> Frame:
    return flatten(TypedRows(SCHEMA, lambda: iter(batches)), **options)


def assert_same(found: Frame, expected: Frame) -> None:
    assert found.schema.equals(expected.schema, check_metadata=True)
    assert same(found.to_arrow().to_pylist(), expected.to_arrow().to_pylist())
    assert found.conflicts.to_pylist() == expected.conflicts.to_pylist()


def same(one: Any, two: Any) -> bool:
    """Equality in which NaN equals NaN and 1 is not 1.0."""
    if isinstance(one, dict):
        return isinstance(two, dict) and one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list):
        return isinstance(two, list) and len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, float) and math.isnan(one):
        return isinstance(two, float) and math.isnan(two)
    return type(one) is type(two) and one == two


# Values that one Arrow column can hold: a column takes one of these strategies.
ints = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=True, allow_infinity=True)
texts = st.text(max_size=5) | st.sampled_from(["NaN", "Infinity", "2024-01-01", "1", "{}"])
plain = st.sampled_from([ints, floats, texts, st.booleans()])
columns = st.one_of(
    plain,
    plain.map(lambda kind: st.lists(kind, max_size=3)),
    plain.map(lambda kind: st.fixed_dictionaries({"a": kind}, optional={"b.c": st.booleans()})),
    plain.map(lambda kind: st.fixed_dictionaries({"_type": st.just("thing"), "x": kind})),
)
keys = st.sampled_from(["loss", "acc", "a.b", "valid", "_runtime"])


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, Any]]:
    kinds = draw(st.dictionaries(keys, columns, max_size=4))
    row = st.fixed_dictionaries({"_step": st.integers(0, 99)}, optional=kinds)
    return draw(st.lists(row, max_size=8))


def as_struct(rows: Sequence[dict[str, Any]]) -> Any:
    return pa.array(rows, pa.struct([])) if not rows else pa.array(rows)


@settings(max_examples=300, deadline=None)
@given(tables(), tables(), st.booleans())
def test_columns_are_read_as_their_texts_are(one: list[Any], two: list[Any], both: bool) -> None:
    expected = flatten(Frame(SCHEMA, lambda: iter([batch("a", as_text(one)), batch("b", as_text(two))])))
    second = as_struct(two) if both else as_text(two)
    assert_same(flattened(batch("a", as_struct(one)), batch("b", second)), expected)


def test_types_of_columns_and_of_texts_join_in_the_lattice() -> None:
    typed = pa.array([{"_step": 0, "x": 1, "y": True, "z": 2**60}])
    text = as_text([{"_step": 0, "x": 0.5, "y": 2, "z": 0.5}])
    frame = flattened(batch("a", typed), batch("b", text))
    assert frame.schema.field("x").type == pa.float64()
    assert frame.to_arrow()["y"].to_pylist() == [1.0, 2.0]
    assert frame.conflicts["column"].to_pylist() == ["z"]
    assert frame.to_arrow()["z"].to_pylist() == ["1152921504606846976", "0.5"]


def test_chosen_columns_are_all_that_is_read() -> None:
    typed = pa.array([{"_step": 3, "x": 1, "at": None, "y": {"a": 1.5}}])
    assert flattened(batch("r", typed), columns=["run_id", "y.a"]).to_arrow().to_pylist() == [
        {"run_id": "r", "y.a": 1.5}
    ]


@pytest.mark.parametrize(
    ("type_", "value"), [(pa.int8(), -3), (pa.uint32(), 7), (pa.float32(), 0.5), (pa.large_string(), "é"),
                         (pa.uint64(), 2**64 - 1), (pa.dictionary(pa.int8(), pa.string()), "a")]
)  # fmt: skip
def test_narrow_and_wide_types_come_to_those_of_the_lattice(type_: Any, value: Any) -> None:
    struct = pa.StructArray.from_arrays([pa.array([value], type_)], names=["x"])
    assert_same(flattened(batch("r", struct)), flatten(pa.table({"run_id": ["r"], "row": as_text([{"x": value}])},
                                                                schema=SCHEMA)))  # fmt: skip


def test_a_struct_that_is_there_without_a_field_is_an_empty_object() -> None:
    empty = pa.array([{"x": {}}, {"x": None}], pa.struct([("x", pa.struct([("a", pa.int64())]))]))
    assert flattened(batch("r", empty)).to_arrow()["x"].to_pylist() == ["{}", None]


def test_a_type_that_json_has_no_value_for_is_refused() -> None:
    struct = pa.StructArray.from_arrays([pa.array([0], pa.timestamp("us"))], names=["when"])
    with pytest.raises(FrameError, match="'when' is a column of type timestamp"):
        flattened(batch("r", struct))


def test_a_batch_with_other_columns_is_refused() -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pydict({"row": [1]})

    with pytest.raises(FrameError, match="columns"):
        flatten(TypedRows(SCHEMA, broken))
