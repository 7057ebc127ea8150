"""The histories of several runs as one stream: read ahead, counted, and held against what the server counted."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from runframe.errors import NotFoundError
from runframe.frames.batches import parse_time
from runframe.frames.decode import decode
from runframe.frames.names import join_path
from runframe.frames.provenance import Provenance
from runframe.resources.history.axes import MetricDefinitions
from runframe.resources.history.keys import Keys, leaves
from runframe.resources.history.live import HistoryBatches
from runframe.resources.history.pages import Extent, RunHistory
from runframe.resources.history.tail import HistoryTail

AHEAD = 4
"""How many runs are read at once: the rows of one are being used, the first pages of the others are under way."""


NONE = MetricDefinitions()


@dataclass(frozen=True)
class Part:
    """One run of several.

    Attributes:
        history: where its history is.
        extent: what is known of it; None to ask when it is read.
        definitions: of its metrics, where they are needed.
    """

    history: RunHistory
    extent: Extent | None = None
    definitions: MetricDefinitions = NONE


@dataclass(frozen=True)
class Range:
    """Which steps are read: from `min_step` up to, not including, `max_step`; or the last `tail` rows of them."""

    min_step: int = 0
    max_step: int | None = None
    tail: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every row is read."""
        return self.min_step <= 0 and self.max_step is None and self.tail is None

    @property
    def rows(self) -> str:
        """How messages call one of the rows that were read."""
        return "row" if self.is_whole else "row that was read"


class Histories:
    """The rows of some runs' histories, as batches of the schema `HISTORY`: runs in order, steps ascending.

    Args:
        parts: lists the runs; called for each reading.
        source: what is read, for the provenance and for messages.
        range_: which steps.
        keys: which rows: those without a wanted key are left out, and noted as read.
        query: what was asked for, for the provenance.
        single: one run that is not there is an error; of several, a run that was deleted meanwhile is warned of.

    Attributes:
        rows_read: rows read, wanted or not.
        definitions: the metric definitions of each run read so far, by run id.
    """

    def __init__(
        self,
        parts: Callable[[], Iterable[Part]],
        source: str,
        range_: Range,
        keys: Keys,
        *,
        query: str | None = None,
        single: bool = False,
    ) -> None:
        self._parts = parts
        self._source = source
        self._range = range_
        self._keys = keys
        self._query = query
        self._single = single
        self._forget()

    @property
    def source(self) -> str:
        """What is read."""
        return self._source

    def _forget(self) -> None:
        self.rows_read = 0
        self.definitions: dict[str, MetricDefinitions] = {}
        self._counted: int | None = 0
        self._live = False
        self._heard: list[str | None] = []

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Reads all of it."""
        self._forget()
        waiting: deque[tuple[Part, HistoryBatches | HistoryTail]] = deque()
        parts = iter(self._parts())
        try:
            while True:
                while len(waiting) < AHEAD and (part := next(parts, None)) is not None:
                    waiting.append(self._started(part))
                if not waiting:
                    return
                part, reader = waiting[0]
                yield from self._read(part, reader)
                waiting.popleft()
        finally:
            for _, reader in waiting:
                reader.close()

    def _started(self, part: Part) -> tuple[Part, HistoryBatches | HistoryTail]:
        steps = {"min_step": self._range.min_step, "max_step": self._range.max_step}
        reader: HistoryBatches | HistoryTail
        if self._range.tail is None:
            reader = HistoryBatches(part.history, extent=part.extent, **steps)  # type: ignore[arg-type]
        else:
            reader = HistoryTail(part.history, self._range.tail, self._choose, extent=part.extent, **steps)  # type: ignore[arg-type]
        reader.start()
        return part, reader

    def _read(self, part: Part, reader: HistoryBatches | HistoryTail) -> Iterator[pa.RecordBatch]:
        run_id = part.history.run_id
        self.definitions[run_id] = part.definitions
        self._note(part, reader.extent)
        try:
            for batch in reader:
                batch = self._choose(batch) if self._range.tail is None else batch
                if batch.num_rows:
                    yield batch
        except NotFoundError as error:
            if self._single:
                raise
            warnings.warn(f"{error.message} Its rows are missing.", UserWarning, stacklevel=2)
        finally:
            self.rows_read += reader.rows

    def _note(self, part: Part, extent: Extent | None) -> None:
        if extent is None or (self._single and extent.live is None):
            raise NotFoundError(f"Could not find run {part.history.path}", path=part.history.path)
        self._live = self._live or bool(extent.live)
        if self._counted is not None:
            self._counted = None if extent.lines is None else self._counted + extent.lines
        self._heard.append(extent.heartbeat_at)

    def _choose(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return wanted_rows(batch, self._keys)

    def provenance(self) -> Provenance:
        """What was read, by what the server said of it."""
        heard = self._heard[0] if self._single and self._heard else None
        return Provenance(
            "live" if self._live else "complete",
            source=self._source,
            server_rows=self._counted if self._range.is_whole else None,
            query=self._query,
            watermark=parse_time(heard) if heard else None,
            rows_read=self.rows_read,
        )


def wanted_rows(batch: pa.RecordBatch, keys: Keys) -> pa.RecordBatch:
    """The rows of a batch that have wanted keys; all keys are noted."""
    if keys.asked is None:
        return batch
    texts = batch.column("row").storage.to_pylist()
    mask = [keys.take(decode(text, careful=False)) for text in texts]
    return batch if all(mask) else batch.filter(pa.array(mask, pa.bool_()))


def present(batches: Iterable[pa.RecordBatch]) -> Iterator[str]:
    """The columns that some rows come to, over and over."""
    for batch in batches:
        for text in batch.column("row").storage.to_pylist():
            yield from map(join_path, leaves(decode(text, careful=False)))


def last_rows(batches: Iterable[pa.RecordBatch], count: int) -> Iterator[pa.RecordBatch]:
    """The last rows of each run. The batches, of one run each, are read twice."""
    rows: dict[str, int] = {}
    for batch in batches:
        run_id = batch.column("run_id")[0].as_py()
        rows[run_id] = rows.get(run_id, 0) + batch.num_rows
    for batch in batches:
        run_id = batch.column("run_id")[0].as_py()
        surplus = min(max(rows[run_id] - count, 0), batch.num_rows)
        rows[run_id] -= surplus
        if surplus < batch.num_rows:
            yield batch.slice(surplus)
