"""CRC-32C, which guards the records of an event file. Long texts are cut into lanes that are worked on side by side.

The checksum of a text is linear: that of two texts in a row is the first one's, moved on over as many zero bytes as the
second has, xor the second's own. So the lanes' checksums are joined at the end.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

POLYNOMIAL = 0x82F63B78
LANE = 512
"""Bytes in a lane; shorter texts are done byte by byte."""

Words = np.ndarray[Any, np.dtype[np.uint32]]


def masked(data: bytes) -> int:
    """The checksum as TFRecord files store it: rotated, and a constant added."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    """The CRC-32C of some bytes."""
    state = 0xFFFFFFFF
    whole = len(data) // LANE * LANE
    if whole:
        bytes_of = np.frombuffer(data, np.uint8, whole).reshape(-1, LANE)
        shift = _shift()
        for lane in _advanced(np.zeros(len(bytes_of), np.uint32), bytes_of).tolist():
            low, high = shift[0][state & 255] ^ shift[1][state >> 8 & 255], shift[2][state >> 16 & 255]
            state = low ^ high ^ shift[3][state >> 24] ^ lane
    table = _bytes()
    for byte in data[whole:]:
        state = table[(state ^ byte) & 255] ^ state >> 8
    return state ^ 0xFFFFFFFF


def _advanced(states: Words, columns: Any) -> Words:
    """The states after each has taken its own row of bytes."""
    table = _table()
    for column in range(columns.shape[1]):
        states = table[(states ^ columns[:, column]) & 255] ^ states >> 8
    return states


@cache
def _table() -> Words:
    """What each byte does to a state."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(POLYNOMIAL), table >> 1)
    return table


@cache
def _bytes() -> list[int]:
    return [int(word) for word in _table()]


@cache
def _shift() -> list[list[int]]:
    """For each byte of a state: where a lane of zeros moves it."""
    zeros = np.zeros((256, LANE), np.uint8)
    values = np.arange(256, dtype=np.uint32)
    return [_advanced(values << np.uint32(8 * place), zeros).tolist() for place in range(4)]
