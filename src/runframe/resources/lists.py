"""Lists that the documentation promises as lists, and that are columns as well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from runframe.frames.schema import Schema

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from runframe.frames.frame import Frame

T = TypeVar("T")


class FramedList(list[T]):
    """A list with the columns of what it lists.

    ``to_batches()``, ``to_arrow()``, ``to_polars()``, ``to_pandas()`` and the Arrow stream interface give them.
    """

    SCHEMA: ClassVar[Schema]

    def _frame(self, columns: Sequence[str] | None) -> Frame:
        raise NotImplementedError

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the batches; each field's metadata says what it means."""
        return self.SCHEMA.arrow

    def to_batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Record batches.

        Args:
            columns: names of columns, in the order wanted; None for all of them.

        Raises:
            UsageError: there is no such column.
        """
        return iter(self._frame(columns).to_batches())

    def to_arrow(self, columns: Sequence[str] | None = None) -> pa.Table:
        """A `pyarrow.Table`; see `to_batches`."""
        return self._frame(columns).to_arrow()

    def to_polars(self, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """A polars frame, JSON documents as text; see `to_batches`."""
        return self._frame(columns).to_polars()

    def to_pandas(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """A pandas frame; see `to_batches`."""
        return self._frame(columns).to_pandas()

    def __arrow_c_schema__(self) -> Any:
        return self.SCHEMA.arrow.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._frame(None).__arrow_c_stream__(requested_schema)
