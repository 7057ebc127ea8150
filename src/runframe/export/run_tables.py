"""The tables that are fetched run by run, and where their rows come from.

This is the one place where a run becomes rows: whatever reads a history faster goes in here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import pyarrow as pa

from runframe.export.source import Source
from runframe.export.state import Todo
from runframe.resources.history.live import HISTORY, history_batches


class Reading(Protocol):
    """The rows of one run as they come."""

    @property
    def counted(self) -> int | None:
        """The rows that the server counted; None where it doesn't say. It is known once all rows were read."""
        ...

    def __iter__(self) -> Iterator[Any]: ...

    def close(self) -> None:
        """Stops reading."""
        ...


class RunTable(Protocol):
    """A table whose rows are fetched run by run."""

    @property
    def name(self) -> str:
        """The table's folder."""
        ...

    @property
    def schema(self) -> Any:
        """The schema of a part's batches."""
        ...

    def open(self, source: Source, run: Todo) -> Reading:
        """Begins to read a run's rows."""
        ...


class HistoryTable:
    """Complete histories: the step, and the row as JSON."""

    name = "history"
    schema = pa.schema([HISTORY.arrow.field("step"), HISTORY.arrow.field("row")])

    def open(self, source: Source, run: Todo) -> Reading:
        """Begins to read a run's history. Nothing is asked for one that is known to be empty."""
        return _HistoryReading(source, run)


class _HistoryReading:
    def __init__(self, source: Source, run: Todo) -> None:
        self._batches = history_batches(source.history(run.run_id), extent=run.extent)

    @property
    def counted(self) -> int | None:
        return self._batches.server_rows

    def __iter__(self) -> Iterator[Any]:
        for batch in self._batches:
            yield batch.select(["step", "row"])

    def close(self) -> None:
        self._batches.close()


RUN_TABLES: dict[str, RunTable] = {table.name: table for table in (HistoryTable(),)}
