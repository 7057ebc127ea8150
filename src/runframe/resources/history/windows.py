"""Which steps to ask for next, so that a history arrives complete and in few requests. Pure: nothing is sent here.

A server answers a *window* of steps with at most `limit` rows; where the window holds more, it sends a sample, and
nothing in the answer says so. So an answer is believed only where it cannot be a sample: each step of the window is
there, or the window is no wider than the limit and the answer stays below it, or a wider window gave less than half the
limit (servers sample to "about" the limit, not exactly). Any other answer is dropped and the window asked again in
halves. Windows grow where rows are sparse, so that steps like 1, 10⁶, 10⁹ cost tens of requests and not millions.
"""

from __future__ import annotations

from dataclasses import dataclass

GROWTH = 8
"""How many times wider the next window may be than the last."""


@dataclass(frozen=True)
class Window:
    """The steps from `start` up to, but not including, `stop`."""

    start: int
    stop: int

    @property
    def width(self) -> int:
        """How many steps the window spans."""
        return self.stop - self.start

    def halves(self) -> tuple[Window, Window]:
        """The same steps as two windows, in order."""
        middle = self.start + self.width // 2
        return Window(self.start, middle), Window(middle, self.stop)


class Plan:
    """Cuts the steps ``[start, stop)`` into windows, each wide enough for about half of `limit` rows.

    Args:
        start: the first step wanted.
        stop: the step after the last one wanted.
        limit: the most rows that the server gives for one window.
        rows: how many rows the server counts in all, where that is known: the first guess at how dense they are.
        span: over how many steps those `rows` are spread.
    """

    def __init__(self, start: int, stop: int, limit: int, *, rows: int | None = None, span: int | None = None) -> None:
        if limit < 1:
            raise ValueError(f"a page of history must hold at least 1 row, not {limit}")
        self.limit = limit
        self.next_start = start
        self.stop = stop
        self.width = limit
        if rows is not None and span is not None:
            self._adapt(span, rows)

    def take(self) -> Window | None:
        """The next window, or None when all steps are handed out."""
        if self.next_start >= self.stop:
            return None
        window = Window(self.next_start, min(self.next_start + self.width, self.stop))
        self.next_start = window.stop
        return window

    def believes(self, window: Window, rows: int, steps: int) -> bool:
        """Whether an answer of so many rows, at so many distinct steps, is all that the window holds.

        Learns the width of the next windows from it.
        """
        dense = window.width <= self.limit
        complete = steps == window.width or (rows < self.limit if dense else rows * 2 < self.limit)
        if complete:
            self._adapt(window.width, rows)
        return complete

    def halve(self, window: Window) -> tuple[Window, Window]:
        """The halves of a window whose answer was not believed, or did not come in time; later ones are as narrow."""
        self.width = max(1, window.width // 2)
        return window.halves()

    def _adapt(self, width: int, rows: int) -> None:
        widest = max(self.limit, width) * GROWTH
        # 0.4 of the limit: a little below the half that a wide window may hold.
        fitting = int(0.4 * self.limit * width / rows) if rows else widest
        self.width = min(widest, max(self.limit, fitting))
