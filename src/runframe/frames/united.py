"""Typed tables whose types are known before they are read: one frame, without a look at their values first.

Flattening reads everything once to find out the types, and keeps it until they are known. Of Parquet files the
footers tell the types, and the least and the greatest value of integers: a sample made of these goes through the
lattice instead, and the rows stream. Where that cannot be exact (objects, lists, types that disagree), there is no
such frame, and the rows are flattened as any other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from runframe.frames.flatten import MEMORY_BUDGET, flatten
from runframe.frames.frame import Frame
from runframe.frames.provenance import Provenance
from runframe.frames.schema import DOCUMENT, PATH
from runframe.frames.typed import TypedRows

_SIMPLE = (pa.bool_(), pa.int64(), pa.float64(), pa.string(), pa.null())


@dataclass(frozen=True)
class Part:
    """Some rows of a table.

    Attributes:
        sample: a record batch of the part's schema that shows for each column what the lattice asks of it: the least
            and the greatest integer, any other value; null where the column holds nothing else. None: not known.
        open: gives the part's batches: those of `sample`'s schema, or any that `TypedRows` takes where there is none.
    """

    sample: Any
    open: Callable[[], Iterator[Any]]


def united(
    schema: Any,
    parts: Sequence[Part],
    provenance: Provenance | Callable[[], Provenance] | None = None,
    *,
    memory_budget: int = MEMORY_BUDGET,
) -> Frame:
    """The parts as one flattened frame, one after the other.

    Args:
        schema: of the parts, their JSON columns declared as such; see `TypedRows`.
        parts: the parts.
        provenance: what is to be said of the frame.
        memory_budget: see `flatten`.
    """
    flat = _sampled(schema, parts)
    if flat is None:
        source = TypedRows(schema, lambda: (batch for part in parts for batch in part.open()), provenance)
        return flatten(source, memory_budget=memory_budget)
    sources = [_source(field, schema) for field in flat]

    def read() -> Iterator[Any]:
        for part in parts:
            for batch in part.open():
                columns = [_column(batch, path, field.type) for field, path in zip(flat, sources, strict=True)]
                yield pa.RecordBatch.from_arrays(columns, schema=flat)

    return Frame(flat, read, provenance)


def sample_of(batches: Iterator[Any]) -> Any:
    """A sample of a part's batches, for `Part`; None where they hold more than plain columns, or differ."""
    kept: list[Any] = []
    schema = None
    for batch in batches:
        if schema is not None and not batch.schema.equals(schema):
            return None
        schema = batch.schema
        structs = [field.type for field in schema if pa.types.is_struct(field.type)]
        if not structs or not all(_plain(child.type) in _SIMPLE for type_ in structs for child in type_):
            return None
        kept += [_extremes(batch)]
    if schema is None:
        return None
    whole = pa.Table.from_batches(kept, schema).combine_chunks().to_batches()[0]
    return _extremes(whole)


def _extremes(batch: Any) -> Any:
    """Two rows with the least and the greatest integer of each column, or any other value that is there."""
    return pa.RecordBatch.from_arrays([_extreme(array) for array in batch.columns], schema=batch.schema)


def _extreme(array: Any) -> Any:
    if pa.types.is_struct(array.type):
        fields = list(array.type)
        return pa.StructArray.from_arrays([_extreme(array.field(n)) for n in range(len(fields))], fields=fields)
    if pa.types.is_integer(array.type) and array.null_count < len(array):
        found = pc.min_max(array)
        return pa.array([found["min"].as_py(), found["max"].as_py()], array.type)
    there = array.drop_null().slice(0, 1)
    if not len(there):
        return pa.nulls(2, array.type)
    return pa.concat_arrays([there, there])


def _sampled(schema: Any, parts: Sequence[Part]) -> Any:
    """The flattened schema that the samples come to; None where they cannot stand for the rows."""
    samples = [part.sample for part in parts]
    kinds = [kind for field in schema if (kind := (field.metadata or {}).get(DOCUMENT)) is not None]
    if not samples or kinds != [b"row"]:
        return None
    if not all(sample is not None and _is_simple(sample.schema, schema) for sample in samples):
        return None
    frame = flatten(TypedRows(schema, lambda: iter(samples)))
    if frame.conflicts.num_rows or not all(_plain(field.type) in _SIMPLE for field in frame.schema):
        return None
    return frame.schema.with_metadata(None)


def _is_simple(found: Any, declared: Any) -> bool:
    """Whether a part's documents are structs of plain columns."""
    documents = [field.type for field, given in zip(found, declared, strict=True) if pa.types.is_struct(field.type)]
    return all(_plain(child.type) in _SIMPLE for type_ in documents for child in type_)


def _plain(type_: Any) -> Any:
    return type_.value_type if pa.types.is_dictionary(type_) else type_


def _source(field: Any, schema: Any) -> list[str]:
    """Where a flattened column comes from: a column, or a column and a field of its structs."""
    path: list[str] = json.loads((field.metadata or {}).get(PATH, b"null")) or [field.name]
    if schema.get_field_index(field.name) >= 0:
        return [field.name]
    if path == ["_step"] and schema.get_field_index("step") >= 0:
        return ["step"]
    document = next(name for name in schema.names if (schema.field(name).metadata or {}).get(DOCUMENT))
    return [document, *path]


def _column(batch: Any, path: Sequence[str], type_: Any) -> Any:
    array = batch.column(path[0])
    for name in path[1:]:
        index = array.type.get_field_index(name)
        if index < 0:
            return pa.nulls(batch.num_rows, type_)
        array = array.field(index)
    if array.type == type_:
        return array
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.int8())
    return array.cast(type_)
