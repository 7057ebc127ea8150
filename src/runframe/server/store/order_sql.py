"""An order as SQL, and the condition for what comes after a cursor.

An order is `[+|-]key`: `+` ascending, `-` or no sign descending. Runs that lack the key come last in both directions.
Among values of different types numbers come first, then NaN, text, bools, lists and objects, whatever the direction;
the direction turns each type's own order. Equal ones follow their row id.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runframe import extjson
from runframe.filters import RUN_FIELDS, Fields, FilterError
from runframe.server.store.fragments import FieldSQL, Fragment, column_of, join

DEFAULT_ORDER = "+created_at"


@dataclass(frozen=True, slots=True)
class Term:
    """One expression of an ORDER BY."""

    text: str
    parameters: tuple[Any, ...] = ()
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """An order of rows; the last term is unique, so the order is total.

    Select `columns` with each row, make its cursor of their values with `cursor`, and the rows behind it are those of
    `after(cursor)`.

    Attributes:
        key: the order as text, with its sign: a cursor holds for one order only.
        terms: the expressions, most significant first.
    """

    key: str
    terms: tuple[Term, ...]

    @property
    def by(self) -> Fragment:
        """What follows ORDER BY."""
        text = ", ".join(f"{term.text} {'DESC' if term.descending else 'ASC'}" for term in self.terms)
        return Fragment(text, self._parameters())

    @property
    def columns(self) -> Fragment:
        """The expressions for the SELECT list, as many as there are terms."""
        return Fragment(", ".join(term.text for term in self.terms), self._parameters())

    def cursor(self, values: Sequence[Any]) -> str:
        """The cursor of a row, from the values of its `columns`: opaque text that a URL can carry."""
        text = extjson.dumps([self.key, *values])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def after(self, cursor: str) -> Fragment:
        """The condition for the rows behind a cursor; true or not, NULL counting as not.

        Raises:
            FilterError: the text is no cursor, or one of another order.
        """
        values = self._values(cursor)
        alternatives = []
        for position, term in enumerate(self.terms):
            equal = [
                Fragment(f"{before.text} IS ?", (*before.parameters, value))
                for before, value in zip(self.terms[:position], values, strict=False)
            ]
            beyond = f"{term.text} {'<' if term.descending else '>'} ?"
            alternatives.append(join([*equal, Fragment(beyond, (*term.parameters, values[position]))], "AND"))
        behind = join(alternatives, "OR")
        first, value = self.terms[0], values[0]
        if first.parameters or value is None:
            return behind
        # Says nothing new, but SQLite finds the place in an index by it.
        bound = Fragment(f"{first.text} {'<=' if first.descending else '>='} ?", (value,))
        return join([bound, behind], "AND")

    def _values(self, cursor: str) -> list[Any]:
        try:
            raw = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), b"-_", validate=True)
            key, *values = extjson.loads(raw)
        except (ValueError, TypeError, RecursionError):
            raise FilterError(f"{cursor!r} is not a cursor") from None
        if key != self.key or len(values) != len(self.terms) or not all(map(_is_parameter, values)):
            raise FilterError(f"{cursor!r} is no cursor of this order, '{self.key}'")
        return list(values)

    def _parameters(self) -> tuple[Any, ...]:
        return tuple(parameter for term in self.terms for parameter in term.parameters)


def _is_parameter(value: Any) -> bool:
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    if isinstance(value, str):
        return re.search("[\ud800-\udfff]", value) is None
    return value is None or isinstance(value, float)


def order(text: str | None, columns: Mapping[str, FieldSQL], row_id: str, fields: Fields = RUN_FIELDS) -> Order:
    """The order that a text asks for; none or an empty one is `+created_at`. Needs `functions.register`.

    Args:
        text: `[+|-]key`, exactly one key: a field, `config.<key>`, `config.<key>.value` or `summary_metrics.<key>`.
        columns: canonical field names to where they are kept.
        row_id: the SQL expression of the row's unique integer.
        fields: the vocabulary.

    Raises:
        FilterError: an unknown key, or one that has no order; it names the keys that are near.
    """
    text = text or DEFAULT_ORDER
    key = text.removeprefix("+") if text[0] == "+" else text.removeprefix("-")
    descending = text[0] != "+"
    path = fields.path(key)
    column = column_of(path, columns, fields)
    if column.kind == "list":
        raise FilterError(f"cannot order {fields.noun} by '{key}': it is a list")
    return Order(
        ("-" if descending else "+") + fields.key(path),
        (*_terms(column, path, descending), Term(row_id)),
    )


def _terms(column: FieldSQL, path: Sequence[str], descending: bool) -> tuple[Term, ...]:
    if column.kind in ("entries", "document"):
        place = (extjson.dumps([column.kind, path[1:]]),)
        return (
            Term(f"runframe_rank({column.expression}, ?)", place),
            Term(f"runframe_sort({column.expression}, ?)", place, descending),
        )
    value = Term(f"({column.expression})", (), descending)
    return (Term(f"({column.expression} IS NULL)"), value) if column.nullable else (value,)
