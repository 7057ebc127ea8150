from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runframe.frames.types import Kind, Seen, seen_in

from .reference import decide
from .strategies import VALUES

JSON = pa.json_()
SEEN = st.lists(VALUES, max_size=4).map(lambda values: joined(values))


def joined(values: list[Any]) -> Seen:
    found = Seen()
    for value in values:
        found |= seen_in(value)
    return found


@given(SEEN, SEEN)
def test_join_is_commutative(a: Seen, b: Seen) -> None:
    assert a | b == b | a


@given(SEEN, SEEN, SEEN)
def test_join_is_associative(a: Seen, b: Seen, c: Seen) -> None:
    assert (a | b) | c == a | (b | c)


@given(SEEN)
def test_join_is_idempotent_and_nothing_is_neutral(a: Seen) -> None:
    assert a | a == a
    assert a | Seen() == a


@given(SEEN, SEEN)
def test_a_conflict_never_heals(a: Seen, b: Seen) -> None:
    if a.resolve().conflict and not a.structs:
        assert (a | b).resolve().conflict


@given(st.lists(VALUES, max_size=5))
def test_types_are_those_of_the_table(values: list[Any]) -> None:
    assert joined(values).type == decide([value for value in values if value is not None])


@pytest.mark.parametrize(
    ("values", "type_", "conflict"),
    [
        ([None], pa.null(), False),
        ([True, None], pa.bool_(), False),
        ([1, 2**63 - 1], pa.int64(), False),
        ([1, 0.5], pa.float64(), False),
        ([2**53, 0.5], pa.float64(), False),
        ([2**53 + 1, 0.5], JSON, True),
        ([2**53 + 1, 1], pa.int64(), False),
        ([2**53 + 1, True], JSON, True),
        ([2**63], JSON, True),
        ([True, 1], pa.float64(), False),
        ([True, 0.5], pa.float64(), False),
        (["NaN", 1], pa.float64(), False),
        (["NaN", "-Infinity", math.inf], pa.float64(), False),
        (["NaN"], pa.string(), False),
        (["NaN", "text"], pa.string(), False),
        (["NaN", "text", 1], JSON, True),
        (["NaN", True], JSON, True),
        (["text", 1], JSON, True),
        ([[]], pa.list_(pa.null()), False),
        ([[], [1]], pa.list_(pa.int64()), False),
        ([[1], [0.5], [None]], pa.list_(pa.float64()), False),
        ([["a", 1]], JSON, True),
        ([[1], 1], JSON, True),
        ([[[1], []]], pa.list_(pa.list_(pa.int64())), False),
        ([{}], JSON, False),
        ([[{"a": 1}]], JSON, False),
        ([{}, 1], JSON, True),
        (["\ud800"], JSON, True),
    ],
)
def test_the_table(values: list[Any], type_: Any, conflict: bool) -> None:
    resolved = joined(values).resolve()
    assert resolved.type == type_
    assert resolved.conflict is conflict


def test_an_object_with_a_type_is_a_struct_of_its_kind() -> None:
    image = {"_type": "image-file", "width": 3, "path": "a.png", "extra": {"x": 1}}
    assert seen_in(image).type == pa.struct(
        [
            pa.field("_type", pa.string()),
            pa.field("extra", JSON),
            pa.field("path", pa.string()),
            pa.field("width", pa.int64()),
        ]
    )


def test_two_kinds_of_struct_disagree() -> None:
    assert joined([{"_type": "image-file"}, {"_type": "table-file"}]).resolve() == (JSON, True)


def test_a_histogram_has_edges_however_its_bins_were_given() -> None:
    packed = {"_type": "histogram", "values": [1, 2], "packedBins": {"min": 0, "size": 1, "count": 2}}
    assert seen_in(packed).type == pa.struct(
        [
            pa.field("_type", pa.string()),
            pa.field("bins", pa.list_(pa.float64())),
            pa.field(
                "packedBins",
                pa.struct(
                    [pa.field("count", pa.int64()), pa.field("min", pa.float64()), pa.field("size", pa.float64())]
                ),
            ),
            pa.field("values", pa.list_(pa.int64())),
        ]
    )
    plain = {"_type": "histogram", "values": [1], "bins": [0, 1]}
    assert seen_in(plain).type.field("bins").type == pa.list_(pa.float64())


def test_what_was_seen_can_be_read() -> None:
    assert str(joined([1, "a", [1, None], {"_type": "image-file"}])) == "int64 | string | list<int64> | image-file"
    assert str(Seen()) == "null"
    assert str(Seen(frozenset({Kind.HUGE}))) == "int beyond 64 bits"
