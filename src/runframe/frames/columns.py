r"""Which columns a scan is asked for: names, or a pattern over names.

Three levels of ease: a text is a pattern (``"id|config.*"``: ``*`` stands for any text, ``?`` for one character, ``|``
divides alternatives), a list is exact names in the order wanted, a compiled regular expression or a function of a name
is a filter over all names. An empty list is no columns; None is the columns of the schema.

A name is a column of the schema, or a leaf of one of its JSON columns as `flatten` names it (``config.optimizer.lr``,
``config.a\.b``). An object's name stands for all leaves below it. A JSON column's own name is the document as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from runframe.errors import UsageError
from runframe.frames.names import split_name
from runframe.frames.schema import Schema, is_json, unknown_column

Columns: TypeAlias = "str | Sequence[str] | re.Pattern[str] | Callable[[str], object] | None"

Keys: TypeAlias = "Mapping[str, tuple[str, ...] | None]"
"""JSON columns that are read, each with the keys wanted of its documents; None for whole documents."""


@dataclass(frozen=True)
class Chosen:
    """The columns that a scan was asked for, bound to a schema.

    Attributes:
        names: exact names, in order; None where a filter chooses.
        keeps: the filter, where there is one: whether a name is wanted.
        plain: the columns of the schema among them, in order.
        documents: the JSON columns whose leaves may be among them.
        paths: for exact names, the paths of the leaves, each with its document.
    """

    names: tuple[str, ...] | None
    keeps: Callable[[str], bool] | None
    plain: tuple[str, ...]
    documents: tuple[str, ...]
    paths: tuple[tuple[str, ...], ...] = ()

    @property
    def leaves(self) -> bool:
        """Whether documents must be flattened."""
        return bool(self.documents)

    def keys(self) -> dict[str, tuple[str, ...] | None]:
        """The JSON columns that are read, with the keys wanted of each."""
        found: dict[str, tuple[str, ...] | None] = dict.fromkeys(self.documents)
        for document in self.documents:
            if self.names is not None and document not in self.plain:
                found.update(first_keys([path for path in self.paths if path[0] == document]))
        return found


def first_keys(paths: Sequence[tuple[str, ...]]) -> dict[str, tuple[str, ...] | None]:
    """The keys wanted of each document, where all are its own; what lies deeper needs the whole document.

    Whether a server means by a key one of the document's own, or a path joined by dots, it does not say.
    """
    found: dict[str, tuple[str, ...] | None] = {}
    for document, *keys in paths:
        before = found.get(document, ())
        plain = len(keys) == 1 and "." not in keys[0] and before is not None
        found[document] = (*(before or ()), keys[0]) if plain else None
    return found


def choose(columns: Columns, schema: Schema) -> Chosen:
    """The columns asked for.

    Raises:
        UsageError: a name is unknown (near matches are named) or asked for twice; a pattern fits nothing.
    """
    if columns is None:
        return Chosen(tuple(schema.names), None, tuple(schema.names), ())
    if isinstance(columns, str):
        return _by_pattern(columns, schema)
    if isinstance(columns, re.Pattern):
        regex = columns
        return _by_filter(lambda name: regex.search(name) is not None, schema)
    if callable(columns):
        function = columns
        return _by_filter(lambda name: bool(function(name)), schema)
    return _by_names(columns, schema)


def leaf_path(name: str, schema: Schema) -> tuple[str, ...]:
    """The path of a leaf, its document's name first.

    Raises:
        UsageError: no JSON column of the schema can have it.
    """
    path = split_name(name)
    if len(path) > 1 and path[0] in schema and is_json(schema[path[0]].type):
        return path
    documents = [f"{document}.KEY" for document in json_columns(schema)]
    raise unknown_column(name, [*schema.names, *documents], f"{schema.name} have")


def json_columns(schema: Schema) -> list[str]:
    """The names of the JSON columns."""
    return [column.name for column in schema if is_json(column.type)]


def _by_names(columns: Iterable[str], schema: Schema) -> Chosen:
    names = tuple(columns)
    plain, paths = [], []
    for name in names:
        if not isinstance(name, str):
            raise UsageError(f"columns must be names as text, not {name!r}")
        if names.count(name) > 1:
            raise UsageError(f"column {name!r} is asked for twice")
        if name in schema:
            plain.append(name)
        else:
            paths.append(leaf_path(name, schema))
    documents = tuple(dict.fromkeys(path[0] for path in paths))
    return Chosen(names, None, tuple(plain), documents, tuple(paths))


def _by_pattern(pattern: str, schema: Schema) -> Chosen:
    alternatives = pattern.split("|")
    regex = re.compile("|".join(map(_regex, alternatives)), re.DOTALL)
    starts = [re.split(r"[*?]", alternative, maxsplit=1)[0] for alternative in alternatives]
    plain = tuple(name for name in schema.names if regex.fullmatch(name))
    documents = []
    for document in json_columns(schema):
        prefix = document + "."
        if any(start.startswith(prefix) or (("*" in a or "?" in a) and prefix.startswith(start))
               for start, a in zip(starts, alternatives, strict=True)):  # fmt: skip
            documents.append(document)
    if not plain and not documents:
        raise unknown_column(pattern, schema.names, f"{schema.name} have")
    return Chosen(None, lambda name: regex.fullmatch(name) is not None, plain, tuple(documents))


def _by_filter(keeps: Callable[[str], bool], schema: Schema) -> Chosen:
    plain = tuple(name for name in schema.names if keeps(name))
    return Chosen(None, keeps, plain, tuple(json_columns(schema)))


def _regex(alternative: str) -> str:
    signs = {"*": ".*", "?": "."}
    return "(?:" + "".join(signs.get(sign, re.escape(sign)) for sign in alternative) + ")"
