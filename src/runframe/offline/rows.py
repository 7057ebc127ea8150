"""History and system-metrics records as the extended-JSON lines that the SDK streams to a server.

A history of millions of rows passes through here, so a record goes from its protobuf bytes to its line without its
values being parsed: `value_json` is JSON already.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Final

from runframe import extjson
from runframe.offline.protobuf import BYTES, double, fields, signed, zigzag
from runframe.offline.records import Stats, decode

_KEY, _NESTED_KEY = 1, 2
_NONE, _BOOLEAN, _INTEGER, _NUMBER, _TEXT, _JSON = 3, 4, 5, 6, 7, 8
_VALUE_JSON = 16

Tree = dict[bytes, "bytes | Tree"]
"""A row: JSON key (quoted, encoded) to JSON text, or to the keys below it."""


@dataclass(frozen=True, slots=True)
class Shift:
    """What a resumed run adds to the steps and times of its own log, which start again at 0.

    Attributes:
        step: added to `_step`.
        runtime: added to `_runtime`, seconds.
    """

    step: int = 0
    runtime: float = 0.0


NO_SHIFT: Final = Shift()


def history_line(data: bytes, shift: Shift = NO_SHIFT) -> str:
    """The line of one history record: nested keys as nested objects, `_step` always there.

    Raises:
        WireError: the bytes are no history record.
    """
    row: Tree = {}
    step = 0
    for number, wire, value in fields(data):
        if wire != BYTES or not isinstance(value, bytes):
            continue
        if number == 1:
            _add_item(row, value)
        elif number == 2:
            step = next((signed(num) for n, _, num in fields(value) if n == 1 and isinstance(num, int)), 0)
    if b'"_step"' not in row:
        row[b'"_step"'] = b"%d" % step
    if shift != NO_SHIFT:
        _shift(row, shift)
    line = _dump(row).decode("utf-8", errors="replace")
    return line if "\n" not in line else extjson.dumps(extjson.loads(line))


def events_line(data: bytes, started: int) -> str:
    """The line of one sample of system metrics.

    Args:
        data: the stats record.
        started: the run's start, nanoseconds since 1970; `_runtime` counts from it.

    Raises:
        WireError: the bytes are no stats record.
    """
    sample = decode(Stats, data)
    seconds, rest = divmod(sample.timestamp.nanoseconds - started, 1_000_000_000)
    parts = [
        '"_wandb":true',
        f'"_timestamp":{sample.timestamp.unix!r}',
        f'"_runtime":{number_text(seconds + rest / 1e9)}',
    ]
    for item in sample.item:
        key = extjson.dumps("system." + ".".join(item.path))
        value = extjson.loads(item.value_json) if item.value_json else None
        parts.append(f"{key}:{number_text(value) if isinstance(value, float) else extjson.dumps(value)}")
    return "{" + ",".join(parts) + "}"


def number_text(value: float) -> str:
    """A float as the SDK writes it in a line: no fraction for whole numbers below a million, NaN and ±Infinity bare."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    negative_zero = value == 0 and math.copysign(1.0, value) < 0
    whole = value == int(value) and abs(value) < 1e6 and not negative_zero
    return str(int(value)) if whole else repr(value)


def _add_item(row: Tree, item: bytes) -> None:
    """Put one history item into the row."""
    # Nearly every item is one nested key and a value_json, each shorter than 128 bytes.
    if item[:1] == b"\x12" and len(item) > 1 and item[1] < 0x80:
        end = 2 + item[1]
        if item[end : end + 2] == b"\x82\x01" and len(item) == end + 3 + item[end + 2] and item[end + 2] < 0x80:
            key = _json_key(item[2:end])
            if key not in row:
                row[key] = item[end + 3 :]
                return
    path: list[bytes] = []
    value_json, typed = b"null", None
    for number, wire, value in fields(item):
        if number in (_KEY, _NESTED_KEY) and isinstance(value, bytes):
            path.append(_json_key(value))
        elif number == _VALUE_JSON and isinstance(value, bytes):
            value_json = value
        elif _NONE <= number <= _JSON:
            typed = _typed(number, wire, value)
    if path:
        _set(row, path, value_json if typed is None else typed)


def _typed(number: int, wire: int, value: int | bytes) -> bytes | None:
    """The JSON text of a typed value; None for a number that is not one."""
    if isinstance(value, int):
        if number == _NONE:
            return b"null"
        if number == _BOOLEAN:
            return b"true" if value else b"false"
        return b"%d" % zigzag(value) if number == _INTEGER else None
    if number == _NUMBER and len(value) == 8:
        return number_text(double(value)).encode()
    if number == _TEXT:
        return extjson.dumps(value.decode("utf-8", errors="replace")).encode()
    return value if number == _JSON else None


@functools.lru_cache(maxsize=65536)
def _json_key(key: bytes) -> bytes:
    return extjson.dumps(key.decode("utf-8", errors="replace")).encode()


def _set(row: Tree, path: list[bytes], value: bytes) -> None:
    """Set a value at a path. What stands in the way gives way, but objects are joined."""
    for key in path[:-1]:
        below = row.get(key)
        if not isinstance(below, dict):
            below = _tree(below) if below is not None else {}
            row[key] = below
        row = below
    last = path[-1]
    before = row.get(last)
    if before is not None and value[:1] == b"{":
        joined = before if isinstance(before, dict) else _tree(before)
        for key, inner in _tree(value).items():
            _set(joined, [key], inner if isinstance(inner, bytes) else _dump(inner))
        row[last] = joined
    else:
        row[last] = value


def _tree(text: bytes) -> Tree:
    """A JSON object's text as a tree one level deep; empty where the text is no object."""
    value = extjson.loads(text)
    if not isinstance(value, dict):
        return {}
    return {extjson.dumps(key).encode(): extjson.dumps(inner).encode() for key, inner in value.items()}


def _dump(row: Tree) -> bytes:
    return (
        b"{"
        + b",".join(key + b":" + (value if isinstance(value, bytes) else _dump(value)) for key, value in row.items())
        + b"}"
    )


def _shift(row: Tree, shift: Shift) -> None:
    for key, amount in ((b'"_step"', shift.step), (b'"_runtime"', shift.runtime)):
        before = row.get(key)
        if isinstance(before, bytes) and amount:
            row[key] = extjson.dumps(extjson.loads(before) + amount).encode()
