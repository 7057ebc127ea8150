"""The container of a ``.wandb`` file: a header, then checksummed chunks in blocks of 32 KiB.

The layout is LevelDB's log format with a header of its own and a plain CRC-32:

| bytes | meaning |
|---|---|
| 7, once | ``:W&B``, 0xBEE1 as uint16 little-endian, version 0; they count as part of the first block |
| 4 | CRC-32 (IEEE, unmasked) of the kind byte and the payload, uint32 little-endian |
| 2 | length of the payload, uint16 little-endian |
| 1 | kind: 1 whole record, 2 first, 3 middle, 4 last chunk of a record |
| length | payload |

A chunk never crosses a block boundary; fewer than 7 bytes at a block's end are padding. A writer that was killed
leaves a file that stops anywhere: everything before the tear is good.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from runframe.errors import LogError

MAGIC: Final = b":W&B\xe1\xbe"
VERSION: Final = 0
HEADER: Final = MAGIC + bytes([VERSION])
BLOCK_SIZE: Final = 32768
WHOLE, FIRST, MIDDLE, LAST = 1, 2, 3, 4

_CHUNK = struct.Struct("<IHB")


@dataclass(frozen=True, slots=True)
class Tear:
    """Where a log stops being readable.

    Attributes:
        offset: byte offset, from the start of the file, of the first record that could not be read whole.
        reason: what is wrong there, in a few words.
        records: how many records were read before it.
    """

    offset: int
    reason: str
    records: int

    def __str__(self) -> str:
        return f"torn at byte {self.offset} ({self.reason}); {self.records} records were read before it"


class Records:
    """The payloads of a log's records, one after another, read block by block.

    Iterate once. Afterwards `tear` says whether the log ended cleanly, `count` how many records there were, and `end`
    the byte offset behind the last whole record.

    Args:
        file: a binary file at offset 0.
        limit: read no further than this byte offset. A log that is still being written can so be read twice alike.

    Raises:
        LogError: the file has no ``.wandb`` header, or one of an unknown version.
    """

    def __init__(self, file: BinaryIO, *, limit: int | None = None) -> None:
        self._file = file
        self._limit = limit
        self._offset = 0
        self.tear: Tear | None = None
        self.count = 0
        self.end = len(HEADER)
        self._block = self._read_block()
        _check_header(self._block[: len(HEADER)])

    def __iter__(self) -> Iterator[bytes]:
        parts: list[bytes] = []
        for kind, payload, end in self._chunks():
            if kind in (WHOLE, FIRST):
                if parts:
                    self._tear("a record begins inside another")
                    return
            elif not parts:
                self._tear("a record has no beginning")
                return
            parts.append(payload)
            if kind in (WHOLE, LAST):
                self.count += 1
                self.end = end
                yield payload if kind == WHOLE else b"".join(parts)
                parts = []
        if parts and self.tear is None:
            self._tear("the file ends inside a record")

    def _chunks(self) -> Iterator[tuple[int, bytes, int]]:
        """Kind, payload and end offset of each chunk; sets `tear` and stops where one cannot be read."""
        start, block, position = 0, self._block, len(HEADER)
        zeros: int | None = None
        while block:
            while len(block) - position >= _CHUNK.size:
                checksum, length, kind = _CHUNK.unpack_from(block, position)
                if not checksum and not length and not kind:
                    # LevelDB's readers skip such a hole; a file system that lost the tail leaves one to the end.
                    zeros = self.end if zeros is None else zeros
                    position = len(block)
                    break
                body, end = position + _CHUNK.size, position + _CHUNK.size + length
                if end > len(block):
                    whole = len(block) == BLOCK_SIZE or end > BLOCK_SIZE
                    return self._tear("a chunk runs past its block" if whole else "the file ends inside a record")
                if zlib.crc32(memoryview(block)[body - 1 : end]) != checksum:
                    return self._tear("a checksum does not match")
                if not WHOLE <= kind <= LAST:
                    return self._tear(f"a chunk is of the unknown kind {kind}")
                zeros = None
                yield kind, block[body:end], start + end
                position = end
            if position < len(block) < BLOCK_SIZE and BLOCK_SIZE - position >= _CHUNK.size:
                return self._tear("the file ends inside a chunk header")
            start, block, position = start + len(block), self._read_block(), 0
        if zeros is not None:
            self._tear("only zero bytes follow")

    def _tear(self, reason: str) -> None:
        self.tear = Tear(offset=self.end, reason=reason, records=self.count)

    def _read_block(self) -> bytes:
        size = BLOCK_SIZE if self._limit is None else min(BLOCK_SIZE, self._limit - self._offset)
        block = self._file.read(size) if size > 0 else b""
        self._offset += len(block)
        return block


def _check_header(header: bytes) -> None:
    if not header:
        raise LogError("The file is empty: its writer stopped before it wrote anything.")
    if header[: len(MAGIC)] != MAGIC[: len(header)]:
        raise LogError(f"Not a .wandb log: it starts with {header!r}, expected {HEADER!r}.")
    if len(header) < len(HEADER):
        raise LogError(f"The file ends inside its header, after {len(header)} of {len(HEADER)} bytes.")
    if header[-1] != VERSION:
        raise LogError(f"A .wandb log of version {header[-1]}; only version {VERSION} is known.")
