"""Complete histories, run by run.

This is the one place where a run's history becomes rows: whatever reads histories faster goes in here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from runframe.export.run_tables.base import Reading
from runframe.export.source import Source
from runframe.export.state import Todo
from runframe.resources.history.live import HISTORY, history_batches


class HistoryTable:
    """Complete histories: the step, and the row as JSON."""

    name = "history"
    asked = ""
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
