"""The container of an event file: records with a length and two checksums.

| bytes | meaning |
|---|---|
| 8 | length of the payload, uint64 little-endian |
| 4 | masked CRC-32C of these 8 bytes |
| length | payload: one `Event` message |
| 4 | masked CRC-32C of the payload |

A training that was killed leaves a file that stops anywhere: everything before the tear is good.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from runframe.resources.tensorboard.crc import masked

_LENGTH = struct.Struct("<Q")
_CHECK = struct.Struct("<I")


@dataclass(frozen=True)
class Tear:
    """Where an event file stops being readable.

    Attributes:
        offset: byte offset of the first record that could not be read whole.
        reason: what is wrong there, in a few words.
        records: how many records were read before it.
    """

    offset: int
    reason: str
    records: int

    def __str__(self) -> str:
        return f"torn at byte {self.offset} ({self.reason}); {self.records} records were read before it"


class Records:
    """The payloads of a file's records, one after another. Iterate once; afterwards `tear` says how it ended.

    Attributes:
        path: the file.
        tear: where it stops being readable; None where it ended cleanly.
        count: the records read so far.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tear: Tear | None = None
        self.count = 0
        self._offset = 0

    def __iter__(self) -> Iterator[bytes]:
        size = self.path.stat().st_size
        with self.path.open("rb") as file:
            while self._offset < size:
                payload = self._record(file, size)
                if isinstance(payload, str):
                    self.torn(payload)
                    return
                yield payload
                self.count += 1
                self._offset += 16 + len(payload)

    def torn(self, reason: str) -> None:
        """Notes that the record being read is no good."""
        self.tear = Tear(self._offset, reason, self.count)

    def _record(self, file: BinaryIO, size: int) -> bytes | str:
        """The next payload, or why there is none."""
        head = file.read(12)
        if len(head) < 12:
            return "the file ends inside a record's length"
        if _CHECK.unpack_from(head, 8)[0] != masked(head[:8]):
            return "the checksum of a record's length is wrong"
        length = _LENGTH.unpack_from(head)[0]
        if self._offset + 16 + length > size:
            return "the file ends inside a record"
        payload, check = file.read(length), file.read(4)
        if len(payload) < length or len(check) < 4:
            return "the file ends inside a record"
        if _CHECK.unpack(check)[0] != masked(payload):
            return "a record's checksum is wrong"
        return payload
