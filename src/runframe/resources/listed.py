"""Lists that are columns as well: what the documentation says comes as a list, and comes at once."""

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

N = TypeVar("N", bound=Node)


class Listed(list[N]):
    """A plain list of objects, whole when it is made, that is a table with the fixed schema `SCHEMA` too.

    The columns are made of what the list holds at that moment; nothing is asked of the server. It speaks the Arrow
    stream interface, but what takes lists of its own accord (`polars.DataFrame`, `pyarrow.table`) looks at the list
    first: `to_polars` and its like give the table.

    Args:
        objects: the objects.
        source: what they belong to, for the provenance of a frame.
    """

    SCHEMA: ClassVar[Schema]

    def __init__(self, objects: Sequence[N] = (), source: str | None = None) -> None:
        super().__init__(objects)
        self._source = source

    def _context(self) -> Mapping[str, Any]:
        """Column values that hold for every row."""
        return {}

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the batches; each field's metadata says what it means."""
        return self.SCHEMA.arrow

    def to_batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The objects as one record batch.

        Args:
            columns: names of columns, in the order wanted; None for all of them.

        Raises:
            UsageError: there is no such column.
        """
        return self._batches(self._chosen(columns))

    def to_arrow(self, columns: Sequence[str] | None = None) -> pa.Table:
        """The objects as a `pyarrow.Table`; see `to_batches`."""
        return self._table(columns).to_arrow()

    def to_polars(self, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """The objects as a polars frame; see `to_batches`."""
        return self._table(columns).to_polars()

    def to_pandas(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """The objects as a pandas frame; see `to_batches`."""
        return self._table(columns).to_pandas()

    def __arrow_c_schema__(self) -> Any:
        return self.SCHEMA.arrow.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table(None).__arrow_c_stream__(requested_schema)

    def _chosen(self, columns: Sequence[str] | None) -> Schema:
        return self.SCHEMA if columns is None else self.SCHEMA.select(columns)

    def _batches(self, schema: Schema) -> Iterator[pa.RecordBatch]:
        yield to_batch(schema, [item._attrs for item in self], self._context())

    def _table(self, columns: Sequence[str] | None) -> Frame:
        from runframe.frames.frame import Frame

        schema = self._chosen(columns)
        return Frame(schema.arrow, lambda: self._batches(schema), self._provenance)

    def _provenance(self) -> Provenance:
        from runframe.frames.provenance import Provenance

        return Provenance("complete", source=self._source)
