"""Flattening as slowly and plainly as it can be said, from the table in the design; and sources to flatten."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pyarrow as pa

JSON = pa.json_()
NONFINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def text_of(value: Any) -> str:
    """JSON text as servers send it: with NaN tokens, half surrogates escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def source_of(
    documents: Sequence[Any], *, kind: str | None = None, splits: Iterable[int] = (), name: str = "doc"
) -> Any:
    """A table of documents (None for a null), in batches that end at the splits."""
    texts = pa.array([None if found is None else text_of(found) for found in documents], pa.string())
    metadata = None if kind is None else {b"runframe.document": kind.encode()}
    schema = pa.schema([pa.field("id", pa.string()), pa.field(name, JSON, metadata=metadata)])
    ids = pa.array([f"r{row}" for row in range(len(documents))], pa.string())
    whole = pa.RecordBatch.from_arrays([ids, pa.ExtensionArray.from_storage(JSON, texts)], schema=schema)
    ends = [0, *sorted({min(end, len(documents)) for end in splits}), len(documents)]
    batches = [whole.slice(start, end - start) for start, end in pairwise(ends)]
    return pa.Table.from_batches(batches, schema)


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterable[tuple[tuple[str, ...], Any]]:
    """The leaves of a document: what is no object, an empty object, or an object with a ``_type``."""
    if isinstance(value, dict) and (not path or (value and not typed(value))):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    else:
        yield path, value


def typed(value: Any) -> bool:
    """Whether an object is one of media, table, histogram."""
    return isinstance(value, dict) and isinstance(value.get("_type"), str) and encodable(value["_type"])


def encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def unwrapped(document: Any) -> Any:
    """A config without wrappers and without ``_wandb``."""
    if not isinstance(document, dict):
        return document
    return {
        key: entry["value"] if isinstance(entry, dict) and entry.keys() | {"desc"} == {"value", "desc"} else entry
        for key, entry in document.items()
        if key != "_wandb"
    }


def flattened(documents: Sequence[Any], prefix: tuple[str, ...]) -> dict[tuple[str, ...], tuple[Any, list[Any]]]:
    """By path, sorted: the Arrow type and the values of each column."""
    seen: dict[tuple[str, ...], list[Any]] = {}
    for row, document in enumerate(documents):
        for path, value in leaves(document):
            if document is not None:
                seen.setdefault((*prefix, *path), [None] * len(documents))[row] = value
    inner = {path[:depth] for path in seen for depth in range(len(path))}
    columns = {}
    for path in sorted(seen):
        values = seen[path]
        if all(value is None for value in values) and path in inner:
            continue  # null where other rows have an object
        type_ = decide([value for value in values if value is not None])
        columns[path] = (type_, [None if value is None else into(value, type_) for value in values])
    return columns


def decide(values: list[Any]) -> Any:
    """The type of a column, from the table."""
    kinds = {sort(value) for value in values}
    if not kinds:
        return pa.null()
    if kinds == {"bool"}:
        return pa.bool_()
    if kinds <= {"int", "wide"}:
        return pa.int64()
    if kinds <= {"bool", "int", "float", "nonfinite"} and kinds & {"int", "float"}:
        return pa.float64()
    if kinds <= {"text", "nonfinite"}:
        return pa.string()
    if kinds == {"list"}:
        item = decide([item for value in values for item in value if item is not None])
        return JSON if item == JSON else pa.list_(item)
    if len(kinds) == 1 and next(iter(kinds)).startswith("struct "):
        names = {name for value in values for name in value}
        own = [pa.field("_type", pa.string())]
        types = {
            name: decide([value[name] for value in values if value.get(name) is not None]) for name in names - {"_type"}
        }
        return pa.struct([*own, *(pa.field(field(name), types[name]) for name in sorted(types))])
    return JSON


def sort(value: Any) -> str:
    """The sort of a value, in the words of the table."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if abs(value) <= 2**53 else "wide" if -(2**63) <= value < 2**63 else "huge"
    if isinstance(value, float):
        return "float"
    if isinstance(value, str):
        return "nonfinite" if value in NONFINITE else "text" if encodable(value) else "broken"
    if isinstance(value, list):
        return "list"
    return f"struct {value['_type']}" if typed(value) else "object"


def into(value: Any, type_: Any) -> Any:
    """A value as a column of that type gives it back."""
    if value is None:
        return None
    if type_ == JSON:
        return json.loads(text_of(without_nulls(value)))
    if pa.types.is_floating(type_):
        return NONFINITE[value] if isinstance(value, str) else float(value)
    if pa.types.is_list(type_):
        return [into(item, type_.value_type) for item in value]
    if pa.types.is_struct(type_):
        return {found.name: into(value.get(key(found.name)), found.type) for found in type_}
    return value


def without_nulls(value: Any) -> Any:
    """A typed object without its null fields: null and missing are one in a struct. Elsewhere JSON text keeps nulls."""
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    if typed(value):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


def read(frame: Any) -> dict[tuple[str, ...], tuple[Any, list[Any]]]:
    """A flattened frame's columns by path, with JSON columns decoded."""
    table = frame.to_arrow()
    columns = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        path = (field.metadata or {}).get(b"runframe.path")
        if path is not None:
            columns[tuple(json.loads(path))] = (field.type, [given(value, field.type) for value in column.to_pylist()])
    return columns


def given(value: Any, type_: Any) -> Any:
    """A value as Arrow gives it, with JSON decoded."""
    if value is None:
        return None
    if type_ == JSON:
        return json.loads(value)
    if pa.types.is_list(type_):
        return [given(item, type_.value_type) for item in value]
    if pa.types.is_struct(type_):
        return {found.name: given(value[found.name], found.type) for found in type_}
    return value


def rebuilt(columns: Mapping[tuple[str, ...], tuple[Any, list[Any]]], row: int, prefix: int) -> Any:
    """The document of one row, from its columns."""
    document: Any = {}
    for path, (_, values) in columns.items():
        value = values[row]
        if value is None:
            continue
        if len(path) == prefix:
            return back(value)
        place = document
        for step in path[prefix:-1]:
            place = place.setdefault(step, {})
        place[path[-1]] = back(value)
    return document


def back(value: Any) -> Any:
    """A value as it stood in the document: without null fields, and with a struct's fields under their keys."""
    value = without_nulls(value)
    return {key(name): item for name, item in value.items()} if typed(value) else value


def field(key: str) -> str:
    """The name of a struct's field, for the one odd key that the tests use."""
    return key.replace("\x00", r"\{0000}").replace("\ud800", r"\{d800}")


def key(field: str) -> str:
    """The key of a struct's field."""
    return field.replace(r"\{0000}", "\x00").replace(r"\{d800}", "\ud800")


def canonical(value: Any) -> Any:
    """A form in which NaN equals NaN, and a bool or an int its double."""
    if isinstance(value, dict):
        return ("object", tuple(sorted((key, canonical(item)) for key, item in value.items())))
    if isinstance(value, list):
        return ("list", tuple(canonical(item) for item in value))
    if isinstance(value, str):
        return ("text", value)
    if value is None:
        return ("null",)
    return ("number", repr(float(value)) if value != value or abs(value) == math.inf else value)
