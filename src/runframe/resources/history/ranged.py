"""A Parquet file on a server, of which only the columns that are wanted travel."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

FOOTER = 2**16
"""Bytes from the end of a file that are read first: its footer, and all of a small file."""

WORTH = 0.6
"""Columns that make up more of a file than this are read as the whole file: one request instead of many."""

ReadRange = Callable[[int, "int | None"], "tuple[bytes, int, int]"]


class RangedFile(io.RawIOBase):
    """A file that is read in ranges, for reading alone; what was read last stays.

    Args:
        read: gives the bytes from one position to another, where they begin and the size of the whole; see
            `Session.read_range`.

    Attributes:
        requests: how often it was read.
        received: the bytes that came.
    """

    def __init__(self, read: ReadRange) -> None:
        self._read = read
        self._position = 0
        self.requests = self.received = 0
        self._held, self._first = b"", 0
        self.size = self._fetch(-FOOTER, None)

    def _fetch(self, start: int, stop: int | None) -> int:
        self._held, self._first, size = self._read(start, stop)
        self.requests += 1
        self.received += len(self._held)
        return size

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to a position."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """The position."""
        return self._position

    def read(self, size: int = -1) -> bytes:
        """The bytes from the position on."""
        stop = self.size if size < 0 else min(self._position + size, self.size)
        start = min(self._position, stop)
        if start < stop and not (self._first <= start and stop <= self._first + len(self._held)):
            self._fetch(start, stop)
        self._position = stop
        found = self._held[start - self._first : stop - self._first]
        if len(found) != stop - start:
            raise OSError(f"{len(found)} bytes came where {stop - start} were asked for")
        return found


def open_columns(read: ReadRange, columns: Sequence[str]) -> pq.ParquetFile | None:
    """A Parquet file of which some columns are wanted; None where the whole is hardly more, and is to be fetched.

    Args:
        read: reads it in ranges.
        columns: the top-level columns wanted.

    Raises:
        pyarrow.ArrowInvalid: it is no Parquet file.
    """
    ranged = RangedFile(read)
    # Buffered ahead, the pieces of neighbouring columns come in one request.
    file = pq.ParquetFile(pa.PythonFile(ranged, "r"), pre_buffer=True)
    if ranged.received < ranged.size and wanted_bytes(file.metadata, columns) > WORTH * ranged.size:
        return None
    return file


def wanted_bytes(metadata: pq.FileMetaData, columns: Sequence[str]) -> int:
    """How many bytes of a file some top-level columns take."""
    names = set(columns)
    total = 0
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for index in range(metadata.num_columns):
            chunk = row_group.column(index)
            if chunk.path_in_schema.partition(".")[0] in names or chunk.path_in_schema in names:
                total += chunk.total_compressed_size
    return total
