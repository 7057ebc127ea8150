"""What every collection shares: pages that are objects, seen one by one, and record batches alike.

A collection is lazy. A page that was read for objects stays, so looping twice sends nothing new, and batches are made
from it too. A page that was read for batches stays as long as no more than `KEPT` nodes do, so that small collections
are read once whatever face is used, and large ones stream through without filling the memory.
"""

from __future__ import annotations

import operator
import threading
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, SupportsIndex, TypeVar, overload

from runframe.frames.batches import to_batch
from runframe.frames.scan import Opened, Request, Scan
from runframe.frames.scannable import DatasetLike
from runframe.frames.schema import Schema
from runframe.resources.client import Client
from runframe.resources.documents import document
from runframe.resources.scanning import Reading, opened
from runframe.wire.pages import Ask, Connection, Page, Pages, Paging
from runframe.wire.spread import Cut, Spread

if TYPE_CHECKING:
    import pyarrow as pa

    from runframe.frames.columns import Columns
    from runframe.frames.frame import Frame
    from runframe.frames.provenance import Provenance
    from runframe.frames.scan import OnConflict

PER_PAGE = 50
"""The page size where None is asked for."""

BATCH_PAGE = 1000
"""Nodes in a page that is read for batches: the most that servers give."""

KEPT = 1000
"""Nodes that stay in memory after they were read for batches alone."""

T = TypeVar("T")


@dataclass(frozen=True)
class KeptPage:
    """Where a kept page came from, so that it can be asked for again in another shape.

    Attributes:
        first: the position of its first node among all that are kept.
        cursor: where it began.
        size: how many nodes it had.
    """

    first: int
    cursor: str | None
    size: int


class Collection(DatasetLike, Generic[T]):
    """Objects of one kind, page by page: iterate, index, slice; or take them as columns.

    `scan` says which columns and rows are wanted. ``to_batches()``, ``to_arrow()``, ``to_polars()``, ``to_pandas()``,
    ``lazy()`` and the rest of `Scannable` take the same nodes as a table with the fixed schema `SCHEMA`, and with
    what lies in its JSON columns where that is asked for.

    Attributes:
        client: the connection.
        variables: what the query is sent with; changes from page to page.
        per_page: nodes asked for at once when objects are read; None means 50.
        objects: everything read so far, as objects.
        index: the position of the element given last; -1 before the first, and their number after a whole loop.
        last_response: the data of the last page read for objects.
    """

    SCHEMA: ClassVar[Schema]
    CONNECTION: ClassVar[Connection]
    """Where the nodes lie in an answer."""
    last_response: dict[str, Any] | None = None
    NODE_FIELDS: ClassVar[frozenset[str] | None] = None
    """The fields of a node that the noun itself needs beside those of columns; None where it may need any."""
    FILTER_VARIABLE: ClassVar[str | None] = None
    """The variable that carries a MongoDB-style filter, where the server takes one (see `Column.filter`)."""
    KEYED: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """JSON columns of which the server may send single keys: the type of the node, and the field with ``keys``."""

    def __init__(self, client: Client, variables: Mapping[str, Any], per_page: int | None = None) -> None:
        self.client = client
        self.variables = dict(variables)
        self.per_page = PER_PAGE if per_page is None else per_page
        self.index = -1
        self.last_response = None
        self._nodes: list[dict[str, Any]] = []
        self._ids: set[Any] = set()
        self._objects: list[T] = []
        self._kept: list[KeptPage] = []
        self._started = False
        self._cursor: str | None = None
        self._end: str | None = None
        self._total: int | None = None
        self._asked: float | None = None
        self._lock = threading.RLock()

    # What each noun says of itself.

    @property
    def _key(self) -> str:
        """The field that tells a node from all others."""
        return self.CONNECTION.key or "id"

    def _operation(self, full: bool) -> tuple[str, str]:
        """The document of a page, as noun and operation; `full` where heavy fields are wanted."""
        raise NotImplementedError

    def _checked(self, data: dict[str, Any]) -> dict[str, Any]:
        """The answer, or an error of the noun's own where what it asked for isn't there."""
        return data

    def _object(self, node: dict[str, Any]) -> T:
        """The object of a node."""
        raise NotImplementedError

    def _context(self) -> dict[str, Any]:
        """Column values that hold for every row."""
        return {}

    def _row(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the columns read of a node: the node itself, with whatever is derived from it."""
        return node

    def _is_full(self, node: Mapping[str, Any]) -> bool:
        """Whether a node has its heavy fields."""
        return True

    def _wants_full(self) -> bool:
        """Whether pages for objects are asked for with their heavy fields."""
        return False

    def _is_live(self, node: Mapping[str, Any]) -> bool:
        """Whether a node is still being written."""
        return False

    def _cut(self, variables: Mapping[str, Any]) -> Cut | None:
        """How a long listing with these variables can be read in stretches of time side by side; None: it cannot."""
        return None

    def _source(self) -> str | None:
        """Where the nodes come from, for the provenance of a frame."""
        return None

    def _query(self) -> str | None:
        """What was asked for, for the provenance of a frame."""
        return None

    # Objects.

    @property
    def more(self) -> bool:
        """Whether there may be nodes that were not read yet."""
        return not self._started or self._cursor is not None

    @property
    def cursor(self) -> str | None:
        """Where the next page begins, after the last one too; before the first page, `start` or None."""
        return self._cursor if self._cursor is not None else self._end

    @property
    def objects(self) -> list[T]:
        """Everything read so far, as objects: the same objects each time."""
        with self._lock:
            self._objects += [self._object(node) for node in self._nodes[len(self._objects) :]]
            return self._objects

    @objects.setter
    def objects(self, objects: Iterable[T]) -> None:
        self._objects = list(objects)

    def __iter__(self) -> Iterator[T]:
        self.index = -1
        position = 0
        while self._reach(position):
            self.index = position
            yield self.objects[position]
            position += 1
        self.index = position

    def __next__(self) -> T:
        self.index += 1
        if not self._reach(self.index):
            raise StopIteration
        return self.objects[self.index]

    next = __next__

    @overload
    def __getitem__(self, index: SupportsIndex) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> T | list[T]:
        """One object, or a list of them; reads as many pages as that takes.

        A negative bound, or a slice without an end, reads all of them.
        """
        if isinstance(index, slice):
            bounds = [bound for bound in (index.start, index.stop) if bound is not None]
            if index.stop is None or min(bounds) < 0 or (index.step or 1) < 0:
                self._reach_end()
            elif index.stop > 0:
                self._reach(index.stop - 1)
            return self.objects[index]
        position = operator.index(index)
        if position < 0:
            self._reach_end()
        else:
            self._reach(position)
        try:
            return self.objects[position]
        except IndexError:
            raise IndexError(f"{type(self).__name__} has {len(self.objects)} elements, none at {position}") from None

    @property
    def length(self) -> int | None:
        """How many there are, where the server counts them; reads the first page if none was read."""
        if self._total is None and not self._started:
            self._load()
        return self._total

    def _reach(self, position: int) -> bool:
        """Reads pages until there is an object at `position`; False when there is none."""
        while len(self.objects) <= position:
            before = len(self.objects)
            if not self._load() or len(self.objects) == before:
                return False
        return True

    def _reach_end(self) -> None:
        while self._load():
            pass

    def _load(self) -> bool:
        """Reads one more page for objects; False when there is none."""
        with self._lock:
            if not self.more:
                return False
            cursor = self._cursor
            page = next(self._pages(cursor, self.per_page, self._wants_full(), ahead=False))
            self.update_variables()
            self.last_response = page.answer
            self._keep(cursor, page)
            return True

    # What code that pages by hand uses.

    @property
    def QUERY(self) -> str:
        """The text of the GraphQL document of a page."""
        return document(*self._operation(self._wants_full())).text

    def update_variables(self) -> None:
        """Puts the size and the cursor of the next page into `variables`."""
        self.variables.update(self.CONNECTION.variables(Ask(self.cursor, self.per_page)))

    def convert_objects(self) -> list[T]:
        """The objects of the page that was read last; none before the first."""
        return self.objects[self._kept[-1].first :] if self.last_response is not None else []

    # Pages.

    @property
    def _start(self) -> str | None:
        """Where the first page begins."""
        return self._kept[0].cursor if self._kept else self._cursor

    @property
    def _largest_page(self) -> int:
        return BATCH_PAGE

    def _pages(self, cursor: str | None, size: int, full: bool, *, ahead: bool = True) -> Pages:
        """The pages from a cursor on; a page that the server is too slow for is asked for again in halves."""
        if cursor is None:
            self._asked = time.time()

        def submit(ask: Ask) -> Future[dict[str, Any]]:
            return send(ask, {})

        def send(ask: Ask, further: Mapping[str, Any]) -> Future[dict[str, Any]]:
            variables = {**self.variables, **further, **self.CONNECTION.variables(ask)}
            return self.client.submit(*self._operation(full), variables, retry_timeouts=False)

        def wait(answer: Future[dict[str, Any]]) -> dict[str, Any]:
            return self._checked(self.client.wait(answer))

        paging = Paging(self.CONNECTION, size=size, cursor=cursor)
        cut = self._cut(self.variables) if ahead else None
        spread = None if cut is None else Spread(self.CONNECTION, cut, paging, send, wait, size)
        spare = partial(self._submit_light, full) if full else None
        return Pages(paging, submit, wait, ahead=ahead, spread=spread, spare=spare)

    def _submit_light(self, full: bool, ask: Ask) -> Future[dict[str, Any]]:
        """Asks for a node that the server is too slow for without its heavy fields, with its retries."""
        return self.client.submit(*self._operation(not full), {**self.variables, **self.CONNECTION.variables(ask)})

    def _keep(self, cursor: str | None, page: Page) -> None:
        # Pages overlap where objects are made or removed while we read.
        new = [node for node in page.nodes if node[self._key] not in self._ids]
        self._ids.update(node[self._key] for node in new)
        self._kept.append(KeptPage(len(self._nodes), cursor, len(page.nodes)))
        self._nodes += new
        self._started, self._cursor, self._end, self._total = True, page.cursor, page.end, page.total

    def _absorb(self, nodes: Iterable[Mapping[str, Any]]) -> None:
        """Takes heavy fields into the nodes and objects that lack them."""
        with self._lock:
            fuller = {node[self._key]: node for node in nodes}
            for position, node in enumerate(self._nodes):
                found = fuller.get(node[self._key])
                if found is not None and not self._is_full(node):
                    node.update(found)
                    if position < len(self._objects):
                        self._complete(self._objects[position], found)

    def _complete(self, item: T, node: Mapping[str, Any]) -> None:
        """Gives an object the heavy fields of its node."""

    def _stream(self, full: bool) -> Iterator[list[dict[str, Any]]]:
        """Every node once, a page at a time, without keeping more of them than `KEPT`."""
        with self._lock:
            kept, more, cursor = list(self._nodes), self.more, self._cursor
        if full and not all(map(self._is_full, kept)):
            kept, more, cursor = [], True, None
        for start in range(0, len(kept), BATCH_PAGE):
            yield kept[start : start + BATCH_PAGE]
        if not more:
            return
        seen = {node[self._key] for node in kept}
        pages = self._pages(cursor, BATCH_PAGE, full)
        try:
            for page in pages:
                fresh = [node for node in page.nodes if node[self._key] not in seen]
                self._offer(cursor, page, full)
                cursor = page.cursor
                if fresh:
                    yield fresh
        finally:
            pages.close()
            self._report(pages.tally.meagre)

    def _report(self, meagre: Sequence[Mapping[str, Any]]) -> None:
        """Warns of nodes whose heavy fields the server could not give."""
        if meagre:
            names = ", ".join(str(self._path_of(node)) for node in meagre)
            warnings.warn(
                f"the server did not give the large fields of {names} in time, not even alone: they are null",
                UserWarning,
                stacklevel=2,
            )

    def _offer(self, cursor: str | None, page: Page, full: bool) -> None:
        """Keeps a page that was read for batches, where it is the next one and not too much."""
        with self._lock:
            if full and not all(map(self._is_full, self._nodes)):
                self._absorb(page.nodes)
            self._total = page.total
            if page.resumable and self.more and self._cursor == cursor and len(self._nodes) + len(page.nodes) <= KEPT:
                self._keep(cursor, page)

    # Columns.

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the columns that are there without flattening; each field's metadata says its meaning."""
        return self.SCHEMA.arrow

    def node_pages(self) -> Iterator[list[dict[str, Any]]]:
        """The nodes as the server sent them, each once, a page at a time; with all fields.

        For what needs more of a node than its columns, such as the address of a file.
        """
        return self._stream(full=True)

    def scan(
        self,
        columns: Columns = None,
        where: Any = None,
        limit: int | None = None,
        *,
        schema: Mapping[str, Any] | None = None,
        on_conflict: OnConflict = "json",
    ) -> Scan:
        """Some columns and rows, as a value that reads nothing until it is converted.

        Args:
            columns: None for the columns of `SCHEMA`; a list of exact names, in the order wanted (an empty one is
                none); a text as a pattern (``"id|config.*"``); a compiled regular expression, or a function of a name,
                as a filter. Names are those of `SCHEMA` and of what lies in its JSON columns, as `flatten` names it
                (``config.optimizer.lr``). Without a heavy column, nothing heavy is asked of the server.
            where: the rows wanted: a MongoDB-style dict in the columns' names, a polars expression, an Arrow
                expression, or a list of them. What the server can be told goes to it; all of it is checked here.
            limit: how many rows at most; reaches the size of the page.
            schema: Arrow types of flattened columns, by name, fixed from outside.
            on_conflict: what becomes of values that do not go together; see `flatten`.

        Raises:
            UsageError: there is no such column (near matches are named), or the condition is none; nothing is sent.
        """
        return Scan(self, self.SCHEMA, columns, where, limit, schema=schema, on_conflict=on_conflict)

    def open_scan(self, request: Request) -> Opened:
        """The stream for a request of a scan; nothing is asked before it is read."""
        return opened(self, request)

    def _batches(self, schema: Schema, reading: Reading | None = None) -> Iterator[pa.RecordBatch]:
        """Every node as columns, from the pages that stay in memory as far as they are there."""
        full = any(column.cost == "heavy" for column in schema)
        for nodes in self._stream(full):
            if reading is not None:
                reading.live |= any(map(self._is_live, nodes))
                reading.asked = self._asked
            yield to_batch(schema, [self._row(node) for node in nodes], self._context(), path_of=self._path_of)
        if reading is not None:
            reading.asked = self._asked  # also where there was nothing

    def _path_of(self, node: Mapping[str, Any]) -> str | None:
        """How messages name a node."""
        return None if node.get("name") is None else str(node["name"])

    def _table(self, columns: Columns) -> Frame:
        return self.scan(columns).frame()

    def _provenance(self, reading: Reading) -> Provenance:
        from runframe.frames.provenance import Provenance

        completeness: Literal["live", "complete"] = "live" if reading.live else "complete"
        return Provenance(
            completeness,
            source=self._source(),
            server_rows=self._total,
            query=self._query(),
            watermark=None if reading.asked is None else self.client.session.server_time(reading.asked),
        )

    def frame(self, columns: Sequence[str] | None = None) -> Frame:
        """The collection as a `Frame`: a stream that can be opened again, with its provenance; see `to_batches`."""
        return self._table(columns)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._lock = threading.RLock()


class SizedCollection(Collection[T]):
    """A collection whose length the server counts: ``len()`` is the whole, whatever was read so far."""

    def __len__(self) -> int:
        total = self.length
        if total is None:
            raise ValueError(f"{self!r}: the server did not say how many there are")
        return total
