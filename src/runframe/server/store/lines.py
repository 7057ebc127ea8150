"""The lines of file_stream, kept as the text that came, at (run, file, writer, offset).

Writing the same lines at the same offset again changes nothing; other lines at an offset replace what was there
(progress bars rewrite the console's).
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from runframe import extjson
from runframe.server.store import documents, exports, keys

HISTORY = "wandb-history.jsonl"
EVENTS = "wandb-events.jsonl"
CONSOLE = "output.log"
SUMMARY = "wandb-summary.json"

_OFFSET_BITS = 33
_MAX_OFFSET = (1 << _OFFSET_BITS) - 1
_MAX_STEP = (1 << 63) - 1
_BATCH = 500
_TEXTS = "SELECT id, text FROM lines WHERE id IN ({})"
_COUNTER = {HISTORY: "history_lines", EVENTS: "event_lines", CONSOLE: "log_lines"}


class LineError(ValueError):
    """A line that cannot be taken."""


def write(connection: sqlite3.Connection, run_id: int, file: str, client: str, offset: int, texts: list[str]) -> None:
    """Write lines of a run's file from an offset on, and what is derived from them.

    Args:
        connection: the writer.
        run_id: the run's row.
        file: the file's name in file_stream.
        client: the writer's id in shared mode, where each numbers its lines from 0; empty otherwise.
        offset: where the first line belongs.
        texts: the lines.

    Raises:
        LineError: a line of a JSON stream is no JSON object, or the offset is out of bounds.
    """
    if not 0 <= offset <= _MAX_OFFSET - len(texts):
        raise LineError(f"offset {offset} of {file!r} is out of bounds.")
    if not texts:
        return
    stream = _stream(connection, run_id, file, client)
    base = (stream << _OFFSET_BITS) + offset
    before = _existing(connection, base, len(texts))
    if file == HISTORY:
        _write_history(connection, run_id, stream, base, texts, before)
    else:
        rows = ((base + index, stream, text) for index, text in enumerate(texts))
        connection.executemany("INSERT OR REPLACE INTO lines (id, stream_id, text) VALUES (?, ?, ?)", rows)
    if file == EVENTS:
        fresh = [text for index, text in enumerate(texts) if before.get(base + index) != text]
        _note_events(connection, run_id, fresh)
    connection.execute(
        "UPDATE streams SET next_offset = max(next_offset, ?) WHERE id = ?", (offset + len(texts), stream)
    )
    count_lines(connection, run_id, file)


def _stream(connection: sqlite3.Connection, run_id: int, file: str, client: str) -> int:
    connection.execute(
        "INSERT INTO streams (run_id, file, client) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (run_id, file, client)
    )
    row = connection.execute(
        "SELECT id FROM streams WHERE run_id = ? AND file = ? AND client = ?", (run_id, file, client)
    ).fetchone()
    return int(row["id"])


def _existing(connection: sqlite3.Connection, base: int, count: int) -> dict[int, str]:
    rows = connection.execute("SELECT id, text FROM lines WHERE id >= ? AND id < ?", (base, base + count))
    return {row["id"]: row["text"] for row in rows}


def _write_history(
    connection: sqlite3.Connection, run_id: int, stream: int, base: int, texts: Sequence[str], before: dict[int, str]
) -> None:
    counts: keys.Counts = Counter()
    last: dict[str, int | float | None] = {}
    replaced: set[str] = set()
    rows: list[tuple[int, int, int, str]] = []
    for number, text in enumerate(texts, start=base):
        old = before.get(number)
        if old == text:
            continue
        if old is not None:
            gone = _object(old)
            counts.subtract(keys.leaves(gone))
            replaced.update(key for key, _ in keys.numbers(gone))
        value = _object(text)
        counts.update(keys.leaves(value))
        last.update(keys.numbers(value))
        rows.append((number, stream, _step_of(value, number - (stream << _OFFSET_BITS)), text))
    if rows:
        connection.executemany("INSERT OR REPLACE INTO lines (id, stream_id, step, text) VALUES (?, ?, ?, ?)", rows)
        if replaced or _has_later(connection, stream, rows[-1][0]):
            replaced |= last.keys()
        note_history(connection, run_id, counts, last, replaced)


def _has_later(connection: sqlite3.Connection, stream: int, number: int) -> bool:
    """Whether a stream has lines after this one."""
    query = "SELECT 1 FROM lines WHERE id > ? AND id <= ? LIMIT 1"
    return connection.execute(query, (number, first_id(stream) + _MAX_OFFSET)).fetchone() is not None


def _last_numbers(connection: sqlite3.Connection, run_id: int, wanted: Iterable[str]) -> dict[str, int | float | None]:
    """The last number of each of these keys, read from the history's lines, the last line first."""
    streams = streams_of(connection, run_id, HISTORY)
    last: dict[str, int | float | None] = dict.fromkeys(wanted)
    missing = set(last)
    query, parameters = _by_offset("text", streams)
    for row in connection.execute(f"{query} ORDER BY id DESC", parameters):
        found = {key: number for key, number in keys.numbers(_object(row[0])) if key in missing}
        last |= found
        missing -= found.keys()
        if not missing:
            break
    return last


def _step_of(row: dict[str, Any], offset: int) -> int:
    """The line's step; a line without one has its offset's."""
    step = row.get("_step", offset)
    if isinstance(step, float) and step.is_integer():
        step = int(step)
    if isinstance(step, bool) or not isinstance(step, int) or abs(step) > _MAX_STEP:
        raise LineError(f"_step is {step!r}, expected an integer of 64 bits.")
    return step


def note_history(
    connection: sqlite3.Connection,
    run_id: int,
    counts: keys.Counts,
    added: Mapping[str, int | float | None],
    gone: Iterable[str],
) -> None:
    """Bring the run's last step and history keys up to its lines.

    Args:
        connection: the writer.
        run_id: the run's row.
        counts: by how much the counts of the keys changed.
        added: the last numbers of the lines that came.
        gone: the keys whose last number may be another now.
    """
    numbers = _last_numbers(connection, run_id, gone) if gone else added
    last = connection.execute(
        "SELECT max((SELECT max(step) FROM lines WHERE stream_id = s.id AND step IS NOT NULL))"
        " FROM streams s WHERE s.run_id = ? AND s.file = ?",
        (run_id, HISTORY),
    ).fetchone()[0]
    text = connection.execute("SELECT history_keys FROM runs WHERE id = ?", (run_id,)).fetchone()[0]
    document = keys.merged(documents.from_stored(text), counts, last, numbers)
    connection.execute(
        "UPDATE runs SET last_step = ?, history_keys = ? WHERE id = ?", (last, documents.to_stored(document), run_id)
    )
    exports.make_stale(connection, run_id)


def _note_events(connection: sqlite3.Connection, run_id: int, texts: Iterable[str]) -> None:
    """Make the last value of each system metric the run's."""
    text = connection.execute("SELECT system_metrics FROM runs WHERE id = ?", (run_id,)).fetchone()[0]
    metrics = documents.from_stored(text)
    for line in texts:
        metrics.update(_object(line))
    metrics.pop("_wandb", None)
    connection.execute("UPDATE runs SET system_metrics = ? WHERE id = ?", (documents.to_stored(metrics), run_id))


def count_lines(connection: sqlite3.Connection, run_id: int, file: str) -> None:
    """Bring the run's line count up to its streams."""
    column = _COUNTER.get(file)
    if column is not None:
        connection.execute(
            f"UPDATE runs SET {column} ="
            " (SELECT coalesce(sum(next_offset), 0) FROM streams WHERE run_id = ? AND file = ?) WHERE id = ?",
            (run_id, file, run_id),
        )


def _object(text: str) -> dict[str, Any]:
    try:
        value = extjson.loads(text)
    except (ValueError, RecursionError) as error:
        raise LineError(f"a line is not JSON: {text[:100]!r}.") from error
    if not isinstance(value, dict):
        raise LineError(f"a line is not a JSON object: {text[:100]!r}.")
    return value


def cut(connection: sqlite3.Connection, run_id: int, offsets: Mapping[str, int]) -> None:
    """Delete the lines of files from an offset on, where one writer wrote them.

    Args:
        connection: the writer.
        run_id: the run's row.
        offsets: file name to the first offset that goes.
    """
    for file, offset in offsets.items():
        stream = _stream(connection, run_id, file, "")
        low, high = first_id(stream) + offset, first_id(stream) + _MAX_OFFSET
        if file == HISTORY:
            counts: keys.Counts = Counter()
            gone: set[str] = set()
            for row in connection.execute("SELECT text FROM lines WHERE id >= ? AND id <= ?", (low, high)):
                value = _object(row[0])
                counts.subtract(keys.leaves(value))
                gone.update(key for key, _ in keys.numbers(value))
        connection.execute("DELETE FROM lines WHERE id >= ? AND id <= ?", (low, high))
        connection.execute("UPDATE streams SET next_offset = min(next_offset, ?) WHERE id = ?", (offset, stream))
        if file == HISTORY:
            note_history(connection, run_id, counts, {}, gone)
        count_lines(connection, run_id, file)


def streams_of(connection: sqlite3.Connection, run_id: int, file: str) -> list[int]:
    """The streams of a run's file, one a writer."""
    rows = connection.execute("SELECT id FROM streams WHERE run_id = ? AND file = ? ORDER BY id", (run_id, file))
    return [row["id"] for row in rows]


def texts_by_step(
    connection: sqlite3.Connection, run_id: int, low: int | None = None, high: int | None = None
) -> Iterator[str]:
    """The history lines with ``low <= step < high`` (None: unbounded), in the order of their steps."""
    streams = streams_of(connection, run_id, HISTORY)
    if not streams:
        return
    query, parameters = _by_step("text", streams)
    for bound, test in ((low, "step >= ?"), (high, "step < ?")):
        if bound is not None:
            query += f" AND {test}"
            parameters.append(max(-_MAX_STEP, min(bound, _MAX_STEP)))
    for row in connection.execute(f"{query} ORDER BY step, id", parameters):
        yield row[0]


def first_step(connection: sqlite3.Connection, run_id: int) -> int | None:
    """The lowest step of a history; None for an empty one."""
    streams = streams_of(connection, run_id, HISTORY)
    if not streams:
        return None
    query, parameters = _by_step("step", streams)
    found = connection.execute(f"{query} ORDER BY step LIMIT 1", parameters).fetchone()
    return None if found is None else int(found[0])


def ordered_ids(connection: sqlite3.Connection, run_id: int, file: str) -> list[int]:
    """The ids of a file's lines: the history's in the order of its steps, others' in that of their offsets."""
    streams = streams_of(connection, run_id, file)
    if not streams:
        return []
    query, parameters = _by_step("id", streams) if file == HISTORY else _by_offset("id", streams)
    order = "step, id" if file == HISTORY else "id"
    return [row[0] for row in connection.execute(f"{query} ORDER BY {order}", parameters)]


def texts_of(connection: sqlite3.Connection, ids: Sequence[int]) -> list[str]:
    """The lines with these ids, in the order given."""
    found: dict[int, str] = {}
    for start in range(0, len(ids), _BATCH):
        part = ids[start : start + _BATCH]
        marks = ", ".join("?" * len(part))
        found.update((row[0], row[1]) for row in connection.execute(_TEXTS.format(marks), part))
    return [found[number] for number in ids]


def tail(connection: sqlite3.Connection, run_id: int, file: str, count: int) -> list[tuple[int, str]]:
    """The last `count` lines as (id, text), in the order of their offsets."""
    streams = streams_of(connection, run_id, file)
    if not streams:
        return []
    query, parameters = _by_offset("id, text", streams)
    rows = connection.execute(f"{query} ORDER BY id DESC LIMIT ?", (*parameters, count)).fetchall()
    return [(row[0], row[1]) for row in reversed(rows)]


def page(
    connection: sqlite3.Connection, run_id: int, file: str, after: int | None, first: int
) -> tuple[list[tuple[int, str]], bool]:
    """Up to `first` lines after the line with id `after` as (id, text), and whether more follow."""
    streams = streams_of(connection, run_id, file)
    if not streams:
        return [], False
    query, parameters = _by_offset("id, text", streams)
    if after is not None:
        query = f"{query} AND id > ?"
        parameters.append(after)
    rows = connection.execute(f"{query} ORDER BY id LIMIT ?", (*parameters, first + 1)).fetchall()
    return [(row[0], row[1]) for row in rows[:first]], len(rows) > first


def first_id(stream: int) -> int:
    """The id of a stream's line at offset 0."""
    return stream << _OFFSET_BITS


def offset_of(number: int) -> int:
    """The offset in a line's id."""
    return number & _MAX_OFFSET


def _by_step(columns: str, streams: Sequence[int]) -> tuple[str, list[int]]:
    chosen = "stream_id = ?" if len(streams) == 1 else f"stream_id IN ({', '.join('?' * len(streams))})"
    return f"SELECT {columns} FROM lines WHERE {chosen} AND step IS NOT NULL", [*streams]


def _by_offset(columns: str, streams: Sequence[int]) -> tuple[str, list[int]]:
    ranges = " OR ".join(["(id >= ? AND id <= ?)"] * len(streams))
    bounds = [bound for stream in streams for bound in (stream << _OFFSET_BITS, (stream << _OFFSET_BITS) + _MAX_OFFSET)]
    return f"SELECT {columns} FROM lines WHERE ({ranges})", bounds
