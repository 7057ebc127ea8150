"""Objects sorted by the keys they have, so that objects of one shape can be taken apart many at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Protocol

import numpy as np

from runframe.frames.lanes import ENCODERS, Lane

Object = dict[str, Any]

_GULP = 64
"""So many objects of one shape are taken at once, if they do not come in gulps anyway."""

_STRAYS = 128
_FEW = 8
"""A shape becomes known when it is seen so often among so many objects of unknown shape."""

_MOST_SHAPES = 256
_CANDIDATES = 4


class Taker(Protocol):
    """Who takes the columns that objects come apart into: a `Place`."""

    def wanted(self, keys: Iterable[str]) -> list[str]:
        """Those of the keys that are to be taken."""

    def observe_at(self, key: str, values: Sequence[Any], rows: Any) -> None:
        """Takes values of a key as they were decoded, with the rows they stand in."""

    def add_at(self, key: str, slot: str, array: Any, rows: Any) -> None:
        """Takes values of a key that are an Arrow array, or numbers, already."""


class Shape:
    """Objects with one set of keys.

    Args:
        keys: the keys that all objects have; those of a *core* may have others beside them.
        wanted: those to be taken.
        unwrap: whether values lose their ``{value, desc}`` wrapper.
    """

    def __init__(self, keys: Iterable[str], wanted: Sequence[str], *, unwrap: bool) -> None:
        self.keys = frozenset(keys)
        self.probe = itemgetter(*self.keys)
        self._wanted = wanted
        unwanted = self.keys.difference(wanted)
        self._probe_rest = itemgetter(*unwanted) if unwanted else None
        self._unwrap = unwrap
        self._lanes: list[Lane] | None = None
        self._others: dict[str, tuple[list[Any], list[Any]]] = {}  # values, and arrays of their rows
        self._rows: list[Any] = []

    def take(self, objects: Sequence[Object], rows: Any, taker: Taker) -> None:
        """Takes a gulp of objects; `rows` are the rows they stand in.

        Objects within the objects go to the taker at once, all else waits until `flush`.

        Raises:
            KeyError: an object lacks a key; nothing has been taken then.
        """
        if self._probe_rest is not None:
            deque(map(self._probe_rest, objects), maxlen=0)
        lanes = self._lanes if self._lanes is not None else self._assign(objects[0])
        while True:
            others = [(key, self._values([key], objects)) for key in self._others]
            values = [self._values(lane.keys, objects) for lane in lanes]
            encoded = [lane.encode(found) for lane, found in zip(lanes, values, strict=True)]
            if None not in encoded:
                break
            self.flush(taker)  # what waits in a lane has the keys that the lane has now
            refused = [lane for lane, found in zip(lanes, encoded, strict=True) if found is None]
            lanes = self._demote(refused, objects)
        for lane, found in zip(lanes, encoded, strict=True):
            if found is not None:
                lane.take(found)
        self._rows.append(rows)
        for key, plain in others:
            if dict in set(map(type, plain)):
                taker.observe_at(key, plain, rows)
            else:
                self._others[key][0].extend(plain)
                self._others[key][1].append(rows)

    def flush(self, taker: Taker) -> None:
        """Hands over what waits."""
        if not self._rows:
            return
        rows = self._rows[0] if len(self._rows) == 1 else np.concatenate(self._rows)
        self._rows = []
        for lane in self._lanes or []:
            for key, slot, column in lane.columns():
                taker.add_at(key, slot, column, rows)
        for key, (values, parts) in self._others.items():
            if parts:
                self._others[key] = ([], [])
                taker.observe_at(key, values, np.concatenate(parts))

    def clear(self) -> None:
        """Forgets what waits; what was learnt of the columns' types stays."""
        self._rows = []
        self._others = {key: ([], []) for key in self._others}
        for lane in self._lanes or []:
            lane.clear()

    def _assign(self, sample: Object) -> list[Lane]:
        """Guesses each key's lane from one object; a wrong guess is put right when the lane refuses."""
        values = {key: self._values([key], [sample])[0] for key in self._wanted}
        self._others = {key: ([], []) for key, value in values.items() if type(value) not in ENCODERS}
        by_type = {kind: [key for key, value in values.items() if type(value) is kind] for kind in ENCODERS}
        self._lanes = [Lane(kind, keys) for kind, keys in by_type.items() if keys]
        return self._lanes

    def _demote(self, refused: Sequence[Lane], objects: Sequence[Object]) -> list[Lane]:
        """Moves the keys that a lane refused to lanes that take more, else out of the lanes; for good."""
        lanes = [lane for lane in self._lanes or [] if lane not in refused]
        for lane in refused:
            levels: dict[int, list[str]] = {}
            for key in lane.keys:
                values = self._values([key], objects)
                fits = [
                    level
                    for level in range(lane.level, lane.levels)
                    if Lane(lane.type, [key], level).encode(values) is not None
                ]
                levels.setdefault(fits[0] if fits else lane.levels, []).append(key)
            if levels.get(lane.level) == lane.keys:  # each column alone is well, together they are not: never seen
                levels = {lane.levels: lane.keys}
            self._others.update({key: ([], []) for key in levels.pop(lane.levels, [])})
            lanes.extend(Lane(lane.type, keys, level) for level, keys in levels.items())
        self._lanes = lanes
        return lanes

    def _values(self, keys: list[str], objects: Sequence[Object]) -> list[Any]:
        """The values of the keys, row by row."""
        found = map(itemgetter(*keys), objects)
        values = list(found) if len(keys) == 1 else list(chain.from_iterable(found))
        return unwrapped(values) if self._unwrap else values


class Shapes:
    """All the shapes that the objects of one place have had.

    Objects of a known shape wait until there is a gulp of them. Those of unknown shapes wait too: shapes that are
    frequent among them become known; of the others, the keys that all of them have in common (their core) are taken
    as if they were a shape, and the rest item by item.

    Args:
        taker: who takes what the objects come apart into.
        unwrap: whether values lose their ``{value, desc}`` wrapper.
    """

    def __init__(self, taker: Taker, *, unwrap: bool) -> None:
        self._taker = taker
        self._unwrap = unwrap
        self._shapes: dict[frozenset[str], Shape] = {}
        self._by_length: dict[int, list[Shape]] = {}
        self._last: Shape | None = None
        self._waiting: dict[Shape, tuple[list[Object], list[int]]] = {}
        self._strays: tuple[list[Object], list[int]] = ([], [])
        self._core: Shape | None = None
        self._loose: dict[str, tuple[list[Any], list[int]]] = {}

    def take(self, objects: Sequence[Object], rows: Any) -> None:
        """Takes a gulp of objects that have at least one key each; `rows` are the rows they stand in."""
        last = self._last
        if last is not None and set(map(len, objects)) == {len(last.keys)}:
            try:
                last.take(objects, rows, self._taker)
            except KeyError:
                pass  # as many keys, but others
            else:
                return
        for found, row in zip(objects, rows.tolist(), strict=True):
            shape = self._find(found)
            waiting = self._strays if shape is None else self._waiting.setdefault(shape, ([], []))
            waiting[0].append(found)
            waiting[1].append(row)
        if len(self._strays[0]) >= _STRAYS:
            self._sort_strays()
        for shape, (waiting_objects, _) in list(self._waiting.items()):
            if len(waiting_objects) >= _GULP:
                self._take_waiting(shape)

    def flush(self) -> None:
        """Hands over everything that waits."""
        self._sort_strays()
        for shape in list(self._waiting):
            self._take_waiting(shape)
        for shape in self._shapes.values():
            shape.flush(self._taker)
        if self._core is not None:
            self._core.flush(self._taker)
        loose, self._loose = self._loose, {}
        for key in self._taker.wanted(loose):
            values, rows = loose[key]
            found = unwrapped(values) if self._unwrap else values
            self._taker.observe_at(key, found, np.array(rows, np.int64))

    def clear(self) -> None:
        """Forgets everything that waits."""
        self._waiting, self._strays, self._loose = {}, ([], []), {}
        for shape in (*self._shapes.values(), *([self._core] if self._core else [])):
            shape.clear()

    def _find(self, found: Object) -> Shape | None:
        for shape in self._by_length.get(len(found), [])[:_CANDIDATES]:
            try:
                shape.probe(found)
            except KeyError:
                continue
            return shape
        return self._shapes.get(frozenset(found)) if self._shapes else None

    def _take_waiting(self, shape: Shape) -> None:
        objects, rows = self._waiting.pop(shape)
        self._last = shape
        shape.take(objects, np.array(rows, np.int64), self._taker)

    def _sort_strays(self) -> None:
        objects, rows = self._strays
        self._strays = ([], [])
        groups: dict[frozenset[str], list[int]] = {}
        for index, found in enumerate(objects):
            groups.setdefault(frozenset(found), []).append(index)
        ragged: list[int] = []
        for keys, indices in groups.items():
            if len(indices) < _FEW or len(self._shapes) >= _MOST_SHAPES:
                ragged.extend(indices)
                continue
            shape = Shape(keys, self._taker.wanted(objects[indices[0]]), unwrap=self._unwrap)
            self._shapes[keys] = shape
            self._by_length.setdefault(len(keys), []).append(shape)
            self._waiting[shape] = ([objects[index] for index in indices], [rows[index] for index in indices])
        if ragged:
            self._take_ragged([objects[index] for index in ragged], [rows[index] for index in ragged])

    def _take_ragged(self, objects: list[Object], rows: list[int]) -> None:
        """Takes objects that are all different: what they have in common at once, the rest item by item."""
        core = self._core_of(objects)
        if core is not None:
            core.take(objects, np.array(rows, np.int64), self._taker)
        common = core.keys if core is not None else frozenset()
        loose = self._loose
        for found, row in zip(objects, rows, strict=True):
            for key in found.keys() - common:
                column = loose.get(key)
                if column is None:
                    column = loose[key] = ([], [])
                column[0].append(found[key])
                column[1].append(row)

    def _core_of(self, objects: list[Object]) -> Shape | None:
        """The shape of the keys that all these objects have, if that is worth while."""
        if len(objects) < _FEW:
            return None
        common = frozenset(objects[0]).intersection(*objects)
        if self._core is None or not self._core.keys <= common:
            if self._core is not None:
                self._core.flush(self._taker)
                common = common & self._core.keys
            self._core = Shape(common, self._taker.wanted(common), unwrap=self._unwrap) if common else None
        return self._core


def unwrapped(entries: list[Any]) -> list[Any]:
    """The values of config entries: what is no ``{value}`` or ``{value, desc}`` object stays as it is."""
    try:
        values = list(map(_VALUE, entries))
    except (KeyError, TypeError):
        return [_unwrapped(entry) for entry in entries]
    if sum(map(len, entries)) == len(entries):  # none has anything beside its value
        return values
    return [_unwrapped(entry) for entry in entries]


_VALUE = itemgetter("value")


def _unwrapped(entry: Any) -> Any:
    if type(entry) is dict and "value" in entry and (len(entry) == 1 or (len(entry) == 2 and "desc" in entry)):
        return entry["value"]
    return entry
