"""A `where`: whatever it was written as, what it needs, what a server may be told of it, and its exact answer.

A condition is a Mongo-style dict, a polars expression or an Arrow expression. Each becomes a `Condition`, which knows a
predicate of `runframe.filters` that holds for every row that it holds for (a superset: what a source may use to send
less), and is itself applied to every batch that comes. So rows are exact, whatever the source made of the superset.

What a condition means is what its own language says: a dict is MongoDB's (`runframe.filters.meaning`), an expression
polars' or Arrow's. They differ in NaN: for polars it is above all numbers, for the others neither above nor below.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from runframe import extjson
from runframe.errors import UsageError
from runframe.filters import MISSING, Always, And, Compare, Fields, Kind, Nor, Not, Or, Predicate, matches, value_at
from runframe.filters import from_mongo as parse_mongo
from runframe.frames.columns import first_keys, leaf_path
from runframe.frames.decode import collector_paused
from runframe.frames.schema import Schema, is_json
from runframe.frames.storage import plain_array

Path = tuple[str, ...]


class Condition(ABC):
    """One condition, bound to a schema.

    Attributes:
        plain: the columns of the schema that it reads (JSON columns as text).
        texts: those of them that it reads as the text of whole documents.
        leaves: the flattened columns that it reads.
        keys: the JSON columns that it reads of, with the keys of their documents.
        paths: the paths into documents that it names, each with the document's name first.
        superset: a predicate that holds wherever this one does.
        exact: whether the superset says all that this one says.
    """

    plain: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    keys: Mapping[str, tuple[str, ...] | None]
    paths: tuple[Path, ...] = ()
    superset: Predicate = Always()
    exact: bool = False

    @abstractmethod
    def holds(self, batch: Any) -> Any:
        """Where it holds: a `pyarrow.BooleanArray` without nulls, as long as the batch.

        Args:
            batch: a record batch with the columns that it reads, under their names.
        """

    def typed(self, types: Mapping[str, Any]) -> Condition:
        """The same, knowing the types of flattened columns: its superset may be narrower."""
        return self


class MongoCondition(Condition):
    """A Mongo-style dict, in the schema's names."""

    def __init__(self, predicate: Predicate, schema: Schema, fields: Fields) -> None:
        self._predicate = self.superset = predicate
        self._fields = fields
        self.exact = True
        self._latest: tuple[Any, dict[Path, list[Any]]] | None = None
        self._paths = found = list(dict.fromkeys(_paths(predicate)))
        self.plain = tuple(dict.fromkeys(path[0] for path in found))
        self.paths = tuple(path for path in found if is_json(schema[path[0]].type))
        self.keys = first_keys(self.paths)

    def holds(self, batch: Any) -> Any:
        """Where the predicate matches a row; a column without a value counts as missing."""
        values = self._values(batch)
        row = 0

        def lookup(path: Path) -> Any:
            return values[path][row]

        answer = []
        for row in range(batch.num_rows):  # noqa: B007 (lookup reads it)
            answer.append(matches(self._predicate, lookup))
        return pa.array(answer, pa.bool_())

    def present(self, batch: Any) -> list[Path]:
        """The paths into documents that a row of a batch has."""
        values = self._values(batch)
        return [path for path in self.paths if any(value is not MISSING for value in values[path])]

    def _values(self, batch: Any) -> dict[Path, list[Any]]:
        """What the batch has at each path; a document is read once, and not kept."""
        latest = self._latest
        if latest is None or latest[0] is not batch:
            found: dict[Path, list[Any]] = {}
            for name in self.plain:
                column = batch.column(batch.schema.get_field_index(name))
                kind = self._fields.kinds[name]
                found.update(_inside(column, [path for path in self._paths if path[0] == name], kind))
            latest = self._latest = (batch, found)
        return latest[1]

    def __str__(self) -> str:
        from runframe.filters import to_mongo

        return extjson.dumps(to_mongo(self._predicate, self._fields))


def bind(where: Any, schema: Schema) -> tuple[Condition, ...]:
    """The conditions that a `where` comes to; several in a list must all hold.

    Raises:
        UsageError: it names a column that cannot be there (near matches are named), or is none of the three.
    """
    if where is None:
        return ()
    if isinstance(where, Condition):
        return (where,)
    if isinstance(where, Mapping):
        fields = fields_of(schema)
        predicate = parse_mongo(where, fields)
        return () if isinstance(predicate, Always) else (MongoCondition(predicate, schema, fields),)
    if isinstance(where, pc.Expression):
        from runframe.frames.engines.arrow import ArrowCondition

        return (ArrowCondition(where, schema),)
    polars = sys.modules.get("polars")
    if polars is not None and isinstance(where, polars.Expr):
        from runframe.frames.engines.polars import PolarsCondition

        return (PolarsCondition(where, schema),)
    if isinstance(where, (list, tuple)):
        return tuple(condition for part in where for condition in bind(part, schema))
    raise UsageError(
        f"where must be a dict like {{'state': 'finished'}}, a polars expression or an Arrow expression, "
        f"not {type(where).__name__}"
    )


def bind_names(names: Sequence[str], schema: Schema) -> tuple[tuple[str, ...], tuple[str, ...], tuple[Path, ...]]:
    """The columns that an expression names: those of the schema, flattened ones, and the paths of these.

    Raises:
        UsageError: a name is unknown; near matches are named.
    """
    plain = tuple(name for name in dict.fromkeys(names) if name in schema)
    leaves = tuple(name for name in dict.fromkeys(names) if name not in schema)
    return plain, leaves, tuple(leaf_path(name, schema) for name in leaves)


def fields_of(schema: Schema) -> Fields:
    """The names that a Mongo-style dict may use: the schema's columns."""
    kinds: dict[str, Kind] = {column.name: _kind(column.type, column.document) for column in schema}
    spellings = {}
    for column in schema:
        if column.filter is not None and column.filter not in kinds:
            spellings[column.filter] = column.name
    return Fields(schema.name, kinds, spellings)


def _kind(type_: Any, document: str | None) -> Kind:
    if is_json(type_):
        return "entries" if document == "config" else "document"
    if pa.types.is_timestamp(type_):
        return "time"
    if pa.types.is_list(type_):
        return "list"
    plain = type_.value_type if pa.types.is_dictionary(type_) else type_
    return "text" if pa.types.is_string(plain) else "number"


def _paths(predicate: Predicate) -> list[Path]:
    match predicate:
        case And(parts) | Or(parts) | Nor(parts):
            return [path for part in parts for path in _paths(part)]
        case Not(part):
            return _paths(part)
        case Compare(path):
            return [path]
    return []


def _inside(column: Any, paths: Sequence[Path], kind: Kind) -> dict[Path, list[Any]]:
    """The values at some paths of one column, `MISSING` where there are none."""
    found: dict[Path, list[Any]] = {path: [] for path in paths}
    values = plain_array(column).to_pylist()
    if not is_json(column.type):
        return {path: [MISSING if value is None else value for value in values] for path in paths}
    with collector_paused():
        for text in values:
            document = None if text is None else extjson.loads(text)
            for path in paths:
                value = MISSING if document is None else value_at(document, kind, path[1:])
                found[path].append(value)
    return found
