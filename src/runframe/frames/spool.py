"""Batches kept until they are needed: in memory up to a budget, beyond it in a temporary file.

Each batch may have a schema of its own. The temporary file has no name where the system allows that (so that nothing
stays behind, however the process ends), and is closed and gone when the spool is dropped.
"""

from __future__ import annotations

import os
import tempfile
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import pyarrow as pa


class Spool:
    """A list of record batches that can be read in order, again and again.

    Args:
        budget: how many bytes of batches are kept in memory; those that come after go to the file.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._held: list[Any] = []
        self._held_bytes = 0
        self._file: Any = None
        self._spans: list[tuple[int, int]] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._held) + len(self._spans)

    @property
    def bytes_on_disk(self) -> int:
        """The size of the temporary file."""
        return sum(length for _, length in self._spans)

    def append(self, batch: Any) -> None:
        """Keeps a `pyarrow.RecordBatch`."""
        size = batch.nbytes
        if not self._spans and self._held_bytes + size <= self._budget:
            self._held.append(batch)
            self._held_bytes += size
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="runframe-")  # noqa: SIM115 (it lives as long as the spool)
            weakref.finalize(self, self._file.close)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        data = sink.getvalue()
        start = self._file.seek(0, os.SEEK_END)
        self._file.write(data)
        self._spans.append((start, len(data)))

    def __iter__(self) -> Iterator[Any]:
        for index in range(len(self)):
            yield self[index]

    def __getitem__(self, index: int) -> Any:
        if index < len(self._held):
            return self._held[index]
        start, length = self._spans[index - len(self._held)]
        with self._lock:
            self._file.seek(start)
            data = self._file.read(length)
        with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
            return reader.read_next_batch()
