"""Flattened columns beside the documents that they come from, under the names and in the order asked for.

`flatten` takes every JSON column apart. A scan may want a document's text and its leaves: the text then goes through
flattening as plain text, under a name of its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from runframe.frames.columns import Chosen
from runframe.frames.flatten import flatten
from runframe.frames.frame import Frame
from runframe.frames.names import path_json, split_name
from runframe.frames.predicate import Path
from runframe.frames.schema import PATH, Schema, is_json

if TYPE_CHECKING:
    from collections.abc import Callable

_TEXT = "runframe text of "


class Leaves:
    """The flattened frame of a scan.

    Args:
        declared: the source's schema.
        chosen: the columns asked for.
        types: types of flattened columns that are fixed.
        on_conflict: see `flatten`.
    """

    def __init__(
        self,
        declared: Schema,
        chosen: Chosen,
        types: Mapping[str, Any],
        on_conflict: Literal["json", "null", "error"],
    ) -> None:
        self._declared = declared
        self._chosen = chosen
        self._types = types
        self._on_conflict = on_conflict

    def frame(self, raw: Frame) -> Frame:
        """The columns asked for, of a frame of declared columns."""
        chosen = self._chosen
        if chosen.names is not None:
            return flattened(raw, self._declared, chosen.names, self._types, self._on_conflict)
        whole = flattened(raw, self._declared, None, {}, self._on_conflict, texts=chosen.plain, of=chosen.documents)
        keeps = chosen.keeps
        assert keeps is not None
        return _selected(whole, [name for name in whole.columns if name in chosen.plain or self._keeps(keeps, name)])

    def _keeps(self, keeps: Callable[[str], bool], name: str) -> bool:
        return name not in self._declared and keeps(name)

    def missing(self, flat: Frame) -> list[Path]:
        """The paths asked for by name that had no value in any row."""
        found = {field.name: field for field in flat._schema}
        names = [name for name in self._chosen.names or () if name not in self._declared and name not in self._types]
        return [split_name(name) for name in names if name in found and pa.types.is_null(found[name].type)]


def flattened(
    raw: Frame,
    declared: Schema,
    names: Sequence[str] | None,
    types: Mapping[str, Any],
    on_conflict: Literal["json", "null", "error"] = "json",
    *,
    texts: Sequence[str] = (),
    of: Sequence[str] | None = None,
) -> Frame:
    """Columns of a frame of declared columns, its JSON columns' leaves among them.

    Args:
        raw: the frame.
        declared: the schema that its columns are of.
        names: the columns wanted, in order: declared ones (JSON as text) and leaves; None for all.
        types: types of leaves that are fixed. Where all leaves wanted have one, the frame streams.
        on_conflict: see `flatten`.
        texts: where all are wanted, the JSON columns whose text is wanted too.
        of: where all are wanted, the JSON columns whose leaves are; None for all.
    """
    documents = [field.name for field in raw._schema if is_json(field.type)]
    wanted = [name for name in (texts if names is None else names) if name in documents]
    of = documents if of is None else of
    taken = _with_texts(raw, wanted, [name for name in documents if names is None and name not in of])
    asked = None if names is None else [_TEXT + name if name in wanted else name for name in names]
    leaves = [name for name in names or () if name not in declared]
    known = {name: types[name] for name in leaves if name in types}
    schema: Any = known or None
    if names is not None and len(known) == len(leaves):
        schema = pa.schema([_field(taken, name, known) for name in asked or ()])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="no row has ")  # the scan warns, with names that are near
        found = flatten(taken, None if isinstance(schema, pa.Schema) else asked, schema, on_conflict)
    return _renamed(found, raw)


def _with_texts(raw: Frame, names: Sequence[str], dropped: Sequence[str]) -> Frame:
    """The frame with the text of some JSON columns beside them, and without some others."""
    fields, indices = [], []
    for index, field in enumerate(raw._schema):
        if field.name in names:
            fields.append(pa.field(_TEXT + field.name, field.type.storage_type))
            indices.append((index, True))
        if field.name not in dropped:
            fields.append(field)
            indices.append((index, False))
    if len(fields) == len(raw._schema) and not names:
        return raw
    schema = pa.schema(fields)

    def read() -> Iterator[Any]:
        for batch in raw.to_batches():
            arrays = [batch.column(index).storage if text else batch.column(index) for index, text in indices]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    return Frame(schema, read, lambda: raw.provenance)  # type: ignore[arg-type,return-value]


def _renamed(found: Frame, raw: Frame) -> Frame:
    """The frame with texts of documents as JSON columns again."""
    if not any(name.startswith(_TEXT) for name in found.columns):
        return found
    fields = [
        raw._schema.field(field.name.removeprefix(_TEXT)) if field.name.startswith(_TEXT) else field
        for field in found._schema
    ]
    schema = pa.schema(fields, metadata=found._schema.metadata)

    def read() -> Iterator[Any]:
        for batch in found.to_batches():
            arrays = [
                pa.ExtensionArray.from_storage(field.type, array) if name.startswith(_TEXT) else array
                for name, field, array in zip(batch.schema.names, schema, batch.columns, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    return _like(found, schema, read)


def _selected(found: Frame, names: Sequence[str]) -> Frame:
    if list(names) == found.columns:
        return found
    schema = pa.schema([found._schema.field(name) for name in names], metadata=found._schema.metadata)
    return _like(found, schema, lambda: (batch.select(list(names)) for batch in found.to_batches()))


def _like(found: Frame, schema: Any, read: Callable[[], Iterator[Any]]) -> Frame:
    provenance: Any = lambda: found.provenance  # noqa: E731
    return Frame(schema, read, provenance, lambda: found.conflicts, num_rows=found._num_rows)


def _field(taken: Frame, name: str, types: Mapping[str, Any]) -> Any:
    if name in types:
        return pa.field(name, types[name], metadata={PATH: path_json(split_name(name))})
    return taken._schema.field(name)
