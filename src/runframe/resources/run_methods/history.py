"""A run's history: sampled, scanned, as batches."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from runframe.errors import RunNotFoundError
from runframe.resources.errors import as_comm_error
from runframe.resources.history.exports import DownloadHistoryResult, download_exports
from runframe.resources.history.live import HistoryBatches, history_batches
from runframe.resources.history.pages import PAGE_SIZE, RunHistory
from runframe.resources.history.sampled import history_misuse, sampled_rows
from runframe.resources.history.scan import HistoryScan, check_keys
from runframe.resources.run_methods.base import RunBase

if TYPE_CHECKING:
    import pandas as pd


class HistoryMethods(RunBase):
    """What a run knows of its history."""

    @overload
    def history(
        self,
        samples: int = ...,
        keys: list[str] | None = ...,
        x_axis: str = ...,
        *,
        pandas: Literal[False],
        stream: str = ...,
    ) -> list[dict[str, Any]]: ...

    @overload
    def history(
        self,
        samples: int = ...,
        keys: list[str] | None = ...,
        x_axis: str = ...,
        pandas: bool = ...,
        stream: str = ...,
    ) -> list[dict[str, Any]] | pd.DataFrame: ...

    @as_comm_error
    def history(
        self,
        samples: int = 500,
        keys: list[str] | None = None,
        x_axis: str = "_step",
        pandas: bool = True,
        stream: str = "default",
    ) -> list[dict[str, Any]] | pd.DataFrame:
        """At most about `samples` rows, which the server chooses over the whole run. For all rows: `scan_history`.

        Args:
            samples: how many rows.
            keys: only rows that have all of these keys, reduced to them and `x_axis`.
            x_axis: the key of the x axis, for `keys`.
            pandas: a pandas frame, rows in step order and columns as they first appear; else a list of dicts.
            stream: ``"default"`` for what was logged, ``"system"`` for the machine's metrics.

        Raises:
            CommError: the run isn't there, or the server could not be asked.
        """
        if problem := history_misuse(keys, stream):
            # The official client says so and goes on with nothing; code relies on the empty list.
            warnings.warn(f"history: {problem}; no rows are given", UserWarning, stacklevel=3)
            return []
        rows = sampled_rows(self.live_history, samples, keys, x_axis, stream)
        if not pandas:
            return rows
        import pandas as pd

        return pd.DataFrame.from_records(rows)

    @as_comm_error
    def scan_history(
        self,
        keys: list[str] | None = None,
        page_size: int = PAGE_SIZE,
        min_step: int | None = 0,
        max_step: int | None = None,
        use_cache: bool = True,
    ) -> HistoryScan:
        """All rows of the history, one after the other.

        Args:
            keys: only rows that have all of these keys, reduced to `_step` and them; None for whole rows.
            page_size: rows asked for at once.
            min_step: the first step.
            max_step: the step after the last one; None for all that is logged now.
            use_cache: accepted for code written against the official client; nothing is cached.

        Raises:
            NotFoundError: the run isn't there.
            CommError: `keys` is not a list of text, or the server could not be asked.
        """
        checked = check_keys(keys)
        history = self.live_history
        extent = history.extent()
        if extent.last_step < 0 and extent.lines is None:
            raise RunNotFoundError(f"Could not find run {self!r}: it was deleted, or never was", path=self._place)
        return HistoryScan(
            self._run, history, extent, min_step=min_step or 0, max_step=max_step, keys=checked, page_size=page_size
        )

    @as_comm_error
    def beta_scan_history(
        self,
        keys: list[str] | None = None,
        page_size: int = PAGE_SIZE,
        min_step: int | None = 0,
        max_step: int | None = None,
        use_cache: bool = True,
    ) -> HistoryScan:
        """Deprecated: the same as `scan_history`."""
        warnings.warn("beta_scan_history is deprecated: use scan_history", DeprecationWarning, stacklevel=3)
        return self.scan_history(keys, page_size, min_step, max_step, use_cache)

    @as_comm_error
    def download_history_exports(
        self, download_dir: str | os.PathLike[str], require_complete_history: bool = True
    ) -> DownloadHistoryResult:
        """Fetches the Parquet files that the server made of the history, as they are.

        For the history as a dataset of your own, whatever the server exported: `history_batches`, `runframe export`.

        Args:
            download_dir: a folder; made where it is missing.
            require_complete_history: refuse a history that has rows in none of the files.

        Returns:
            The `paths`, whether there are rows in none of the files (`contains_live_data`), and `errors` by path.

        Raises:
            IncompleteRunHistoryError: such rows exist, and completeness is required.
            CommError: the server could not be asked.
        """
        return download_exports(self.live_history, Path(download_dir), complete=require_complete_history)

    def history_batches(self, *, min_step: int = 0, max_step: int | None = None) -> HistoryBatches:
        """All rows of the history as Arrow record batches: run_id, step, and the row as JSON text.

        Args:
            min_step: the first step.
            max_step: the step after the last one; None for all that is logged now.
        """
        return history_batches(self._run, min_step=min_step, max_step=max_step)

    @property
    def live_history(self) -> RunHistory:
        """Where the run's history is, for whoever reads it page by page."""
        return RunHistory(self.client, self._entity, self.project, self._id)

    @property
    def lastHistoryStep(self) -> int:
        """The last step that was logged, asked for at each access; -1 for an empty history."""
        return self.live_history.extent().last_step
