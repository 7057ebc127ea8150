"""Lists that the documentation promises as lists, and that are columns as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from runframe.frames.batches import to_batch
from runframe.frames.scan import Opened, Request, Scan
from runframe.frames.scannable import Scannable
from runframe.frames.schema import Schema
from runframe.resources.node import Node

if TYPE_CHECKING:
    import pyarrow as pa

    from runframe.frames.columns import Columns
    from runframe.frames.frame import Frame
    from runframe.frames.provenance import Provenance

T = TypeVar("T")
N = TypeVar("N", bound=Node)


class FramedList(list[T], Scannable):
    """A list with the columns of what it lists.

    `scan`, ``to_batches()``, ``to_arrow()``, ``to_polars()`` and the rest of `Scannable` give them. What takes lists
    of its own accord (`polars.DataFrame`, `pyarrow.table`) looks at the list first.
    """

    SCHEMA: ClassVar[Schema]

    def _frame(self, columns: Sequence[str] | None) -> Frame:
        raise NotImplementedError

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the batches; each field's metadata says what it means."""
        return self.SCHEMA.arrow

    def scan(
        self,
        columns: Columns = None,
        where: Any = None,
        limit: int | None = None,
        *,
        schema: Mapping[str, Any] | None = None,
    ) -> Scan:
        """Some columns and rows; see `Collection.scan`.

        Raises:
            UsageError: there is no such column, or the condition is none.
        """
        return Scan(self, self.SCHEMA, columns, where, limit, schema=schema)

    def open_scan(self, request: Request) -> Opened:
        """The stream for a request of a scan."""
        frame = self._frame(request.columns)
        return Opened(frame.to_batches, lambda: frame.provenance)


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
