"""Scan: which columns and rows are wanted of a source, as an immutable value; and Source, what can be scanned.

A scan tells its source what it needs: columns, keys of documents, a predicate that holds for every row that is wanted,
a number of rows. The source sends that or more. Here the conditions are applied again to every batch, so rows are
exact whatever the source could do with the predicate, and the documents' keys become typed columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Protocol

import pyarrow as pa

from runframe.errors import UsageError
from runframe.filters import Always, And, Predicate
from runframe.frames.columns import Chosen, Columns, choose
from runframe.frames.frame import Frame
from runframe.frames.leaves import Leaves
from runframe.frames.names import path_json, split_name
from runframe.frames.predicate import Condition, bind
from runframe.frames.provenance import Provenance
from runframe.frames.rows import Rows, unseen, warn
from runframe.frames.scannable import DatasetLike
from runframe.frames.schema import PATH, Schema, unknown_column

OnConflict = Literal["json", "null", "error"]


@dataclass(frozen=True)
class Request:
    """What a scan asks of its source.

    Attributes:
        columns: columns of the source's schema, in this order. JSON columns come as text.
        keys: of JSON columns, the keys that are wanted of each document; None for the whole. More may be sent.
        where: a predicate on the schema's columns that holds for every row wanted. More rows may be sent.
        exact: whether every row for which the predicate holds is wanted, so that `limit` rows are enough.
        limit: how many rows are wanted; None for all. More may be sent; reading stops when there are enough.
    """

    columns: tuple[str, ...]
    keys: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    where: Predicate = field(default_factory=Always)
    exact: bool = True
    limit: int | None = None


@dataclass(frozen=True)
class Opened:
    """What a source makes of a request; nothing is sent before the batches are read.

    Attributes:
        batches: opens the stream: record batches of the columns asked for, and JSON text with the keys asked for.
        provenance: what is known of the rows, once they were read.
        document: the document that is sent, if one is.
        variables: what it is sent with, for the first page.
        sent: the part of the predicate that the source itself applies, as it is sent; None for none of it.
        exact: whether that is the whole predicate.
    """

    batches: Callable[[], Iterator[Any]]
    provenance: Callable[[], Provenance | None]
    document: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    sent: str | None = None
    exact: bool = False


class Source(Protocol):
    """What can be scanned: it opens a stream of batches for a request."""

    def open_scan(self, request: Request) -> Opened:
        """The stream for a request; nothing is asked before it is read."""
        ...


@dataclass(frozen=True)
class Explanation:
    """What a scan does, before it does it.

    Attributes:
        source: what is scanned.
        columns: the columns asked for.
        sent: the filter that goes to the server, as it is sent; None for none.
        checked: the conditions that are applied here, on every batch.
        limit: how many rows are wanted; None for all.
        document: the GraphQL document that is sent, if one is.
        variables: what the first page is asked for with.
    """

    source: str
    columns: str
    sent: str | None
    checked: tuple[str, ...]
    limit: int | None
    document: str | None
    variables: Mapping[str, Any]

    def __str__(self) -> str:
        lines = [
            f"scan of {self.source}",
            f"columns:   {self.columns}",
            f"sent:      {self.sent or 'no filter'}",
            f"checked:   {' and '.join(self.checked) or 'nothing'}",
            f"limit:     {'none' if self.limit is None else self.limit}",
        ]
        if self.document is not None:
            lines += [f"variables: {dict(self.variables)}", "document:", self.document]
        return "\n".join(lines)

    __repr__ = __str__


class Scan(DatasetLike):
    """Columns and rows of a source: an immutable value that reads nothing until it is converted, and each time anew.

    Types of flattened columns that had to be found are kept.

    Args:
        source: what is scanned.
        declared: its schema.
        columns: the columns wanted; see `runframe.frames.columns`.
        where: the rows wanted: a Mongo-style dict, a polars expression, an Arrow expression, or a list of them.
        limit: how many rows are wanted at most, of those.
        schema: Arrow types of flattened columns, by name, fixed from outside. Where all that are wanted have one, the
            scan streams, and engines need not read the documents to know the columns' types.
        on_conflict: what becomes of values that do not go together; see `flatten`.

    Raises:
        UsageError: a column is unknown (near matches are named), the limit is no count, or the condition is none.
    """

    def __init__(
        self,
        source: Source,
        declared: Schema,
        columns: Columns = None,
        where: Any = None,
        limit: int | None = None,
        *,
        schema: Mapping[str, Any] | None = None,
        on_conflict: OnConflict = "json",
    ) -> None:
        self._source = source
        self._declared = declared
        self._asked = columns
        self._chosen = choose(columns, declared)
        self._steps: tuple[Condition | int, ...] = (*bind(where, declared), *_count(limit))
        self._types = dict(schema or {})
        self._on_conflict: OnConflict = on_conflict

    def scan(
        self,
        columns: Columns = None,
        where: Any = None,
        limit: int | None = None,
        *,
        schema: Mapping[str, Any] | None = None,
        on_conflict: OnConflict | None = None,
    ) -> Scan:
        """A narrower scan: of this one's rows those that fit, at most so many, and some of its columns."""
        return self._with(columns, (*bind(where, self._declared), *_count(limit)), schema or {}, on_conflict)

    def narrowed(self, columns: Columns, where: Any, limit: int | None) -> Scan:
        """A narrower scan as engines mean it: this one's first rows, of these those that fit."""
        types = self._known_types() if self._chosen.leaves else {}
        where = tuple(condition.typed(types) for condition in bind(where, self._declared))
        return self._with(columns, (*_count(limit), *where), types, None)

    @property
    def is_open(self) -> bool:
        """Whether no columns were asked for: then engines may name others than those of the schema."""
        return self._asked is None

    def wider(self, names: Sequence[str]) -> Scan:
        """The same rows with flattened columns beside those that there are; for engines."""
        made = self._with(None, (), {}, None)
        made._asked = [*self._declared.names, *names]
        made._chosen = choose(made._asked, self._declared)
        return made

    def _with(
        self,
        columns: Columns,
        steps: tuple[Condition | int, ...],
        types: Mapping[str, Any],
        on_conflict: OnConflict | None,
    ) -> Scan:
        made = Scan.__new__(Scan)
        made._source, made._declared = self._source, self._declared
        names = self._among_mine(columns)
        made._asked = self._asked if names is None else names
        made._chosen = self._chosen if names is None else choose(names, self._declared)
        made._steps = self._steps + steps
        made._types = {**self._types, **types}
        made._on_conflict = on_conflict or self._on_conflict
        return made

    def _among_mine(self, columns: Columns) -> list[str] | None:
        """The names asked for, which must be among this scan's own."""
        if columns is None:
            return None
        mine = list(self._chosen.names) if self._chosen.names is not None else self.schema.names
        if not isinstance(columns, str) and isinstance(columns, Sequence):
            for name in columns:
                if name not in mine:
                    raise unknown_column(str(name), mine, "the scan has")
            return list(columns)
        wanted = choose(columns, self._declared)
        keeps = wanted.keeps
        assert keeps is not None
        return [name for name in mine if keeps(name)]

    # What it is.

    @property
    def declared(self) -> Schema:
        """The schema of the source."""
        return self._declared

    @cached_property
    def schema(self) -> Any:
        """The `pyarrow.Schema` of the columns. Types of flattened columns that are not given are read for it, once."""
        if not self._chosen.leaves:
            return self._declared.select(self._chosen.plain).arrow
        if self._chosen.names is None:
            return self.frame().schema.remove_metadata()
        unknown = [name for name in self._leaf_names if name not in self._types]
        types = dict(self._types)
        if unknown:
            found = self._with(unknown, (), {}, None).frame().schema
            if found.names != unknown:  # an object's name stands for all leaves below it
                return self.frame().schema.remove_metadata()
            types.update(zip(found.names, found.types, strict=True))
        return pa.schema([self._field(name, types) for name in self._chosen.names])

    @property
    def _leaf_names(self) -> list[str]:
        return [name for name in self._chosen.names or () if name not in self._declared]

    def _field(self, name: str, types: Mapping[str, Any]) -> Any:
        if name in self._declared:
            return self._declared[name].field
        return pa.field(name, types[name], metadata={PATH: path_json(split_name(name))})

    def _known_types(self) -> dict[str, Any]:
        return {column.name: column.type for column in self.schema if column.name not in self._declared}

    @property
    def source_text(self) -> str:
        """What is scanned, in a few words."""
        return repr(self._source)

    def explain(self) -> Explanation:
        """What goes to the server, what is checked again here, and which document is sent; sends nothing of it.

        A server may be asked, once, whether it can send single keys of documents. Where the types of flattened columns
        must be found first, what is sent for that is not shown, and they may let the filter be narrower than shown.
        """
        request, opened = self._open(self._steps)
        asked = self._chosen.names
        return Explanation(
            source=self.source_text,
            columns=str(self._asked) if asked is None else ", ".join(asked),
            sent=opened.sent,
            checked=tuple(str(step) for step in self._steps if isinstance(step, Condition)),
            limit=request.limit,
            document=opened.document,
            variables=opened.variables,
        )

    def __repr__(self) -> str:
        asked = "all" if self._asked is None else self._asked
        steps = [f"where={step}" if isinstance(step, Condition) else f"limit={step}" for step in self._steps]
        return f"<Scan {' '.join([self.source_text, f'columns={asked}', *steps])}>"

    # What it reads.

    @cached_property
    def _bound(self) -> tuple[tuple[Condition | int, ...], dict[str, Any]]:
        """The steps, with the types of the flattened columns that their expressions are about.

        An expression means what it means on a column of all rows that it is applied to. So where no type is given,
        these rows are looked through for it, before a filter makes them fewer.
        """
        steps: list[Condition | int] = []
        types = dict(self._types)
        for step in self._steps:
            if isinstance(step, Condition) and step.leaves:
                unknown = [name for name in step.leaves if name not in types]
                if unknown:
                    types.update(self._before(steps, types, unknown))
                step = step.typed(types)
            steps.append(step)
        return tuple(steps), types

    def _before(
        self, steps: Sequence[Condition | int], types: Mapping[str, Any], names: list[str]
    ) -> Mapping[str, Any]:
        made = self._with(None, (), types, None)
        made._steps, made._asked, made._chosen = tuple(steps), names, choose(names, self._declared)
        found = made.schema
        for name in names:
            if name not in found.names:
                raise UsageError(f"{name!r} is an object: a condition is on one value, such as {found.names[0]!r}")
        return dict(zip(found.names, found.types, strict=True))

    def frame(self) -> Frame:
        """The frame of this scan. Nothing is read yet, unless types must be found: then all of it is, now."""
        steps, types = self._bound
        request, opened = self._open(steps)
        rows = Rows(self._declared, request.columns, opened.batches, steps, types)

        def read() -> Iterator[Any]:
            yield from rows.read()
            unseen(self._source, self._declared, rows.unseen_paths(), Request)

        provenance = self._told(opened)
        raw = Frame(rows.schema, read, provenance)
        if not self._chosen.leaves:
            return self._plain(raw, provenance)
        leaves = Leaves(self._declared, self._chosen, self._types, self._on_conflict)
        flat = leaves.frame(raw)
        if not flat.columns:
            warn(f"no column of {self.source_text} fits {self._asked!r}")
        missing = leaves.missing(flat)
        if missing:
            unseen(self._source, self._declared, missing, Request)
        return flat

    def _plain(self, raw: Frame, provenance: Callable[[], Provenance] | None) -> Frame:
        names = list(self._chosen.names if self._chosen.names is not None else self._chosen.plain)
        if not names:
            return Frame(pa.schema([]), lambda: iter(()), provenance, num_rows=0)
        schema = self._declared.select(names).arrow
        return Frame(schema, lambda: (batch.select(names) for batch in raw.to_batches()), provenance)

    def _open(self, steps: Sequence[Condition | int]) -> tuple[Request, Opened]:
        conditions: list[Condition] = []
        limit: int | None = None
        for step in steps:
            if isinstance(step, int):
                limit = step
                break
            conditions.append(step)
        wanted = [step for step in steps if isinstance(step, Condition)]
        texts = [*self._chosen.plain, *(name for each in wanted for name in each.texts)]
        keys = _merged([self._chosen.keys(), *(each.keys for each in wanted)], texts)
        plain = [*self._chosen.plain, *(name for each in wanted for name in each.plain), *keys]
        columns = [name for name in self._declared.names if name in plain]
        parts = [part for each in conditions if not isinstance(part := each.superset, Always)]
        request = Request(
            columns=tuple(columns or self._declared.names[:1]),
            keys=keys,
            where=Always() if not parts else parts[0] if len(parts) == 1 else And(tuple(parts)),
            exact=all(condition.exact for condition in conditions),
            limit=limit,
        )
        return request, self._source.open_scan(request)

    def _told(self, opened: Opened) -> Callable[[], Provenance]:
        conditions = [step for step in self._steps if isinstance(step, Condition)]
        steps = [f"where {step}" if isinstance(step, Condition) else f"limit {step}" for step in self._steps]
        counted = not conditions or (opened.exact and all(condition.exact for condition in conditions))

        def tell() -> Provenance:
            found = opened.provenance() or Provenance("complete")
            query = " ".join([*([found.query] if found.query else []), *steps]) or None
            return replace(found, query=query, server_rows=found.server_rows if counted else None)

        return tell


def _count(limit: int | None) -> tuple[int, ...]:
    if limit is None:
        return ()
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise UsageError(f"limit must be a number of rows, 0 or more, not {limit!r}")
    return (limit,)


def _merged(
    parts: Sequence[Mapping[str, tuple[str, ...] | None]], whole: Sequence[str]
) -> dict[str, tuple[str, ...] | None]:
    """The keys that any of them wants; None where one of them, or the column itself, wants the whole document."""
    found: dict[str, tuple[str, ...] | None] = {}
    for part in parts:
        for document, keys in part.items():
            before = found.get(document, ())
            found[document] = None if keys is None or before is None else tuple(dict.fromkeys((*before, *keys)))
    return {document: None if document in whole else keys for document, keys in found.items()}


__all__ = ["Chosen", "Explanation", "Opened", "Request", "Scan", "Source"]
