"""Frame: a re-iterable Arrow stream with a schema, its conversions, and what it says of itself."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from runframe.errors import FrameError
from runframe.frames.conflicts import CONFLICTS
from runframe.frames.provenance import Provenance
from runframe.frames.schema import type_name
from runframe.frames.storage import plain_table

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from runframe.frames.aggregate import Interval, NaN
    from runframe.frames.align import Beyond, Duplicates, Method
    from runframe.frames.patterns import Pattern

_HEAD_ROWS = 5
_HEAD_COLUMNS = 8


class Frame:
    """Rows of known schema, as a stream of Arrow record batches that can be opened again and again.

    Anything that takes the Arrow C stream interface takes a frame: ``pa.table(frame)``, ``pl.DataFrame(frame)``,
    ``pd.DataFrame.from_arrow(frame)``, ``duckdb.sql("from frame")``, ``write_deltalake(path, frame)``.

    Args:
        schema: the `pyarrow.Schema` of every batch.
        open: opens the stream from its start; called once for each reading.
        provenance: what the frame says of itself, or a function that tells once the stream has been read (until then
            the frame says that it is unread); else what the schema's metadata says, if anything.
        conflicts: the report of types that disagreed (a `pyarrow.Table`), or a function that makes it.
        num_rows: the number of rows, where it is known without reading.
        runs: what tells more of the runs that the rows are of, for `aggregate`: runs, or a frame of them.
    """

    def __init__(
        self,
        schema: Any,
        open: Callable[[], Iterable[Any]],
        provenance: Provenance | Callable[[], Provenance] | None = None,
        conflicts: Any | Callable[[], Any] = None,
        *,
        num_rows: int | None = None,
        runs: Any = None,
    ) -> None:
        self._schema = schema
        self._open = open
        self._provenance = provenance if provenance is not None else Provenance.from_metadata(schema.metadata)
        self._conflicts = conflicts
        self._num_rows = num_rows
        self._finished = False
        self._runs = runs
        self._head: Any = None

    @classmethod
    def from_arrow(cls, source: Any, provenance: Provenance | None = None) -> Frame:
        """A frame over anything that speaks the Arrow C stream interface: a table, a polars or pandas frame.

        A source that can be read only once (a `pyarrow.RecordBatchReader`) is read into memory first.

        Raises:
            FrameError: the source does not speak the interface.
        """
        if isinstance(source, cls):
            return source
        if isinstance(source, pa.RecordBatch):
            source = pa.Table.from_batches([source])
        if isinstance(source, pa.RecordBatchReader):
            source = source.read_all()
        if isinstance(source, pa.Table):
            return cls(source.schema, source.to_batches, provenance, num_rows=source.num_rows)
        if not hasattr(source, "__arrow_c_stream__"):
            raise FrameError(
                f"a {type(source).__name__} cannot be read as a frame: expected a table or stream with the Arrow C "
                "stream interface (pyarrow, polars, pandas, DuckDB, a runframe collection)"
            )
        schema = (
            pa.schema(source)
            if hasattr(source, "__arrow_c_schema__")
            else pa.RecordBatchReader.from_stream(source).schema
        )
        return cls(schema, lambda: pa.RecordBatchReader.from_stream(source), provenance)

    @property
    def schema(self) -> pa.Schema:
        """The `pyarrow.Schema`: the columns with their metadata, and the provenance under ``runframe.``."""
        provenance = self.provenance
        metadata = dict(self._schema.metadata or {})
        if provenance is not None:
            metadata.update(provenance.to_metadata())
        return self._schema.with_metadata(metadata or None)

    @property
    def columns(self) -> list[str]:
        """The columns' names, in order."""
        return list(self._schema.names)

    @property
    def provenance(self) -> Provenance | None:
        """What the frame says of itself; None for frames made from data that say nothing."""
        provenance = self._provenance
        if callable(provenance):
            provenance = provenance() if self._finished else replace(provenance(), completeness="unread")
        if provenance is not None and provenance.rows is None and self._num_rows is not None:
            provenance = provenance.counted(self._num_rows)
        return provenance

    @property
    def conflicts(self) -> pa.Table:
        """The report of columns whose types disagreed, a `pyarrow.Table`; no rows where none did.

        Columns: ``column``, ``path`` (a JSON list), ``becomes`` (the type it was given), and four lists of equal
        length, one entry a type that was seen: ``types``, ``counts``, ``first_rows`` (from 0), ``first`` (the run,
        or the row's number as text).
        """
        found = self._conflicts() if callable(self._conflicts) else self._conflicts
        return CONFLICTS.empty_table() if found is None else found

    @property
    def num_rows(self) -> int:
        """The number of rows. Where it is not known yet, the stream is read once to count them."""
        if self._num_rows is None:
            for _ in self.to_batches():
                pass
        if self._num_rows is None:
            raise FrameError("the frame's stream ended before it was counted")
        return self._num_rows

    def __len__(self) -> int:
        return self.num_rows

    def to_batches(self) -> Iterator[pa.RecordBatch]:
        """The record batches (`pyarrow.RecordBatch`), from the start, each with the frame's schema.

        Raises:
            FrameError: the source gave a batch of another schema.
        """
        rows = 0
        for batch in self._open():
            if batch.schema.names != self._schema.names or batch.schema.types != self._schema.types:
                raise FrameError(
                    f"a batch has another schema than its frame: {_difference(batch.schema, self._schema)}"
                )
            rows += batch.num_rows
            if batch.num_rows:
                yield batch if batch.schema.equals(self._schema, check_metadata=True) else _relabel(batch, self._schema)
        if self._num_rows is None or self._schema.names:  # batches without columns have no rows
            self._num_rows = rows
        self._finished = True

    def to_arrow(self) -> pa.Table:
        """All rows as a `pyarrow.Table`, with the provenance in the schema's metadata."""
        table = pa.Table.from_batches(list(self.to_batches()), self._schema)
        return table.replace_schema_metadata(self.schema.metadata)

    def to_polars(self) -> pl.DataFrame:
        """All rows as a `polars.DataFrame`.

        JSON columns become ``String`` (the JSON text), dictionary columns ``Categorical``, times
        ``Datetime("us", "UTC")``. Null and NaN stay apart.
        """
        import polars as pl

        return pl.DataFrame(plain_table(self.to_arrow()))

    def to_pandas(self, dtype_backend: Literal["numpy_nullable", "pyarrow"] | None = None) -> pd.DataFrame:
        """All rows as a `pandas.DataFrame`.

        By default integers and booleans that have nulls get pandas' nullable types (``Int64``, ``boolean``), so
        that no integer passes through a float; floats are NumPy's, where null and NaN are both NaN; text is
        ``str``, dictionary columns ``category``, times ``datetime64[us, UTC]``, lists and structs Python objects.
        What the frame says of itself is in the pandas frame's ``attrs``, as in the schema's metadata.

        Args:
            dtype_backend: "numpy_nullable" for pandas' nullable types throughout, "pyarrow" for Arrow's own types,
                the only ones where null and NaN stay apart in float columns.

        Raises:
            FrameError: another backend is asked for.
        """
        from runframe.frames.engines.pandas import to_pandas

        found = to_pandas(plain_table(self.to_arrow()), dtype_backend)
        if (provenance := self.provenance) is not None:
            found.attrs |= {name.decode(): text.decode() for name, text in provenance.to_metadata().items()}
        return found

    def to_parquet(self, path: str | Path) -> Path:
        """Writes all rows to one Parquet file (zstd), batch by batch, and returns its path.

        The file appears under its name only when it is complete; one that is there is replaced.
        """
        from runframe.frames.parquet import ParquetSink

        with ParquetSink(path, self.schema) as sink:
            for batch in self.to_batches():
                sink.write(batch)
            sink.annotate(self.schema.metadata)
        return sink.path

    def require_complete(self) -> Frame:
        """The frame itself, if it says that it is complete.

        Where that shows only when the stream is read, or the rows are to be held against the server's count, and
        nobody has read it to the end yet, it is read once for it.

        Raises:
            FrameError: it was sampled, read while it was being written, has another number of rows than the server
                counted, or says nothing of itself.
        """
        provenance = self.provenance
        if provenance is None:
            raise FrameError("the frame says nothing of its completeness: it was not read from a server or a log")
        counts = provenance.server_rows is not None and provenance.rows is None
        if not self._finished and (provenance.completeness == "unread" or (counts and provenance.gap is None)):
            for _ in self.to_batches():
                pass
            provenance = self.provenance or provenance
        if provenance.gap is not None:
            raise FrameError(f"the frame is not complete: {provenance.gap}", path=provenance.source)
        return self

    def align(
        self,
        x: str,
        *,
        grid: Literal["union"] | int | Sequence[float],
        method: Method,
        keys: Sequence[str] | Pattern | None = None,
        beyond: Beyond = "null",
        duplicates: Duplicates = "error",
    ) -> Frame:
        """The series of this history, on one grid: `runframe.align` with this frame as the source."""
        from runframe.frames.align import align

        return align(self, x, grid=grid, method=method, keys=keys, beyond=beyond, duplicates=duplicates)

    def aggregate(
        self,
        by: Sequence[str] | str = (),
        over: str = "seed",
        *,
        runs: Any = None,
        level: float = 0.95,
        interval: Interval = "t",
        ddof: int = 1,
        nan: NaN = "keep",
    ) -> Frame:
        """Statistics of aligned series over runs: `runframe.aggregate` with this frame as the source."""
        from runframe.frames.aggregate import aggregate

        return aggregate(self, by, over, runs=runs, level=level, interval=interval, ddof=ddof, nan=nan)

    def __arrow_c_schema__(self) -> object:
        """The schema as an Arrow PyCapsule; nothing is read for it."""
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """A new stream from the start, as an Arrow PyCapsule."""
        schema = self.schema
        batches = (batch.replace_schema_metadata(schema.metadata) for batch in self.to_batches())
        return pa.RecordBatchReader.from_batches(schema, batches).__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return "\n".join([self._title(), *_text_table(*self._shown())])

    def _repr_html_(self) -> str:
        names, types, rows = self._shown()
        head = "".join(
            f"<th>{html.escape(name)}<br><small>{html.escape(kind)}</small></th>"
            for name, kind in zip(names, types, strict=True)
        )
        body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        return (
            f"<div><small>{html.escape(self._title())}</small>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def _title(self) -> str:
        rows = "? rows" if self._num_rows is None else f"{self._num_rows:,} row{'' if self._num_rows == 1 else 's'}"
        width = len(self._schema.names)
        provenance = self.provenance
        said = f" · {provenance}" if provenance is not None else ""
        return f"Frame · {rows} × {width:,} column{'' if width == 1 else 's'}{said}"

    def _shown(self) -> tuple[list[str], list[str], list[list[str]]]:
        """Names, types and cells of the head: the first rows of the first batch, and the first columns."""
        if self._head is None:
            first = next(iter(self.to_batches()), None)
            self._head = (self._schema.empty_table() if first is None else pa.Table.from_batches([first])).slice(
                0, _HEAD_ROWS
            )
        table = self._head
        names, types = list(table.column_names), [type_name(field.type) for field in table.schema]
        hidden = max(0, len(names) - _HEAD_COLUMNS)
        cells = [
            [_cell(value) for value in column.to_pylist()] for column in plain_table(table).columns[:_HEAD_COLUMNS]
        ]
        rows = [list(row) for row in zip(*cells, strict=True)]
        if hidden:
            return [*names[:_HEAD_COLUMNS], f"+{hidden}"], [*types[:_HEAD_COLUMNS], "…"], [[*row, "…"] for row in rows]
        return names, types, rows


def _relabel(batch: Any, schema: Any) -> Any:
    """The batch under the frame's own schema: the types are equal, metadata and nested names may not be."""
    return pa.RecordBatch.from_arrays(batch.columns, schema=schema)


def _difference(found: Any, expected: Any) -> str:
    """The first columns in which two schemas differ."""
    missing = [name for name in expected.names if name not in found.names]
    extra = [name for name in found.names if name not in expected.names]
    if missing or extra:
        return f"missing {missing[:5]}, not expected {extra[:5]}"
    for name in expected.names:
        if found.field(name).type != expected.field(name).type:
            return f"{name!r} is {type_name(found.field(name).type)}, expected {type_name(expected.field(name).type)}"
    return "the columns stand in another order"


def _cell(value: Any) -> str:
    text = "null" if value is None else str(value)
    return text if len(text) <= 32 else text[:31] + "…"


def _text_table(names: list[str], types: list[str], rows: list[list[str]]) -> list[str]:
    lines = [[_cell(name) for name in names], [_cell(kind) for kind in types], *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(names))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
