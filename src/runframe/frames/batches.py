"""Nodes to a record batch of a fixed schema.

Whatever the nodes hold, the batch has the schema that was declared: what is missing is null, and a value of another
type than declared is an error that names the column and the row. Types are never guessed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from runframe import extjson
from runframe.errors import FrameError
from runframe.frames.schema import Column, Schema, is_json, type_name

Node = Mapping[str, Any]


def to_batch(
    schema: Schema,
    nodes: Sequence[Node],
    context: Mapping[str, Any] | None = None,
    *,
    path_of: Callable[[Node], str | None] | None = None,
) -> Any:
    """The record batch of some nodes.

    Args:
        schema: the columns.
        nodes: the objects of a page, as decoded from the server's answer; one row each, in order.
        context: values that hold for the whole page, by column name (say, entity and project): they stand in every
            row of that column. Names of columns that the schema lacks are passed over.
        path_of: names a node for error messages, as in "entity/project/run"; else rows are named by their number.

    Returns:
        A `pyarrow.RecordBatch` with ``len(nodes)`` rows and exactly ``schema.arrow``. Times are read from ISO 8601
        text (or taken from `datetime`); a time without a zone is UTC, and what is finer than a microsecond is cut
        off. JSON columns keep the text they get, byte for byte; values that are already decoded become compact
        extended JSON.

    Raises:
        FrameError: a value does not fit its column; `.path` is the row's path.
    """
    given = context or {}
    arrays = []
    for column in schema:
        try:
            is_given = column.name in given
            values = [given[column.name]] * len(nodes) if is_given else _extract(nodes, column.steps)
            arrays.append(_array(column, values))
        except _Misfit as misfit:
            raise _error(schema, column, misfit, nodes[misfit.row], path_of) from misfit.__cause__
    return pa.RecordBatch.from_arrays(arrays, schema=schema.arrow)


def parse_time(text: str) -> datetime:
    """A time from ISO 8601 text, in UTC; without a zone it is taken as UTC, beyond microseconds it is cut off.

    Raises:
        ValueError: the text is no ISO 8601 time.
    """
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class _Misfit(Exception):
    """A value that does not fit its column; carries the row's number within the page."""

    def __init__(self, row: int, value: Any) -> None:
        super().__init__()
        self.row = row
        self.value = value


def _extract(nodes: Sequence[Node], steps: tuple[str, ...]) -> list[Any]:
    """The value at a path of field names in each node; null where a step is missing or null."""
    values: list[Any] = [node.get(steps[0]) for node in nodes]
    for step in steps[1:]:
        values = [_step(value, step, row) for row, value in enumerate(values)]
    return values


def _step(value: Any, step: str, row: int) -> Any:
    if value is None:
        return None
    if not isinstance(value, Mapping):  # it would be lost without a word
        raise _Misfit(row, value)
    return value.get(step)


def _array(column: Column, values: list[Any]) -> Any:
    if column.convert is not None:
        values = [_converted(column.convert, value, row) for row, value in enumerate(values)]
    type_ = column.type
    if is_json(type_):
        texts = [_document(value, row) for row, value in enumerate(values)]
        return pa.ExtensionArray.from_storage(type_, _build(texts, type_.storage_type))
    if pa.types.is_timestamp(type_):
        return _build([_moment(value, row) for row, value in enumerate(values)], type_)
    plain = type_.value_type if pa.types.is_dictionary(type_) else type_
    _check(values, plain)
    array = _build(values, plain)
    if pa.types.is_dictionary(type_):
        array = array.dictionary_encode()
        return array if array.type == type_ else array.cast(type_)
    return array


def _converted(convert: Callable[[Any], Any], value: Any, row: int) -> Any:
    if value is None:
        return None
    try:
        return convert(value)
    except (TypeError, ValueError, KeyError, AttributeError, IndexError) as error:
        raise _Misfit(row, value) from error


def _document(value: Any, row: int) -> str | None:
    """The text of a JSON document: as it came, or written out if it came decoded."""
    if value is None or isinstance(value, str):
        return value
    try:
        return extjson.dumps(value)
    except (TypeError, ValueError) as error:
        raise _Misfit(row, value) from error


def _moment(value: Any, row: int) -> datetime | None:
    if value is None:
        return None
    try:
        if isinstance(value, datetime):
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return parse_time(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise _Misfit(row, value) from error


def _check(values: list[Any], type_: Any) -> None:
    """Refuses what Arrow would convert without a word: true to 1, 1.0 to 1, bytes to text."""
    allowed = _allowed(type_)
    if allowed is None or set(map(type, values)) <= allowed:
        return
    for row, value in enumerate(values):
        if type(value) not in allowed:
            raise _Misfit(row, value)


def _allowed(type_: Any) -> frozenset[type] | None:
    nothing = type(None)
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return frozenset({str, nothing})
    if pa.types.is_boolean(type_):
        return frozenset({bool, nothing})
    if pa.types.is_integer(type_):
        return frozenset({int, nothing})
    if pa.types.is_floating(type_):
        return frozenset({int, float, nothing})
    if pa.types.is_list(type_):
        return frozenset({list, tuple, nothing})
    return None


_ARROW_REFUSALS = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, UnicodeError)


def _build(values: list[Any], type_: Any) -> Any:
    try:
        return pa.array(values, type_)
    except _ARROW_REFUSALS:
        for row, value in enumerate(values):
            try:
                pa.array([value], type_)
            except _ARROW_REFUSALS as error:
                raise _Misfit(row, value) from error
        raise


def _error(
    schema: Schema, column: Column, misfit: _Misfit, node: Node, path_of: Callable[[Node], str | None] | None
) -> FrameError:
    path = path_of(node) if path_of is not None else None
    where = path or f"row {misfit.row}"
    shown = repr(misfit.value)
    shown = shown if len(shown) <= 80 else shown[:77] + "…"
    return FrameError(
        f"{schema.name}: column {column.name!r} of {where} holds {shown} ({type(misfit.value).__name__}), "
        f"expected {type_name(column.type)}",
        path=path,
    )
