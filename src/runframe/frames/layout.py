"""What a flattened frame consists of: the source's columns and documents, then the columns that they come to."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from runframe.errors import UsageError
from runframe.frames.documents import RESERVED_ROW_KEYS, Document, is_text
from runframe.frames.names import join_path, path_json, split_name
from runframe.frames.places import Place, Wanted
from runframe.frames.schema import DOCUMENT, NULLS, PATH, is_json, type_name, unknown_column

STEP = "step"
"""The source's column that is the ``_step`` of the rows of a history."""


@dataclass(frozen=True)
class Through:
    """A column of the source that passes through."""

    index: int
    field: Any
    fixed: bool = False


@dataclass(frozen=True)
class Leaf:
    """A column made of a document's leaf.

    Attributes:
        document: the document's number; -1 for a leaf that no row has.
        place: the place of its values.
        field: its Arrow field.
        path: its path, the document's name included.
        fixed: whether its type was fixed from outside.
    """

    document: int
    place: Place | None
    field: Any
    path: tuple[str, ...]
    fixed: bool = False


@dataclass(frozen=True)
class Nulls:
    """The column that tells which leaves of a document are null in each row, and not just missing.

    Attributes:
        document: the document's number.
        names: the column names of all its places, by the place's number.
        field: its Arrow field.
    """

    document: int
    names: Mapping[int, str]
    field: Any
    fixed: bool = False


class Layout:
    """A source's columns: which pass through, and which are documents.

    Args:
        schema: the source's `pyarrow.Schema`.
        columns: the columns asked for; None for all.
        documents: the columns that hold JSON; None for those of type ``arrow.json``.
        types: the columns for which types are fixed.
        nulls: whether each document gets a column of its nulls.

    Attributes:
        through: the numbers of the columns that pass through.
        documents: the documents that are read.

    Raises:
        UsageError: a column asked for cannot be there, or a document named is no text.
    """

    def __init__(
        self,
        schema: Any,
        columns: Sequence[str] | None,
        documents: Sequence[str] | None,
        types: Iterable[str] = (),
        *,
        nulls: bool = False,
    ) -> None:
        self.schema = schema
        self._nulls = nulls
        self._names: dict[tuple[str, ...], str] = {}
        chosen = set(_document_names(schema, documents))
        kinds = {name: (schema.field(name).metadata or {}).get(DOCUMENT, b"").decode() or None for name in chosen}
        self._histories = [name for name in schema.names if kinds.get(name) == "row"]
        index = schema.get_field_index(STEP)
        self._step = index if self._histories and index >= 0 and pa.types.is_integer(schema.field(index).type) else -1
        passing = [index for index, name in enumerate(schema.names) if name not in chosen]
        self._passing = [self.name_of(index) for index in passing]
        for name in (*(columns or ()), *types):
            list(self._homes(name, kinds))  # refuses what cannot be
        wanted = self._wanted(columns, kinds)
        self.documents = [
            Document(index, name, kinds[name], wanted[name], step_given=self._step >= 0, nulls=nulls)
            for index, name in enumerate(schema.names)
            if name in chosen and name in wanted
        ]
        self.through = [index for index in passing if columns is None or self.name_of(index) in columns]
        if not self.documents and not self.through:
            self.through = passing[:1]  # to know how many rows there are

    def name_of(self, index: int) -> str:
        """The name that a column of the source has in the flattened frame."""
        return "_step" if index == self._step else str(self.schema.names[index])

    def places(self) -> int:
        """How many places there are by now."""
        return sum(document.reading.places for document in self.documents)

    def _wanted(self, columns: Sequence[str] | None, kinds: Mapping[str, str | None]) -> dict[str, Wanted]:
        """For each document that is to be read, the keys wanted of it."""
        if columns is None:
            return dict.fromkeys(kinds)
        trees: dict[str, dict[str, Any] | None] = {}
        for name in columns:
            for document, path in self._homes(name, kinds):
                trees[document] = _grown(trees.get(document, {}), path)
        return {name: trees[name] for name in trees}

    def _homes(self, name: str, kinds: Mapping[str, str | None]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The documents that a column may come from, each with the path inside it."""
        if name in self._passing:
            return
        if name in kinds:
            yield name, ()
            return
        path = split_name(name)
        if path[0] in kinds and kinds[path[0]] != "row":
            yield path[0], path[1:]
        elif self._histories:
            for history in self._histories:
                yield history, path
        else:
            raise unknown_column(name, [*self._passing, *kinds], "the source has")

    def columns(
        self, columns: Sequence[str] | None, types: Mapping[str, Any], *, exact: bool, warn: bool = True
    ) -> list[Leaf | Through | Nulls]:
        """The columns of the flattened frame, from what the documents have shown so far.

        Args:
            columns: the columns asked for; None for all.
            types: the types that are fixed, by column. A column named here is there, whatever the rows hold.
            exact: whether the columns asked for are just those, or may stand for all leaves below them.
            warn: whether to warn of columns asked for that no row has.
        """
        taken = set(self._passing)
        own = {
            document.index: list(self._leaves(number, document, taken))
            for number, document in enumerate(self.documents)
        }
        found: list[Leaf | Through] = []
        for index in range(len(self.schema.names)):
            if index in self.through:
                found.append(Through(index, self._field(index)))
            found.extend(own.get(index, ()))
        if columns is not None:
            found = list(self._chosen(columns, found, types, exact=exact, warn=warn))
        names = {column.field.name for column in found}
        found.extend(self._absent(name) for name in types if name not in names and columns is None)
        nulls = [self._nulls_of(number, taken) for number in range(len(self.documents))] if self._nulls else []
        return [*(_fixed(column, types) for column in found), *nulls]

    def _nulls_of(self, number: int, taken: set[str]) -> Nulls:
        document = self.documents[number]
        name = f"{document.name}.nulls"
        while name in taken:
            name = "\\" + name
        taken.add(name)
        paths = {place.number: (*document.prefix, *place.path) for place in document.root.walk()}
        names = {found: self._names.get(path) or (join_path(path) or document.name) for found, path in paths.items()}
        type_ = pa.list_(pa.string())
        return Nulls(number, names, pa.field(name, type_, metadata={NULLS: document.name.encode()}))

    def _field(self, index: int) -> Any:
        field = self.schema.field(index)
        if index != self._step:
            return field
        return field.with_name("_step").with_metadata({**(field.metadata or {}), PATH: path_json(["_step"])})

    def _leaves(self, number: int, document: Document, taken: set[str]) -> Iterator[Leaf]:
        places = [place for place in document.root.walk() if place.counts or (place.mentioned and not place.children)]
        if document.kind == "row":
            first: dict[tuple[str, ...], int] = {(key,): order for order, key in enumerate(RESERVED_ROW_KEYS)}
            places.sort(key=lambda place: first.get(place.path, len(first)))
        for place in places:
            path = (*document.prefix, *place.path)
            name = join_path(path) if path else document.name
            while name in taken:
                name = "\\" + name
            taken.add(name)
            self._names[path] = name
            metadata = {PATH: path_json(path)}
            yield Leaf(number, place, pa.field(name, _leaf_type(document, place), metadata=metadata), path)

    def _chosen(
        self,
        columns: Sequence[str],
        found: Sequence[Leaf | Through],
        types: Mapping[str, Any],
        *,
        exact: bool,
        warn: bool,
    ) -> Iterator[Leaf | Through]:
        """The columns asked for, in the order asked for; one that several names stand for, under the closest."""
        meant = {name: self._meant(name, found, exact=exact) for name in columns}
        closest: dict[str, tuple[int, str]] = {}
        for name, matches in meant.items():
            for column, distance in matches:
                closest[column.field.name] = min(closest.get(column.field.name, (distance, name)), (distance, name))
        for name, matches in meant.items():
            yield from (column for column, _ in matches if closest[column.field.name][1] == name)
            if matches or (name in self.schema.names and not exact):
                continue
            if warn and name not in types:
                warnings.warn(f"no row has {name!r}: it is a column of nulls", UserWarning, stacklevel=_user_level())
            yield self._absent(name)

    def _meant(self, name: str, found: Sequence[Leaf | Through], *, exact: bool) -> list[tuple[Leaf | Through, int]]:
        """The columns that a name stands for, and how far below it they are.

        It stands for a column that passes through, else for a document or a leaf, with all leaves below it.
        """
        through: list[Leaf | Through] = [column for column in found if column.field.name == name]
        if exact or any(isinstance(column, Through) for column in through):
            return [(column, 0) for column in through]
        leaves = [column for column in found if isinstance(column, Leaf)]
        document = next((number for number, each in enumerate(self.documents) if each.name == name), None)
        if document is not None:
            return [(leaf, len(leaf.path) + 1) for leaf in leaves if leaf.document == document]
        path = split_name(name)
        return [(leaf, len(leaf.path) - len(path)) for leaf in leaves if leaf.path[: len(path)] == path]

    def _absent(self, name: str) -> Leaf:
        """A leaf that no row has."""
        path = (name,) if name in self.schema.names else split_name(name)
        return Leaf(-1, None, pa.field(name, pa.null(), metadata={PATH: path_json(path)}), path)


def _document_names(schema: Any, documents: Sequence[str] | None) -> list[str]:
    if documents is None:
        return [field.name for field in schema if is_json(field.type) and PATH not in (field.metadata or {})]
    for name in documents:
        if schema.get_field_index(name) < 0:
            raise unknown_column(name, schema.names, "the source has")
        type_ = schema.field(name).type
        if not is_json(type_) and not is_text(type_):
            raise UsageError(f"column {name!r} is {type_name(type_)}, expected JSON text")
    return list(documents)


def _grown(tree: dict[str, Any] | None, path: tuple[str, ...]) -> dict[str, Any] | None:
    """A tree of wanted keys with one more path in it; None is everything."""
    if tree is None or not path:
        return None
    grown = dict(tree)
    grown[path[0]] = _grown(tree.get(path[0], {}), path[1:])
    return grown


def _leaf_type(document: Document, place: Place) -> Any:
    """The type of a leaf: the lattice's, but for the keys that W&B puts into each row of a history."""
    type_ = place.seen().type
    if document.kind == "row" and len(place.path) == 1 and type_ in (pa.null(), pa.int64(), pa.float64()):
        if place.path[0] in ("_runtime", "_timestamp"):
            return pa.float64()
        if place.path[0] == "_step" and pa.types.is_null(type_):
            return pa.int64()
    return type_


def _fixed(column: Leaf | Through, types: Mapping[str, Any]) -> Leaf | Through:
    """The column with the type that was fixed for it, if one was."""
    type_ = types.get(column.field.name)
    if type_ is None:
        return column
    return replace(column, field=column.field.with_type(type_), fixed=True)


def _user_level() -> int:
    """The stack level of the first caller outside this package, for warnings."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("runframe."):
        level, frame = level + 1, frame.f_back
    return level
