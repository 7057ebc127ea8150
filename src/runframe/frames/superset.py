"""What an engine's expression says, as a predicate that holds wherever the expression does.

Engines look at typed columns, predicates (and servers) at the values of documents. They are not the same where a
column's type was brought together from several: a bool among numbers is 0 or 1 in the column, and a column of numbers
and texts is JSON text. So a test of a flattened column becomes a test of values and of all that could look like them
in the column; where that cannot be said, it becomes "there is a value"; where not even that can, it is always true.
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias

import pyarrow as pa

from runframe.filters import Always, And, Compare, Op, Or, Predicate
from runframe.frames.columns import leaf_path
from runframe.frames.schema import Schema, is_json

Sign = Literal["==", "!=", "<", "<=", ">", ">=", "in", "null", "contains", "has"]


@dataclass(frozen=True)
class Test:
    """One column against a constant.

    Attributes:
        name: the column.
        sign: a comparison; "in" a list; "null"; "contains" a text; "has" an element.
        value: the constant; a list for "in".
        null_stays: for "in", whether null in a list is null, whatever the engine makes of it otherwise.
    """

    name: str
    sign: Sign
    value: Any = None
    null_stays: bool = False


@dataclass(frozen=True)
class Every:
    """All parts hold."""

    parts: tuple[Term, ...]


@dataclass(frozen=True)
class Some:
    """A part holds."""

    parts: tuple[Term, ...]


@dataclass(frozen=True)
class Negated:
    """The part is false (not null)."""

    part: Term


@dataclass(frozen=True)
class Opaque:
    """Something that predicates cannot say."""


Term: TypeAlias = "Test | Every | Some | Negated | Opaque"

_OPS: Final[Mapping[str, Op]] = {"<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
_MEANINGS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "==": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FLIPPED: Final[Mapping[Sign, Sign]] = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
_SIGNS = re.compile(r"[\\.+*?()|\[\]{}^$]")
_NON_FINITE: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@dataclass(frozen=True)
class Meaning:
    """How the columns of an expression are to be understood.

    Attributes:
        schema: the declared columns.
        types: the Arrow types of flattened columns, where they are known.
        nan_is_greatest: whether NaN is above all numbers (polars), or neither above nor below (Arrow).
        null_is_in_nothing: whether it is false that null is in a list (Arrow), or null itself (polars).
    """

    schema: Schema
    types: Mapping[str, Any]
    nan_is_greatest: bool
    null_is_in_nothing: bool

    def superset(self, term: Term, *, negated: bool = False) -> tuple[Predicate, bool]:
        """A predicate that holds wherever the term does, and whether it says just the same."""
        match term:
            case Negated(part):
                return self.superset(part, negated=not negated)
            case Every(parts) | Some(parts):
                found = [self.superset(part, negated=negated) for part in parts]
                exact = all(same for _, same in found)
                return _joined([part for part, _ in found], both=isinstance(term, Every) != negated), exact
            case Test():
                if term.name in self.schema:
                    return self._declared(term, negated=negated)
                return self._flattened(term, negated=negated), False
        return Always(), False

    # Declared columns: their values are what the predicate sees.

    def _declared(self, test: Test, *, negated: bool) -> tuple[Predicate, bool]:
        column = self.schema[test.name]
        path, kind = (test.name,), _kind(column.type)
        sign = _FLIPPED.get(test.sign) if negated else test.sign
        present = Compare(path, "$ne", None)
        if test.sign == "null":
            return (present if negated else Compare(path, "$eq", None)), kind != "json"
        if kind == "list":
            fits = test.sign == "has" and not negated and isinstance(test.value, str)
            return (Compare(path, "$eq", test.value), True) if fits else (Always(), False)
        if test.sign == "in":
            given = len(test.value)
            values = [value for value in map(_constant, test.value) if value is not None]
            if not all(_fits(value, kind) for value in values):
                return Always(), False
            if negated:
                others = Compare(path, "$nin", values)
                nulls = self.null_is_in_nothing and not test.null_stays
                return (others, True) if nulls else (And((others, present)), len(values) == given)
            return Compare(path, "$in", values), True
        value = _constant(test.value)
        if not _fits(value, kind):
            return Always(), False
        if test.sign == "contains":
            return (present if negated else Compare(path, "$regex", _literal(value))), not negated
        if sign is None:
            return Always(), False
        if sign in ("==", "!="):
            same = Compare(path, "$eq", value)
            return (same if sign == "==" else And((Compare(path, "$ne", value), present))), True
        return Compare(path, _OPS[sign], value), True

    # Flattened columns: typed, of values that need not be.

    def _flattened(self, test: Test, *, negated: bool) -> Predicate:
        path = leaf_path(test.name, self.schema)
        present = Compare(path, "$exists", True)
        if test.sign == "null":
            return present if negated else Always()
        if negated and test.sign == "in" and self.null_is_in_nothing and not test.null_stays:
            return Always()
        if negated or test.sign in ("!=", "has"):
            return present
        type_ = self.types.get(test.name)
        text = type_ is not None and _kind(type_) == "text"
        if test.sign == "contains":
            return Compare(path, "$regex", _literal(test.value)) if text and isinstance(test.value, str) else present
        if test.sign == "in":
            parts = [self._one(path, "==", value, type_) for value in test.value if value is not None]
            return _joined(parts, both=False) if None not in parts else present
        return self._one(path, test.sign, test.value, type_) or present

    def _one(self, path: tuple[str, ...], sign: str, value: Any, type_: Any) -> Predicate | None:
        """One comparison of values that a column shows; None where it cannot be said."""
        if isinstance(value, bool):
            return Compare(path, "$eq", value) if sign == "==" and type_ in (None, pa.bool_()) else None
        if isinstance(value, str):
            return self._text(path, sign, value, type_)
        if not isinstance(value, (int, float)) or value != value or (type_ is not None and not _is_number(type_)):
            return None
        same = Compare(path, "$eq" if sign == "==" else _OPS[sign], value)
        others = [] if type_ is not None and pa.types.is_integer(type_) else self._lookalikes(sign, value)
        return Or((same, Compare(path, "$in", others))) if others else same

    def _lookalikes(self, sign: str, value: float) -> list[Any]:
        """What is no number to a server, but is one in the column and fits: bools, and floats that JSON has not."""
        meaning = _MEANINGS[sign]
        others: list[Any] = [flag for flag in (False, True) if meaning(float(flag), value)]
        for name, number in _NON_FINITE.items():
            above = number != number and self.nan_is_greatest and sign in (">", ">=")
            if above or meaning(number, value):
                others.append(name)
        return others

    def _text(self, path: tuple[str, ...], sign: str, value: str, type_: Any) -> Predicate | None:
        if type_ is not None and _kind(type_) == "text":
            return Compare(path, "$eq" if sign == "==" else _OPS[sign], value)
        if sign != "==":
            return None
        try:
            shown = json.loads(value)  # in a column of JSON text, this value looks like the text
        except ValueError:
            return Compare(path, "$eq", value)
        if isinstance(shown, (dict, list, float)) or shown is None:
            return None
        return Compare(path, "$in", [value, shown])


def _joined(parts: list[Predicate | None], *, both: bool) -> Predicate:
    given = [part for part in parts if part is not None]
    if both:
        given = [part for part in given if not isinstance(part, Always)]
        return (given[0] if len(given) == 1 else And(tuple(given))) if given else Always()
    if any(isinstance(part, Always) for part in given):
        return Always()
    return given[0] if len(given) == 1 else Or(tuple(given))


def _kind(type_: Any) -> str:
    if is_json(type_):
        return "json"
    if pa.types.is_timestamp(type_):
        return "time"
    if pa.types.is_list(type_):
        return "list"
    plain = type_.value_type if pa.types.is_dictionary(type_) else type_
    if pa.types.is_string(plain) or pa.types.is_large_string(plain):
        return "text"
    if pa.types.is_boolean(plain):
        return "bool"
    return "int" if pa.types.is_integer(plain) else "other"


def _is_number(type_: Any) -> bool:
    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_))


def _constant(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return value


def _fits(value: Any, kind: str) -> bool:
    """Whether a constant is of a column's own kind, so that all engines compare it alike."""
    if kind == "text":
        return isinstance(value, str)
    if kind == "time":
        return isinstance(value, datetime)
    if kind == "bool":
        return isinstance(value, bool)
    return kind == "int" and isinstance(value, int) and not isinstance(value, bool)


def _literal(text: str) -> str:
    """The pattern of just this text."""
    return _SIGNS.sub(lambda sign: "\\" + sign[0], text)
