"""How a collection answers a scan: which document is sent, with which filter and page size.

A scan for all rows of a collection that is being read already goes on with its pages, and what a small collection has
read stays (see `runframe.resources.collection`); so does what a scan reads in the noun's own document. Any other scan
asks for itself: a document that selects only what the columns need, the filter as far as the server can be told it, and
a page no larger than the limit.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from runframe.filters import Always
from runframe.frames.batches import to_batch
from runframe.frames.provenance import Provenance
from runframe.frames.scan import Opened, Request
from runframe.frames.schema import Schema
from runframe.resources.documents import document
from runframe.resources.projection import KEYS_VARIABLE, projected
from runframe.resources.pushdown import as_filter, both, pushable
from runframe.wire.documents import Document
from runframe.wire.pages import Ask, Pages, Paging
from runframe.wire.spread import Spread

if TYPE_CHECKING:
    from runframe.resources.collection import Collection


@dataclass
class Reading:
    """What was noticed while a frame was read.

    Attributes:
        live: whether something in it was still being written.
        total: the server's count of the rows that it was asked for.
        asked: when its first page was asked for, in Unix time by our clock.
    """

    live: bool = False
    total: int | None = None
    asked: float | None = None


def opened(collection: Collection[Any], request: Request) -> Opened:
    """The stream of a request on a collection."""
    schema = collection.SCHEMA.select(request.columns)
    full = any(column.cost == "heavy" for column in schema)
    everything = isinstance(request.where, Always) and request.limit is None
    if everything and _goes_on(collection, request, full):
        return _kept(collection, schema, full)
    asking = _Asking(collection, schema, request, full)
    if everything and asking.document is document(*collection._operation(full)):
        return _kept(collection, schema, full)
    return asking.opened()


def _goes_on(collection: Collection[Any], request: Request, full: bool) -> bool:
    """Whether the pages that the collection keeps are used."""
    if list(request.columns) == collection.SCHEMA.names and not any(request.keys.values()):
        return True
    if not collection._started:
        return False
    return not full or (not collection.more and all(map(collection._is_full, collection._nodes)))


def _kept(collection: Collection[Any], schema: Schema, full: bool) -> Opened:
    reading = Reading()
    return Opened(
        batches=lambda: collection._batches(schema, reading),
        provenance=lambda: collection._provenance(reading),
        document=document(*collection._operation(full)).text,
        variables=collection.variables,
        exact=True,
    )


class _Asking:
    """One request on a collection, in a document of its own.

    Attributes:
        document: the document.
    """

    def __init__(self, collection: Collection[Any], schema: Schema, request: Request, full: bool) -> None:
        self._collection = collection
        self._schema = schema
        self._full = full
        self._reading = Reading()
        kind = type(collection)
        pushed, self._exact = (
            pushable(request.where, kind.SCHEMA) if kind.FILTER_VARIABLE else (Always(), _is_always(request))
        )
        self._variables = dict(collection.variables)
        self._sent: str | None = None
        if not isinstance(pushed, Always) and kind.FILTER_VARIABLE:
            filters = as_filter(pushed)
            self._sent = json.dumps(filters)
            given = json.loads(self._variables.get(kind.FILTER_VARIABLE) or "{}")
            self._variables[kind.FILTER_VARIABLE] = both(given, filters)
        enough = self._exact and request.exact and request.limit is not None
        most = collection._largest_page
        self._size = max(1, min(request.limit or 1, most)) if enough else most
        self._ahead = request.limit is None
        self.document = self._made(request, full)

    def _made(self, request: Request, full: bool) -> Document:
        kind = type(self._collection)
        fields = {column.steps[0] for column in self._schema}
        heavy = {column.steps[0] for column in kind.SCHEMA if column.cost == "heavy"}
        keyed = None
        for column, (node, field) in kind.KEYED.items():
            keys = request.keys.get(column)
            if keys and self._collection.client.takes_keys(node, field):
                keyed = field
                self._variables[KEYS_VARIABLE] = list(keys)
        keep = None if kind.NODE_FIELDS is None else kind.NODE_FIELDS | fields
        operation = self._collection._operation(full)
        return projected(*operation, kind.CONNECTION.path, keep, frozenset(heavy - fields), keyed)

    def opened(self) -> Opened:
        connection = type(self._collection).CONNECTION
        return Opened(
            batches=self._batches,
            provenance=self._provenance,
            document=self.document.text,
            variables={**self._variables, **connection.variables(Ask(self._collection._start, self._size))},
            sent=self._sent,
            exact=self._exact,
        )

    def _batches(self) -> Iterator[Any]:
        collection, self._reading.total = self._collection, None
        self._reading.asked = time.time()
        found = self._pages()
        try:
            for page in found:
                self._reading.total = page.total
                if any(map(collection._is_live, page.nodes)):
                    self._reading.live = True
                rows = [collection._row(node) for node in page.nodes]
                yield to_batch(self._schema, rows, collection._context(), path_of=collection._path_of)
        finally:
            found.close()
            collection._report(found.tally.meagre)

    def _pages(self) -> Pages:
        collection = self._collection
        connection = type(collection).CONNECTION

        def submit(ask: Ask) -> Future[dict[str, Any]]:
            return send(ask, {})

        def send(ask: Ask, further: Mapping[str, Any]) -> Future[dict[str, Any]]:
            return collection.client.send(self.document, {**self._variables, **further, **connection.variables(ask)})

        def wait(answer: Future[dict[str, Any]]) -> dict[str, Any]:
            return collection._checked(collection.client.wait(answer))

        paging = Paging(connection, size=self._size, cursor=collection._start)
        # A listing whose document does not ask for the times is read page after page: they are not asked for it.
        cut = collection._cut(self._variables) if self._ahead else None
        spread = None if cut is None else Spread(connection, cut, paging, send, wait, self._size)
        return Pages(paging, submit, wait, ahead=self._ahead, spread=spread, spare=self._spare if self._full else None)

    def _spare(self, ask: Ask) -> Future[dict[str, Any]]:
        """Asks for a node that the server is too slow for without its heavy fields."""
        variables = {name: value for name, value in self._variables.items() if name != KEYS_VARIABLE}
        connection = type(self._collection).CONNECTION
        return self._collection.client.submit(
            *self._collection._operation(False), {**variables, **connection.variables(ask)}
        )

    def _provenance(self) -> Provenance:
        found = self._collection._provenance(self._reading)
        # Where a noun gives no count, there is none of a part of it either.
        known = found.server_rows is not None or self._collection._total is None
        return replace(found, server_rows=self._reading.total if known and self._exact else None)


def _is_always(request: Request) -> bool:
    return isinstance(request.where, Always)
