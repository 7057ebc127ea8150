"""A finished run's history as one Parquet file: what W&B itself makes of a history some hours after the run's end.

The file has `_step` and a column for each key that was logged, objects as structs (protocol, section 9.3). A null in it
says that the key was not logged in that row. Where this cannot tell the whole history (values of different types under
one key, an explicit null, an integer beyond 64 bits), no file is made and the history stays as it is: nothing is lost.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from runframe import extjson
from runframe.server.store import exports, lines
from runframe.server.store.exports import HistoryExport
from runframe.server.store.store import Store

ROW_GROUP = 10_000
_FINAL = ("finished", "failed", "crashed", "killed")


@dataclass(frozen=True, slots=True)
class Compacted:
    """What became of one run's history.

    Attributes:
        run_path: entity, project and run id.
        rows: the rows that the file holds; 0 where there is none.
        bytes: the size of the file.
        reason: why there is no file; None where there is one.
    """

    run_path: str
    rows: int = 0
    bytes: int = 0
    reason: str | None = None


class _NotTabularError(Exception):
    """A history that a Parquet file cannot tell whole."""


def compact(store: Store, project: str | None = None) -> Iterator[Compacted]:
    """Write the history of each run that has ended, and has none yet, as a Parquet file.

    Args:
        store: the store; it may be served meanwhile.
        project: only the runs of the projects with this name.
    """
    for number, path in _candidates(store, project):
        yield _compact_run(store, number, path)


def _candidates(store: Store, project: str | None) -> list[tuple[int, str]]:
    marks = ", ".join("?" * len(_FINAL))
    query = (
        "SELECT r.id, e.name || '/' || p.name || '/' || r.name FROM runs r JOIN projects p ON p.id = r.project_id"
        " JOIN entities e ON e.id = p.entity_id LEFT JOIN history_exports x ON x.run_id = r.id"
        f" WHERE x.run_id IS NULL AND r.history_lines > 0 AND r.state IN ({marks})"
    )
    parameters: list[Any] = [*_FINAL]
    if project is not None:
        query += " AND p.name = ?"
        parameters.append(project)
    with store.read() as connection:
        return [(row[0], row[1]) for row in connection.execute(f"{query} ORDER BY r.id", parameters)]


def _compact_run(store: Store, number: int, path: str) -> Compacted:
    with TemporaryDirectory(dir=store.directory, prefix=".compact-") as folder:
        file = Path(folder) / "history.parquet"
        with store.read() as connection:
            state = _state(connection, number)
            try:
                rows = _write(connection, number, file)
            except _NotTabularError as error:
                return Compacted(path, reason=str(error))
        with closing(file.open("rb")) as source:
            blob = store.blobs.add(source)
    with store.write() as connection:
        if _state(connection, number) != state or exports.find(connection, number) is not None:
            return Compacted(path, reason="the run changed meanwhile")
        exports.add(connection, HistoryExport(number, blob.sha256, blob.size, rows, stale=False))
    return Compacted(path, rows, blob.size)


def _state(connection: sqlite3.Connection, number: int) -> tuple[Any, ...] | None:
    query = "SELECT state, history_lines, last_step, history_keys FROM runs WHERE id = ?"
    row = connection.execute(query, (number,)).fetchone()
    return None if row is None else tuple(row)


def _write(connection: sqlite3.Connection, number: int, file: Path) -> int:
    """Write the file; returns its number of rows."""
    schema = _schema(connection, number)
    rows = 0
    try:
        writer = pq.ParquetWriter(file, schema, compression="zstd")
    except pa.ArrowNotImplementedError as error:
        raise _NotTabularError(f"Parquet has no form for it: {error}") from error
    with writer:
        for chunk in _chunks(connection, number):
            table = pa.table([_array(chunk, field) for field in schema], schema=schema)
            _check(chunk, table)
            writer.write_table(table)
            rows += len(chunk)
    return rows


def _schema(connection: sqlite3.Connection, number: int) -> pa.Schema:
    """The columns of all rows: `_step` first, then the keys as they first appear."""
    schema = pa.schema([pa.field("_step", pa.int64())])
    for chunk in _chunks(connection, number):
        names = dict.fromkeys(key for row in chunk for key in row)
        fields = [pa.field(name, _type(chunk, name)) for name in names]
        try:
            schema = pa.unify_schemas([schema, pa.schema(fields)], promote_options="permissive")
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise _NotTabularError(f"a key holds values of different types: {error}") from error
    return schema


def _chunks(connection: sqlite3.Connection, number: int) -> Iterator[list[dict[str, Any]]]:
    texts = lines.texts_by_step(connection, number)
    while chunk := [extjson.loads(text) for text in islice(texts, ROW_GROUP)]:
        yield chunk


def _type(rows: list[dict[str, Any]], name: str) -> pa.DataType:
    try:
        return pa.infer_type([row.get(name) for row in rows])
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise _NotTabularError(f"{name!r} has no one type: {error}") from error


def _array(rows: list[dict[str, Any]], field: pa.Field) -> pa.Array:
    try:
        return pa.array([row.get(field.name) for row in rows], field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise _NotTabularError(f"{field.name!r} has no one type: {error}") from error


def _check(rows: list[dict[str, Any]], table: pa.Table) -> None:
    """Every row must come back from the columns as it was."""
    for row, found in zip(rows, table.to_pylist(), strict=True):
        if not _same(row, found):
            different = [key for key in found if not _same(row.get(key), found[key])] or [
                key for key, value in row.items() if value is None
            ]
            name = different[0] if different else "_step"
            raise _NotTabularError(f"step {row.get('_step')} holds {name!r} in a form that a column would change")


def _same(value: Any, found: Any) -> bool:
    """Whether a value is what a column gives back, where null says that there was nothing."""
    if isinstance(value, dict):
        if not isinstance(found, dict) or None in value.values():
            return False
        there = {key: each for key, each in found.items() if each is not None}
        return there.keys() == value.keys() and all(_same(value[key], there[key]) for key in value)
    if isinstance(value, list):
        pairs = zip(value, found, strict=False) if isinstance(found, list) else ()
        return isinstance(found, list) and len(value) == len(found) and all(_same(*pair) for pair in pairs)
    if isinstance(value, bool) or isinstance(found, bool):
        return value is found
    return bool(value == found or (value != value and found != found))
