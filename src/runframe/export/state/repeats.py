"""Rows that came twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from runframe.export.state.catalog import PartRecord
from runframe.export.state.parts import PartWriter, read_part
from runframe.frames.storage import plain_array


def without_repeats(root: Path, schema: Any, part: PartRecord) -> PartRecord:
    """The part without rows that are equal to the one before, unless the server counted these too.

    A proxy that repeats a part of an answer is no reason to hold rows twice; but rows that are equal because they were
    logged so are counted so, and stay.
    """
    if part.file is None or part.counted is None:
        return part
    kept = sum(batch.num_rows for batch in _distinct(root, part.file))
    if kept < part.counted or kept == part.rows:
        return part
    with PartWriter(root, part.table, part.storage_id, part.stamp, schema) as writer:
        for batch in _distinct(root, part.file):
            writer.write(batch)
        writer.commit()
    (root / part.file).unlink(missing_ok=True)
    return replace(part, file=writer.name, rows=writer.rows, bytes=writer.bytes, digest=writer.digest)


def _distinct(root: Path, file: str) -> Iterator[Any]:
    before: dict[str, Any] | None = None
    for batch in read_part(root, file):
        keep = []
        plain = pa.RecordBatch.from_arrays([plain_array(each) for each in batch.columns], names=batch.schema.names)
        for row in plain.to_pylist():
            keep.append(row != before)
            before = row
        yield batch.filter(pa.array(keep, pa.bool_()))
