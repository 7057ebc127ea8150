"""What every scan and every collection is taken as: batches, Arrow, polars, pandas, Parquet, DuckDB."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from runframe.frames.engines.duckdb import faced, plain_kind

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from runframe.frames.columns import Columns
    from runframe.frames.scan import Scan


class Scannable:
    """One vocabulary: `scan` says which columns and rows, the rest says as what.

    The conversions take the arguments of `scan`. Anything that takes the Arrow C stream interface takes the object
    itself: ``pl.DataFrame(runs)``, ``pa.table(runs)``, ``pd.DataFrame.from_arrow(runs)``, ``duckdb.sql("from runs")``.
    """

    @abstractmethod
    def scan(
        self,
        columns: Columns = None,
        where: Any = None,
        limit: int | None = None,
        *,
        schema: Mapping[str, Any] | None = None,
    ) -> Scan:
        """Some columns and rows, as a value that reads nothing until it is converted."""

    def to_batches(
        self, columns: Columns = None, *, where: Any = None, limit: int | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The rows as record batches, as they come; memory stays flat unless types of flattened columns are sought.

        Args:
            columns: as in `scan`.
            where: as in `scan`.
            limit: as in `scan`.

        Raises:
            UsageError: there is no such column; nothing is sent.
            CommError: the server refused a page, or could not be reached.
        """
        return self.scan(columns, where, limit).frame().to_batches()

    def to_arrow(self, columns: Columns = None, *, where: Any = None, limit: int | None = None) -> pa.Table:
        """The rows as a `pyarrow.Table`; see `to_batches`."""
        return self.scan(columns, where, limit).frame().to_arrow()

    def to_polars(self, columns: Columns = None, *, where: Any = None, limit: int | None = None) -> pl.DataFrame:
        """The rows as a polars frame, JSON documents as text; see `to_batches`."""
        return self.scan(columns, where, limit).frame().to_polars()

    def to_pandas(
        self,
        columns: Columns = None,
        *,
        where: Any = None,
        limit: int | None = None,
        dtype_backend: Literal["numpy_nullable", "pyarrow"] | None = None,
    ) -> pd.DataFrame:
        """The rows as a pandas frame; see `to_batches`, and `Frame.to_pandas` for the types."""
        return self.scan(columns, where, limit).frame().to_pandas(dtype_backend)

    def to_parquet(
        self, path: str | Path, columns: Columns = None, *, where: Any = None, limit: int | None = None
    ) -> os.PathLike[str]:
        """Writes the rows to one Parquet file, batch by batch, and returns its path; see `Frame.to_parquet`."""
        return self.scan(columns, where, limit).frame().to_parquet(path)

    def lazy(self, columns: Columns = None, *, where: Any = None, limit: int | None = None) -> pl.LazyFrame:
        """The rows as a polars lazy frame: columns, filters and `head` of a query on it are what is asked for.

        Each collecting asks anew. A query may also name what lies in a JSON column (``pl.col("config.lr")``). The types
        of such columns must be known before it runs, so they are read first; a scan with a `schema` spares that.
        """
        from runframe.frames.engines.lazy import lazy

        return lazy(self.scan(columns, where, limit))

    def to_duckdb(
        self,
        name: str | None = None,
        connection: duckdb.DuckDBPyConnection | None = None,
        *,
        columns: Columns = None,
        where: Any = None,
        limit: int | None = None,
    ) -> duckdb.DuckDBPyConnection:
        """The rows as a view of a DuckDB connection; columns and filters of a query on it are what is asked for.

        Args:
            name: the view's name; None for the noun, such as ``runs``.
            connection: the connection; None for a new one, in memory.
            columns: as in `scan`.
            where: as in `scan`.
            limit: as in `scan`.

        Returns:
            The connection.

        Raises:
            UnsupportedError: DuckDB is not installed.
        """
        from runframe.frames.engines.duckdb import as_dataset, connect

        found = connect() if connection is None else connection
        scan = as_dataset(self.scan(columns, where, limit))
        found.register(name or scan.declared.name.replace(" ", "_"), scan)
        return found

    def __arrow_c_schema__(self) -> Any:
        return self.scan().schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.scan().frame().__arrow_c_stream__(requested_schema)


class DatasetLike(Scannable):
    """What can be scanned and is a `pyarrow.dataset.Dataset` too, where DuckDB is loaded when it is made."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """An object that DuckDB takes for a dataset, where DuckDB is loaded."""
        kind = faced(cls)
        made: Self = super(DatasetLike, kind).__new__(kind)
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return _blank, (plain_kind(type(self)),), self.__getstate__()

    def __getstate__(self) -> dict[str, Any]:
        return dict(vars(self))

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)


def _blank(kind: type[Any]) -> Any:
    """An object of a class, before its state is set."""
    made: Any = kind.__new__
    return made(kind)
