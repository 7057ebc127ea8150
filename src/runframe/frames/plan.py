"""A chunk's slots to the record batch of a flattened frame; and which values could not go along."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from runframe.errors import FrameError
from runframe.frames.conflicts import Conflict, conflicts_at, seen_at
from runframe.frames.documents import NAME_COLUMNS, Chunk, Document, row_namer
from runframe.frames.fit import fit, shown
from runframe.frames.layout import Leaf, Nulls, Through
from runframe.frames.reading import Sight
from runframe.frames.schema import type_name
from runframe.frames.settle import nulls, settle

Slots = dict[tuple[int, int], dict[str, Any]]
"""By document and place: the slots of one chunk."""


class Plan:
    """The columns of a flattened frame, and how each is made from a chunk.

    Args:
        columns: the columns, in order.
        documents: the documents that the leaves belong to.
    """

    _THROUGH: ClassVar[str] = "="
    _NAMING: ClassVar[str] = "@"
    _BASE: ClassVar[bytes] = b"base"

    def __init__(self, columns: Sequence[Leaf | Through | Nulls], documents: Sequence[Document]) -> None:
        self.columns = columns
        self.schema = pa.schema([column.field for column in columns])
        self._documents = documents
        self._misfits: dict[str, tuple[int, Sight]] = {}

    @classmethod
    def pack(cls, source: Chunk, base: int, through: Iterable[int], slots: Mapping[tuple[int, int, str], Any]) -> Any:
        """A chunk as a record batch, ready for the spool.

        Args:
            source: the chunk of the source.
            base: the number of its first row in the whole source.
            through: the columns that pass through.
            slots: the slots, by document, place and name.
        """
        arrays = {f"{cls._THROUGH}{index}": source.column(index) for index in through}
        for name in {name for group in NAME_COLUMNS for name in group}.intersection(source.names):
            arrays[f"{cls._NAMING}{name}"] = source.column(name)
        for (document, place, slot), array in slots.items():
            arrays[f"{document}/{place}/{slot}"] = array
        if not arrays:  # a batch without columns would have no rows
            arrays = {cls._NAMING: pa.nulls(source.num_rows)}
        fields = [pa.field(name, array.type) for name, array in arrays.items()]
        schema = pa.schema(fields, metadata={cls._BASE: str(base).encode()})
        return pa.RecordBatch.from_arrays(list(arrays.values()), schema=schema)

    def settle(self, chunk: Any, *, lenient: bool) -> Any:
        """The record batch of a packed chunk.

        Args:
            chunk: the chunk, as `pack` gave it.
            lenient: whether a value that does not fit a fixed type becomes null.

        Raises:
            FrameError: a value does not fit.
        """
        slots = _slots(chunk)
        arrays = []
        for column in self.columns:
            array, bad = self._array(column, chunk, slots)
            if bad is not None and not lenient and bad.any():
                raise self._misfit(column, chunk, slots, int(bad.argmax()))
            arrays.append(array)
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def check(self, chunks: Iterable[Any], *, lenient: bool) -> None:
        """Counts the values that do not fit the types fixed for them, for the report.

        Raises:
            FrameError: there is one, and that is not to be.
        """
        fixed = [column for column in self.columns if column.fixed]
        for chunk in chunks if fixed else ():
            slots = _slots(chunk)
            for column in fixed:
                bad = self._array(column, chunk, slots)[1]
                if bad is not None and bad.any():
                    if not lenient:
                        raise self._misfit(column, chunk, slots, int(bad.argmax()))
                    name = column.field.name
                    count, sight = self._misfits.get(name) or (0, _sight(chunk, int(bad.argmax())))
                    self._misfits[name] = (count + int(bad.sum()), sight)

    def conflicts(self) -> list[Conflict]:
        """The columns whose types disagree, or whose values did not all fit; and documents that are no JSON."""
        found = []
        for document in self._documents:
            if document.refused and document.first_refused is not None:
                seen = [("not JSON", document.refused, document.first_refused)]
                found.append(Conflict(document.name, (document.name,), pa.null(), seen))
        for column in self.columns:
            if not isinstance(column, Leaf) or column.place is None:
                continue
            name, type_ = column.field.name, column.field.type
            if name in self._misfits:
                count, sight = self._misfits[name]
                found.append(
                    Conflict(
                        name, column.path, type_, [*seen_at(column.place), (f"not {type_name(type_)}", count, sight)]
                    )
                )
            elif not column.fixed:
                found.extend(conflicts_at(column.place, name, column.path, type_))
        return found

    def _array(self, column: Leaf | Through | Nulls, chunk: Any, slots: Slots) -> tuple[Any, Any]:
        """The column's values in one chunk; for a fixed type, also a mask of those that do not fit."""
        type_, length = column.field.type, chunk.num_rows
        if isinstance(column, Through):
            return _through(chunk.column(f"{self._THROUGH}{column.index}"), type_)
        if isinstance(column, Nulls):
            return _null_names(column, slots, length), None
        if column.place is None:
            return nulls(type_, length), None
        own = dict(slots.get((column.document, column.place.number), {}))
        own.pop("null", None)
        own.pop("absent", None)
        if column.fixed:
            return fit(own, column.place, type_, length)
        return settle(own, column.place, type_, length), None

    def _misfit(self, column: Leaf | Through | Nulls, chunk: Any, slots: Slots, row: int) -> FrameError:
        sight = _sight(chunk, row)
        named = sight.name != str(sight.row)
        where = f"{sight.name} (row {sight.row})" if named else f"row {sight.row}"
        value = ""
        if isinstance(column, Leaf) and column.place is not None:
            value = shown(slots[(column.document, column.place.number)], column.place, row)
        return FrameError(
            f"{column.field.name!r} of {where} does not fit {type_name(column.field.type)}: {value}; "
            "fix another type for it, or pass on_conflict='null'",
            path=sight.name if named else None,
        )


def _through(array: Any, type_: Any) -> tuple[Any, Any]:
    if array.type == type_:
        return array, None
    try:
        return array.cast(type_), None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return nulls(type_, len(array)), np.asarray(array.is_valid())


def _null_names(column: Nulls, slots: Slots, length: int) -> Any:
    """For each row the names of the leaves that are null in it, in the names' order."""
    names = sorted(set(column.names.values()))
    order = {name: number for number, name in enumerate(names)}
    rows, found = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    absent = np.zeros(length, np.bool_)
    for number, name in column.names.items():
        own = slots.get((column.document, number), {})
        if "null" in own:
            at = np.flatnonzero(own["null"].fill_null(False).to_numpy(zero_copy_only=False))
            rows.append(at)
            found.append(np.full(len(at), order[name], np.int64))
        if "absent" in own:
            absent |= own["absent"].to_numpy(zero_copy_only=False)
    every, which = np.concatenate(rows), np.concatenate(found)
    sorted_ = np.lexsort((which, every))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(every, minlength=length))]).astype(np.int32)
    values = pa.array(names, pa.string()).take(pa.array(which[sorted_]))
    return pa.ListArray.from_arrays(pa.array(offsets), values, mask=pa.array(absent))


def _slots(chunk: Any) -> Slots:
    found: Slots = {}
    for name, array in zip(chunk.schema.names, chunk.columns, strict=True):
        parts = name.split("/")
        if len(parts) == 3:
            found.setdefault((int(parts[0]), int(parts[1])), {})[parts[2]] = array
    return found


def _sight(chunk: Any, row: int) -> Sight:
    naming = {name[1:]: array for name, array in zip(chunk.schema.names, chunk.columns, strict=True) if name[:1] == "@"}
    names = pa.RecordBatch.from_arrays(list(naming.values()), names=list(naming))
    return row_namer(Chunk([names]), int(chunk.schema.metadata[b"base"]))(row)
