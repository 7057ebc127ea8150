"""Complete histories as Arrow batches, straight from the server's live store."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from runframe.frames.schema import CATEGORY, INT, JSON, Column, Schema
from runframe.resources.history.pages import PAGE_SIZE, Extent, Page, RunHistory

if TYPE_CHECKING:
    from runframe.resources.run import Run

HISTORY = Schema(
    "history",
    [
        Column("run_id", CATEGORY, "run_id", "Id of the run."),
        Column("step", INT, "step", "The row's step (`_step`): it counts the calls of `log` unless the user set it."),
        Column(
            "row", JSON, "row", "Everything that was logged at this step, with `_step`, `_runtime` and `_timestamp`.",
            document="row",
        ),
    ],
)  # fmt: skip
"""The columns of a history before it is flattened."""


class HistoryBatches(Iterator[pa.RecordBatch]):
    """The rows of one run's history, in step order, a page to a batch (schema `HISTORY`). Memory: two pages.

    Nothing is asked before the first batch is.

    Args:
        history: of which run.
        min_step: the first step.
        max_step: the step after the last one; None for all that is logged when reading begins.
        page_size: rows asked for at once.
        extent: what is known of the history already (from a listing, of a run that has ended): spares a request.

    Attributes:
        path: the run's path.
        rows: the rows given so far.
        extent: what the server said of the history before it was read; None before the first batch.
    """

    def __init__(
        self,
        history: RunHistory,
        *,
        min_step: int = 0,
        max_step: int | None = None,
        page_size: int = PAGE_SIZE,
        extent: Extent | None = None,
    ) -> None:
        self.path = history.path
        self.rows = 0
        self.extent = extent
        self._history = history
        self._range = (min_step, max_step)
        self._page_size = page_size
        self._pages: Generator[Page, None, None] | None = None
        self._batches = self._read()

    @property
    def server_rows(self) -> int | None:
        """The rows that the server counted before reading; None where it doesn't say, or only a part is read."""
        return self.extent.lines if self.extent is not None and self._range == (0, None) else None

    def start(self) -> None:
        """Asks for the first pages now, so that they are under way while another history is being read."""
        if self._pages is None:
            if self.extent is None:
                self.extent = self._history.extent()
            start, wanted = self._range
            end = self.extent.last_step + 1
            stop = end if wanted is None else min(wanted, end)
            self._pages = self._history.texts(start, stop, self._page_size, self.extent)

    def __next__(self) -> pa.RecordBatch:
        return next(self._batches)

    def close(self) -> None:
        """Stops reading and gives up what is under way."""
        self._batches.close()
        if self._pages is not None:
            self._pages.close()

    def _read(self) -> Generator[pa.RecordBatch, None, None]:
        self.start()
        assert self._pages is not None
        for page in self._pages:
            if page.steps:
                self.rows += len(page.steps)
                yield batch_of(self._history.run_id, page)


def batch_of(run_id: str, page: Page) -> pa.RecordBatch:
    """A page of a run's history as a record batch of the schema `HISTORY`."""
    zeros = pa.array([0] * len(page.steps), CATEGORY.index_type)
    run_ids = pa.DictionaryArray.from_arrays(zeros, pa.array([run_id], CATEGORY.value_type))
    rows = pa.ExtensionArray.from_storage(JSON, pa.array(page.texts, JSON.storage_type))
    return pa.RecordBatch.from_arrays([run_ids, pa.array(page.steps, INT), rows], schema=HISTORY.arrow)


def history_batches(
    run: Run | RunHistory,
    *,
    min_step: int = 0,
    max_step: int | None = None,
    page_size: int = PAGE_SIZE,
    extent: Extent | None = None,
) -> HistoryBatches:
    """The complete history of a run as record batches: `run_id`, `step`, `row` (extended JSON text).

    Args:
        run: a run, or where one is (`RunHistory`), for whoever has only its id.
        min_step: the first step.
        max_step: the step after the last one; None for all that is logged when reading begins.
        page_size: rows asked for at once.
        extent: what is known of the history already; spares a request.

    Raises:
        NotFoundError: while reading: the run isn't there.
        CommError: while reading: the server refused, or could not be reached.
    """
    history = run if isinstance(run, RunHistory) else run.live_history
    return HistoryBatches(history, min_step=min_step, max_step=max_step, page_size=page_size, extent=extent)
