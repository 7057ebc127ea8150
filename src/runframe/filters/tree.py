"""The predicate tree: a handful of frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal

from runframe.errors import UsageError

Op = Literal["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$regex"]

OPERATORS: Final[tuple[Op, ...]] = ("$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists", "$regex")
GROUPS: Final = ("$and", "$or", "$nor", "$not")


class Missing(Enum):
    """The type of `MISSING`."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING
"""What a lookup returns where a path leads nowhere; null is `None`."""


class FilterError(UsageError, ValueError):
    """A filter or an order that cannot be understood: the message names the key or operator and what is accepted."""


@dataclass(frozen=True)
class Predicate:
    """A condition on one record; one of the classes below."""


@dataclass(frozen=True)
class Always(Predicate):
    """Matches every record."""


@dataclass(frozen=True)
class And(Predicate):
    """Matches where all of its parts do; without parts, always."""

    parts: tuple[Predicate, ...]


@dataclass(frozen=True)
class Or(Predicate):
    """Matches where one of its parts does; without parts, never."""

    parts: tuple[Predicate, ...]


@dataclass(frozen=True)
class Nor(Predicate):
    """Matches where none of its parts does."""

    parts: tuple[Predicate, ...]


@dataclass(frozen=True)
class Not(Predicate):
    """Matches where its part does not."""

    part: Predicate


@dataclass(frozen=True)
class Compare(Predicate):
    """One value of the record against a constant.

    Attributes:
        path: a field's canonical name, then the keys below it: `("config", "optimizer", "lr")`.
        op: the Mongo operator, with its dollar.
        value: the constant; a list for `$in` and `$nin`, a `datetime` in UTC for a time.
    """

    path: tuple[str, ...]
    op: Op
    value: Any
