"""The objects of one place taken apart: the values of each key, many objects and all their keys at a time.

The keys and the values of a gulp of objects are laid out flat, side by side; each key has a number. The values are
sorted by the type that their key's values have had so far, and each sort is encoded by one call into C, which finds
out if the guess was wrong. When the chunk ends, numbers go to their columns and rows in one assignment. So neither the
keys' order nor how many sets of keys there are matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, pairwise
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runframe.frames.decode import MARK, TOKENS
from runframe.frames.encode import ENCODERS, small

Object = dict[str, Any]

_ORDERS = 256
"""So many orders of keys are remembered."""

_LARGE = 2.0**63
_LONG = 2**31

# The kind of a key: the type that all its values have had (an index of _TYPES); a type and nulls (_LOOSE beyond it; for
# floats, ints too); anything; or it is not to be taken.
_KINDS: dict[type, int] = {kind: number for number, kind in enumerate((*ENCODERS, type(None), dict, list))}
_TYPES = list(_KINDS)
_FLOAT, _INT, _TEXT, _NULL = _KINDS[float], _KINDS[int], _KINDS[str], _KINDS[type(None)]
_LOOSE, _MIXED, _SKIPPED = 8, 16, 17
_NO_ENCODER: tuple[str, Callable[[list[Any]], Any]] = ("", lambda values: None)


class CarefulNeeded(Exception):
    """A float was met that may be an integer beyond 64 bits: the chunk must be decoded carefully."""


class Column(NamedTuple):
    """A key's values of one slot.

    Attributes:
        array: the Arrow array, null where there is none.
        there: where there is one, as a `numpy.ndarray` of bool.
    """

    array: Any
    there: Any


class Taker(Protocol):
    """Who takes the columns that objects come apart into: a `Place`."""

    def wants(self, key: str) -> bool:
        """Whether the key's values are to be taken."""

    def mention(self, key: str) -> None:
        """Notes that there is such a key."""

    def observe_at(self, key: str, values: Sequence[Any], rows: Any) -> None:
        """Takes values of a key as they were decoded, with the rows they stand in."""

    def hold_at(self, key: str, slot: str, column: Column) -> None:
        """Takes the values of a key that are a column already."""


class Fields:
    """The keys of the objects of one place, and their values since the last `flush`.

    Args:
        taker: who takes what the objects come apart into.
        unwrap: whether values lose their ``{value, desc}`` wrapper.
        nulls: whether to tell where there are nulls: a column of the slot "null", true there.
    """

    def __init__(self, taker: Taker, *, unwrap: bool, nulls: bool) -> None:
        self._nulls = nulls
        self._taker = taker
        self._unwrap = unwrap
        self._numbers: dict[str, int] = {}
        self._keys: list[str] = []
        self._kinds = np.zeros(0, np.uint8)
        self._orders: dict[tuple[str, ...], Any] = {}
        self._strangers = 0
        self._shape: _Shape | None = None
        self._careful = False
        self._blocks: dict[str, list[tuple[Any, Any, Any]]] = {}

    # Taking objects in.

    def take(self, objects: Sequence[Object], rows: Any, *, careful: bool) -> None:
        """Takes objects that have at least one key each.

        Args:
            objects: the objects.
            rows: the rows they stand in, a `numpy.ndarray`.
            careful: whether the texts were decoded carefully.

        Raises:
            CarefulNeeded: they were not, and a float was met that may be an integer beyond 64 bits.
        """
        self._careful = careful
        lengths = set(map(len, objects))
        if self._shape is not None and lengths == {self._shape.width} and self._take_shape(self._shape, objects, rows):
            return
        values = list(chain.from_iterable(map(dict.values, objects)))
        if self._unwrap:
            values = unwrapped(values)
        numbers = self._numbered(objects, values)
        at = np.repeat(rows, np.fromiter(map(len, objects), np.int64, len(objects)))
        for kind, indices, chosen in _sorted(self._kinds[numbers], values):
            self._take_kind(kind, chosen, numbers[indices], at[indices])
        if len(lengths) == 1 and all(found.keys() == objects[0].keys() for found in objects):
            self._shape = _Shape(list(objects[0]), self._numbers, self._kinds)

    def _take_shape(self, shape: _Shape, objects: Sequence[Object], rows: Any) -> bool:
        """Takes objects if they all have the shape's keys: cheaper than sorting their values."""
        if not shape.is_current(self._kinds):
            self._shape = shape = _Shape(shape.keys, self._numbers, self._kinds)
        try:
            lists = [get(objects) for _, _, get in shape.parts]
        except KeyError:
            return False
        for (kind, numbers, _), values in zip(shape.parts, lists, strict=True):
            found = unwrapped(values) if self._unwrap else values
            slot, encode = ENCODERS.get(_TYPES[kind], _NO_ENCODER) if kind < _LOOSE else _NO_ENCODER
            encoded = encode(found)
            if encoded is not None:
                self._keep(slot, encoded, numbers[np.newaxis, :], rows[:, np.newaxis])
            else:
                self._take_kind(kind, found, np.tile(numbers, len(objects)), np.repeat(rows, len(numbers)))
        return True

    def _numbered(self, objects: Sequence[Object], values: list[Any]) -> Any:
        """The number of the key of each value."""
        if self._strangers < _ORDERS:
            try:
                return np.concatenate(list(map(self._orders.__getitem__, map(tuple, objects))))
            except KeyError:
                pass
        keys = list(chain.from_iterable(objects))
        try:
            numbers = small(list(map(self._numbers.__getitem__, keys)))
        except KeyError:
            self._learn(keys, values)
            numbers = small(list(map(self._numbers.__getitem__, keys)))
        if self._strangers < _ORDERS:
            self._learn_orders(objects)
        return numbers

    def _learn(self, keys: list[str], values: list[Any]) -> None:
        """Numbers the keys that are new, and guesses the kind of their values from the first one."""
        kinds = []
        for key, value in zip(keys, values, strict=True):
            if key in self._numbers:
                continue
            self._numbers[key] = len(self._keys)
            self._keys.append(key)
            if self._taker.wants(key):
                self._taker.mention(key)
                kind = _KINDS[type(value)]
                kinds.append(_MIXED if kind == _NULL else kind)
            else:
                kinds.append(_SKIPPED)
        self._kinds = np.concatenate([self._kinds, np.array(kinds, np.uint8)])

    def _learn_orders(self, objects: Sequence[Object]) -> None:
        """Remembers the objects' orders of keys, as long as that is worth while."""
        for order in map(tuple, objects):
            if order not in self._orders:
                self._strangers += 1
                self._orders[order] = np.array([self._numbers[key] for key in order], np.int32)
        if self._strangers >= _ORDERS:
            self._orders = {}

    def _take_kind(self, kind: int, values: list[Any], numbers: Any, rows: Any) -> None:
        """Takes values that should be of one kind."""
        if kind == _SKIPPED:
            return
        if kind < _LOOSE:
            if self._take_pure(_TYPES[kind], values, numbers, rows):
                return
        elif kind < _MIXED and self._take_loose(kind - _LOOSE, values, numbers, rows):
            return
        kinds = np.frombuffer(bytes(map(_KINDS.__getitem__, map(type, values))), np.uint8)
        if kind != _MIXED:
            self._demote(kind, kinds, numbers)
        for found, indices, chosen in _sorted(kinds, values):
            if found == _NULL:
                self._keep_nulls(numbers[indices], rows[indices])
            elif not self._take_pure(_TYPES[found], chosen, numbers[indices], rows[indices]):
                self._take_odd(_TYPES[found], chosen, numbers[indices], rows[indices])

    def _demote(self, kind: int, kinds: Any, numbers: Any) -> None:
        """Gives the keys whose values were not all of the kind another kind, for good."""
        self._kinds = self._kinds.copy()
        for number in np.unique(numbers[kinds != kind]).tolist():
            found = set(kinds[numbers == number].tolist()) - {_NULL}
            base = kind % _LOOSE if kind % _LOOSE in _ARROW else _MIXED
            if _FLOAT in {base, *found} and found | {base} <= {_FLOAT, _INT}:
                self._kinds[number] = _LOOSE + _FLOAT
            else:
                self._kinds[number] = _LOOSE + base if base != _MIXED and found <= {base} else _MIXED

    def _take_loose(self, kind: int, values: list[Any], numbers: Any, rows: Any) -> bool:
        """Takes values of a type and nulls, among floats also ints."""
        if kind == _INT and not set(map(type, values)) <= {int, type(None)}:  # Arrow would take whole floats
            return False
        try:
            array = pa.array(values, _ARROW[kind])
        except (OverflowError, UnicodeEncodeError, pa.ArrowInvalid, pa.ArrowTypeError):
            return False
        if kind == _TEXT and pc.any(pc.starts_with(array, MARK)).as_py():
            return False
        there = array.is_valid().to_numpy(zero_copy_only=False) if array.null_count else None
        at = None if there is None else np.flatnonzero(there)
        missing = None if there is None else (numbers[~there], rows[~there])
        if at is not None:
            array, numbers, rows = array.drop_null(), numbers[at], rows[at]
        encoded = array if kind == _TEXT else array.to_numpy(zero_copy_only=False)
        if kind == _FLOAT:
            # Arrow takes ints and bools for floats: only a whole number can have been one.
            whole = np.flatnonzero(encoded == np.trunc(encoded))
            types = [type(values[index]) for index in (whole if at is None else at[whole]).tolist()]
            if bool in types:
                return False
            if int in types:
                is_int = np.zeros(len(encoded), np.bool_)
                is_int[whole] = [type_ is int for type_ in types]
                self._keep("int", encoded[is_int].astype(np.int64), numbers[is_int], rows[is_int])
                encoded, numbers, rows = encoded[~is_int], numbers[~is_int], rows[~is_int]
        self._keep(ENCODERS[_TYPES[kind]][0], encoded, numbers, rows)
        if missing is not None:
            self._keep_nulls(*missing)
        return True

    def _take_pure(self, type_: type, values: list[Any], numbers: Any, rows: Any) -> bool:
        """Takes values if all are of the type, and no odd ones."""
        if type_ not in ENCODERS:
            if set(map(type, values)) != {type_}:
                return False
            self._observe(values, numbers, rows)
            return True
        slot, encode = ENCODERS[type_]
        encoded = encode(values)
        if encoded is None:
            return False
        self._keep(slot, encoded, numbers, rows)
        return True

    def _take_odd(self, type_: type, values: list[Any], numbers: Any, rows: Any) -> None:
        """Takes long ints, or texts that stand for NaN and the infinities, contain NUL, or are no Unicode."""
        if type_ is int:
            try:
                encoded = np.array(values, np.int64)
            except OverflowError:
                self._observe(values, numbers, rows)
            else:
                self._kinds = self._kinds.copy()
                self._kinds[numbers[np.abs(encoded) >= _LONG]] = _LOOSE + _INT  # so that the others stay fast
                self._keep("int", encoded, numbers, rows)
            return
        tokens = np.fromiter(map(TOKENS.__contains__, values), np.bool_, len(values))
        for is_token, indices, chosen in _sorted(tokens, values):
            if is_token:
                self._keep("double", np.array([TOKENS[value] for value in chosen]), numbers[indices], rows[indices])
            elif not self._take_pure(str, chosen, numbers[indices], rows[indices]):
                self._observe(chosen, numbers[indices], rows[indices])

    def _keep(self, slot: str, encoded: Any, numbers: Any, rows: Any) -> None:
        if slot == "double" and not self._careful and may_be_ints(encoded):
            raise CarefulNeeded
        self._blocks.setdefault(slot, []).append((encoded, numbers, rows))

    def _keep_nulls(self, numbers: Any, rows: Any) -> None:
        if self._nulls:
            self._keep("null", np.ones(len(rows), np.bool_), numbers, rows)

    def _observe(self, values: list[Any], numbers: Any, rows: Any) -> None:
        """Has the taker observe values, key by key."""
        for number, indices, chosen in _sorted(numbers, values):
            self._taker.observe_at(self._keys[number], chosen, rows[indices])

    # Giving columns out.

    def flush(self, length: int) -> None:
        """Hands everything to the taker; `length` is the number of rows."""
        blocks, self._blocks = self._blocks, {}
        for slot in list(blocks):
            grid = _Grid(blocks.pop(slot), len(self._keys), length)
            arrays = grid.texts() if slot == "text" else grid.plain()
            for number, array, filled in zip(grid.own.tolist(), arrays, grid.there, strict=True):
                self._taker.hold_at(self._keys[number], slot, Column(array, filled[:length]))

    def clear(self) -> None:
        """Forgets all values; what was learnt of the keys stays."""
        self._blocks = {}


class _Shape:
    """Objects that have the same keys, whatever their order.

    Args:
        keys: their keys.
        numbers: the number of each key.
        kinds: the kinds of all keys, by number.

    Attributes:
        width: how many keys there are.
        parts: for each kind, the numbers of its keys, and what gives their values, object by object.
    """

    def __init__(self, keys: list[str], numbers: dict[str, int], kinds: Any) -> None:
        self.keys = keys
        self.width = len(keys)
        self._known = kinds
        own = np.array([numbers[key] for key in keys], np.int32)
        self.parts: list[tuple[int, Any, Callable[[Sequence[Object]], list[Any]]]] = []
        for kind in np.unique(kinds[own]).tolist():
            chosen = np.flatnonzero(kinds[own] == kind)
            self.parts.append((kind, own[chosen], _getter([keys[index] for index in chosen])))

    def is_current(self, kinds: Any) -> bool:
        """Whether no key's kind has changed since."""
        return kinds is self._known


def _getter(keys: list[str]) -> Callable[[Sequence[Object]], list[Any]]:
    get = itemgetter(*keys)
    if len(keys) == 1:
        return lambda objects: list(map(get, objects))
    return lambda objects: list(chain.from_iterable(map(get, objects)))


_ARROW = dict(zip(_KINDS.values(), (pa.float64(), pa.int64(), pa.bool_(), pa.string()), strict=False))


def may_be_ints(numbers: Any) -> bool:
    """Whether floats are so large that they may have been integers beyond 64 bits."""
    large = np.abs(numbers) >= _LARGE
    return bool(large.any()) and bool(np.isfinite(numbers[large]).any())


def _sorted(labels: Any, values: list[Any]) -> Iterator[tuple[int, Any, list[Any]]]:
    """The values of each label: the label, their indices, and they themselves."""
    first = labels[0]
    if (labels == first).all():
        yield int(first), slice(None), values
        return
    cells = np.fromiter(values, object, len(values))
    order = np.argsort(labels, kind="stable")
    ends = [0, *(np.flatnonzero(np.diff(labels[order])) + 1).tolist(), len(order)]
    for start, end in pairwise(ends):
        indices = order[start:end]
        yield int(labels[indices[0]]), indices, cells[indices].tolist()


class _Grid:
    """The values of one slot of all keys, a row of cells for each key that has any.

    Args:
        parts: values, the numbers of their keys and the rows they stand in; the two are as long as the values, or stand
            crosswise: a row of numbers, a column of rows.
        most: how many keys there are.
        length: how many rows there are.

    Attributes:
        own: the numbers of the keys.
        there: which cells are filled. The rows are a little longer than there are rows, for each to begin at a boundary
            that Arrow likes.
    """

    def __init__(self, parts: list[tuple[Any, Any, Any]], most: int, length: int) -> None:
        self._parts = parts
        self._length = length
        some = np.zeros(most, np.bool_)
        for _, numbers, _ in parts:
            some[numbers] = True
        self.own = np.flatnonzero(some)
        width = -(-length // 64) * 64
        self._starts = np.zeros(most, np.int64)
        self._starts[self.own] = np.arange(len(self.own)) * width
        self.there = np.zeros((len(self.own), width), np.bool_)

    def _filled(self) -> Iterator[tuple[Any, Any]]:
        """Each part's values and their cells; what was given is forgotten."""
        there = self.there.ravel()
        for encoded, numbers, rows in self._parts:
            cells = (self._starts[numbers] + rows).ravel()
            there[cells] = True
            yield encoded, cells
        self._parts = []

    def _valid(self) -> Iterator[tuple[Any, int]]:
        """For each key which rows have a value, as bits (None if all do), and how many have none."""
        bits = np.packbits(self.there, axis=1, bitorder="little")
        nulls = self._length - self.there.sum(axis=1)
        for row, missing in zip(bits, nulls.tolist(), strict=True):
            yield pa.py_buffer(row) if missing else None, missing

    def plain(self) -> Iterator[Any]:
        """Arrow arrays of numbers or bools, key by key; the memory is shared, not copied."""
        dtype = self._parts[0][0].dtype
        values = np.zeros(self.there.shape, dtype)
        for encoded, cells in self._filled():
            values.ravel()[cells] = encoded
        type_ = pa.from_numpy_dtype(dtype)
        if dtype == np.bool_:
            values = np.packbits(values, axis=1, bitorder="little")
        for row, (valid, missing) in zip(values, self._valid(), strict=True):
            yield pa.Array.from_buffers(type_, self._length, [valid, pa.py_buffer(row)], missing)

    def texts(self) -> Iterator[Any]:
        """Arrow arrays of texts, key by key: parts of one array in the cells' order, with offsets of their own."""
        at = np.zeros(self.there.size, np.int64)
        texts = pa.concat_arrays([encoded for encoded, _, _ in self._parts])
        start = 0
        for encoded, cells in self._filled():
            at[cells] = np.arange(start, start + len(encoded))
            start += len(encoded)
        filled = self.there.ravel()
        texts = texts.take(pa.array(at[filled]))
        _, ends, data = texts.buffers()
        lengths = np.zeros(self.there.size + 1, np.int32)
        lengths[1:][filled] = np.diff(np.frombuffer(ends, np.int32, len(texts) + 1))
        offsets = np.cumsum(lengths, dtype=np.int32)
        width = self.there.shape[1]
        for number, (valid, missing) in enumerate(self._valid()):
            own = pa.py_buffer(offsets[number * width : number * width + self._length + 1])
            yield pa.StringArray.from_buffers(self._length, own, data, valid, missing)


def unwrapped(entries: list[Any]) -> list[Any]:
    """The values of config entries: what is no ``{value}`` or ``{value, desc}`` object stays as it is."""
    try:
        values = list(map(_VALUE, entries))
    except (KeyError, TypeError):
        return [_unwrapped(entry) for entry in entries]
    if sum(map(len, entries)) == len(entries):  # none has anything beside its value
        return values
    return [_unwrapped(entry) for entry in entries]


_VALUE: Callable[[Any], Any] = itemgetter("value")


def _unwrapped(entry: Any) -> Any:
    if type(entry) is dict and "value" in entry and (len(entry) == 1 or (len(entry) == 2 and "desc" in entry)):
        return entry["value"]
    return entry
