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
from runframe.frames.typed import as_text
from runframe.resources.history.exported import ExportedBatches, exported_batches
from runframe.resources.history.live import HISTORY, HistoryBatches, history_batches
from runframe.resources.history.pages import PAGE_SIZE


class HistoryTable:
    """Complete histories: the step, and the row as JSON."""

    name = "history"
    asked = ""
    schema = pa.schema([HISTORY.arrow.field("step"), HISTORY.arrow.field("row")])

    def open(self, source: Source, run: Todo) -> Reading:
        """Begins to read a run's history. Nothing is asked for one that is known to be empty."""
        return _HistoryReading(source, run)


class _HistoryReading:
    """A run's history: from what the server exported of it, where that spares requests."""

    def __init__(self, source: Source, run: Todo) -> None:
        history = source.history(run.run_id)
        self._batches: HistoryBatches | ExportedBatches
        if run.live or run.extent is None or (run.extent.lines or 0) <= PAGE_SIZE:
            # One page at most: to ask for an export first would be a request more.
            self._batches = history_batches(history, extent=run.extent)
        else:
            self._batches = exported_batches(history, run.extent)

    @property
    def counted(self) -> int | None:
        return self._batches.server_rows

    def __iter__(self) -> Iterator[Any]:
        typed = None
        for batch in self._batches:
            rows = batch.select(["step", "row"])
            # A part has one schema: that of its first rows where these are columns, else JSON.
            typed = rows.schema if typed is None else typed
            yield rows if rows.schema.equals(typed) and self._is_uniform else as_text(rows)

    @property
    def _is_uniform(self) -> bool:
        """Whether all rows come in one form: all of them from one file."""
        exports = getattr(self._batches, "exports", None)
        return exports is None or not exports.urls or (len(exports.urls) == 1 and exports.seam is None)

    def close(self) -> None:
        self._batches.close()
