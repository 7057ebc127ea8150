"""Tables: columns and rows, as they are in an artifact and as they are put into one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from runframe.errors import FrameError
from runframe.resources.artifacts.tables.cells import encoded, plain
from runframe.resources.artifacts.tables.dtypes import column_types

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from runframe.frames.frame import Frame
    from runframe.resources.artifacts.artifact import Artifact
    from runframe.resources.artifacts.entry import ManifestEntry

Row = list[Any]


class Tabular:
    """What everything shares that reads as a table."""

    columns: list[str]
    data: list[Row]

    def _source(self) -> str | None:
        """Where it comes from."""
        return None

    def _stored_rows(self) -> int | None:
        """How many rows there should be, by what is written in the file."""
        return None

    def frame(self) -> Frame:
        """The table as a frame: typed columns, with a report of those whose values' types disagreed."""
        from runframe.resources.artifacts.tables.framing import frame_of

        return frame_of(self.columns, self.data, source=self._source(), stored_rows=self._stored_rows())

    def get_dataframe(self) -> pd.DataFrame:
        """The table as a pandas frame, a row a row, with pandas' own idea of types."""
        import pandas as pd

        return pd.DataFrame.from_records(self.data, columns=self.columns)

    def get_column(self, name: str, convert_to: Literal["numpy"] | None = None) -> list[Any] | np.ndarray[Any, Any]:
        """The cells of a column.

        Args:
            name: the column.
            convert_to: ``"numpy"`` for an array; None for a list.

        Raises:
            KeyError: there is no such column.
            FrameError: another form is asked for.
        """
        if convert_to not in (None, "numpy"):
            raise FrameError(f"convert_to is {convert_to!r}; None or 'numpy' was expected")
        if name not in self.columns:
            raise KeyError(f"the table has no column {name!r}; it has {', '.join(map(repr, self.columns))}")
        index = self.columns.index(name)
        cells = [row[index] for row in self.data]
        if convert_to is None:
            return cells
        import numpy as np

        return np.array(cells)

    def iterrows(self) -> Iterator[tuple[int, Row]]:
        """Each row with its number, from 0."""
        yield from enumerate(self.data)

    def to_arrow(self) -> pa.Table:
        """The table as a `pyarrow.Table`; see `frame`."""
        return self.frame().to_arrow()

    def to_polars(self) -> pl.DataFrame:
        """The table as a polars frame; see `frame`."""
        return self.frame().to_polars()

    def to_pandas(self) -> pd.DataFrame:
        """The table as a pandas frame with the types of `frame`."""
        return self.frame().to_pandas()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.frame().__arrow_c_stream__(requested_schema)

    def __len__(self) -> int:
        return len(self.data)


class Table(Tabular):
    """A table.

    Args:
        columns: the columns' names; None for those of `data` or `dataframe`.
        data: rows; or anything that speaks Arrow (a pandas, polars or Arrow table, a `Frame`); or a numpy array.
        rows: the same as `data`, by its old name.
        dataframe: a pandas frame.

    Attributes:
        columns: list of text.
        data: list of rows, each a list. Times are `datetime` in UTC; media objects are dicts as in the file.
        column_types: the type description in the file; None for a table that is in no file yet.

    Raises:
        FrameError: a row has another number of cells than there are columns.
    """

    kind = "table"

    def __init__(
        self,
        columns: Sequence[Any] | None = None,
        data: Any = None,
        rows: Any = None,
        dataframe: pd.DataFrame | None = None,
    ) -> None:
        given: Any = next((source for source in (dataframe, data, rows) if source is not None), [])
        names, self.data = _rows_of(given)
        found = names if columns is None else columns
        self.columns = [str(name) for name in (found if found is not None else ["Input", "Output", "Expected"])]
        self.column_types: Mapping[str, Any] | None = None
        self.origin: ManifestEntry | None = None
        self._rows_in_file: int | None = None
        for number, row in enumerate(self.data):
            self._check(row, number)

    @classmethod
    def of_file(
        cls,
        columns: Sequence[str],
        data: list[Row],
        entry: ManifestEntry,
        *,
        types: Mapping[str, Any] | None,
        rows: int | None,
    ) -> Table:
        """A table that was read.

        Args:
            columns: its columns.
            data: its rows, decoded.
            entry: where it is.
            types: the type description.
            rows: how many rows the file says it has.
        """
        table = cls(columns, [])
        table.data, table.column_types, table.origin, table._rows_in_file = data, types, entry, rows
        for number, row in enumerate(data):
            table._check(row, number)
        return table

    def _check(self, row: Sequence[Any], number: int) -> None:
        if len(row) != len(self.columns):
            where = self._source()
            raise FrameError(
                f"row {number} of {where or 'the table'} has {len(row)} cells for {len(self.columns)} columns",
                path=where,
            )

    def add_data(self, *cells: Any) -> None:
        """Adds a row, a cell a column.

        Raises:
            FrameError: it has another number of cells than there are columns.
            TypeError: a cell has no form in a table.
        """
        row = [plain(cell) for cell in cells]
        self._check(row, len(self.data))
        self.data.append(row)
        self.origin = None

    def add_row(self, *cells: Any) -> None:
        """The same as `add_data`."""
        self.add_data(*cells)

    def add_column(self, name: str, data: Sequence[Any]) -> None:
        """Adds a column, a cell a row.

        Raises:
            FrameError: it has another number of cells than there are rows, or the table has it already.
            TypeError: a cell has no form in a table.
        """
        cells = [plain(cell) for cell in data]
        if name in self.columns:
            raise FrameError(f"the table has a column {name!r} already")
        if self.columns and len(cells) != len(self.data):
            raise FrameError(f"the column {name!r} has {len(cells)} cells for {len(self.data)} rows")
        self.data = [[*row, cell] for row, cell in zip(self.data or [[] for _ in cells], cells, strict=True)]
        self.columns.append(name)
        self.origin = None

    def to_json(self) -> dict[str, Any]:
        """The table as an artifact stores it."""
        return {
            "_type": self.kind,
            "column_types": dict(self.column_types) if self.origin and self.column_types else self._types(),
            "columns": list(self.columns),
            "data": [[encoded(cell) for cell in row] for row in self.data],
            "log_mode": "IMMUTABLE",
            "ncols": len(self.columns),
            "nrows": len(self.data),
        }

    def _types(self) -> dict[str, Any]:
        return column_types(self.columns, self.data)

    def _source(self) -> str | None:
        return source_of(self.origin)

    def _stored_rows(self) -> int | None:
        return self._rows_in_file if self.origin is not None else None

    def __repr__(self) -> str:
        return f"<Table {len(self.data)} × {len(self.columns)}>"


class PartitionedTable(Tabular):
    """Several tables of the same columns below one folder of an artifact, one after the other.

    Attributes:
        parts_path: the folder.
        parts: the tables, by their paths.
        columns, data: of all of them.

    Raises:
        FrameError: their columns differ.
    """

    kind = "partitioned-table"

    def __init__(self, parts_path: str, parts: Mapping[str, Table], origin: ManifestEntry) -> None:
        self.parts_path, self.parts, self.origin = parts_path, dict(parts), origin
        first = next(iter(self.parts.values()), None)
        self.columns = [] if first is None else list(first.columns)
        for path, part in self.parts.items():
            if part.columns != self.columns:
                raise FrameError(
                    f"the parts below {parts_path!r} differ: {path!r} has the columns {part.columns}, the first one "
                    f"has {self.columns}",
                    path=path,
                )
        self.data = [row for part in self.parts.values() for row in part.data]

    def _source(self) -> str | None:
        return source_of(self.origin)

    def __repr__(self) -> str:
        return f"<PartitionedTable {len(self.data)} × {len(self.columns)}, {len(self.parts)} parts>"


class JoinedTable:
    """Two tables that are shown side by side, matched by a key. They are not joined here.

    Attributes:
        table1, table2: the tables.
        join_key: the column in both, or a pair of columns.
    """

    kind = "joined-table"

    def __init__(self, table1: Any, table2: Any, join_key: Any, origin: ManifestEntry) -> None:
        self.table1, self.table2, self.join_key, self.origin = table1, table2, join_key, origin

    def __repr__(self) -> str:
        return f"<JoinedTable by {self.join_key!r}>"


def source_of(entry: ManifestEntry | None) -> str | None:
    """The path of an entry, its artifact's included, where it is in one."""
    if entry is None:
        return None
    try:
        artifact: Artifact = entry.parent_artifact()
    except NotImplementedError:
        return entry.path
    return f"{artifact.qualified_name}/{entry.path}"


def _rows_of(given: Any) -> tuple[list[str] | None, list[Row]]:
    """The columns (where they have names) and rows of what a table can be made from."""
    if hasattr(given, "__arrow_c_stream__"):
        import pyarrow as pa

        from runframe.frames.frame import Frame
        from runframe.frames.storage import plain_table

        table: Any = plain_table(Frame.from_arrow(given).to_arrow())
        names = list(table.column_names)
        columns = [table.column(name).to_pylist() for name in names]
        assert isinstance(table, pa.Table)
        return names, [[plain(cell) for cell in row] for row in zip(*columns, strict=True)]
    if isinstance(given, Tabular):
        return list(given.columns), [list(row) for row in given.data]
    return None, [[plain(cell) for cell in row] for row in given]
