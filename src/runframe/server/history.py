"""Reading a run's history: pages by step, samples, chosen keys.

Nothing is left out unless a sample is asked for: a range of steps is answered whole, and a sample of no more lines than
asked for is all of them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from runframe import extjson
from runframe.server.errors import Refusal
from runframe.server.store import lines

DEFAULT_SAMPLES = 500
_TAIL = 1
_MISSING = object()

Item = TypeVar("Item")


def spread(items: Sequence[Item], count: int) -> list[Item]:
    """`count` items, evenly spread over the sequence, the first and the last among them; all where there are fewer."""
    last = len(items) - 1
    if len(items) <= count:
        return list(items)
    if count < 2:
        return list(items[:count])
    return [items[(index * last + (count - 1) // 2) // (count - 1)] for index in range(count)]


def page(connection: sqlite3.Connection, run_id: int, low: int | None, high: int | None) -> list[str]:
    """The history lines with ``low <= step < high``, in the order of the steps."""
    return list(lines.texts_by_step(connection, run_id, low, high))


def sample(connection: sqlite3.Connection, run_id: int, file: str, samples: int | None) -> list[str]:
    """Lines of a file, evenly spread."""
    chosen = spread(lines.ordered_ids(connection, run_id, file), _samples(samples))
    return lines.texts_of(connection, chosen)


def sampled(connection: sqlite3.Connection, run_id: int, spec_text: str) -> list[dict[str, Any]]:
    """The rows that have all keys of a spec, with these keys alone.

    Args:
        connection: a reader.
        run_id: the run's row.
        spec_text: JSON of ``{"keys": […], "samples": n, "minStep": n, "maxStep": n}``. A range of steps (both ends
            belong to it) is answered whole; without one, `samples` rows are spread evenly. No keys ask for nothing.

    Raises:
        Refusal: the text is no such spec.
    """
    keys, low, high, samples = _spec(spec_text)
    if not keys:
        return []
    rows = list(_rows_with(lines.texts_by_step(connection, run_id, low, None if high is None else high + 1), keys))
    return rows if low is not None or high is not None else spread(rows, samples)


def _rows_with(texts: Iterator[str], keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    for text in texts:
        row = extjson.loads(text)
        found = {key: value_at(row, key) for key in keys}
        if not any(value is _MISSING for value in found.values()):
            yield found


def value_at(row: Any, key: str) -> Any:
    """The value of a key in a history row: the key as it is, or a path into objects joined with dots."""
    if isinstance(row, dict):
        if key in row:
            return row[key]
        for position, sign in enumerate(key):
            if sign == "." and key[:position] in row:
                value = value_at(row[key[:position]], key[position + 1 :])
                if value is not _MISSING:
                    return value
    return _MISSING


def _spec(text: str) -> tuple[list[str], int | None, int | None, int]:
    try:
        spec = extjson.loads(text)
    except ValueError as error:
        raise Refusal(f"A spec is not JSON: {text[:100]!r}.") from error
    keys = spec.get("keys", []) if isinstance(spec, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise Refusal(f"A spec needs 'keys', a list of names: {text[:100]!r}.")
    return keys, _bound(spec, "minStep"), _bound(spec, "maxStep"), _samples(spec.get("samples"))


def _bound(spec: dict[str, Any], name: str) -> int | None:
    value = spec.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise Refusal(f"{name} is {value!r}, expected a number.")
    return int(value)


def _samples(samples: Any) -> int:
    if samples is None:
        return DEFAULT_SAMPLES
    if isinstance(samples, bool) or not isinstance(samples, int) or samples < 0:
        raise Refusal(f"samples is {samples!r}, expected a number from 0 on.")
    return samples


def tail(connection: sqlite3.Connection, run_id: int, file: str) -> str:
    """The last line of a file, as resuming asks for it: the JSON text of a list of JSON texts (section 7)."""
    return json.dumps([text for _, text in lines.tail(connection, run_id, file, _TAIL)])
