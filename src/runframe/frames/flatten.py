"""Flattening: JSON documents to typed columns.

Two passes. The first reads the source once, chunk by chunk: each document is decoded, its values go to the places of
the document's tree, and what a chunk holds at each place is kept as Arrow arrays, apart by kind (in memory up to a
budget, then in a temporary file). Only when all rows have been seen does the lattice decide each column's type; the
second pass, which a frame can make again and again, brings each chunk into that one schema.

So a column's type never depends on the order or the size of the pages, the documents are decoded once, and no Python
object outlives its chunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from runframe.errors import FrameError, UsageError
from runframe.frames.conflicts import report
from runframe.frames.documents import Chunk, chunks, row_namer
from runframe.frames.frame import Frame
from runframe.frames.layout import Layout
from runframe.frames.plan import Plan
from runframe.frames.provenance import Provenance
from runframe.frames.schema import unknown_column
from runframe.frames.spool import Spool
from runframe.frames.texts import text_documents
from runframe.frames.typed import TypedRows

MEMORY_BUDGET = 64 * 2**20

OnConflict = Literal["json", "null", "error"]


def flatten(
    source: Any,
    columns: Sequence[str] | None = None,
    schema: Any = None,
    on_conflict: OnConflict = "json",
    *,
    documents: Sequence[str] | None = None,
    nulls: bool = False,
    memory_budget: int = MEMORY_BUDGET,
) -> Frame:
    r"""A frame in which the source's JSON columns are typed columns, one for each leaf.

    A leaf's name is its path, joined by dots, behind the document's name: ``config.optimizer.lr``; a dot inside a key
    is escaped (``config.a\.b``). The rows of a history (document kind "row") have no prefix. A leaf that would have
    another column's name gets a backslash before it. The field's metadata holds the path as a JSON list, under
    ``runframe.path``. Each document's leaves stand where the document stood, sorted by path (in a history after
    ``_step``, ``_runtime`` and ``_timestamp``); all other columns stay as they are.

    Types are those of the lattice (`runframe.frames.types`). Null and missing are both null; a leaf that is only ever
    null is a column of type null; an empty object is the JSON text ``{}``, unless it is the whole document.

    Args:
        source: an Arrow table or stream: anything with ``__arrow_c_stream__``. It is read once, by this call; only
            where `schema` is a `pyarrow.Schema` is it read when the frame is, and then each time. A `TypedRows`
            gives documents that are columns already.
        columns: the columns to give, in this order: a column of the source, a document (all its leaves), a leaf, or
            an object within a document (all leaves below it). A leaf that two of them stand for comes with the
            closer one. What no row has is a column of nulls, with a warning.
        schema: types fixed from outside. A `pyarrow.Schema` is the frame's whole schema, and `columns` chooses
            among its columns; a mapping of names to Arrow types fixes those columns and leaves the others to the
            lattice. A column whose type is fixed is there, whatever the rows hold.
        on_conflict: what becomes of values that do not go together. "json": a column whose types disagree becomes
            JSON text and is reported; a value that does not fit a fixed type is an error. "null": a value that does
            not fit a fixed type is null and is reported (a text that is no JSON, too). "error": both are errors.
        documents: the columns that hold JSON; by default those of type ``arrow.json``, and in a table of another
            library that has none of them the text columns whose first value is a JSON object. An empty list is none.
        nulls: whether to tell nulls apart from what is missing. Each document then also gets a column of lists of
            text, last, called ``config.nulls`` (its field has the document's name under ``runframe.nulls``): the names
            of the leaves that are null in that row; the document's own name where its text is ``null``; null where
            there is no text. With it each document can be rebuilt, but for nulls in objects with a ``_type``.
        memory_budget: bytes of Arrow data kept in memory before the rest goes to a temporary file.

    Returns:
        The frame; `frame.conflicts` is the report.

    Raises:
        FrameError: a document is not JSON, or a value does not fit; `.path` is the run, where the source names it.
        UsageError: a column asked for cannot be in the source.
    """
    if on_conflict not in ("json", "null", "error"):
        raise UsageError(f"on_conflict must be 'json', 'null' or 'error', not {on_conflict!r}")
    if isinstance(columns, str) or isinstance(documents, str):
        raise UsageError("columns and documents must be lists of names")
    whole = isinstance(schema, pa.Schema)
    asked = [field.name for field in schema] if whole and columns is None else columns
    types = {field.name: field.type for field in schema} if whole else dict(schema or {})
    _check_names(asked, types, whole=whole)
    once = isinstance(source, pa.RecordBatchReader)
    ours = isinstance(source, Frame | TypedRows) or hasattr(source, "scan")  # these say themselves what is JSON
    if not once and not isinstance(source, TypedRows):
        source = Frame.from_arrow(source)
    if whole and nulls:
        raise UsageError("nulls=True adds columns, so the schema cannot be the whole frame's: give a mapping of types")
    if documents is None and not ours:
        source, documents = text_documents(source, [*(asked or ()), *types])
    reading = _Flattening(source, asked, types, on_conflict, documents, exact=whole, nulls=nulls)
    if whole and not once and on_conflict != "null":
        return reading.stream(schema)
    return reading.gather(memory_budget, schema if whole else None)


def _check_names(columns: Sequence[str] | None, types: Mapping[str, Any], *, whole: bool) -> None:
    for name in columns or ():
        if list(columns or ()).count(name) > 1:
            raise UsageError(f"column {name!r} is asked for twice")
        if whole and name not in types:
            raise unknown_column(name, list(types), "the schema has")


class _Flattening:
    """One call of `flatten`."""

    def __init__(
        self,
        source: Any,
        columns: Sequence[str] | None,
        types: Mapping[str, Any],
        on_conflict: OnConflict,
        documents: Sequence[str] | None,
        *,
        exact: bool,
        nulls: bool,
    ) -> None:
        self._source = source
        self._columns = columns
        self._types = types
        self._on_conflict = on_conflict
        self._documents = documents
        self._exact = exact
        self._nulls = nulls

    def gather(self, memory_budget: int, schema: Any) -> Frame:
        """Reads the source now, and gives the frame of what was gathered."""
        layout = self._layout()
        spool = Spool(memory_budget)
        rows = 0
        for chunk in self._chunks(layout):
            spool.append(self._read(layout, chunk, rows))
            rows += chunk.num_rows
        plan = Plan(layout.columns(self._columns, self._types, exact=self._exact), layout.documents)
        plan.check(spool, lenient=self._on_conflict == "null")
        conflicts = plan.conflicts()
        if conflicts and self._on_conflict == "error":
            raise FrameError(f"types do not go together: {conflicts[0]}", path=conflicts[0].path_of_run)
        provenance = self._provenance(rows, len(conflicts))
        return Frame(
            _named(plan.schema, schema),
            lambda: (plan.settle(batch, lenient=True) for batch in spool),
            provenance,
            report(conflicts),
            num_rows=rows,
        )

    def stream(self, schema: Any) -> Frame:
        """The frame of a schema that is known: the source is read when the frame is."""

        def read() -> Iterator[Any]:
            layout = self._layout()
            rows = 0
            for chunk in self._chunks(layout):
                batch = self._read(layout, chunk, rows)
                rows += chunk.num_rows
                columns = layout.columns(self._columns, self._types, exact=True, warn=False)
                yield Plan(columns, layout.documents).settle(batch, lenient=False)

        columns = self._layout().columns(self._columns, self._types, exact=True, warn=False)
        found = self._provenance(None, 0)
        if found is None:
            return Frame(_named(Plan(columns, []).schema, schema), read)
        return Frame(_named(Plan(columns, []).schema, schema), read, lambda: self._provenance(None, 0) or found)

    def _layout(self) -> Layout:
        return Layout(self._source.schema, self._columns, self._documents, self._types, nulls=self._nulls)

    def _chunks(self, layout: Layout) -> Iterator[Chunk]:
        batches = self._source if isinstance(self._source, pa.RecordBatchReader) else self._source.to_batches()
        return chunks(batches, [found.index for found in layout.documents], layout.places)

    def _read(self, layout: Layout, chunk: Chunk, base: int) -> Any:
        """A chunk as a record batch of what passes through and of the slots of all places."""
        name_row = row_namer(chunk, base)
        lenient = self._on_conflict == "null"
        slots = {}
        for number, document in enumerate(layout.documents):
            document.read(chunk.columns(document.index), name_row, lenient=lenient)
            for place in document.root.walk():
                for slot, array in place.slots(chunk.num_rows).items():
                    slots[number, place.number, slot] = array
            if self._nulls:
                own = np.zeros(chunk.num_rows, np.bool_)
                own[document.null_rows] = True
                slots[number, document.root.number, "null"] = pa.array(own)
                slots[number, document.root.number, "absent"] = chunk.column(document.index).is_null()
        return Plan.pack(chunk, base, layout.through, slots)

    def _provenance(self, rows: int | None, conflicts: int) -> Provenance | None:
        given = self._source.provenance if isinstance(self._source, Frame | TypedRows) else None
        if given is None:
            given = Provenance.from_metadata(self._source.schema.metadata)
        return None if given is None else replace(given, rows=rows, conflicts=conflicts)


def _named(found: Any, schema: Any) -> Any:
    """The schema found, with the metadata of the one that was asked for."""
    if schema is None:
        return found
    fields = [
        field.with_metadata({**(field.metadata or {}), **(schema.field(field.name).metadata or {})})
        if schema.get_field_index(field.name) >= 0
        else field
        for field in found
    ]
    return pa.schema(fields)
