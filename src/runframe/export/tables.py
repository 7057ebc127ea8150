"""One table of a dataset: a frame becomes Parquet files."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from runframe.frames import Frame, ParquetSink
from runframe.frames.schema import is_json
from runframe.frames.storage import plain_array, plain_schema

# A file ends after the batch that takes it past this size in memory: a few hundred MB on disk.
FILE_BYTES = 2**30

JSON_TEXT = b"runframe.json"
"""The field metadata of a column that holds JSON text."""


@dataclass(frozen=True)
class TableFile:
    """One Parquet file: its path inside the dataset, its rows, its size and its digest."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass
class Table:
    """What was written of one table.

    Attributes:
        name: the table's folder.
        columns: the columns' types, as text.
        files: in the order of their rows.
        conflicts: the columns whose values' types disagreed, as dicts with the columns of `Frame.conflicts`.
        content: a digest of what it was made of.
        kept: whether the files are those of the dataset before.
    """

    name: str
    columns: dict[str, str]
    files: list[TableFile] = field(default_factory=list)
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    content: str = ""
    kept: bool = False

    @classmethod
    def of_description(cls, name: str, described: Mapping[str, Any]) -> Table:
        """A table that a manifest tells of."""
        files = [TableFile(**file) for file in described["files"]]
        return cls(name, described["columns"], files, described["conflicts"], described.get("content", ""), kept=True)

    @property
    def rows(self) -> int:
        """The rows of all files."""
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(file.bytes for file in self.files)

    def described(self) -> dict[str, Any]:
        """The table as the manifest tells of it."""
        return {
            "rows": self.rows,
            "bytes": self.bytes,
            "content": self.content,
            "columns": self.columns,
            "files": [vars(file) for file in self.files],
            "conflicts": self.conflicts,
        }


def stored_schema(schema: Any) -> Any:
    """The schema of a table as its files hold it.

    Text is plain text, so that the tables join and filter alike in every reader. JSON gets the field metadata
    `runframe.json`: polars 2.1 would read the extension type `arrow.json` as an opaque column that its string
    functions refuse. Dictionary types are left to Parquet, which encodes text so anyway: polars would read them as
    categories, and not join `run_id` with `id`.
    """
    marked = [
        each.with_metadata({**(each.metadata or {}), JSON_TEXT: b"true"}) if is_json(each.type) else each
        for each in schema
    ]
    plain = plain_schema(pa.schema(marked, metadata=schema.metadata))
    decoded = [each.with_type(each.type.value_type) if pa.types.is_dictionary(each.type) else each for each in plain]
    return pa.schema(decoded, metadata=plain.metadata)


def write_table(folder: Path, name: str, frame: Frame, content: str = "") -> Table:
    """Write a frame as Parquet files (zstd) in `folder/name`, never holding more than a row group.

    A file's name ends in a few digits of its digest: a name never stands for other content than before, so whoever
    has listed the files of one dataset does not read those of the next one among them.

    Returns:
        What was written. A frame without rows gives one file with the schema alone.
    """
    stored = stored_schema(frame.schema)
    table = Table(name, {each.name: str(each.type) for each in stored}, content=content)
    batches = stored_batches(frame, stored)
    batch = next(batches, None)
    while batch is not None or not table.files:
        path = folder / name / f"{name}-{len(table.files):05d}.parquet"
        held = 0
        with ParquetSink(path, stored) as sink:
            while batch is not None and held < FILE_BYTES:
                sink.write(batch)
                held += batch.nbytes
                batch = next(batches, None)
            if batch is None:
                sink.annotate(frame.schema.metadata)  # only now it has counted its rows
        digest = _digest(path)
        path = path.rename(path.with_name(f"{path.stem}-{digest[:8]}.parquet"))
        table.files.append(TableFile(path.relative_to(folder).as_posix(), sink.rows, sink.bytes, digest))
    table.conflicts = frame.conflicts.to_pylist()
    return table


def kept_table(old: Path, new: Path, name: str, described: Mapping[str, Any]) -> Table | None:
    """A table of the dataset before, linked into the next one; None where its files are not as they were written."""
    table = Table.of_description(name, described)
    for file in table.files:
        try:
            if (old / file.path).stat().st_size != file.bytes:
                return None
        except OSError:
            return None
    for file in table.files:
        target = new / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(old / file.path, target)
        except OSError:  # a file system without links
            shutil.copy2(old / file.path, target)
    return table


def stored_batches(frame: Frame, stored: Any) -> Iterator[Any]:
    """The batches of a frame as a table's files hold them."""
    for batch in frame.to_batches():
        yield pa.RecordBatch.from_arrays([_stored(array) for array in batch.columns], schema=stored)


def decoded_schema(schema: Any) -> Any:
    """The schema with text in place of dictionaries: what can be stored batch by batch; JSON stays JSON."""
    decoded = [each.with_type(each.type.value_type) if pa.types.is_dictionary(each.type) else each for each in schema]
    return pa.schema(decoded, metadata=schema.metadata)


def decoded_batch(batch: Any) -> Any:
    """The batch of `decoded_schema`."""
    arrays = [each.dictionary_decode() if pa.types.is_dictionary(each.type) else each for each in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, schema=decoded_schema(batch.schema))


def _stored(array: Any) -> Any:
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else plain_array(array)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
