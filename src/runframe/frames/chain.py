"""Several sources of one schema as one: what is asked of it is asked of each, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from runframe.frames.provenance import Provenance
from runframe.frames.scan import Opened, Request, Scan, Source
from runframe.frames.scannable import DatasetLike
from runframe.frames.schema import Schema

if TYPE_CHECKING:
    from runframe.frames.columns import Columns


class Chain(DatasetLike):
    """Sources of one schema, one after the other.

    Args:
        schema: their schema.
        sources: gives them, when they are read; each time anew.
        name: what the whole is called, for messages and provenance.
    """

    def __init__(self, schema: Schema, sources: Callable[[], Iterable[Source]], name: str) -> None:
        self._declared = schema
        self._sources = sources
        self._name = name

    @property
    def schema(self) -> Any:
        """The Arrow schema."""
        return self._declared.arrow

    def scan(
        self,
        columns: Columns = None,
        where: Any = None,
        limit: int | None = None,
        *,
        schema: Mapping[str, Any] | None = None,
    ) -> Scan:
        """Some columns and rows; see `Collection.scan`."""
        return Scan(self, self._declared, columns, where, limit, schema=schema)

    def open_scan(self, request: Request) -> Opened:
        """The streams of all sources, one after the other."""
        told: list[Provenance] = []

        def read() -> Iterator[Any]:
            told.clear()
            for source in self._sources():
                opened = source.open_scan(request)
                yield from opened.batches()
                found = opened.provenance()
                if found is not None:
                    told.append(found)

        return Opened(read, lambda: Provenance(weakest(told), source=self._name))

    def __repr__(self) -> str:
        return f"<{self._declared.name} of {self._name}>"


def weakest(told: Iterable[Provenance]) -> Any:
    """What can be said of several frames together: sampled or live where one of them is, else complete."""
    said = {each.completeness for each in told}
    return next((word for word in ("sampled", "live") if word in said), "complete")
