"""Which stretches of time a long listing is read in, side by side. Pure: nothing is sent here.

A cursor only tells where the *next* page begins, so a listing read by cursors waits for one page after the other. A
listing that is ordered by the time of creation can be cut: each stretch of time is a listing of its own, and as wide
as holds somewhat less than a page, as far as that can be told from how dense the nodes lay in the answers before it.
Where a stretch holds more than a page after all, what is left of it is cut again.

Times are numbers here, seconds that grow in the direction in which the listing is read.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OVERLAP", "Cutting", "Stretch"]

OVERLAP = 1.0
"""Seconds by which stretches overlap at both ends: servers round times, and many runs are created in one moment."""

_FILL = 0.75
"""How much of a page a stretch is meant to fill."""
_GROWTH = 8.0
"""How many times wider a stretch may be than the one before it was."""
_NARROWEST = 4 * OVERLAP


@dataclass(frozen=True)
class Stretch:
    """The time from `start` to `stop`; None: without an end."""

    start: float
    stop: float | None


class Cutting:
    """Cuts the time from a moment on into stretches.

    Args:
        start: where the first one begins.
        stop: where the last one ends; None: the last one has no end.
        left: how many nodes are expected in all of them.
        rate: how many nodes a second holds, as far as is known.
        size: nodes in a page.
    """

    def __init__(self, start: float, stop: float | None, left: float, rate: float, size: int) -> None:
        self._start = start
        self._stop = stop
        self._left = left
        self._target = max(size * _FILL, 1.0)
        self._width = max(self._target / rate, _NARROWEST)
        self._over = False

    def take(self) -> Stretch | None:
        """The next stretch; None where all are handed out."""
        if self._over:
            return None
        end = self._start + self._width
        self._over = self._left <= self._target if self._stop is None else end >= self._stop
        if self._over:
            return Stretch(self._start, self._stop)
        taken, self._start = Stretch(self._start, end), end
        self._left -= self._target
        return taken

    def learn(self, stretch: Stretch, count: int) -> None:
        """A stretch of this cutting holds so many nodes: the next ones are cut to that measure."""
        if stretch.stop is None or stretch.stop == self._stop:
            return
        self._left += self._target - count
        width = stretch.stop - stretch.start
        wanted = width * self._target / count if count else width * _GROWTH
        self._width = max(min(wanted, width * _GROWTH), _NARROWEST)


def can_be_cut(first: float, last: float) -> bool:
    """Whether the nodes of a page lie far enough apart for a cut behind them; in one moment there may be thousands."""
    return last - first >= _NARROWEST
