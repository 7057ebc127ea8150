"""A long listing read in several stretches of time side by side: `stretches` decides, the session sends.

The nodes come in the order of the listing, each once. What cannot be relied on is not: where the server answers with
other nodes than were asked for, or refuses to be asked so, or counts more than came, the rest is read page after page.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from runframe.errors import CommError

from .pages import Ask, Connection, Page, Paging, Unreliable, is_too_slow
from .stretches import OVERLAP, Cutting, Stretch, can_be_cut

__all__ = ["Cut", "Spread"]

LONG = 3
"""A listing of more pages than this is cut."""

MOST = 5
"""Stretches that are asked for at once at most; the session's pace may allow fewer."""

_FEWEST = 2
# As long as nothing was measured.
_FIRST = 3
# What a server may be off, in seconds, before its answer is taken for one to another question.
_SLACK = OVERLAP + 1.0

Answer = Future[dict[str, Any]]
Submit = Callable[[Ask, Mapping[str, Any]], Answer]
Wait = Callable[[Answer], dict[str, Any]]


@dataclass(frozen=True)
class Cut:
    """How a listing can be cut.

    Attributes:
        field: the node's field that holds the time the listing is ordered by, as ISO 8601 text.
        between: gives the variables that ask for the nodes from one moment to another, both included; None is open.
        descending: whether the latest come first.
    """

    field: str
    between: Callable[[datetime | None, datetime | None], Mapping[str, Any]]
    descending: bool = False

    def place(self, node: Mapping[str, Any]) -> float:
        """The time of a node, as a number that grows in the listing's direction.

        Raises:
            ValueError, TypeError: the node has no such time.
        """
        moment = datetime.fromisoformat(node[self.field])
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        return -seconds if self.descending else seconds

    def variables(self, stretch: Stretch) -> Mapping[str, Any]:
        """The variables that ask for a stretch, and for `OVERLAP` around it."""
        start = self._moment(stretch.start - OVERLAP)
        stop = None if stretch.stop is None else self._moment(stretch.stop + OVERLAP)
        return self.between(stop, start) if self.descending else self.between(start, stop)

    def _moment(self, place: float) -> datetime:
        return datetime.fromtimestamp(-place if self.descending else place, UTC)


@dataclass
class _Reading:
    """A stretch that was asked for."""

    stretch: Stretch
    cutting: Cutting
    paging: Paging
    variables: Mapping[str, Any]
    answer: Answer | None = None
    sent: float = 0.0
    pages: deque[Page] = field(default_factory=deque)
    rest: Cutting | None = None
    counted: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be asked for."""
        return self.rest is not None or self.paging.ask is None


class Spread:
    """Reads what follows the first page of a long listing.

    Args:
        connection: where the listing lies in an answer.
        cut: how it can be cut.
        paging: what was read of it so far; nodes that it has seen do not come again.
        submit: sends the request for a page, with further variables.
        wait: waits for an answer and raises its error.
        size: nodes a page.
        clock: seconds on a clock that only goes forward.
    """

    def __init__(
        self,
        connection: Connection,
        cut: Cut,
        paging: Paging,
        submit: Submit,
        wait: Wait,
        size: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._cut = cut
        self._paging = paging
        self._submit = submit
        self._wait = wait
        self._size = size
        self._clock = clock
        self._line: deque[_Reading | Cutting] = deque()
        self._latency = 0.0
        self._work = 0.0

    def begins(self, first: Page) -> bool:
        """Whether what follows a first page is worth cutting, and can be: then it is asked for, and `rest` gives it."""
        tally = self._paging.tally
        if first.cursor is None or tally.total is None or tally.total <= LONG * self._size:
            return False
        try:
            begin, end = self._cut.place(first.nodes[0]), self._cut.place(first.nodes[-1])
        except (LookupError, TypeError, ValueError):
            return False
        if not can_be_cut(begin, end):
            return False
        rate = len(first.nodes) / (end - begin)
        self._line.append(Cutting(end, None, tally.total - tally.nodes, rate, self._size))
        self._fill()
        return True

    def rest(self) -> Generator[Page, None, None]:
        """The pages after the first.

        Raises:
            Unreliable: the rest has to be read page after page; all nodes given so far are in their places.
        """
        while self._line:
            self._fill()
            head = self._line[0] if self._line else None
            if isinstance(head, _Reading) and head.answer is not None and not head.pages:
                self._take(head)
                self._fill()
            for page in self._next_pages():
                given = self._clock()
                yield page
                self._work = _smooth(self._work, self._clock() - given)
        self._check()

    def close(self) -> None:
        """Cancels what is under way."""
        for reading in self._line:
            if isinstance(reading, _Reading) and reading.answer is not None:
                reading.answer.cancel()
        self._line.clear()

    def _fill(self) -> None:
        """Asks for as many stretches as are to be under way, the first ones first."""
        for reading in self._line:
            if isinstance(reading, _Reading) and reading.answer is not None and reading.answer.done():
                self._take(reading)
        position, under_way = 0, 0
        while position < len(self._line) and under_way < self._width:
            part = self._line[position]
            if isinstance(part, Cutting):
                stretch = part.take()
                if stretch is None:
                    del self._line[position]
                    continue
                self._line.insert(position, self._asked(stretch, part))
            elif part.rest is not None:
                self._line.insert(position + 1, part.rest)
                part.rest, part.paging.ask = None, None
            position, under_way = position + 1, under_way + 1

    @property
    def _width(self) -> int:
        """How many stretches are to be under way: as many as are used up while one answer travels, and one more."""
        wanted = 1 + math.ceil(self._latency / max(self._work, 0.001)) if self._work else _FIRST
        return max(_FEWEST, min(wanted, MOST))

    def _asked(self, stretch: Stretch, cutting: Cutting) -> _Reading:
        paging = Paging(self._connection.without_key(), size=self._size)
        reading = _Reading(stretch, cutting, paging, self._cut.variables(stretch))
        self._ask(reading)
        return reading

    def _ask(self, reading: _Reading) -> None:
        assert reading.paging.ask is not None
        reading.sent = self._clock()
        reading.answer = self._submit(reading.paging.ask, reading.variables)
        reading.answer.add_done_callback(lambda _: self._learn_latency(reading))

    def _learn_latency(self, reading: _Reading) -> None:
        self._latency = _smooth(self._latency, self._clock() - reading.sent)

    def _next_pages(self) -> Generator[Page, None, None]:
        """The pages of the first stretch in line that have come."""
        reading = self._line[0] if self._line else None
        if not isinstance(reading, _Reading):
            return
        if reading.answer is None and not reading.pages and reading.is_over and reading.rest is None:
            self._line.popleft()
            return
        if reading.answer is None and not reading.is_over:
            # Dense, or slow: on by its cursor, while what has come is used.
            self._ask(reading)
        while reading.pages:
            page = reading.pages.popleft()
            nodes = self._paging.admit(page.nodes)
            if nodes:
                yield Page(nodes, None, self._paging.tally.total, page.answer, resumable=False)

    def _take(self, reading: _Reading) -> None:
        """Takes in an answer that has come, or is waited for."""
        assert reading.answer is not None
        answer, reading.answer = reading.answer, None
        try:
            page = reading.paging.take(self._wait(answer))
        except CommError as error:
            if not is_too_slow(error) or (reading.paging.ask is not None and reading.paging.ask.size == 1):
                raise Unreliable from error
            reading.paging.too_slow(error)
            self._size = min(self._size, reading.paging.ask.size if reading.paging.ask else 1)
            self._ask(reading)
            return
        self._examine(reading, page)
        reading.pages.append(page)

    def _examine(self, reading: _Reading, page: Page) -> None:
        """What a page says of its stretch: whether it belongs there, and whether what is left is to be cut again."""
        stretch, count = reading.stretch, page.total
        if count is None:
            raise Unreliable
        if not reading.counted:
            reading.counted = True
            reading.cutting.learn(stretch, count)
        if not page.nodes:
            return
        try:
            places = [self._cut.place(node) for node in page.nodes]
        except (LookupError, TypeError, ValueError):
            raise Unreliable from None
        last = places[-1]
        if min(places) < stretch.start - _SLACK or (stretch.stop is not None and max(places) > stretch.stop + _SLACK):
            raise Unreliable
        if page.cursor is not None and can_be_cut(stretch.start, last) and last > places[0]:
            left = max(count - reading.paging.tally.nodes, 1)
            rate = len(places) / (last - places[0])
            if stretch.stop is None or last < stretch.stop:
                reading.rest = Cutting(last, stretch.stop, left, rate, self._size)

    def _check(self) -> None:
        """Whether all came that the server counts now."""
        tally = self._paging.tally
        if tally.total is not None and tally.nodes + tally.empty < tally.total:
            self._paging.recount(self._wait(self._submit(Ask(None, 1), {})))
            if tally.nodes + tally.empty < (tally.total or 0):
                raise Unreliable
        self._paging.end()


def _smooth(old: float, new: float) -> float:
    return new if old == 0 else 0.5 * old + 0.5 * new
