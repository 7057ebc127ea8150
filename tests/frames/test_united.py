"""Typed parts as one frame: what flattening gives, without a look at the values where their types are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pytest

from runframe.frames import flatten
from runframe.frames.typed import TypedRows
from runframe.frames.united import Part, united

SCHEMA = pa.schema([
    pa.field("run_id", pa.dictionary(pa.int32(), pa.string())),
    pa.field("step", pa.int64()),
    pa.field("row", pa.json_(), metadata={b"runframe.document": b"row"}),
])  # fmt: skip


def batch(run: str, rows: Sequence[dict[str, Any]]) -> Any:
    struct = pa.array(rows)
    names = pa.array([run] * len(rows), pa.string()).dictionary_encode()
    return pa.RecordBatch.from_arrays([names, struct.field("_step"), struct], names=SCHEMA.names)


class Reads:
    """Parts, and how often they were read."""

    def __init__(self, **runs: Sequence[dict[str, Any]]) -> None:
        self.batches = {name: batch(name, rows) for name, rows in runs.items()}
        self.count = 0

    def part(self, name: str) -> Part:
        def open_() -> Iterator[Any]:
            self.count += 1
            yield self.batches[name]

        return Part(self.sample(self.batches[name]), open_)

    def sample(self, found: Any) -> Any:
        """The rows themselves are a sample, if not a short one."""
        return found

    @property
    def parts(self) -> list[Part]:
        return [self.part(name) for name in self.batches]

    @property
    def flattened(self) -> Any:
        return flatten(TypedRows(SCHEMA, lambda: iter(self.batches.values())))


def test_parts_of_different_columns_and_numbers_are_one_table() -> None:
    reads = Reads(
        a=[{"_step": 0, "loss": 1, "ok": True, "n/a.b": "x"}, {"_step": 1, "loss": 2, "ok": False, "n/a.b": None}],
        b=[{"_step": 0, "loss": 0.5, "ok": 2, "run_id": "odd"}],
    )
    frame = united(SCHEMA, reads.parts)
    assert reads.count == 0
    found, expected = frame.to_arrow(), reads.flattened.to_arrow()
    assert reads.count == 2
    assert found.schema.equals(expected.schema, check_metadata=True)
    assert found.to_pylist() == expected.to_pylist()


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"x": 2**60}, {"x": 0.5}),
        ({"x": "text"}, {"x": 0.5}),
        ({"x": {"a": 1}}, {"x": {"a": 2}}),
        ({"x": [1, 2]}, {"x": [0.5]}),
    ],
)
def test_what_samples_cannot_decide_is_flattened(one: dict[str, Any], two: dict[str, Any]) -> None:
    reads = Reads(a=[{"_step": 0, **one}], b=[{"_step": 0, **two}])
    frame = united(SCHEMA, reads.parts)
    expected = reads.flattened
    assert frame.to_arrow().equals(expected.to_arrow())
    assert frame.conflicts.to_pylist() == expected.conflicts.to_pylist()


def test_a_part_without_a_sample_is_read_for_its_types() -> None:
    reads = Reads(a=[{"_step": 0, "x": 1}], b=[{"_step": 0, "x": 0.5}])
    parts = [Part(None, reads.part("a").open), reads.part("b")]
    assert united(SCHEMA, parts).to_arrow().equals(reads.flattened.to_arrow())


def test_no_parts_are_an_empty_table() -> None:
    assert united(SCHEMA, []).to_arrow().num_rows == 0
