"""A source's columns: those that pass through, and the JSON documents that are read into places, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from runframe.errors import FrameError
from runframe.frames.decode import collector_paused, decode
from runframe.frames.fields import CarefulNeeded
from runframe.frames.places import Place, Wanted
from runframe.frames.reading import Reading, Sight
from runframe.frames.storage import plain_array

CHUNK_ROWS = 65_536
FIRST_ROWS = 1024
CHUNK_BYTES = 4 * 2**20
CHUNK_CELLS = 4 * 2**20
"""What is read into places at once: at most so many rows (fewer at first, when it is not known how many places there
are), so much JSON text, so many rows times places."""

GULP_BYTES = 2**18
"""What is decoded at once: small enough to stay in the processor's cache until it is Arrow."""

RESERVED_ROW_KEYS = ("_step", "_runtime", "_timestamp")
"""The keys that W&B puts into each row of a history."""


class Document:
    """One JSON column of a source.

    Args:
        index: its number among the source's columns.
        name: its name.
        kind: "config", "summary", "row", or None for any other JSON.
        wanted: the keys to read; None for all.
        step_given: whether the rows' ``_step`` is a column of the source already.
        nulls: whether to tell nulls apart from what is missing.

    Attributes:
        null_rows: the rows of the chunk whose text is ``null``.
        root: the place of the documents themselves.
        refused: how many texts were not JSON and counted as null.
        first_refused: where the first of them stands.
    """

    def __init__(
        self, index: int, name: str, kind: str | None, wanted: Wanted, *, step_given: bool, nulls: bool = False
    ) -> None:
        self.index = index
        self.name = name
        self.kind = kind
        self.reading = Reading(nulls=nulls)
        self.null_rows: list[int] = []
        self.refused = 0
        self.first_refused: Sight | None = None
        skipped = frozenset({"_wandb"}) if kind == "config" else frozenset({"_step"} if step_given else ())
        self.root = Place((), self.reading, wanted=wanted, skipped=skipped, unwrap=kind == "config")

    @property
    def prefix(self) -> tuple[str, ...]:
        """What stands before the leaves' own paths; nothing for the rows of a history."""
        return () if self.kind == "row" else (self.name,)

    def read(self, parts: Sequence[Any], name_row: Callable[[int], Sight], *, lenient: bool) -> None:
        """Reads the texts of a chunk into the places.

        Args:
            parts: Arrow arrays of text, one document a row; or of structs (see `runframe.frames.typed`).
            name_row: names a row of the chunk for errors and reports.
            lenient: whether a text that is not JSON counts as null.

        Raises:
            FrameError: a text is not JSON.
        """
        self.reading.next_chunk(name_row)
        while True:
            try:
                with collector_paused():
                    start, self.null_rows = 0, []
                    for part in parts:
                        if pa.types.is_struct(part.type):
                            self._take_columns(part, start)
                        else:
                            self._read(text_array(part), start, lenient=lenient)
                        start += len(part)
                    self.root.flush(start)
            except CarefulNeeded:
                self.root.clear()
                self.reading.next_chunk(name_row)
                self.reading.careful = True
            except RecursionError as error:
                self.root.clear()
                raise FrameError(f"{self.name!r} holds a document that is nested too deeply") from error
            except BaseException:
                self.root.clear()
                raise
            else:
                return

    def _read(self, texts: Any, base: int, *, lenient: bool) -> None:
        step = max(16, min(4096, GULP_BYTES * len(texts) // max(1, texts.nbytes)))
        for start in range(0, len(texts), step):
            gulp = texts.slice(start, step).to_pylist()
            values = self._decoded(gulp, base + start, lenient=lenient)
            rows = np.arange(base + start, base + start + len(values), dtype=np.int32)
            if set(map(type, values)) == {dict}:
                self.root.take(values, rows)
            else:
                objects = [index for index, value in enumerate(values) if type(value) is dict]
                others = [index for index, value in enumerate(values) if value is not None and type(value) is not dict]
                self.null_rows.extend(
                    base + start + index
                    for index, text in enumerate(gulp)
                    if text is not None and text.strip() == "null"
                )
                if objects:
                    self.root.take([values[index] for index in objects], rows[objects])
                if others:
                    self.root.observe([values[index] for index in others], rows[others])
            self.reading.work()

    def _take_columns(self, struct: Any, base: int) -> None:
        from runframe.frames.typed import take_columns

        take_columns(self.root, struct, np.arange(base, base + len(struct)))
        self.reading.work()

    def _decoded(self, texts: list[str | None], start: int, *, lenient: bool) -> list[Any]:
        careful = self.reading.careful
        if not careful:
            loads = orjson.loads
            try:
                return [None if text is None else loads(text) for text in texts]
            except orjson.JSONDecodeError:
                pass
        values = []
        for index, text in enumerate(texts):
            try:
                values.append(None if text is None else decode(text, careful=careful))
            except ValueError as error:
                sight = self.reading.sight(start + index)
                if not lenient:
                    raise _not_json(self.name, sight, text or "", error) from error
                values.append(None)
                self.refused += 1
                self.first_refused = self.first_refused or sight
        return values


def _not_json(column: str, sight: Sight, text: str, error: ValueError) -> FrameError:
    where = f"row {sight.row}" if sight.name == str(sight.row) else f"{sight.name} (row {sight.row})"
    shown = text if len(text) <= 60 else text[:59] + "…"
    path = None if sight.name == str(sight.row) else sight.name
    return FrameError(f"{column!r} of {where} is not JSON: {error}: {shown!r}", path=path)


def text_array(array: Any) -> Any:
    """A JSON column's texts as a plain string array, whatever text type it has."""
    array = plain_array(array)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return (
        array
        if pa.types.is_string(array.type) or pa.types.is_large_string(array.type)
        else array.cast(pa.large_string())
    )


def is_text(type_: Any) -> bool:
    """Whether an Arrow type is text that may hold JSON."""
    if pa.types.is_dictionary(type_):
        type_ = type_.value_type
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_))


class Chunk:
    """Rows that are read into places at once: parts of the source's batches.

    Attributes:
        parts: the record batches.
        num_rows: how many rows they have together.
        names: the columns' names.
    """

    def __init__(self, parts: Sequence[Any]) -> None:
        self.parts = parts
        self.num_rows = sum(part.num_rows for part in parts)
        self.names: list[str] = parts[0].schema.names

    def columns(self, index: int) -> list[Any]:
        """A column's values as arrays that are not too small."""
        if self.num_rows < _SMALL * len(self.parts):
            return [self.column(index)]
        return [part.column(index) for part in self.parts]

    def column(self, key: int | str) -> Any:
        """A column's values as one array."""
        parts = [part.column(key) for part in self.parts]
        return parts[0] if len(parts) == 1 else pa.chunked_array(parts).unify_dictionaries().combine_chunks()


def chunks(reader: Any, indices: Sequence[int], places: Callable[[], int]) -> Iterator[Chunk]:
    """The batches of a reader, cut and joined to the chunks in which documents are read.

    Args:
        reader: the record batches.
        indices: the columns that hold documents.
        places: tells how many places there are by now: the more, the fewer rows a chunk has.
    """
    waiting: list[Any] = []
    rows = held = 0
    for batch in reader:
        if waiting and waiting[0].schema.types != batch.schema.types:
            yield Chunk(waiting)
            waiting, rows, held = [], 0, 0
        while batch.num_rows:
            known = places() > len(indices)  # each document is a place itself
            limit = min(CHUNK_ROWS, max(64, CHUNK_CELLS // places()) if known else FIRST_ROWS)
            each = max(1, sum(batch.column(index).nbytes for index in indices) // batch.num_rows)
            taken = batch.slice(0, max(1, min(limit - rows, (CHUNK_BYTES - held) // each)))
            batch = batch.slice(taken.num_rows)
            waiting.append(taken)
            rows += taken.num_rows
            held += taken.num_rows * each
            if rows >= limit or held >= CHUNK_BYTES:
                yield Chunk(waiting)
                waiting, rows, held = [], 0, 0
    if waiting:
        yield Chunk(waiting)


_SMALL = 256

NAME_COLUMNS = (("run_id",), ("path",), ("entity", "project", "id"), ("id",))


def row_namer(chunk: Chunk, base: int) -> Callable[[int], Sight]:
    """Names the rows of a chunk: by run id, path, entity/project/id or id, where there is such a column.

    Args:
        chunk: the rows.
        base: the number of the first one in the whole source.
    """
    names = next((found for found in NAME_COLUMNS if set(chunk.names).issuperset(found)), None)

    def name_row(row: int) -> Sight:
        values = [] if names is None else [chunk.column(name)[row].as_py() for name in names]
        if not values or any(value is None for value in values):
            return Sight(base + row, str(base + row))
        return Sight(base + row, "/".join(map(str, values)))

    return name_row
