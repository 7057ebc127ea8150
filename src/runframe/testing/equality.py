"""Comparing frames: names, order, exact types, exact values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


def assert_frame_equal(actual: Any, expected: Any, *, ordered: bool = True, check_metadata: bool = False) -> None:
    """Check that two frames hold the same columns, in the same order, of the same types, with the same values.

    Frames of one library are compared by that library's types exactly. Between libraries, what only says how values
    are laid out is ignored: widths of text, lists and dictionary indices, and, against polars or pandas, `arrow.json`,
    which is text there. Null and NaN are different, except where one frame is pandas', which does not tell them apart.

    Args:
        actual: a `runframe.Frame`, a pyarrow table or batch, a polars or pandas frame, or anything else with
            `__arrow_c_stream__`.
        expected: likewise.
        ordered: whether the order of the rows matters. Otherwise they are compared as a bag.
        check_metadata: whether the schemas' metadata (such as provenance) must be equal too.

    Raises:
        AssertionError: they differ; the message names the first column and row that do.
        TypeError: one is not a frame.
    """
    __tracebackhide__ = True
    engines = (_engine(actual), _engine(expected))
    left, right = _table(actual), _table(expected)
    if left.column_names != right.column_names:
        raise AssertionError(f"columns differ\n  actual:   {left.column_names}\n  expected: {right.column_names}")
    if engines[0] == engines[1] != "arrow":
        _check_types(left.column_names, list(actual.dtypes), list(expected.dtypes))
    plain = engines != ("arrow", "arrow")
    types = [
        [_logical(kind, plain) if engines[0] != engines[1] else kind for kind in table.schema.types]
        for table in (left, right)
    ]
    _check_types(left.column_names, *types)
    if check_metadata and left.schema.metadata != right.schema.metadata:
        raise AssertionError(
            f"metadata differ\n  actual:   {left.schema.metadata}\n  expected: {right.schema.metadata}"
        )
    if left.num_rows != right.num_rows:
        raise AssertionError(f"{left.num_rows} rows, expected {right.num_rows}")
    if ordered:
        _check_columns(left, right, nan_is_null="pandas" in engines)
    else:
        _check_bags(left, right, nan_is_null="pandas" in engines)


def _engine(frame: Any) -> str:
    """The library that a frame is of; everything that only speaks Arrow is Arrow's."""
    library = type(frame).__module__.partition(".")[0]
    return library if library in ("polars", "pandas") else "arrow"


def _table(frame: Any) -> pa.Table:
    import pyarrow as pa

    if _engine(frame) == "polars" and hasattr(frame, "collect"):
        frame = frame.collect()
    if isinstance(frame, pa.RecordBatch):
        return pa.Table.from_batches([frame])
    if _engine(frame) == "pandas" and hasattr(frame, "columns"):
        return pa.Table.from_pandas(frame)
    if isinstance(frame, pa.Table) or hasattr(frame, "__arrow_c_stream__"):
        return pa.table(frame)
    raise TypeError(
        f"{type(frame).__name__} is not a frame: expected an Arrow table or stream, or a polars or pandas frame"
    )


def _check_types(names: Sequence[str], left: Sequence[Any], right: Sequence[Any]) -> None:
    __tracebackhide__ = True
    different = [
        f"  {name!r}: {ours}, expected {theirs}"
        for name, ours, theirs in zip(names, left, right, strict=True)
        if ours != theirs
    ]
    if different:
        raise AssertionError("types differ\n" + "\n".join(different))


def _logical(kind: pa.DataType, plain: bool) -> pa.DataType:
    """The type without what only one library's layout says."""
    import pyarrow as pa
    from pyarrow import types

    if isinstance(kind, pa.JsonType) and plain:
        return pa.string()
    if types.is_large_string(kind) or types.is_string_view(kind):
        return pa.string()
    if types.is_large_binary(kind) or types.is_binary_view(kind):
        return pa.binary()
    if types.is_dictionary(kind):
        return pa.dictionary(pa.int32(), _logical(kind.value_type, plain))
    if types.is_list(kind) or types.is_large_list(kind):
        return pa.list_(_logical(kind.value_type, plain))
    if types.is_struct(kind):
        return pa.struct([(field.name, _logical(field.type, plain)) for field in kind])
    return kind


def _check_columns(left: pa.Table, right: pa.Table, *, nan_is_null: bool) -> None:
    __tracebackhide__ = True
    for name, ours, theirs in zip(left.column_names, left.columns, right.columns, strict=True):
        if ours.type == theirs.type and ours.equals(theirs):
            continue
        for row, (one, other) in enumerate(zip_longest(ours.to_pylist(), theirs.to_pylist())):
            if not _same(one, other, nan_is_null):
                raise AssertionError(f"column {name!r} differs in row {row}: {one!r}, expected {other!r}")


def _check_bags(left: pa.Table, right: pa.Table, *, nan_is_null: bool) -> None:
    __tracebackhide__ = True
    missing = Counter(repr(_key(row, nan_is_null)) for row in right.to_pylist())
    for row in left.to_pylist():
        key = repr(_key(row, nan_is_null))
        if not missing[key]:
            raise AssertionError(f"a row that was not expected, or too often: {row!r}")
        missing[key] -= 1


def _key(value: Any, nan_is_null: bool) -> Any:
    """A form in which equal values are equal, NaN too."""
    if isinstance(value, float):
        return None if nan_is_null and value != value else repr(value + 0.0)  # no minus at a zero
    if isinstance(value, Mapping):
        return [(name, _key(item, nan_is_null)) for name, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [_key(item, nan_is_null) for item in value]
    return (type(value), value) if value is not None else None


def _same(left: Any, right: Any, nan_is_null: bool) -> bool:
    return bool(_key(left, nan_is_null) == _key(right, nan_is_null))
