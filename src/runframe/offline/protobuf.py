"""Protobuf's wire format, read by field numbers alone: no schema, no generated code.

A message is a row of fields. Each begins with a varint, ``number << 3 | wire type``; the wire type says how long the
value is, not what it means: that is known to the reader (see `runframe.offline.records`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5

_DOUBLE = struct.Struct("<d")


class WireError(ValueError):
    """Bytes that are no protobuf message."""


def fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Number, wire type and value of each field, in the order of the bytes.

    A varint is an unsigned int; every other value is its bytes.

    Raises:
        WireError: the bytes break off, or hold a wire type that this format does not have.
    """
    position, size = 0, len(data)
    while position < size:
        tag = data[position]
        position += 1
        if tag >= 0x80:
            tag, position = varint(data, position - 1)
        wire = tag & 7
        if wire == BYTES:
            if position < size and data[position] < 0x80:
                length = data[position]
                position += 1
            else:
                length, position = varint(data, position)
        elif wire == VARINT:
            value, position = varint(data, position)
            yield tag >> 3, wire, value
            continue
        elif wire == FIXED64:
            length = 8
        elif wire == FIXED32:
            length = 4
        else:
            raise WireError(f"wire type {wire} at byte {position - 1}")
        end = position + length
        if end > size:
            raise WireError(f"field {tag >> 3} needs {length} bytes at byte {position}, {size - position} are left")
        yield tag >> 3, wire, data[position:end]
        position = end


def varint(data: bytes, position: int) -> tuple[int, int]:
    """The unsigned varint at `position`, and the position behind it.

    Raises:
        WireError: it breaks off, or is longer than 64 bits.
    """
    value = shift = 0
    while True:
        if position >= len(data):
            raise WireError("a varint breaks off")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
        shift += 7
        if shift >= 70:
            raise WireError(f"a varint of more than ten bytes at byte {position}")


def signed(value: int) -> int:
    """An int32 or int64 from its varint (two's complement over 64 bits)."""
    return value - (1 << 64) if value >> 63 else value


def zigzag(value: int) -> int:
    """A sint32 or sint64 from its varint."""
    return (value >> 1) ^ -(value & 1)


def double(value: bytes) -> float:
    """A double from its eight bytes."""
    number: float = _DOUBLE.unpack(value)[0]
    return number
