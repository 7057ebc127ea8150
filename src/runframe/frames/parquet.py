"""Writing Parquet files: zstd, row groups of a bounded size, and never half a file under its own name."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP_ROWS = 131_072
ROW_GROUP_BYTES = 64 * 2**20


class ParquetSink:
    """A Parquet file that is written batch by batch, in the order given; a context manager.

    The batches go to a part file of its own random name in the same folder. When the block ends well it takes the
    file's name (an existing file is replaced at once); when it raises, the part file is removed and what was there
    before stays. Small batches are gathered into row groups of up to `row_group_rows` rows or 64 MiB.

    Args:
        path: the file; missing folders are made.
        schema: the `pyarrow.Schema` of every batch.
        compression: the codec; "zstd" unless asked for otherwise.
        row_group_rows: the most rows of a row group.

    Attributes:
        path: the file.
        rows: the rows written so far.
        bytes: the file's size, once it is closed.
    """

    def __init__(
        self,
        path: str | Path,
        schema: Any,
        *,
        compression: str = "zstd",
        row_group_rows: int = ROW_GROUP_ROWS,
    ) -> None:
        self.path = Path(path)
        self.rows = 0
        self.bytes = 0
        self._schema = schema
        self._compression = compression
        self._row_group_rows = row_group_rows
        self._waiting: list[Any] = []
        self._waiting_rows = 0
        self._waiting_bytes = 0
        self._writer: Any = None
        self._part = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}.part")

    def __enter__(self) -> ParquetSink:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._writer = pq.ParquetWriter(
                self._part, self._schema, compression=self._compression, use_dictionary=_repetitive(self._schema)
            )
        except BaseException:
            self._part.unlink(missing_ok=True)
            raise
        return self

    def write(self, batch: Any) -> None:
        """Adds the rows of a `pyarrow.RecordBatch` of the sink's schema."""
        while batch.num_rows:
            taken = batch.slice(0, self._row_group_rows - self._waiting_rows)
            batch = batch.slice(taken.num_rows)
            self._waiting.append(taken)
            self._waiting_rows += taken.num_rows
            self._waiting_bytes += taken.nbytes
            if self._waiting_rows >= self._row_group_rows or self._waiting_bytes >= ROW_GROUP_BYTES:
                self._flush()

    def annotate(self, metadata: Mapping[bytes, bytes] | None) -> None:
        """Adds key-value metadata to the file's footer: what is known only once all rows are written."""
        if metadata:
            self._writer.add_key_value_metadata({key.decode(): value.decode() for key, value in metadata.items()})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
            self._writer.close()
            if kind is None:
                self.bytes = self._part.stat().st_size
                self._part.replace(self.path)
        finally:
            self._part.unlink(missing_ok=True)

    def _flush(self) -> None:
        if self._waiting:
            table = pa.Table.from_batches(self._waiting, self._schema)
            self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0
            self._writer.write_table(table, row_group_size=self._row_group_rows)
            self.rows += table.num_rows


def _repetitive(schema: Any) -> list[str]:
    """The columns that Parquet is to look for repeated values in.

    Floats are left out: to give up on a dictionary of theirs takes four times as long as to write them.
    """
    return [path for field in schema for path in _paths(field) if path is not None]


def _paths(field: Any, prefix: str = "") -> Iterator[str | None]:
    """The leaves of a field as Parquet names them; None for floats."""
    name, type_ = f"{prefix}{field.name}", field.type
    if isinstance(type_, pa.BaseExtensionType):
        type_ = type_.storage_type
    if pa.types.is_struct(type_):
        for child in type_:
            yield from _paths(child, f"{name}.")
    elif pa.types.is_list(type_) or pa.types.is_large_list(type_):
        yield from _paths(pa.field("element", type_.value_type), f"{name}.list.")
    else:
        yield None if pa.types.is_floating(type_) else name
