"""Values into a type that was asked for from outside; what does not fit is found out, never bent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runframe.frames.batches import parse_time
from runframe.frames.places import Place
from runframe.frames.schema import is_json
from runframe.frames.settle import Slots, nulls, settle, used
from runframe.frames.storage import plain_array
from runframe.frames.types import NONFINITE, Seen


def fit(slots: Slots, place: Place, type_: Any, length: int) -> tuple[Any, Any]:
    """The values of a place in the type asked for, and a mask (`numpy.ndarray` of bool) of those that do not fit.

    What fits: the type itself; integers and bools in floats (integers only where they are exact), whole floats in
    integers, ``"NaN"`` and the infinities as texts in floats; text in dictionaries, and in timestamps where it is
    ISO 8601; lists item by item; everything in JSON. What does not fit is null.
    """
    slots = used(slots)
    bad = np.zeros(length, np.bool_)
    if not slots:
        return nulls(type_, length), bad
    if is_json(type_):
        return settle(slots, place, pa.json_(), length), bad
    fitted = None
    for slot, array in slots.items():
        values, misfits = _fit_slot(slot, array, place, type_, length)
        bad |= misfits
        if values is not None:
            fitted = values if fitted is None else pc.coalesce(fitted, values)
    return nulls(type_, length) if fitted is None else fitted, bad


def _fit_slot(slot: str, array: Any, place: Place, type_: Any, length: int) -> tuple[Any, Any]:
    """The values of one slot in the type asked for (None where the two have nothing in common), and the misfits."""
    there = array.is_valid().to_numpy(zero_copy_only=False)
    if slot == "list" or slot.startswith("struct:"):
        natural = settle({slot: array}, place, _natural(slot, place), length)
        if not _alike(natural.type, type_):
            return None, there
        return _cast(natural, type_)
    goal = type_.value_type if pa.types.is_dictionary(type_) else type_
    convert = _CONVERSIONS.get((slot, _family(goal)))
    if convert is None:
        return None, there
    values, misfits = _cast(convert(array), goal)
    misfits |= there & ~values.is_valid().to_numpy(zero_copy_only=False)
    if goal is not type_:
        values = values.dictionary_encode().cast(type_)
    return values, misfits


def _alike(natural: Any, goal: Any) -> bool:
    """Whether values inside lists and structs may be cast: Arrow would also read numbers out of texts."""
    if pa.types.is_null(natural) or natural == goal:
        return True
    if pa.types.is_list(natural) and (pa.types.is_list(goal) or pa.types.is_large_list(goal)):
        return _alike(natural.value_type, goal.value_type)
    if pa.types.is_struct(natural) and pa.types.is_struct(goal):
        return all(goal.get_field_index(f.name) < 0 or _alike(f.type, goal.field(f.name).type) for f in natural)
    return _CONVERSIONS.get((_family(natural), _family(goal))) is _as_is


def _natural(slot: str, place: Place) -> Any:
    seen = place.seen()
    if slot == "list":
        return Seen(items=seen.items).type
    kind = list(place.structs)[int(slot.removeprefix("struct:"))]
    return Seen(structs={kind: seen.structs[kind]}).type


def _family(type_: Any) -> str:
    if pa.types.is_boolean(type_):
        return "bool"
    if pa.types.is_integer(type_):
        return "int"
    if pa.types.is_floating(type_):
        return "double"
    if pa.types.is_timestamp(type_):
        return "time"
    return "text" if pa.types.is_string(type_) or pa.types.is_large_string(type_) else str(type_)


def _as_is(array: Any) -> Any:
    return array


def _flags(array: Any) -> Any:
    return array.cast(pa.int8())


def _nonfinite(array: Any) -> Any:
    return pa.array([NONFINITE.get(text) for text in array.to_pylist()], pa.float64())


def _times(array: Any) -> Any:
    return pa.array([_time(text) for text in array.to_pylist()], pa.timestamp("us", "UTC"))


def _time(text: str | None) -> datetime | None:
    try:
        return None if text is None else parse_time(text)
    except (ValueError, OverflowError):
        return None


_CONVERSIONS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("bool", "bool"): _as_is,
    ("bool", "double"): _flags,
    ("int", "int"): _as_is,
    ("int", "double"): _as_is,
    ("double", "double"): _as_is,
    ("double", "int"): _as_is,
    ("text", "text"): _as_is,
    ("text", "double"): _nonfinite,
    ("text", "time"): _times,
}
"""By slot and family of the type asked for: what is cast. All else does not fit."""


def _cast(array: Any, type_: Any) -> tuple[Any, Any]:
    """A safe cast, value by value where the whole cannot be cast; and the mask of what could not."""
    bad = np.zeros(len(array), np.bool_)
    try:
        return (array if array.type == type_ else array.cast(type_)), bad
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        pass
    parts = []
    for index in range(len(array)):
        try:
            # take, not slice: a cast of a slice of lists casts the items of all lists.
            parts.append(array.take(pa.array([index])).cast(type_) if array[index].is_valid else nulls(type_, 1))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
            parts.append(nulls(type_, 1))
            bad[index] = True
    return pa.concat_arrays(parts), bad


def shown(slots: Slots, place: Place, row: int) -> str:
    """The value of one row as JSON text, for messages."""
    for slot, array in used(slots).items():
        if array[row].is_valid:
            text = settle({slot: array}, place, pa.json_(), len(array))
            found = str(plain_array(text)[row].as_py())
            return found if len(found) <= 60 else found[:59] + "…"
    return "null"
