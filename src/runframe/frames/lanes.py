"""Lanes: the plain columns of objects that all have the same keys, taken out many at a time.

Nearly all values of nearly all documents stand in such columns: every run has the key, and every value of the key is
a float (or an int, a bool, a text). A lane gathers all keys of one of those types, so that a few calls into C serve a
whole gulp of objects. A lane never guesses: it takes a gulp if every value has exactly its type, and refuses it
otherwise.
"""

from __future__ import annotations

import marshal
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from runframe.frames.decode import MARK

# marshal writes a list as 5 bytes, then each item as one byte for its type and then its value; version 2 has no
# references between items. If the length is right and the type's byte stands at every stride, every item has the type:
# the first one of another type would put another byte at its own place.
_VERSION = 2
_HEADER = 5


def doubles(values: list[Any]) -> Any:
    """The values as a float64 `numpy.ndarray`; None unless all of them are floats."""
    found = _strided(values, b"g", 8)
    return None if found is None else found.view("<f8").ravel()


def ints(values: list[Any]) -> Any:
    """The values as an int64 `numpy.ndarray`; None unless all of them are ints of at most 32 bits."""
    found = _strided(values, b"i", 4)
    return None if found is None else found.view("<i4").ravel().astype(np.int64)


def bools(values: list[Any]) -> Any:
    """The values as a bool `numpy.ndarray`; None unless all of them are bools."""
    data = marshal.dumps(values, _VERSION)
    if len(data) != _HEADER + len(values):
        return None
    codes = np.frombuffer(data, np.uint8, offset=_HEADER)
    true = codes == ord("T")
    return true if (true | (codes == ord("F"))).all() else None


def texts(values: list[Any]) -> Any:
    """The values as a `pyarrow.StringArray`; None unless all of them are texts that hold no NUL and no marked token."""
    try:
        joined = "\0".join(values)
        data = joined.encode()
    except (TypeError, UnicodeEncodeError):
        return None
    if MARK in joined:
        return None
    characters = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(characters == 0)
    if len(ends) != len(values) - 1:
        return None
    offsets = np.empty(len(values) + 1, np.int32)
    offsets[0] = 0
    offsets[1:-1] = ends - np.arange(len(ends))
    offsets[-1] = len(data) - len(ends)
    text = data.replace(b"\0", b"")
    return pa.StringArray.from_buffers(len(values), pa.py_buffer(offsets), pa.py_buffer(text))


def _strided(values: list[Any], code: bytes, width: int) -> Any:
    data = marshal.dumps(values, _VERSION)
    if len(data) != _HEADER + len(values) * (1 + width):
        return None
    items = np.frombuffer(data, np.uint8, offset=_HEADER).reshape(len(values), 1 + width)
    return np.ascontiguousarray(items[:, 1:]) if (items[:, 0] == code[0]).all() else None


ENCODERS: dict[type, tuple[str, Callable[[list[Any]], Any], Any]] = {
    float: ("double", doubles, 0.0),
    int: ("int", ints, 0),
    bool: ("bool", bools, False),
    str: ("text", texts, ""),
}
"""By the values' type: the slot that they belong to, the function that encodes them, and what stands in for null."""


LEVELS = ("strict", "nullable", "numbers")
"""What a lane takes: values of its type alone; nulls too; or, for numbers, ints and floats mixed, and nulls."""


class Numbers(NamedTuple):
    """Numbers or bools that are no Arrow array yet: it is cheaper to put them in their rows first.

    Attributes:
        values: a `numpy.ndarray`.
        nulls: where they are null; None if nowhere.
    """

    values: Any
    nulls: Any

    def arrow(self) -> Any:
        """The Arrow array."""
        return pa.array(self.values, mask=self.nulls)


class Lane:
    """The keys of one type, and what has been taken of them since the last `columns`.

    Args:
        type_: the values' type.
        keys: the keys, in the order in which a row's values are given.
        level: what it takes, an index of `LEVELS`.
    """

    def __init__(self, type_: type, keys: Sequence[str], level: int = 0) -> None:
        self.type = type_
        self.keys = list(keys)
        self.level = level
        self._slot, self._encode, self._filler = ENCODERS[type_]
        self._gulps: list[Any] = []
        self._nulls: list[Any] = []

    @property
    def levels(self) -> int:
        """How many levels there are for its type."""
        return 3 if self.type in (int, float) else 2

    def encode(self, values: list[Any]) -> tuple[Any, Any] | None:
        """The values of a gulp, and where they are null; None if there is a value that the lane does not take."""
        nulls = None
        if self.level:
            nulls = np.frombuffer(bytes([value is None for value in values]), np.bool_)
            if nulls.any():
                filler = self._filler
                values = [filler if value is None else value for value in values]
        encoded = _numbers(values) if self.level == 2 else self._encode(values)
        return None if encoded is None else (encoded, nulls)

    def take(self, encoded: tuple[Any, Any]) -> None:
        """Keeps a gulp that was encoded: all keys of the first row, then of the second, and so on."""
        self._gulps.append(encoded[0])
        self._nulls.append(encoded[1])

    def columns(self) -> Iterator[tuple[str, str, Any]]:
        """The values taken, as (key, slot, Arrow array or `Numbers`), and the lane is empty again."""
        gulps, nulls = self._gulps, self._nulls
        self.clear()
        width = len(self.keys)
        masks = _matrix(nulls, width) if self.level else [None] * width
        if self.level == 2:
            yield from self._number_columns(gulps, masks)
        elif self._slot != "text":
            for key, column, mask in zip(self.keys, _matrix(gulps, width), masks, strict=True):
                yield key, self._slot, Numbers(column, mask)
        else:
            rows = pa.concat_arrays(gulps)
            for index, (key, mask) in enumerate(zip(self.keys, masks, strict=True)):
                whole = width == 1 and mask is None
                yield key, "text", rows if whole else rows.take(pa.array(np.arange(index, len(rows), width), mask=mask))

    def _number_columns(self, gulps: list[Any], masks: Any) -> Iterator[tuple[str, str, Any]]:
        """Each key's floats, and its ints where it has any."""
        doubles_, ints_, is_int = (_matrix([gulp[part] for gulp in gulps], len(self.keys)) for part in range(3))
        for index, key in enumerate(self.keys):
            whole = is_int[index] & ~masks[index]
            if whole.any():
                yield key, "int", Numbers(ints_[index], ~whole)
            yield key, "double", Numbers(doubles_[index], whole | masks[index])

    def clear(self) -> None:
        """Forgets what was taken."""
        self._gulps, self._nulls = [], []


def _numbers(values: list[Any]) -> tuple[Any, Any, Any] | None:
    """Ints and floats apart: the floats, the ints, and where there are ints; None if there is anything else."""
    try:
        found = np.frombuffer(array("d", values), np.float64)
    except (TypeError, OverflowError):
        return None
    # Only a whole number can have been an int; a bool, too, or an int too long for a double to hold.
    whole = np.flatnonzero(found == np.trunc(found))
    ints_, is_int = np.zeros(len(found), np.int64), np.zeros(len(found), np.bool_)
    for index in whole.tolist():
        value = values[index]
        if type(value) is int and -(2**63) <= value < 2**63:
            ints_[index], is_int[index] = value, True
        elif type(value) is not float:
            return None
    return found, ints_, is_int


def _matrix(gulps: list[Any], width: int) -> Any:
    """Gulps of rows as a matrix with a row a key."""
    return np.ascontiguousarray(np.concatenate(gulps).reshape(-1, width).T)
