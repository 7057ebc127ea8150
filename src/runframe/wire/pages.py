"""A connection as a stream of pages.

`Paging` decides, from answers alone: what to ask for next, when to stop, what was seen before, what to do about a page
that is too slow. `Pages` drives it, with the next page in flight while this one is being used. Runs are created and
updated while they are read, so pages overlap: nodes are told apart by their id, and the count at the end is held
against the server's.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from runframe.errors import CommError, NotFoundError, ServerError, TransportError

from .failures import kind_of
from .retry import Kind

__all__ = ["Ask", "Connection", "Page", "Pages", "Paging", "SideBySide", "Tally", "Unreliable", "is_too_slow"]

# After so many good pages in a row a size that was halved is doubled again.
_GOOD_PAGES = 4
_SLOW_STATUS = 504
_SLOW_TEXT = re.compile(r"deadline exceeded|timed?[ -]?out", re.IGNORECASE)


@dataclass(frozen=True)
class Connection:
    """Where a connection lies in an answer, and how it is asked for.

    Attributes:
        path: keys from `data` to the connection, such as `("project", "runs")`.
        cursor: where the next page begins: after the last edge's `cursor` ("edge"), or `pageInfo.endCursor` ("end").
        total: keys from `data` to the server's count of nodes, where it is asked for.
        key: field of a node that tells it from all others; None where nodes have none.
        size_variable: the document's variable for the number of nodes.
        cursor_variable: the document's variable for the cursor.
        missing: the message of the error where something on the path is null.
    """

    path: tuple[str, ...]
    cursor: Literal["edge", "end"] = "edge"
    total: tuple[str, ...] | None = None
    key: str | None = "id"
    size_variable: str = "perPage"
    cursor_variable: str = "cursor"
    missing: str | None = None

    def variables(self, ask: Ask) -> dict[str, Any]:
        """The variables that ask for a page."""
        return {self.size_variable: ask.size, self.cursor_variable: ask.cursor}

    def without_key(self) -> Connection:
        """The same connection, whose nodes are all taken for different ones."""
        return replace(self, key=None)


@dataclass(frozen=True)
class Ask:
    """A page to ask for: the nodes after a cursor (None: from the start), at most `size` of them."""

    cursor: str | None
    size: int


@dataclass(frozen=True)
class Page:
    """What one request brought.

    Attributes:
        nodes: the nodes that no earlier page held.
        cursor: where the next page begins; None on the last.
        total: the server's count of all nodes at that moment, where it was asked for.
        answer: the whole `data`.
        end: where this page ends, also on the last; None where the server doesn't say.
        resumable: whether the listing can be read on from `cursor`; False for a page of a stretch of it.
    """

    nodes: list[dict[str, Any]]
    cursor: str | None
    total: int | None
    answer: dict[str, Any] = field(repr=False)
    end: str | None = None
    resumable: bool = True


@dataclass
class Tally:
    """What has been read so far.

    Attributes:
        nodes: different nodes.
        repeated: nodes that came more than once.
        empty: nodes that the server gave as null.
        pages: answers.
        total: the server's count in the newest answer; None where it was not asked for.
        exhausted: the server has no more.
        meagre: the nodes that the server could not give as they were asked for, not even alone.
    """

    nodes: int = 0
    repeated: int = 0
    empty: int = 0
    pages: int = 0
    total: int | None = None
    exhausted: bool = False
    meagre: list[dict[str, Any]] = field(default_factory=list)

    @property
    def complete(self) -> bool | None:
        """Whether every node that the server counts was read; None where it gave no count."""
        if not self.exhausted:
            return False
        return None if self.total is None else self.nodes + self.empty >= self.total


class Paging:
    """The state of a connection that is being read: pure, told of answers, without I/O.

    Args:
        connection: where it lies.
        size: nodes a page.
        limit: nodes in all; None is all that there are.
        cursor: where to begin; None is the start.

    Attributes:
        ask: the page to ask for now; None when there is nothing left to ask.
        tally: what was read.
    """

    def __init__(
        self, connection: Connection, *, size: int, limit: int | None = None, cursor: str | None = None
    ) -> None:
        if size < 1:
            raise ValueError(f"a page of {size} nodes cannot be asked for; 1 or more were expected")
        self.tally = Tally()
        self._connection = connection
        self._full_size = self._size = size
        self._limit = limit
        self._seen: set[Any] = set()
        self._good = 0
        self.ask = self._next(cursor)

    def take(self, data: dict[str, Any]) -> Page:
        """The page in an answer to `ask`, which moves on.

        Raises:
            NotFoundError: something on the connection's path is null.
            ServerError: the connection is malformed, or says that there is more but not where.
        """
        asked = self._asked()
        connection = self._find(data)
        edges = connection.get("edges")
        if not isinstance(edges, list):
            raise ServerError(f"the server's answer has no edges at {self._where()}")
        total = _dig(data, self._connection.total) if self._connection.total else None
        self.tally.pages += 1
        self.tally.total = total if isinstance(total, int) else self.tally.total
        nodes = self._fresh(edges)
        cursor = self._cursor(connection, edges, asked)
        self.tally.exhausted = cursor is None
        self._grow()
        self.ask = None if cursor is None else self._next(cursor)
        return Page(nodes, cursor, self.tally.total, data, self._end(connection, edges))

    def too_slow(self, error: CommError) -> None:
        """The answer to `ask` did not come in time: the same place is asked for with half the size.

        Raises:
            CommError: the same, where a single node was too much already.
        """
        asked = self._asked()
        self._good = 0
        if asked.size == 1:
            after = f"after the first {self.tally.nodes} nodes"
            raise type(error)(f"{error.message}: even a page of one node, {after} of {self._where()}", error) from error
        self._size = asked.size // 2
        self.ask = self._next(asked.cursor)

    def admit(self, nodes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Of nodes that were read otherwise, those that were not seen before."""
        fresh = [node for node in nodes if self._is_new(node)]
        self.tally.pages += 1
        self.tally.nodes += len(fresh)
        return fresh

    def recount(self, data: dict[str, Any]) -> None:
        """Takes the server's count alone from an answer."""
        total = _dig(data, self._connection.total) if self._connection.total else None
        self.tally.total = total if isinstance(total, int) else self.tally.total

    def end(self) -> None:
        """Nothing is left to ask: what was read otherwise was all."""
        self.ask = None
        self.tally.exhausted = True

    def _asked(self) -> Ask:
        if self.ask is None:
            raise RuntimeError("no page was asked for")
        return self.ask

    def _next(self, cursor: str | None) -> Ask | None:
        if self._limit is None:
            return Ask(cursor, self._size)
        left = self._limit - self.tally.nodes
        return Ask(cursor, min(self._size, left)) if left > 0 else None

    def _grow(self) -> None:
        self._good += 1
        if self._size < self._full_size and self._good >= _GOOD_PAGES:
            self._size = min(self._size * 2, self._full_size)
            self._good = 0

    def _find(self, data: dict[str, Any]) -> dict[str, Any]:
        connection = _dig(data, self._connection.path)
        if connection is None:
            raise NotFoundError(self._connection.missing or f"the server has nothing at {self._where()}")
        if not isinstance(connection, dict):
            raise ServerError(f"the server's answer has no connection at {self._where()}")
        return connection

    def _fresh(self, edges: Sequence[dict[str, Any] | None]) -> list[dict[str, Any]]:
        """The nodes that were not seen before, up to the limit."""
        room = None if self._limit is None else self._limit - self.tally.nodes
        fresh: list[dict[str, Any]] = []
        for edge in edges:
            node = edge.get("node") if edge else None
            if node is None:
                self.tally.empty += 1
            elif self._is_new(node) and (room is None or len(fresh) < room):
                fresh.append(node)
        self.tally.nodes += len(fresh)
        return fresh

    def _is_new(self, node: dict[str, Any]) -> bool:
        key = node.get(self._connection.key) if self._connection.key else None
        if key is None:
            return True
        if key in self._seen:
            self.tally.repeated += 1
            return False
        self._seen.add(key)
        return True

    def _cursor(self, connection: dict[str, Any], edges: Sequence[dict[str, Any] | None], asked: Ask) -> str | None:
        """Where the next page begins; None where this one was the last."""
        info = connection.get("pageInfo") or {}
        if not info.get("hasNextPage", len(edges) >= asked.size) or not edges:
            return None
        cursor = self._end(connection, edges)
        if cursor is None or cursor == asked.cursor:
            raise ServerError(
                f"the server says that {self._where()} goes on after {self.tally.nodes} nodes, but not where: "
                f"its cursor is {cursor!r}"
            )
        return cursor

    def _end(self, connection: dict[str, Any], edges: Sequence[dict[str, Any] | None]) -> str | None:
        """Where the page ends, as the server names it."""
        if self._connection.cursor == "end":
            cursor = (connection.get("pageInfo") or {}).get("endCursor")
        else:
            cursor = (edges[-1] or {}).get("cursor") if edges else None
        return cursor if isinstance(cursor, str) else None

    def _where(self) -> str:
        return ".".join(self._connection.path)


class Unreliable(Exception):
    """What was read side by side is not all, or not what was asked for: the rest has to be read page after page."""


class SideBySide(Protocol):
    """Reads what follows the first page of a long connection; see `runframe.wire.spread`."""

    def begins(self, first: Page) -> bool:
        """Whether what follows a first page is worth it, and can be read so: then it is asked for."""
        ...

    def rest(self) -> Generator[Page, None, None]:
        """The pages after the first.

        Raises:
            Unreliable: the rest has to be read page after page; what was given so far holds.
        """
        ...

    def close(self) -> None:
        """Cancels what is under way."""
        ...


class Pages(Iterator[Page]):
    """The pages of a connection, one by one.

    Args:
        paging: what decides.
        submit: sends the request for a page.
        wait: waits for its answer and raises its error.
        ahead: ask for the next page before this one is used. Closing, or dropping, the iterator cancels it.
        spread: reads what follows the first page of a long connection, where that can be done side by side.
        spare: sends the request for a single node in a form that costs the server less, where there is one: for a
            node that does not come in time even alone. It is noted in `Tally.meagre`, and the rest goes on.
    """

    def __init__(
        self,
        paging: Paging,
        submit: Callable[[Ask], Future[dict[str, Any]]],
        wait: Callable[[Future[dict[str, Any]]], dict[str, Any]],
        *,
        ahead: bool = True,
        spread: SideBySide | None = None,
        spare: Callable[[Ask], Future[dict[str, Any]]] | None = None,
    ) -> None:
        self._paging = paging
        self._pages = _drive(paging, submit, wait, ahead, spread, spare)

    def __next__(self) -> Page:
        return next(self._pages)

    @property
    def tally(self) -> Tally:
        """What was read so far; after the last page, whether it was all."""
        return self._paging.tally

    def close(self) -> None:
        """Ask for nothing more, and cancel what is in flight."""
        self._pages.close()


def _drive(
    paging: Paging,
    submit: Callable[[Ask], Future[dict[str, Any]]],
    wait: Callable[[Future[dict[str, Any]]], dict[str, Any]],
    ahead: bool,
    spread: SideBySide | None,
    spare: Callable[[Ask], Future[dict[str, Any]]] | None,
) -> Generator[Page, None, None]:
    coming: Future[dict[str, Any]] | None = None
    try:
        while paging.ask is not None:
            coming = coming or submit(paging.ask)
            try:
                page = paging.take(wait(coming))
            except CommError as error:
                if not is_too_slow(error):
                    raise
                coming = None
                if paging.ask.size > 1 or spare is None:
                    paging.too_slow(error)
                    continue
                page = paging.take(wait(spare(paging.ask)))
                paging.tally.meagre += page.nodes
            coming = None
            if spread is not None and spread.begins(page):
                yield page
                with contextlib.suppress(Unreliable):
                    yield from spread.rest()
                spread.close()
                spread = None
                continue
            spread = None
            coming = submit(paging.ask) if ahead and paging.ask is not None else None
            yield page
    finally:
        if spread is not None:
            spread.close()
        if coming is not None:
            coming.cancel()


def is_too_slow(error: CommError) -> bool:
    """Whether an error says that the server did not manage in time: half as much may be possible."""
    if isinstance(error, TransportError):
        return isinstance(error.exc, Exception) and kind_of(error.exc) is Kind.TIMEOUT
    if isinstance(error, ServerError):
        return error.status == _SLOW_STATUS or bool(_SLOW_TEXT.search(error.message))
    return False


def _dig(data: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = data
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
