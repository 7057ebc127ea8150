"""Text columns that hold JSON: what tables of other libraries have instead of the type ``arrow.json``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import pyarrow as pa

from runframe import extjson
from runframe.frames.documents import is_text
from runframe.frames.names import split_name

LOOK = 10_000
"""Rows of a stream that can be read only once in which the first value of a column is looked for."""


def text_documents(source: Any, names: Iterable[str]) -> tuple[Any, Sequence[str] | None]:
    """The source, to be read from its start, and its text columns that hold JSON documents.

    Args:
        source: a frame, or a reader that can be read once.
        names: columns asked for. One that lies in a text column makes that a document.

    Returns:
        The columns whose first value is a JSON object, or that were named so. None where there are none, and where
        the source has columns of type ``arrow.json``: then it says itself what is JSON.
    """
    schema = source.schema
    texts = [index for index, field in enumerate(schema) if is_text(field.type)]
    if not texts or any(isinstance(field.type, pa.JsonType) for field in schema):
        return source, None
    once = isinstance(source, pa.RecordBatchReader)
    kept: list[Any] = []
    first: dict[int, str] = {}
    rows = 0
    for batch in source if once else source.to_batches():
        if once:
            kept.append(batch)
        rows += batch.num_rows
        for index in texts:
            column = batch.column(index)
            if index not in first and column.null_count < len(column):
                first[index] = column[column.is_valid().index(True).as_py()].as_py()
        if len(first) == len(texts) or (once and rows >= LOOK):
            break
    if once:
        source = pa.RecordBatchReader.from_batches(schema, chain(kept, source))
    named = {split_name(name)[0] for name in names if name not in schema.names}
    found = [schema[index].name for index in texts if schema[index].name in named or _is_object(first.get(index))]
    return source, found or None


def _is_object(text: str | None) -> bool:
    if text is None or not text.lstrip().startswith("{"):
        return False
    try:
        return isinstance(extjson.loads(text), dict)
    except ValueError:
        return False
