"""System metrics: what the machine was doing, sample by sample."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from runframe.errors import NotFoundError
from runframe.export.run_tables.base import Reading
from runframe.export.source import Source
from runframe.export.state import Todo
from runframe.frames.schema import CATEGORY, JSON, Column, Schema

EVENTS = Schema(
    "system",
    [
        Column("run_id", CATEGORY, "run_id", "Id of the run."),
        Column("row", JSON, "row", "One sample of the machine's metrics.", document="row"),
    ],
)
"""System metrics before they are flattened."""

FIRST_SAMPLES = 1000
"""How many lines are asked for while it is not known how many there are."""


class SystemTable:
    """The lines of system metrics, as JSON."""

    name = "system"
    asked = ""
    schema = pa.schema([EVENTS.arrow.field("row")])

    def open(self, source: Source, run: Todo) -> Reading:
        """Begins to read a run's lines."""
        return _EventsReading(source, run)


class _EventsReading:
    """All lines, in one request, or in two where there are many.

    The server samples: asked for fewer lines than there are, it leaves some out. So as many are asked for as it counts.
    """

    def __init__(self, source: Source, run: Todo) -> None:
        self.counted: int | None = None
        self._source = source
        self._run = run

    def __iter__(self) -> Iterator[Any]:
        lines = self._ask(FIRST_SAMPLES)
        if self.counted is not None and self.counted > len(lines):
            lines = self._ask(self.counted)
        if lines:
            rows = pa.ExtensionArray.from_storage(JSON, pa.array(lines, JSON.storage_type))
            yield pa.RecordBatch.from_arrays([rows], schema=SystemTable.schema)

    def _ask(self, samples: int) -> list[str]:
        source = self._source
        variables = {
            "entity": source.entity,
            "project": source.project,
            "name": self._run.run_id,
            "samples": samples,
        }
        data = source.client.query("exports", "RunSystemEvents", variables)
        run = (data.get("project") or {}).get("run")
        if run is None:
            path = f"{source.path}/{self._run.run_id}"
            raise NotFoundError(f"Could not find run {path}: it was deleted, or never was.", path=path)
        self.counted = run.get("eventsLineCount")
        return list(run.get("events") or [])

    def close(self) -> None:
        """Nothing is left open."""
