"""What the places of one document share while a chunk is read; and values put in their rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

_REMEMBERED = 16


class Sight(NamedTuple):
    """Where something was first seen: the row's number in the source, and the run (else the number as text)."""

    row: int
    name: str


class Reading:
    """What all places of one document share.

    Attributes:
        nulls: whether to tell nulls apart from what is missing.
        careful: whether the texts were decoded carefully.
        places: the number of places made so far.
        sight: gives a row of the chunk its number in the whole source and its name, for reports.
        later: values that wait for their turn, with what takes them and the rows they stand in.
    """

    def __init__(self, *, nulls: bool = False) -> None:
        self.nulls = nulls
        self.careful = False
        self.places = 0
        self.sight: Callable[[int], Sight] = lambda row: Sight(row, str(row))
        self.later: list[tuple[Callable[[Sequence[Any], Any], None], Sequence[Any], Any]] = []
        self._rows: dict[tuple[int, ...], tuple[list[Any], Any]] = {}

    def work(self) -> None:
        """Has the values taken that wait for their turn, and those that wait because of them."""
        while self.later:
            take, values, rows = self.later.pop()
            take(values, rows)

    def dense(self, parts: list[tuple[Any, Any]], length: int) -> Any:
        """Pieces, each with its rows, as one Arrow array of that length; null in the rows that no piece has."""
        arrays = [values for values, _ in parts]
        array = arrays[0] if len(arrays) == 1 else pa.concat_arrays(arrays)
        at = self._where([rows for _, rows in parts], length)[1]
        return array if at is None else array.take(at)

    def _where(self, parts: list[Any], length: int) -> tuple[list[Any], Any]:
        """How to take values to their rows; None if they stand there already.

        Most columns of a chunk have the same rows, the very same arrays: a few answers are remembered.
        """
        key = (length, *map(id, parts))
        known = self._rows.get(key)
        if known is None:
            if len(self._rows) >= _REMEMBERED:
                self._rows = {}
            rows = parts[0] if len(parts) == 1 else np.concatenate(parts)
            known = self._rows[key] = (parts, scattered(rows, length))  # parts: so that their ids stay theirs
        return known

    def next_chunk(self, sight: Callable[[int], Sight]) -> None:
        """Begins a chunk."""
        self.sight = sight
        self.later = []
        self._rows = {}


def valid(array: Any) -> Any:
    """Where an array has values, as a `numpy.ndarray` of bool that may be changed."""
    if not array.null_count:
        return np.ones(len(array), np.bool_)
    return array.is_valid().to_numpy(zero_copy_only=False)


def scattered(rows: Any, length: int) -> Any:
    """For each of so many rows, the value that stands there (to `take`), null where there is none; None if all do."""
    if len(rows) == length and rows[0] == 0 and rows[-1] == length - 1 and (np.diff(rows) == 1).all():
        return None
    at = np.full(length, -1, np.int64)
    at[rows] = np.arange(len(rows))
    return pa.array(at, mask=at < 0)
