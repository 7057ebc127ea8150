"""`run.scan_history()`: every row, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from runframe.resources.history.pages import Extent, RunHistory

if TYPE_CHECKING:
    from runframe.resources.run import Run


class HistoryScan:
    """All rows of a run's history between two steps, as dicts in step order.

    The end is fixed when the scan is made: rows logged later are not seen. Iterating again starts again from
    `min_step` and asks the server again.

    Raises:
        ValueError: `page_size` is less than 1.

    Attributes:
        run: the run.
        min_step: the first step that may be given.
        max_step: the last step that may be given; `min_step - 1` or less for an empty scan.
        page_size: rows asked for at once.
        keys: the keys that each row has, or None for whole rows.
        rows: the page being given.
        scan_offset: the position of the next row in `rows`.
        page_offset: the first step after the page being given.
    """

    def __init__(
        self,
        run: Run,
        history: RunHistory,
        extent: Extent,
        *,
        min_step: int = 0,
        max_step: int | None = None,
        keys: Sequence[str] | None = None,
        page_size: int = 1000,
    ) -> None:
        if page_size < 1:
            raise ValueError(f"page_size must be at least 1, not {page_size}")
        stop = extent.last_step + 1
        self.run = run
        self.min_step = min_step
        self.max_step = (stop if max_step is None else min(max_step, stop)) - 1
        self.page_size = page_size
        self.keys = list(keys) if keys is not None else None
        self._history = history
        self._extent = extent
        self._restart()

    def _restart(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.scan_offset = 0
        self.page_offset = self.min_step
        self._pages = self._history.rows(
            self.min_step, self.max_step + 1, keys=self.keys, page_size=self.page_size, extent=self._extent
        )

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self._restart()
        # Not self: whoever takes an iterator of the iterator (polars does, for every chunk) must not start again.
        return iter(self.__next__, None)

    def __next__(self) -> dict[str, Any]:
        while self.scan_offset >= len(self.rows):
            window, self.rows = next(self._pages)
            self.scan_offset = 0
            self.page_offset = window.stop
        row = self.rows[self.scan_offset]
        self.scan_offset += 1
        return row

    next = __next__

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_pages"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._restart()

    def __repr__(self) -> str:
        return f"<HistoryScan {self._history.path} steps {self.min_step} to {self.max_step}>"


def check_keys(keys: Any) -> list[str] | None:
    """The keys asked for, None for all of them.

    Raises:
        ValueError: they are not a list of text.
    """
    if keys is None:
        return None
    if not isinstance(keys, (list, tuple)):
        raise ValueError(f"keys must be a list of strings, not {keys!r}")
    if wrong := [key for key in keys if not isinstance(key, str)]:
        raise ValueError(f"keys must be a list of strings; {wrong[0]!r} is not one")
    return list(keys) or None
