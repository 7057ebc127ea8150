"""The type lattice: what was seen in one column, how two such sightings join, and the Arrow type they come to.

`Seen` is a join-semilattice: `|` is commutative, associative and idempotent, and `Seen()` is its neutral element. It
keeps the kinds of values apart until the end, so the type that a column gets cannot depend on the order or the size
of the pages in which its values came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import pyarrow as pa

from runframe.frames.names import field_name

EXACT = 2**53
"""Beyond this, not every integer is a double."""

NONFINITE: Mapping[str, float] = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
"""Texts that stand for numbers where they stand beside numbers."""


class Kind(StrEnum):
    """A kind of value; its text names it in conflict reports. Null is no kind: it goes with all of them."""

    BOOL = "bool"
    INT = "int64"
    WIDE = "int64 beyond 2^53"
    HUGE = "int beyond 64 bits"
    DOUBLE = "double"
    NONFINITE = '"NaN" or "Infinity"'
    TEXT = "string"
    BROKEN = "string that is not Unicode"
    OBJECT = "object"


class Resolution(NamedTuple):
    """What a column comes to: its Arrow type, and whether its values' types disagreed."""

    type: Any
    conflict: bool


_JSON = Resolution(pa.json_(), conflict=False)
_CONFLICT = Resolution(pa.json_(), conflict=True)


@dataclass(frozen=True)
class Seen:
    """What was seen in one place.

    Attributes:
        kinds: the kinds of plain values; `Kind.OBJECT` stands for objects that stay JSON.
        items: what was seen inside lists; None if no list was seen.
        structs: what was seen inside objects with a ``_type``: by that type, and by field.
    """

    kinds: frozenset[Kind] = frozenset()
    items: Seen | None = None
    structs: Mapping[str, Mapping[str, Seen]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if Kind.TEXT in self.kinds and Kind.NONFINITE in self.kinds:
            object.__setattr__(self, "kinds", self.kinds - {Kind.NONFINITE})

    def __or__(self, other: Seen) -> Seen:
        items = self.items | other.items if self.items and other.items else self.items or other.items
        structs = {
            kind: _join_fields(self.structs.get(kind, {}), other.structs.get(kind, {}))
            for kind in self.structs.keys() | other.structs.keys()
        }
        return Seen(self.kinds | other.kinds, items, structs)

    def __bool__(self) -> bool:
        return True

    @property
    def type(self) -> Any:
        """The Arrow type that the column gets."""
        return self.resolve().type

    def resolve(self) -> Resolution:
        """The Arrow type that the column gets, and whether that is the outcome of a conflict."""
        sorts = bool(self.kinds) + (self.items is not None) + len(self.structs)
        if sorts == 0:
            return Resolution(pa.null(), conflict=False)
        if sorts > 1:
            return _CONFLICT
        if self.items is not None:
            inner = self.items.resolve()
            return Resolution(inner.type if inner.type == pa.json_() else pa.list_(inner.type), inner.conflict)
        if self.structs:
            return Resolution(struct_type(*next(iter(self.structs.items()))), conflict=False)
        return _plain(self.kinds)

    def __str__(self) -> str:
        parts = [str(kind) for kind in Kind if kind in self.kinds]
        if self.items is not None:
            parts.append(f"list<{self.items}>")
        parts.extend(sorted(self.structs))
        return " | ".join(parts) or "null"


def struct_type(kind: str, fields: Mapping[str, Seen]) -> Any:
    """The struct of one ``_type`` of object: ``_type`` first, then its fields by name.

    A field of disagreeing types is JSON text. In a histogram, bins are lists of doubles, and bins that are given as
    ``packedBins`` (lowest edge, width, count) also stand there spelled out.
    """
    types = {name: fields[name].type for name in fields}
    if kind == "histogram" and ("bins" in types or "packedBins" in types):
        edges = types.get("bins", pa.null())
        if edges in (pa.null(), pa.list_(pa.null()), pa.list_(pa.int64()), pa.list_(pa.float64())):
            types["bins"] = pa.list_(pa.float64())
    if kind == PACKED_BINS:
        for name, type_ in (("min", pa.float64()), ("size", pa.float64()), ("count", pa.int64())):
            if types.get(name) in (pa.null(), pa.int64()):
                types[name] = type_
    own = [] if kind == PACKED_BINS else [pa.field("_type", pa.string())]
    return pa.struct([*own, *(pa.field(field_name(name), types[name]) for name in sorted(types))])


PACKED_BINS = "packedBins"
"""The one object without a ``_type`` that is a struct: the bins of a histogram, as W&B packs them."""


def seen_in(value: Any, *, inside: bool = True) -> Seen:
    """What one decoded JSON value shows; the plain definition that the columnar code agrees with.

    Args:
        value: a value as `runframe.extjson` reads it.
        inside: whether the value stands inside a list or a struct, where an object without ``_type`` stays JSON. At a
            place whose objects become columns of their own there is nothing to see in them.
    """
    if value is None:
        return Seen()
    if isinstance(value, list):
        items = Seen()
        for item in value:
            items |= seen_in(item)
        return Seen(items=items)
    if isinstance(value, dict):
        kind = value.get("_type")
        if isinstance(kind, str) and encodable(kind):
            return Seen(structs={kind: {name: _seen_field(name, value[name]) for name in value if name != "_type"}})
        return Seen(frozenset({Kind.OBJECT})) if inside or not value else Seen()
    return Seen(frozenset({kind_of(value)}))


def kind_of(value: bool | int | float | str) -> Kind:
    """The kind of a plain value."""
    if isinstance(value, bool):
        return Kind.BOOL
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            return Kind.HUGE
        return Kind.INT if -EXACT <= value <= EXACT else Kind.WIDE
    if isinstance(value, float):
        return Kind.DOUBLE
    if value in NONFINITE:
        return Kind.NONFINITE
    return Kind.TEXT if encodable(value) else Kind.BROKEN


def encodable(text: str) -> bool:
    """Whether a text is valid Unicode; JSON may hold half a surrogate pair, which is not."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _seen_field(name: str, value: Any) -> Seen:
    if name == PACKED_BINS and isinstance(value, dict) and value.keys() == PACKED_KEYS:
        return Seen(structs={PACKED_BINS: {key: seen_in(value[key]) for key in value}})
    return seen_in(value)


PACKED_KEYS = frozenset({"min", "size", "count"})


def _join_fields(left: Mapping[str, Seen], right: Mapping[str, Seen]) -> dict[str, Seen]:
    return {name: left.get(name, Seen()) | right.get(name, Seen()) for name in left.keys() | right.keys()}


_NUMBERS = frozenset({Kind.BOOL, Kind.INT, Kind.DOUBLE, Kind.NONFINITE})


def _plain(kinds: frozenset[Kind]) -> Resolution:
    if kinds == {Kind.BOOL}:
        return Resolution(pa.bool_(), conflict=False)
    if kinds <= {Kind.INT, Kind.WIDE}:
        return Resolution(pa.int64(), conflict=False)
    if kinds <= {Kind.TEXT, Kind.NONFINITE}:
        return Resolution(pa.string(), conflict=False)
    if kinds <= _NUMBERS and kinds & {Kind.INT, Kind.DOUBLE}:
        return Resolution(pa.float64(), conflict=False)
    return _JSON if kinds == {Kind.OBJECT} else _CONFLICT
