"""Pieces of SQL with their parameters, and what a field of a noun is in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runframe.filters import Fields, FilterError, Kind

_WIDTH = 30  # an expression may be 1,000 levels high, and a chain of ANDs is as high as it is long


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of SQL. What users gave is in the parameters alone.

    Attributes:
        text: SQL with `?` for each parameter.
        parameters: in the order of their `?`.
        depth: how deep parentheses stand inside each other in it.
    """

    text: str
    parameters: tuple[Any, ...] = ()
    depth: int = 0


@dataclass(frozen=True, slots=True)
class FieldSQL:
    """Where a query finds a field.

    Attributes:
        expression: an SQL expression without parameters, such as `r.created_at` or a subquery.
        kind: the field's kind. Text and numbers are SQLite's own; a time is text as `times.stored` writes it; `list`,
            `entries` and `document` are texts as `documents.to_stored` writes them.
        nullable: whether the expression can be NULL, which counts as missing.
    """

    expression: str
    kind: Kind
    nullable: bool = True


def column_of(path: Sequence[str], columns: Mapping[str, FieldSQL], fields: Fields) -> FieldSQL:
    """The column that a path begins with.

    Raises:
        FilterError: this store does not keep the field.
    """
    column = columns.get(path[0])
    if column is None:
        kept = ", ".join(map(fields.wire_name, columns))
        name = f"'{fields.wire_name(path[0])}' of {fields.noun}"
        raise FilterError(f"this server keeps no {name} to filter or order by. It keeps: {kept}")
    return column


def join(fragments: Sequence[Fragment], operator: str) -> Fragment:
    """Fragments with AND or OR between them; long chains are cut into groups, for SQLite's limit on height."""
    while len(fragments) > 1:
        groups = [fragments[start : start + _WIDTH] for start in range(0, len(fragments), _WIDTH)]
        fragments = [group[0] if len(group) == 1 else _chain(group, operator) for group in groups]
    return fragments[0]


def _chain(fragments: Sequence[Fragment], operator: str) -> Fragment:
    return Fragment(
        "(" + f" {operator} ".join(fragment.text for fragment in fragments) + ")",
        tuple(parameter for fragment in fragments for parameter in fragment.parameters),
        1 + max(fragment.depth for fragment in fragments),
    )


def negate(fragment: Fragment) -> Fragment:
    """The contrary of a fragment that is never NULL."""
    return Fragment(f"(NOT {fragment.text})", fragment.parameters, fragment.depth + 1)
