"""Column and Schema: what a batch of one noun holds, declared beside the noun's class.

A `Column` says where a value stands in a node (one object of a page), what it is in Arrow, what it means and what it
costs the server. The Arrow schema, the batches, the query's selection and the tables in the documentation all come
from these declarations, so adding a field is one line.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import pyarrow as pa

from runframe.errors import UsageError

TEXT = pa.string()
CATEGORY = pa.dictionary(pa.int32(), pa.string())
"""Text with few distinct values: dictionary-encoded."""
TEXTS = pa.list_(pa.string())
INT = pa.int64()
DOUBLE = pa.float64()
BOOL = pa.bool_()
TIME = pa.timestamp("us", "UTC")
JSON = pa.json_()
"""A JSON document of unknown shape, kept as text (Arrow's canonical extension type ``arrow.json``)."""

Document = Literal["config", "summary", "row"]
"""How `flatten` reads a JSON column: entries with a ``{value, desc}`` wrapper, a plain object, or a row of a history
(whose leaves get no prefix)."""

MEANING = b"runframe.meaning"
COST = b"runframe.cost"
DOCUMENT = b"runframe.document"
PATH = b"runframe.path"
NULLS = b"runframe.nulls"


@dataclass(frozen=True)
class Column:
    """One column of a batch.

    Attributes:
        name: the column's name: the name of the object's attribute.
        type: the Arrow type; see the shorthands in this module.
        source: where the value stands in a node: a field's name, a dotted path (``"user.username"``), or a tuple for
            names that hold dots. A step that is missing or null gives null.
        meaning: one sentence for people, with the unit where there is one.
        cost: "heavy" where the server needs notably longer or more bytes for it; not selected unless asked for.
        convert: applied to each value that is not null, before the type is checked.
        document: for JSON columns, how `flatten` reads them.
        filter: the server's name for it in filters, in snake case; None where it cannot filter by it.
    """

    name: str
    type: Any
    source: str | tuple[str, ...]
    meaning: str
    cost: Literal["light", "heavy"] = "light"
    convert: Callable[[Any], Any] | None = None
    document: Document | None = None
    filter: str | None = None

    @property
    def steps(self) -> tuple[str, ...]:
        """The source as a tuple of field names."""
        return tuple(self.source.split(".")) if isinstance(self.source, str) else tuple(self.source)

    @property
    def field(self) -> Any:
        """The `pyarrow.Field`: nullable, with the meaning (and cost, document) in its metadata."""
        metadata = {MEANING: self.meaning.encode()}
        if self.cost != "light":
            metadata[COST] = self.cost.encode()
        if self.document is not None:
            metadata[DOCUMENT] = self.document.encode()
        return pa.field(self.name, self.type, metadata=metadata)


@dataclass(frozen=True)
class Schema:
    """The columns of one noun, in order.

    Attributes:
        name: the noun in the plural, as in "runs".
        columns: the columns; names are unique.

    Raises:
        UsageError: two columns have the same name.
    """

    name: str
    columns: Sequence[Column]

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        repeated = sorted({name for name in self.names if self.names.count(name) > 1})
        if repeated:
            raise UsageError(f"schema {self.name!r} declares {', '.join(repeated)} more than once")

    @cached_property
    def arrow(self) -> Any:
        """The `pyarrow.Schema`, with each column's meaning in its field metadata."""
        return pa.schema([column.field for column in self.columns])

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return [column.name for column in self.columns]

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __contains__(self, name: object) -> bool:
        return any(column.name == name for column in self.columns)

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise unknown_column(name, self.names, f"{self.name} have")

    def select(self, names: Iterable[str]) -> Schema:
        """The schema of the columns asked for, in the order asked for.

        Raises:
            UsageError: a name is unknown (near matches are named) or asked for twice.
        """
        if isinstance(names, str):
            raise UsageError(f"columns must be a list of names, not the text {names!r}")
        return Schema(self.name, [self[name] for name in names])

    def light(self) -> Schema:
        """The schema without its heavy columns."""
        return Schema(self.name, [column for column in self.columns if column.cost == "light"])

    def markdown(self) -> str:
        """A Markdown table for the documentation: column, type, meaning."""
        lines = ["| column | type | meaning |", "|---|---|---|"]
        for column in self.columns:
            meaning = column.meaning.replace("|", r"\|").replace("\n", " ")
            cost = " (heavy: fetched only where asked for)" if column.cost == "heavy" else ""
            lines.append(f"| `{column.name}` | `{type_name(column.type)}` | {meaning}{cost} |")
        return "\n".join(lines) + "\n"


def type_name(type: Any) -> str:
    """A short name of an Arrow type for people, as in ``json``, ``dictionary<string>`` or ``timestamp[us, UTC]``."""
    if is_json(type):
        return "json"
    if pa.types.is_dictionary(type):
        return f"dictionary<{type_name(type.value_type)}>"
    if pa.types.is_list(type):
        return f"list<{type_name(type.value_type)}>"
    if pa.types.is_struct(type):
        return f"struct<{', '.join(f'{field.name}: {type_name(field.type)}' for field in type)}>"
    return str(type).replace("tz=", "")


def is_json(type: Any) -> bool:
    """Whether an Arrow type is ``arrow.json``, whatever text type it is stored as."""
    return isinstance(type, pa.JsonType)


def unknown_column(name: str, known: Sequence[str], subject: str) -> UsageError:
    """The error for a column that is not there, with its near matches (else what there is, up to twenty names)."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    if near:
        hint = f"did you mean {' or '.join(repr(match) for match in near)}?"
    else:
        rest = f" and {len(known) - 20} more" if len(known) > 20 else ""
        hint = f"{subject} {', '.join(known[:20]) or 'no columns'}{rest}"
    return UsageError(f"there is no column {name!r}: {hint}")
