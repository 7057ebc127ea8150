"""Python values of one type to arrays, many at a time, and only if all of them have that type.

Nearly all values of nearly all documents are floats, ints, bools and texts, and each key has values of one type. So
the type is guessed, and one call into C both checks the guess and encodes the values: a wrong guess is always found.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable
from typing import Any

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


def small(values: list[int]) -> Any:
    """Ints of at most 32 bits as an int32 `numpy.ndarray`; None unless all of them are such ints."""
    found = _strided(values, b"i", 4)
    return None if found is None else found.view("<i4").ravel()


def ints(values: list[Any]) -> Any:
    """The values as an int64 `numpy.ndarray`; None unless all of them are ints of at most 32 bits."""
    found = small(values)
    return None if found is None else found.astype(np.int64)


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


ENCODERS: dict[type, tuple[str, Callable[[list[Any]], Any]]] = {
    float: ("double", doubles),
    int: ("int", ints),
    bool: ("bool", bools),
    str: ("text", texts),
}
"""By the values' type: the slot that they belong to, and the function that encodes them."""
