"""The last rows of a history, read from its end."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

import pyarrow as pa

from runframe.frames.spool import Spool
from runframe.resources.history.live import batch_of
from runframe.resources.history.pages import PAGE_SIZE, Extent, Page, RunHistory

MARGIN = 1.25
"""How much wider than the server's count suggests the first stretch of steps is."""

MEMORY_BUDGET = 16 * 2**20


class HistoryTail(Iterator[pa.RecordBatch]):
    """The last rows of a history that are wanted, in step order, as `HistoryBatches` gives them.

    Stretches of steps are read from the end backwards, each twice as long as the one before, until there are enough
    rows. Rows of one stretch beyond a budget of memory wait in a temporary file.

    Args:
        history: of which run.
        count: how many rows.
        choose: leaves the rows of a batch that are wanted.
        min_step: the first step.
        max_step: the step after the last one; None for all that is logged when reading begins.
        extent: what is known of the history already.

    Attributes:
        path: the run's path.
        rows: the rows read so far, wanted or not.
        extent: what the server said of the history; None before it was asked.
    """

    def __init__(
        self,
        history: RunHistory,
        count: int,
        choose: Callable[[pa.RecordBatch], pa.RecordBatch],
        *,
        min_step: int = 0,
        max_step: int | None = None,
        extent: Extent | None = None,
    ) -> None:
        self.path = history.path
        self.rows = 0
        self.extent = extent
        self._history = history
        self._count = count
        self._choose = choose
        self._first = max(0, min_step)
        self._max_step = max_step
        self._begin = self._end = 0
        self._pages: Generator[Page, None, None] | None = None
        self._batches = self._read()

    def start(self) -> None:
        """Asks for the last pages now."""
        if self._pages is None:
            if self.extent is None:
                self.extent = self._history.extent()
            end = self.extent.last_step + 1
            self._begin = end if self._max_step is None else min(self._max_step, end)
            self._ask(self._first_width(self.extent) if self._count else 0)

    def __next__(self) -> pa.RecordBatch:
        return next(self._batches)

    def close(self) -> None:
        """Stops reading and gives up what is under way."""
        self._batches.close()
        if self._pages is not None:
            self._pages.close()

    def _ask(self, width: int) -> None:
        self._end = self._begin
        self._begin = max(self._first, self._end - width)
        self._pages = self._history.texts(self._begin, self._end, PAGE_SIZE, self.extent)

    def _first_width(self, extent: Extent) -> int:
        lines = extent.lines or 0
        each = (extent.last_step + 1) / lines if lines else 1.0
        return max(1, int(min(self._count * max(each, 1.0) * MARGIN, 2**62)))

    def _read(self) -> Generator[pa.RecordBatch, None, None]:
        if self._count == 0:
            return
        self.start()
        stretches: list[Spool] = []
        found = 0
        while True:
            stretches.append(Spool(MEMORY_BUDGET))
            for page in self._pages or ():
                self.rows += len(page.steps)
                batch = self._choose(batch_of(self._history.run_id, page)) if page.steps else None
                if batch is not None and batch.num_rows:
                    found += batch.num_rows
                    stretches[-1].append(batch)
            if found >= self._count or self._begin <= self._first:
                break
            self._ask(2 * (self._end - self._begin))
        batches = (batch for stretch in reversed(stretches) for batch in stretch)
        yield from without_first(batches, found - self._count)


def without_first(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The batches without so many rows at their beginning."""
    for batch in batches:
        if rows < batch.num_rows:
            yield batch.slice(max(rows, 0))
        rows -= batch.num_rows
