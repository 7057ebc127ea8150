"""From the files of an artifact to tables."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runframe import extjson
from runframe.errors import FrameError
from runframe.resources.artifacts.entry import ManifestEntry
from runframe.resources.artifacts.notices import warn
from runframe.resources.artifacts.tables.cells import to_time
from runframe.resources.artifacts.tables.dtypes import parameters, types_by_column
from runframe.resources.artifacts.tables.table import JoinedTable, PartitionedTable, Row, Table, source_of

if TYPE_CHECKING:
    from runframe.resources.artifacts.artifact import Artifact

TABLE_SUFFIX = ".table.json"
INCREMENTAL = "INCREMENTAL"

# The SDK writes None for the first one's number.
_INCREMENT = re.compile(r"(?:\d+|None)-(\d+)\.")


def read_bytes(artifact: Artifact, entry: ManifestEntry) -> bytes:
    """The content of an entry, by way of the cache.

    Raises:
        CommError: it could not be fetched.
    """
    from runframe.resources.artifacts.download import Fetch

    with tempfile.TemporaryDirectory(prefix="runframe-") as folder:
        target = Path(folder, "content")
        Fetch(artifact, folder).into(entry, target)
        return target.read_bytes()


def read_document(artifact: Artifact, entry: ManifestEntry) -> dict[str, Any]:
    """The JSON object that an entry holds.

    Raises:
        FrameError: it holds something else.
        CommError: it could not be fetched.
    """
    try:
        found = extjson.loads(read_bytes(artifact, entry))
    except ValueError as error:
        raise FrameError(f"{source_of(entry)} is not JSON: {error}", path=source_of(entry)) from error
    if not isinstance(found, dict):
        raise FrameError(f"{source_of(entry)} holds {type(found).__name__}, no JSON object", path=source_of(entry))
    return found


def read_table(artifact: Artifact, entry: ManifestEntry, document: Mapping[str, Any] | None = None) -> Table:
    """A table; one that was logged in increments with the rows of all of them.

    Args:
        artifact: what it is in.
        entry: where.
        document: its content, where that was read before.

    Raises:
        FrameError: it is malformed.
        CommError: it could not be fetched.
    """
    document = read_document(artifact, entry) if document is None else document
    if document.get("log_mode") == INCREMENTAL:
        return _read_increments(artifact, entry, document)
    columns, data = _shape(document, entry)
    types = _types(document)
    rows = document.get("nrows")
    return Table.of_file(
        columns,
        _decoded(artifact, columns, data, types),
        entry,
        types=document.get("column_types"),
        rows=rows if isinstance(rows, int) else None,
    )


def read_partitions(artifact: Artifact, entry: ManifestEntry) -> PartitionedTable:
    """All tables below the folder that an entry names, in the order of the manifest.

    Raises:
        FrameError: it names no folder, or the tables' columns differ.
        CommError: something could not be fetched.
    """
    parts_path = read_document(artifact, entry).get("parts_path")
    if not isinstance(parts_path, str):
        raise FrameError(f"{source_of(entry)} names no folder of parts", path=source_of(entry))
    entries = artifact.manifest.get_entries_in_directory(parts_path)
    tables = [part for part in entries if part.path.endswith(TABLE_SUFFIX)]
    return PartitionedTable(parts_path, {part.path: read_table(artifact, part) for part in tables}, entry)


def read_joined(artifact: Artifact, entry: ManifestEntry) -> JoinedTable:
    """The two tables that an entry names.

    Raises:
        FrameError: they aren't there.
        CommError: something could not be fetched.
    """
    document = read_document(artifact, entry)
    tables = []
    for name in ("table1", "table2"):
        found = artifact.get(document[name]) if isinstance(document.get(name), str) else None
        if found is None:
            raise FrameError(f"{source_of(entry)} names no table as {name}", path=source_of(entry))
        tables.append(found)
    return JoinedTable(tables[0], tables[1], document.get("join_key"), entry)


def _read_increments(artifact: Artifact, entry: ManifestEntry, document: Mapping[str, Any]) -> Table:
    columns, _ = _shape(document, entry)
    types = _types(document)
    data: list[Row] = []
    if document.get("increment_num") is not None:
        if "latest" not in artifact.aliases:
            warn(f"{artifact.qualified_name} is not the latest version: rows that were logged later are not in it")
        parts = [part for path, part in artifact.manifest.entries.items() if path.endswith(TABLE_SUFFIX)]
        read = [(part, document if part is entry else read_document(artifact, part)) for part in parts]
        for part, content in sorted(read, key=_place):
            part_columns, part_data = _shape(content, part)
            if part_columns != columns:
                raise FrameError(
                    f"the increments differ: {part.path!r} has the columns {part_columns}, the other one {columns}",
                    path=source_of(part),
                )
            data += _decoded(artifact, columns, part_data, types)
    return Table.of_file(columns, data, entry, types=document.get("column_types"), rows=None)


def _place(increment: tuple[ManifestEntry, Mapping[str, Any]]) -> tuple[int, int]:
    """Where an increment stands among the others: its number, and the time in its name."""
    entry, document = increment
    number, named = document.get("increment_num"), _INCREMENT.match(entry.path)
    return number if isinstance(number, int) else -1, int(named[1]) if named else -1


def _shape(document: Mapping[str, Any], entry: ManifestEntry) -> tuple[list[str], list[Row]]:
    columns, data = document.get("columns"), document.get("data")
    if not isinstance(columns, list) or not isinstance(data, list):
        raise FrameError(f"{source_of(entry)} has no lists 'columns' and 'data'", path=source_of(entry))
    if not all(isinstance(row, list) for row in data):
        raise FrameError(f"{source_of(entry)} has a row that is no list", path=source_of(entry))
    return [str(name) for name in columns], data


def _types(document: Mapping[str, Any]) -> dict[str, Any]:
    return types_by_column(document.get("column_types"))


def _decoded(artifact: Artifact, columns: list[str], data: list[Row], types: Mapping[str, Any]) -> list[Row]:
    """The rows with times as times, and with the columns that are kept as numpy arrays beside the table."""
    for index, name in enumerate(columns):
        if parameters(types.get(name), "timestamp") is not None:
            for row in data:
                row[index] = to_time(row[index])
        stored = (parameters(types.get(name), "ndarray") or {}).get("serialization_path")
        if stored:
            cells = _read_arrays(artifact, stored)
            if len(cells) != len(data):
                raise FrameError(f"{stored['path']!r} has {len(cells)} cells for the {len(data)} rows of {name!r}")
            for row, cell in zip(data, cells, strict=True):
                row[index] = cell
    return data


def _read_arrays(artifact: Artifact, stored: Mapping[str, Any]) -> list[Any]:
    """The cells of a column that is kept in an ``.npz`` file."""
    import numpy as np

    entry = artifact.manifest.entries.get(stored["path"])
    if entry is None:
        raise FrameError(f"{artifact.qualified_name} lacks {stored['path']!r}, which holds a column of its table")
    with np.load(io.BytesIO(read_bytes(artifact, entry)), allow_pickle=False) as arrays:
        cells: list[Any] = arrays[stored["key"]].tolist()
    return cells
