"""Documents that are columns already: a struct of typed fields in place of each document's JSON text.

What a server exported as Parquet needs no JSON to become a frame: the columns go to the places of the document's tree
as they are, beside what other documents hold as text, and the lattice decides over both alike. A null field is a key
that was not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from runframe import extjson
from runframe.errors import FrameError
from runframe.frames.places import Place
from runframe.frames.provenance import Provenance
from runframe.frames.reading import valid


class TypedRows:
    """A source for `flatten` whose JSON columns may come as structs, batch by batch.

    Args:
        schema: the columns, with the JSON ones declared as such.
        open_: gives the batches, from the start each time. A JSON column of a batch is JSON text, or a struct.
        provenance: what is to be said of the source, or what tells it once it is read.
    """

    def __init__(
        self,
        schema: Any,
        open_: Callable[[], Iterator[Any]],
        provenance: Provenance | Callable[[], Provenance] | None = None,
    ) -> None:
        self.schema = schema
        self._open = open_
        self._provenance = provenance

    @property
    def provenance(self) -> Provenance | None:
        """What the source says of itself."""
        return self._provenance() if callable(self._provenance) else self._provenance

    def to_batches(self) -> Iterator[Any]:
        """The record batches, from the start.

        Raises:
            FrameError: a batch has other columns than the source.
        """
        for batch in self._open():
            if batch.schema.names != self.schema.names:
                raise FrameError(f"a batch has the columns {batch.schema.names}, its source {self.schema.names}")
            yield batch


def as_text(batch: Any) -> Any:
    """A batch with its structs as extended JSON text, as the `arrow.json` columns hold it; null fields are left out."""
    arrays = []
    for array in batch.columns:
        if pa.types.is_struct(array.type):
            texts = [None if row is None else extjson.dumps(_without_nulls(row)) for row in array.to_pylist()]
            array = pa.ExtensionArray.from_storage(pa.json_(), pa.array(texts, pa.string()))
        arrays.append(array)
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def take_columns(place: Place, struct: Any, rows: Any) -> None:
    """Takes objects that came as a struct array, into the places below theirs.

    Args:
        place: the place of the objects.
        struct: a `pyarrow.StructArray`; a null is no object.
        rows: the rows that the objects stand in.

    Raises:
        FrameError: a column is of a type that JSON has no value for.
    """
    # Of a struct that is null its fields are null as well.
    for field, array in zip(struct.type, struct.flatten(), strict=True):
        if place.wants(field.name) and array.null_count < len(array):
            place.mention(field.name)
            _take(place.children[field.name], array, rows)


def _take(place: Place, array: Any, rows: Any) -> None:
    type_ = array.type
    if pa.types.is_dictionary(type_):
        array = array.dictionary_decode()
        type_ = array.type
    if pa.types.is_struct(type_) and type_.get_field_index("_type") < 0:
        _take_struct(place, array, rows)
    elif pa.types.is_boolean(type_):
        place.add("bool", array, rows)
    elif pa.types.is_floating(type_):
        place.add("double", array.cast(pa.float64()), rows)
    elif pa.types.is_integer(type_) and type_ != pa.uint64():
        place.add("int", array.cast(pa.int64()), rows)
    elif pa.types.is_string(type_) or pa.types.is_large_string(type_):
        place.add("text", array.cast(pa.string()), rows)
    elif _is_json_like(type_):
        there = valid(array)
        values = [_without_nulls(value) for value in array.drop_null().to_pylist()]
        place.observe(values, rows[there])
    else:
        raise FrameError(f"{'.'.join(place.path)!r} is a column of type {type_}, which no JSON value has")


def _take_struct(place: Place, struct: Any, rows: Any) -> None:
    empty = valid(struct)
    for array in struct.flatten():
        empty &= ~valid(array)
    if empty.any():
        place.add("object", pa.repeat(pa.scalar("{}"), int(np.count_nonzero(empty))), rows[empty])
    take_columns(place, struct, rows)


def _is_json_like(type_: Any) -> bool:
    """Whether an Arrow type's Python values are JSON values, so that they can be read as decoded JSON is."""
    if pa.types.is_struct(type_):
        return all(_is_json_like(field.type) for field in type_)
    if pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_):
        return _is_json_like(type_.value_type)
    plain = (pa.types.is_null, pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating)
    return any(is_it(type_) for is_it in (*plain, pa.types.is_string, pa.types.is_large_string))


def _without_nulls(value: Any) -> Any:
    """A value without the null fields of its objects: they were not there."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
