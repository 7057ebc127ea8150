"""Arrow tables to pandas, without losing integers on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from runframe.errors import FrameError

if TYPE_CHECKING:
    import pandas as pd

Backend = Literal["numpy_nullable", "pyarrow"]


def to_pandas(table: Any, backend: Backend | None = None) -> pd.DataFrame:
    """The table as a `pandas.DataFrame`; see `Frame.to_pandas` for the types.

    Raises:
        FrameError: the backend is none of those.
    """
    import pandas as pd

    if backend == "pyarrow":
        return _frame(table.to_pandas(types_mapper=pd.ArrowDtype, ignore_metadata=True))
    if backend == "numpy_nullable":
        return _frame(table.to_pandas(types_mapper=_nullable().get, ignore_metadata=True))
    if backend is not None:
        raise FrameError(f"dtype_backend must be 'numpy_nullable', 'pyarrow' or None, not {backend!r}")
    # NumPy has no null for these two: an integer would become a float, a boolean an object.
    nullable = _nullable()
    holed = {
        name: nullable[column.type]
        for name, column in zip(table.column_names, table.columns, strict=True)
        if column.null_count and (pa.types.is_integer(column.type) or pa.types.is_boolean(column.type))
    }
    return _frame(_by_column(table, holed))


def _by_column(table: Any, dtypes: dict[str, Any]) -> Any:
    """Converts the named columns to the dtypes given, the others as pandas does by default."""
    import pandas as pd

    rest = table.drop_columns(list(dtypes)).to_pandas(ignore_metadata=True)
    if not dtypes:
        return rest
    series = {name: dtype.__from_arrow__(table.column(name)) for name, dtype in dtypes.items()}
    parts = {name: series[name] if name in series else rest[name] for name in table.column_names}
    return pd.DataFrame(parts, index=rest.index)


def _nullable() -> dict[Any, Any]:
    import pandas as pd

    return {
        pa.bool_(): pd.BooleanDtype(),
        pa.int8(): pd.Int8Dtype(),
        pa.int16(): pd.Int16Dtype(),
        pa.int32(): pd.Int32Dtype(),
        pa.int64(): pd.Int64Dtype(),
        pa.uint8(): pd.UInt8Dtype(),
        pa.uint16(): pd.UInt16Dtype(),
        pa.uint32(): pd.UInt32Dtype(),
        pa.uint64(): pd.UInt64Dtype(),
        pa.float32(): pd.Float32Dtype(),
        pa.float64(): pd.Float64Dtype(),
        pa.string(): pd.StringDtype(),
    }


def _frame(found: Any) -> pd.DataFrame:
    import pandas as pd

    assert isinstance(found, pd.DataFrame)
    return found
