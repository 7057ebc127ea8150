"""Lists that the documentation promises as lists, and that are columns as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from runframe.frames.batches import to_batch
from runframe.frames.schema import Schema
from runframe.resources.node import Node

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from runframe.frames.frame import Frame
    from runframe.frames.provenance import Provenance

T = TypeVar("T")
N = TypeVar("N", bound=Node)


class FramedList(list[T]):
    """A list with the columns of what it lists.

    ``to_batches()``, ``to_arrow()``, ``to_polars()``, ``to_pandas()`` and the Arrow stream interface give them. What
    takes lists of its own accord (`polars.DataFrame`, `pyarrow.table`) looks at the list first.
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


class Listed(FramedList[N]):
    """A list of objects, whole when it is made, whose columns are those objects' fields; nothing is asked for them.

    Args:
        objects: the objects.
        source: what they belong to, for the provenance of a frame.
    """

    def __init__(self, objects: Sequence[N] = (), source: str | None = None) -> None:
        super().__init__(objects)
        self._source = source

    def _context(self) -> Mapping[str, Any]:
        """Column values that hold for every row."""
        return {}

    def _frame(self, columns: Sequence[str] | None) -> Frame:
        from runframe.frames.frame import Frame

        schema = self.SCHEMA if columns is None else self.SCHEMA.select(columns)
        return Frame(schema.arrow, lambda: self._batches(schema), self._provenance)

    def _batches(self, schema: Schema) -> Iterator[pa.RecordBatch]:
        yield to_batch(schema, [item._attrs for item in self], self._context())

    def _provenance(self) -> Provenance:
        from runframe.frames.provenance import Provenance

        return Provenance("complete", source=self._source)
