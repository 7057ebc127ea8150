"""Parts: what was fetched of one run for one table, in a file of its own, whole or not there.

A part is an Arrow IPC file. Its batches are cut by their content alone, not by the pages that they came in, so that a
dataset made of parts does not show how the server answered.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runframe.frames.storage import plain_array

BATCH_ROWS = 4096
BATCH_BYTES = 2 * 2**20

FOLDER = "parts"


class PartWriter:
    """Writes a part, batch by batch; a context manager. It gets its name when `commit` is called.

    Args:
        root: the folder of all parts.
        table: the table.
        storage_id: the run.
        stamp: the run's stamp.
        schema: of the batches.

    Attributes:
        rows: the rows written so far.
        bytes: the file's size, once it is committed.
        digest: of the file's content, once it is committed; empty where there is no file.
        name: its path below `root`; None where it has no rows, once it is committed.
    """

    def __init__(self, root: Path, table: str, storage_id: str, stamp: str, schema: Any) -> None:
        run = hashlib.sha256(storage_id.encode()).hexdigest()
        token = secrets.token_hex(4)
        name = f"{table}/{run[:2]}/{run[:24]}-{hashlib.sha256(stamp.encode()).hexdigest()[:8]}{token}.arrow"
        self.name: str | None = name
        self.rows = 0
        self.bytes = 0
        self.digest = ""
        self._path = root / name
        self._part = self._path.with_suffix(".part")
        self._schema = schema
        self._waiting: list[Any] = []
        self._waiting_rows = 0
        self._waiting_bytes = 0
        self._writer: Any = None
        self._file: Any = None

    def write(self, batch: Any) -> None:
        """Adds rows. Documents may be structs in place of text, where they are so in the first batch already."""
        if self._writer is None and not self._waiting and batch.schema.types != self._schema.types:
            self._schema = batch.schema
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        self._waiting_bytes += batch.nbytes
        if self._waiting_rows >= BATCH_ROWS or self._waiting_bytes >= BATCH_BYTES:
            self._flush(last=False)

    def commit(self) -> None:
        """Ends the file and gives it its name. A part without rows has no file."""
        self._flush(last=True)
        if self._writer is None:
            self.name = None
            return
        self._close()
        self.bytes = self._part.stat().st_size
        with self._part.open("rb") as file:
            self.digest = hashlib.file_digest(file, "blake2b").hexdigest()[:32]
        self._part.replace(self._path)

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._close()
            self._part.unlink(missing_ok=True)

    def _close(self) -> None:
        self._writer.close()
        self._writer = None
        self._file.close()  # only now all bytes are where their number can be told

    def _flush(self, *, last: bool) -> None:
        table = pa.Table.from_batches(self._waiting, self._schema).combine_chunks()
        self._waiting, self._waiting_rows, self._waiting_bytes = [], 0, 0
        for batch in table.to_batches():
            start = 0
            for end in _cuts(_text_sizes(batch), last=last):
                self._put(batch.slice(start, end - start))
                start = end
            if start < batch.num_rows:
                rest = batch.slice(start)
                self._waiting, self._waiting_rows, self._waiting_bytes = [rest], rest.num_rows, rest.nbytes

    def _put(self, batch: Any) -> None:
        if self._writer is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", 1))
            self._file = pa.OSFile(str(self._part), "wb")
            self._writer = pa.ipc.new_file(self._file, self._schema, options=options)
        self._writer.write_batch(batch)
        self.rows += batch.num_rows


def _cuts(sizes: Any, *, last: bool) -> list[int]:
    """Where batches end: after `BATCH_ROWS` rows, or with the text that reaches `BATCH_BYTES`; the rest waits."""
    totals = np.cumsum(sizes)
    ends: list[int] = []
    start = 0
    while start < len(sizes):
        before = int(totals[start - 1]) if start else 0
        end = min(start + BATCH_ROWS, int(np.searchsorted(totals, before + BATCH_BYTES)) + 1)
        if end > len(sizes):
            if last:
                ends.append(len(sizes))
            break
        ends.append(end)
        start = end
    return ends


def _text_sizes(batch: Any) -> Any:
    """How long the texts of each row are, in bytes."""
    sizes = np.zeros(batch.num_rows, np.int64)
    for column in map(plain_array, batch.columns):
        if pa.types.is_string(column.type):
            sizes += np.asarray(pc.fill_null(pc.binary_length(column), 0))
    return sizes


def read_part(root: Path, file: str) -> Iterator[Any]:
    """The batches of a part, each in memory only while it is used.

    Raises:
        OSError: it is not there.
        pyarrow.ArrowInvalid: it is not whole.
    """
    with pa.memory_map(str(root / file)) as source:
        reader = pa.ipc.open_file(source)
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)
