"""DuckDB: a scan as a `pyarrow.dataset.Dataset`, the form in which DuckDB hands over columns and filters.

DuckDB takes any subclass of `Dataset`, asks it for its `schema`, and calls `scanner` with the columns and the filter of
a query. It trusts the filter and does not check it again, and it may leave the filter's columns out of the columns: a
scan applies the filter exactly, so both are right here. What is handed back is read as DuckDB goes on, so a query with
a limit stops asking.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pyarrow as pa

from runframe.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from runframe.frames.frame import Frame
    from runframe.frames.provenance import Provenance
    from runframe.frames.scan import Scan

T = TypeVar("T")


def connect() -> Any:
    """A new connection, in memory.

    Raises:
        UnsupportedError: DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError as error:
        raise UnsupportedError("this needs DuckDB: pip install 'runframe[duckdb]'") from error
    return duckdb.connect()


def as_dataset(scan: Scan) -> Scan:
    """The scan as a `pyarrow.dataset.Dataset`, which it is from the moment that DuckDB is loaded."""
    return scan.scan()


def faced(kind: type[T]) -> type[T]:
    """The class of which a new object is made: a `pyarrow.dataset.Dataset` too, where DuckDB is loaded.

    DuckDB knows a dataset by its class. Loading that class loads pandas, so it is only done where it can be of use.
    """
    if sys.modules.get("duckdb") is None or hasattr(kind, "_plain_kind"):
        return kind
    found: type[T] = _faced(cast("Any", kind))
    return found


def plain_kind(kind: type[T]) -> type[T]:
    """The class itself, of a class that `faced` may have given."""
    found: type[T] = getattr(kind, "_plain_kind", kind)
    return found


class Notes:
    """What was read of a dataset, for whoever handed it to an engine.

    Attributes:
        failure: the last error; engines keep only its text.
        frames: what was read.
    """

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.frames: list[Frame] = []

    def provenance(self) -> list[Provenance]:
        """What the frames say of themselves."""
        return [found for frame in self.frames if (found := frame.provenance) is not None]


def noted(dataset: Any) -> Notes:
    """The notes on a dataset, taken from the first call on."""
    found: Notes = vars(dataset).setdefault("_notes", Notes())
    return found


class _Reading:
    """What `scanner` gives: the part of `pyarrow.dataset.Scanner` that engines use, read lazily."""

    def __init__(self, frame: Frame, notes: Notes | None) -> None:
        self._frame = frame
        self._notes = notes
        if notes is not None:
            notes.frames.append(frame)

    @property
    def projected_schema(self) -> Any:
        return self._frame.schema

    def to_reader(self) -> Any:
        return pa.RecordBatchReader.from_batches(self._frame.schema, self._read())

    def _read(self) -> Iterator[Any]:
        try:
            yield from self._frame.to_batches()
        except Exception as error:
            if self._notes is not None:
                self._notes.failure = error
            raise

    def to_table(self) -> Any:
        return self._frame.to_arrow()

    def to_batches(self) -> Any:
        return self._frame.to_batches()

    def head(self, num_rows: int) -> Any:
        return self.to_table().slice(0, num_rows)

    def count_rows(self) -> int:
        return self._frame.num_rows


def scanner(dataset: Any, columns: Any, filter: Any) -> Any:
    """What a dataset's `scanner` gives for some columns (None: all) and an Arrow expression."""
    scan: Scan = dataset if hasattr(dataset, "narrowed") else dataset.scan()
    if isinstance(columns, dict):
        import pyarrow.dataset as ds

        table = scan.narrowed(None, filter, None).frame().to_arrow()
        return ds.dataset(table).scanner(columns=columns)
    narrowed = scan.narrowed(None if columns is None else list(columns), filter, None)
    return _Reading(narrowed.frame(), vars(dataset).get("_notes"))


@cache
def _faced(kind: Any) -> Any:
    import pyarrow.dataset as ds

    def scan_for(self: Any, columns: Any = None, filter: Any = None, **options: Any) -> Any:
        return scanner(self, columns, filter)

    def to_batches(
        self: Any, columns: Any = None, *, where: Any = None, limit: int | None = None, filter: Any = None, **_: Any
    ) -> Iterator[Any]:
        found: Iterator[Any] = kind.to_batches(self, columns, where=[where, filter], limit=limit)
        return found

    space = {
        "__doc__": kind.__doc__,
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "_plain_kind": kind,
        "scanner": scan_for,
        "to_batches": to_batches,
        **{name: _absent(name) for name in _ARROWS_OWN if not hasattr(kind, name)},
    }
    return type(kind.__name__, (kind, ds.Dataset), space)


_ARROWS_OWN = ("filter", "get_fragments", "join", "join_asof", "partition_expression", "replace_schema", "sort_by")
"""Of a dataset, what reaches past `scanner` into Arrow's own object, which a scan has not."""


def _absent(name: str) -> property:
    def refuse(self: Any) -> Any:
        raise AttributeError(f"{type(self).__name__} has no {name}", name=name, obj=self)

    return property(refuse)
