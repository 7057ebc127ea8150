"""A place in a JSON document, and the values that were seen there, kept apart by kind.

The places of a document form a tree: a place for each key of each object. What a chunk of rows holds at a place is a
few *slots*, each an Arrow array as long as the chunk: ``bool``, ``int``, ``double``, ``text``; ``huge``, ``broken``
and ``object``, which are JSON text; ``list``; and ``struct:N`` for the N-th ``_type`` of object seen there. Nearly all
places have one slot. Because kinds stay apart, nothing has to be decided before all rows have been seen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runframe import extjson
from runframe.frames.decode import MARK, TOKENS, restored
from runframe.frames.fields import CarefulNeeded, Column, Fields, may_be_ints
from runframe.frames.reading import Reading, Sight, scattered, valid
from runframe.frames.types import EXACT, NONFINITE, PACKED_BINS, PACKED_KEYS, Kind, Seen, encodable

MAX_DEPTH = 64
"""Objects within objects deeper than this stay JSON text."""

MAX_INSIDE = 24
"""Lists and structs nested deeper than this stay JSON text: Arrow's formats carry 64 levels, and in the spool each of
ours is two or three."""

Wanted = Mapping[str, Any] | None
"""The keys to take, each with what is to be taken below it; None for everything."""

_PLAIN = {bool: "bool", int: "int", float: "double", str: "text"}
_NOTHING = type(None)


class Place:
    """A place in a document.

    Args:
        path: the keys that lead to it, from the document's root.
        reading: what it shares with the document's other places.
        wanted: the keys below it to take.
        skipped: keys below it never to take.
        unwrap: whether the values below it lose their ``{value, desc}`` wrapper.
        inside: in how many lists and structs it is. In one, an object without a ``_type`` stays JSON text.
        depth: how deep it lies in the document, lists and structs included.

    Attributes:
        children: the places below it, by key.
        structs: the objects with a ``_type``, by that type.
        items: the place of its lists' items.
        mentioned: whether any row has a value here, null included.
        counts: how many values of each kind were seen.
        first: where each kind was first seen.
    """

    def __init__(
        self,
        path: tuple[str, ...],
        reading: Reading,
        *,
        wanted: Wanted = None,
        skipped: frozenset[str] = frozenset(),
        unwrap: bool = False,
        inside: int = 0,
        depth: int = 0,
    ) -> None:
        self.path = path
        self.depth = depth
        self.number = reading.places
        reading.places += 1
        self.children: dict[str, Place] = {}
        self.structs: dict[str, Struct] = {}
        self.items: Place | None = None
        self.mentioned = False
        self.counts: dict[str, int] = {}
        self.first: dict[str, Sight] = {}
        self._reading = reading
        self._wanted = wanted
        self._skipped = skipped
        self._inside = inside
        self._fields = Fields(self, unwrap=unwrap, nulls=reading.nulls and not inside)
        self._columns: dict[str, Column] = {}
        self._pieces: dict[str, list[tuple[Any, Any]]] = {}
        self._item_count = 0

    # What the fields of its objects need.

    def wants(self, key: str) -> bool:
        """Whether the key's values are to be taken."""
        return key not in self._skipped and (self._wanted is None or key in self._wanted)

    def mention(self, key: str) -> None:
        """Notes that there is such a key."""
        self._child(key).mentioned = True

    def observe_at(self, key: str, values: Sequence[Any], rows: Any) -> None:
        """Takes values of a key as they were decoded: in turn, so that deep documents need no deep stack."""
        self._reading.later.append((self._child(key).observe, values, rows))

    def hold_at(self, key: str, slot: str, column: Column) -> None:
        """Takes the values of a key that are a column already."""
        self._child(key)._columns[slot] = column

    def _child(self, key: str) -> Place:
        child = self.children.get(key)
        if child is None:
            wanted = None if self._wanted is None else self._wanted[key]
            child = Place((*self.path, key), self._reading, wanted=wanted, inside=self._inside, depth=self.depth + 1)
            self.children[key] = child
        return child

    # Taking values in.

    def add(self, slot: str, array: Any, rows: Any) -> None:
        """Takes values of one slot that are an array already; `rows` are the rows they stand in.

        Raises:
            CarefulNeeded: a float was met that may be an integer beyond 64 bits.
        """
        self.mentioned = True
        if slot == "double" and not self._reading.careful and may_be_ints(array.to_numpy(zero_copy_only=False)):
            raise CarefulNeeded
        self._pieces.setdefault(slot, []).append((array, rows))

    def observe(self, values: Sequence[Any], rows: Any) -> None:
        """Takes values of any kind, as they were decoded; `rows` are the rows they stand in."""
        self.mentioned = True
        types = set(map(type, values))
        nulls = _NOTHING in types
        types.discard(_NOTHING)
        if len(types) == 1 and (not nulls or types <= _PLAIN.keys()):
            self._put(types.pop(), values, rows)
            return
        for kind in types:
            found = [index for index, value in enumerate(values) if type(value) is kind]
            self._put(kind, [values[index] for index in found], rows[found])

    def _put(self, kind: type, values: Sequence[Any], rows: Any) -> None:
        """Takes values of one Python type; nulls may be among plain ones."""
        if kind is dict:
            self.take(values, rows)
        elif kind is list:
            self._lists(values, rows)
        elif kind is str:
            self._texts(values, rows)
        elif kind is int:
            self._ints(values, rows)
        else:
            self.add(_PLAIN[kind], pa.array(values, pa.bool_() if kind is bool else pa.float64()), rows)

    def _ints(self, values: Sequence[Any], rows: Any) -> None:
        try:
            self.add("int", pa.array(values, pa.int64()), rows)
        except OverflowError:
            self._split(values, rows, lambda value: -(2**63) <= value < 2**63, "int", pa.int64(), "huge", str)

    def _texts(self, values: Sequence[Any], rows: Any) -> None:
        if not TOKENS.keys().isdisjoint(values):
            found = [index for index, value in enumerate(values) if value in TOKENS]
            self.add("double", pa.array([TOKENS[values[index]] for index in found], pa.float64()), rows[found])
            values = [None if value in TOKENS else value for value in values]
            if set(values) == {None}:
                return
        try:
            self.add("text", pa.array(values, pa.string()), rows)
        except UnicodeEncodeError:
            self._split(values, rows, encodable, "text", pa.string(), "broken", json_text)

    def _split(
        self,
        values: Sequence[Any],
        rows: Any,
        fits: Callable[[Any], bool],
        slot: str,
        type_: Any,
        other: str,
        write: Callable[[Any], str],
    ) -> None:
        """Values that fit a slot's type go there, the others as JSON text to another slot."""
        fit = [value is None or fits(value) for value in values]
        self.add(
            slot, pa.array([value if good else None for value, good in zip(values, fit, strict=True)], type_), rows
        )
        texts = [None if good else write(value) for value, good in zip(values, fit, strict=True)]
        self.add(other, pa.array(texts, pa.string()), rows)

    def take(self, objects: Sequence[Any], rows: Any) -> None:
        """Takes objects: those with a ``_type`` as structs, others apart into the places below (or as JSON text)."""
        if not self.depth or (not self._inside and all(found and "_type" not in found for found in objects)):
            self._take_apart(objects, rows)
            return
        sorted_: dict[str | None, list[int]] = {}
        for index, found in enumerate(objects):
            sorted_.setdefault(self._struct_of(found), []).append(index)
        for kind, indices in sorted_.items():
            chosen = [objects[index] for index in indices]
            if kind is not None:
                self._struct(kind).take(chosen, rows[indices])
            elif self._inside:
                self._keep_as_text(chosen, rows[indices])
            else:
                self._take_apart(chosen, rows[indices])

    def _take_apart(self, objects: Sequence[Any], rows: Any) -> None:
        empty = [index for index, found in enumerate(objects) if not found]
        if empty and self.depth:
            self.add("object", pa.array(["{}"] * len(empty), pa.string()), rows[empty])
        if empty:
            full = [index for index, found in enumerate(objects) if found]
            objects, rows = [objects[index] for index in full], rows[full]
        if objects and self.depth >= MAX_DEPTH:
            self._keep_as_text(objects, rows)
        elif objects:
            self._fields.take(objects, rows, careful=self._reading.careful)

    def _struct_of(self, found: dict[str, Any]) -> str | None:
        """The kind of struct that an object is; None if it is none."""
        kind = found.get("_type")
        if self._inside >= MAX_INSIDE:
            return None
        if isinstance(kind, str) and kind not in TOKENS and encodable(kind):
            return kind
        if self._inside and self.path[-1:] == (PACKED_BINS,) and found.keys() == PACKED_KEYS:
            return PACKED_BINS
        return None

    def take_fields(self, objects: Sequence[Any], rows: Any) -> None:
        """Takes objects whose keys are the fields of a struct."""
        self._fields.take(objects, rows, careful=self._reading.careful)

    def _struct(self, kind: str) -> Struct:
        struct = self.structs.get(kind)
        if struct is None:
            struct = self.structs[kind] = Struct(kind, self._reading, self._inside + 1, self.depth)
        return struct

    def _keep_as_text(self, values: Sequence[Any], rows: Any) -> None:
        texts = [json_text(value) for value in values]
        if not self._reading.careful and any("e+" in text for text in texts):
            raise CarefulNeeded
        self.add("object", pa.array(texts, pa.string()), rows)

    def _lists(self, lists: Sequence[Any], rows: Any) -> None:
        if self._inside >= MAX_INSIDE:
            self._keep_as_text(lists, rows)
            return
        if self.items is None:
            self.items = Place((), self._reading, inside=self._inside + 1, depth=self.depth + 1)
        lengths = np.fromiter(map(len, lists), np.int64, len(lists))
        items = list(chain.from_iterable(lists))
        if items:
            at = np.arange(self._item_count, self._item_count + len(items))
            self._reading.later.append((self.items.observe, items, at))
        self._item_count += len(items)
        self.add("list", lengths, rows)

    # Giving columns out.

    def flush(self, length: int) -> None:
        """Brings in everything that still waits, here and below; `length` is the number of rows.

        Raises:
            CarefulNeeded: a float was met that may be an integer beyond 64 bits.
        """
        self._fields.flush(length)
        for child in self.children.values():
            child.flush(length)
        for struct in self.structs.values():
            struct.flush()
        if self.items is not None:
            self.items.flush(self._item_count)

    def clear(self) -> None:
        """Forgets all values since the last `slots`, here and below; what they told of the types stays."""
        self._fields.clear()
        self._columns, self._pieces = {}, {}
        self._item_count = 0
        for child in self.children.values():
            child.clear()
        for struct in self.structs.values():
            struct.clear()
        if self.items is not None:
            self.items.clear()

    def walk(self) -> Iterator[Place]:
        """This place and all below it whose values are columns of their own, by key."""
        yield self
        for key in sorted(self.children):
            yield from self.children[key].walk()

    def slots(self, length: int, origin: Any = None) -> dict[str, Any]:
        """What was taken since the last call: an array of that length for each slot in use.

        Args:
            length: the number of rows.
            origin: the chunk's row in which each of our rows stands; None where they are the same.
        """
        pieces, self._pieces = self._pieces, {}
        columns, self._columns = self._columns, {}
        found = {}
        for slot, column in columns.items():
            found[slot] = column.array
            if slot != "null":
                self._note(slot, column.array, column.there, origin)
        for slot, parts in pieces.items():
            array = self._list_array(parts, length, origin) if slot == "list" else self._reading.dense(parts, length)
            self._note(slot, array, valid(array), origin)
            found[slot] = pc.coalesce(found[slot], array) if slot in found else array
        for index, struct in enumerate(self.structs.values()):
            if struct.rows:
                rows = np.concatenate(struct.rows)
                array = struct.array(rows if origin is None else origin[rows])
                at = scattered(rows, length)
                found[f"struct:{index}"] = array = array if at is None else array.take(at)
                self._count_where(struct.kind, valid(array), origin)
        return found

    def _list_array(self, parts: list[tuple[Any, Any]], length: int, origin: Any) -> Any:
        """The lists as a LargeListArray of their items' slots."""
        assert self.items is not None
        lengths = np.concatenate([part for part, _ in parts])
        rows = np.concatenate([part for _, part in parts])
        places = rows if origin is None else origin[rows]
        items = union(self.items.slots(self._item_count, np.repeat(places, lengths)), self._item_count)
        self._item_count = 0
        lists = pa.LargeListArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(lengths)])), items)
        at = scattered(rows, length)
        return lists if at is None else lists.take(at)

    def _note(self, slot: str, array: Any, there: Any, origin: Any) -> None:
        """Counts the values of a slot by kind."""
        if slot == "list":
            self._count_where("list", there, origin)
            return
        if slot == "int":
            wide = _wide(array)
            if wide is not None:
                self._count_where(Kind.WIDE, wide, origin)
                there = there & ~wide
        self._count_where(self._text_kind(array) if slot == "text" else _KINDS[slot], there, origin)

    def _text_kind(self, array: Any) -> Kind:
        if Kind.TEXT in self.counts:
            return Kind.TEXT
        odd = pc.all(pc.is_in(array, _nonfinite_texts(), skip_nulls=True)).as_py() if not array.null_count else None
        if odd is None:
            odd = pc.all(pc.is_in(array.drop_null(), _nonfinite_texts())).as_py()
        return Kind.NONFINITE if odd else Kind.TEXT

    def _count_where(self, kind: str, there: Any, origin: Any) -> None:
        """Counts the rows where a kind was seen, and notes the first row of all."""
        count = int(np.count_nonzero(there))
        if not count:
            return
        self.counts[kind] = self.counts.get(kind, 0) + count
        if kind not in self.first:
            row = int(there.argmax()) if origin is None else int(origin[there].min())
            self.first[kind] = self._reading.sight(row)

    def seen(self) -> Seen:
        """What was seen here so far, as an element of the type lattice."""
        kinds = frozenset(Kind(kind) for kind in self.counts if kind in _KIND_TEXTS)
        structs = {
            kind: {key: place.seen() for key, place in struct.fields.children.items()}
            for kind, struct in self.structs.items()
            if kind in self.counts
        }
        return Seen(kinds, self.items.seen() if self.items is not None and "list" in self.counts else None, structs)


class Struct:
    """Objects of one ``_type`` at one place.

    Attributes:
        kind: the ``_type``.
        fields: the place that holds the fields as its children; its rows are the objects, numbered as they came.
        rows: the rows of the place that the objects stand in.
    """

    def __init__(self, kind: str, reading: Reading, inside: int, depth: int) -> None:
        self.kind = kind
        self.fields = Place((), reading, skipped=frozenset({"_type"}), inside=inside, depth=depth)
        self.rows: list[Any] = []
        self._count = 0

    def take(self, objects: Sequence[Any], rows: Any) -> None:
        """Takes objects of this kind."""
        self.rows.append(rows)
        own = np.arange(self._count, self._count + len(objects))
        self._count += len(objects)
        self.fields.take_fields(objects, own)

    def array(self, origin: Any) -> Any:
        """The objects as a StructArray of their fields' slots; `origin` are the chunk's rows they stand in."""
        count, self._count, self.rows = self._count, 0, []
        fields = {PRESENT: pa.array(np.ones(count, np.bool_))}
        for place in self.fields.children.values():
            fields[str(place.number)] = union(place.slots(count, origin), count)
        return union(fields, count)

    def flush(self) -> None:
        """Brings in everything that still waits."""
        self.fields.flush(self._count)

    def clear(self) -> None:
        """Forgets all values since the last `array`."""
        self._count, self.rows = 0, []
        self.fields.clear()


PRESENT = "present"
"""The field of a struct that is true wherever there is one: the struct may have no other field."""

_KINDS = {
    "bool": Kind.BOOL,
    "int": Kind.INT,
    "double": Kind.DOUBLE,
    "huge": Kind.HUGE,
    "broken": Kind.BROKEN,
    "object": Kind.OBJECT,
}
_KIND_TEXTS = frozenset(Kind)


@cache
def _nonfinite_texts() -> Any:
    # Not made at import: the first array that pyarrow makes of Python values imports pandas.
    return pa.array(list(NONFINITE), pa.string())


def union(slots: Mapping[str, Any], length: int) -> Any:
    """The slots side by side in a StructArray; nulls where there is none."""
    return pa.StructArray.from_arrays(list(slots.values()), names=list(slots)) if slots else pa.nulls(length)


def json_text(value: Any) -> str:
    """The compact extended-JSON text of a value, always valid Unicode."""
    try:
        text = extjson.dumps(value)
        if MARK in text:
            text = extjson.dumps(restored(value))
        return text if encodable(text) else json.dumps(value, separators=(",", ":"))
    except RecursionError:
        return "".join(_deep_text(value))


def _deep_text(value: Any) -> Iterator[str]:
    """The pieces of a text of a value that is nested so deeply that no recursion can write it."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        written, found = waiting.pop()
        yield written
        if isinstance(found, dict) and found:
            items = [(f"{json_text(key)}:", item) for key, item in found.items()]
            waiting.append(("}", _NOTHING))
            waiting.extend((f",{key}", item) for key, item in reversed(items[1:]))
            waiting.append((f"{{{items[0][0]}", items[0][1]))
        elif isinstance(found, list) and found:
            waiting.append(("]", _NOTHING))
            waiting.extend((",", item) for item in reversed(found[1:]))
            waiting.append(("[", found[0]))
        elif found is not _NOTHING:
            yield json_text(found)


def _wide(array: Any) -> Any:
    """Where the integers lie beyond 2^53; None if none does."""
    ends = pc.min_max(array).as_py()
    if ends["min"] is None or (ends["min"] >= -EXACT and ends["max"] <= EXACT):
        return None
    beyond = pc.or_(pc.less(array, -EXACT), pc.greater(array, EXACT))
    return pc.fill_null(beyond, False).to_numpy(zero_copy_only=False)
