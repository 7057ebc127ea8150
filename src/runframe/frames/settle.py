"""From the slots of a place to one Arrow array of the type that was decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runframe import extjson
from runframe.frames.names import field_name
from runframe.frames.places import Place, json_text
from runframe.frames.schema import is_json
from runframe.frames.types import NONFINITE, PACKED_BINS

Slots = Mapping[str, Any]

_MOST_BINS = 65_536
"""A histogram that claims more bins than this keeps them packed."""


def settle(slots: Slots, place: Place, type_: Any, length: int) -> Any:
    """The values of a place as one array.

    Args:
        slots: the place's slots in one chunk, as `Place.slots` gave them.
        place: the place.
        type_: the type that the lattice gives for everything seen there.
        length: the number of rows.
    """
    slots = used(slots)
    if not slots or pa.types.is_null(type_):
        return nulls(type_, length)
    if is_json(type_):
        return pa.ExtensionArray.from_storage(type_, pa.array(texts(slots, place, length), pa.string()))
    if pa.types.is_floating(type_):
        return pc.coalesce(*[_as_double(slot, array) for slot, array in slots.items()])
    if pa.types.is_list(type_):
        return _settle_list(slots["list"], place, type_)
    if pa.types.is_struct(type_):
        name, array = next(iter(slots.items()))
        return _settle_struct(array, _struct(place, name).fields, _struct(place, name).kind, type_, length)
    return next(iter(slots.values()))


def nulls(type_: Any, length: int) -> Any:
    """Nulls of any type, extension types among them."""
    if isinstance(type_, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(type_, pa.nulls(length, type_.storage_type))
    return pa.nulls(length, type_)


def _as_double(slot: str, array: Any) -> Any:
    if slot == "text":  # only "NaN", "Infinity" and "-Infinity": else the type would not be double
        return pa.array([None if text is None else NONFINITE[text] for text in array.to_pylist()], pa.float64())
    if slot == "bool":  # Arrow casts no bool to double
        return array.cast(pa.int8()).cast(pa.float64())
    return array if slot == "double" else array.cast(pa.float64())


def _struct(place: Place, slot: str) -> Any:
    return list(place.structs.values())[int(slot.removeprefix("struct:"))]


def inner(array: Any) -> dict[str, Any]:
    """The slots that stand side by side in a StructArray (none in an array of nulls)."""
    if pa.types.is_null(array.type):
        return {}
    return {field.name: array.field(index) for index, field in enumerate(array.type)}


def used(slots: Slots) -> dict[str, Any]:
    """The slots that hold a value."""
    return {name: array for name, array in slots.items() if array.null_count < len(array)}


def _settle_list(array: Any, place: Place, type_: Any) -> Any:
    assert place.items is not None
    items = array.values
    settled = settle(inner(items), place.items, type_.value_type, len(items))
    offsets = array.offsets.cast(pa.int32())
    return pa.ListArray.from_arrays(offsets, settled, type=type_, mask=array.is_null() if array.null_count else None)


def _settle_struct(array: Any, fields: Place, kind: str, type_: Any, length: int) -> Any:
    found = inner(array)
    places = {field_name(key): place for key, place in fields.children.items()}
    columns = []
    for field in type_:
        place = places.get(field.name)
        if field.name == "_type" and kind != PACKED_BINS:
            columns.append(pa.array([kind]).take(pa.array(np.zeros(length, np.int64))))
        elif place is None or str(place.number) not in found:
            columns.append(nulls(field.type, length))
        else:
            columns.append(settle(inner(found[str(place.number)]), place, field.type, length))
    if kind == "histogram":
        columns = _unpack(columns, type_)
    return pa.StructArray.from_arrays(columns, fields=list(type_), mask=array.is_null())


def _unpack(columns: list[Any], type_: Any) -> list[Any]:
    """The columns of a histogram, with the bins spelled out where only packed ones were given."""
    packed_at, bins_at = type_.get_field_index(PACKED_BINS), type_.get_field_index("bins")
    if packed_at < 0 or bins_at < 0 or not pa.types.is_struct(type_.field(packed_at).type):
        return columns
    if not columns[bins_at].null_count or columns[packed_at].null_count == len(columns[packed_at]):
        return columns
    spelled = [
        bins if bins is not None else _edges(packed)
        for bins, packed in zip(columns[bins_at].to_pylist(), columns[packed_at].to_pylist(), strict=True)
    ]
    return [*columns[:bins_at], pa.array(spelled, type_.field(bins_at).type), *columns[bins_at + 1 :]]


def _edges(packed: dict[str, Any] | None) -> list[float] | None:
    """The edges of evenly spaced bins: one more than there are bins."""
    if packed is None:
        return None
    lowest, width, count = packed["min"], packed["size"], packed["count"]
    if not all(isinstance(number, int | float) for number in (lowest, width, count)) or not 0 <= count <= _MOST_BINS:
        return None
    return [float(lowest + width * index) for index in range(int(count) + 1)]


def texts(slots: Slots, place: Place, length: int) -> list[str | None]:
    """The values as JSON texts; null where there is none. Fields of structs that are null are left out."""
    written = [_texts_of(slot, array, place) for slot, array in slots.items()]
    empty: list[str | None] = [None] * length
    return reduce(
        lambda left, right: [a if a is not None else b for a, b in zip(left, right, strict=True)], written, empty
    )


def _texts_of(slot: str, array: Any, place: Place) -> list[str | None]:
    if slot == "list":
        return _list_texts(array, place)
    if slot.startswith("struct:"):
        struct = _struct(place, slot)
        return _struct_texts(array, struct.fields, struct.kind)
    write = _WRITERS.get(slot, json_text)
    return [None if value is None else write(value) for value in array.to_pylist()]


_WRITERS: dict[str, Callable[[Any], str]] = {
    "bool": lambda value: "true" if value else "false",
    "int": str,
    "huge": str,
    "broken": str,
    "object": str,
}


def _list_texts(array: Any, place: Place) -> list[str | None]:
    assert place.items is not None
    items = texts(inner(array.values), place.items, len(array.values))
    ends = array.offsets.to_pylist()
    valid = array.is_valid().to_pylist()
    return [
        "[" + ",".join(text or "null" for text in items[start:end]) + "]" if is_there else None
        for start, end, is_there in zip(ends, ends[1:], valid, strict=False)
    ]


def _struct_texts(array: Any, fields: Place, kind: str) -> list[str | None]:
    found = inner(array)
    names = sorted(key for key, place in fields.children.items() if str(place.number) in found)
    columns = []
    for name in names:
        place = fields.children[name]
        columns.append(texts(inner(found[str(place.number)]), place, len(array)))
    keys = [json_text(name) for name in names]
    head = [] if kind == PACKED_BINS else [f'"_type":{extjson.dumps(kind)}']
    return [
        "{" + ",".join(head + [f"{k}:{t}" for k, t in zip(keys, row, strict=True) if t is not None]) + "}"
        if there
        else None
        for there, *row in zip(array.is_valid().to_pylist(), *columns, strict=True)
    ]
