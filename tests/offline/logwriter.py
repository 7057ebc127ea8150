"""A writer of `.wandb` logs for tests: protobuf by number and chunks by hand, nothing shared with the reader."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HEADER = b":W&B\xe1\xbe\x00"
BLOCK = 32768


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def message(*fields: tuple[int, Any]) -> bytes:
    """A protobuf message: int and bool as varints, float as a double, text and bytes with their length."""
    out = b""
    for number, value in fields:
        if isinstance(value, float):
            out += varint(number << 3 | 1) + struct.pack("<d", value)
        elif isinstance(value, int):
            out += varint(number << 3) + varint(int(value))
        else:
            data = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def framed(records: Iterable[bytes]) -> bytes:
    """A log file's bytes."""
    out = bytearray(HEADER)
    for record in records:
        begun = False
        while True:
            room = BLOCK - len(out) % BLOCK
            if room < 7:
                out += bytes(room)
                continue
            part, record = record[: room - 7], record[room - 7 :]
            kind = {(False, False): 1, (False, True): 2, (True, True): 3, (True, False): 4}[begun, bool(record)]
            out += struct.pack("<IHB", zlib.crc32(bytes([kind]) + part), len(part), kind) + part
            begun = True
            if not record:
                break
    return bytes(out)


def timestamp(seconds: int, nanos: int = 0) -> bytes:
    return message((1, seconds), (2, nanos))


def item(path: str | tuple[str, ...], value: Any = None, *, text: str | None = None) -> bytes:
    """A config, summary, stats or history item; a text path is a `key`, a tuple a `nested_key`."""
    keys = [(1, path)] if isinstance(path, str) else [(2, key) for key in path]
    return message(*keys, (16, json.dumps(value) if text is None else text))


def changes(updates: Iterable[bytes] = (), removes: Iterable[bytes] = ()) -> bytes:
    return message(*((1, update) for update in updates), *((2, remove) for remove in removes))


def run(run_id: str = "abc", *fields: tuple[int, Any], start: int = 1_700_000_000) -> bytes:
    return record(17, message((1, run_id), (17, timestamp(start)), *fields))


def history(*items: bytes, step: int = 0) -> bytes:
    return record(2, message(*((1, item) for item in items), (2, message((1, step)))))


def output(text: str, *, stream: int = 1, second: int = 1_700_000_000, nanos: int = 0) -> bytes:
    return record(13, message((1, stream), (2, timestamp(second, nanos)), (3, text)))


def record(kind: int, payload: bytes) -> bytes:
    return message((1, 7), (kind, payload))


def write(path: Path, *records: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(framed(records))
    return path
