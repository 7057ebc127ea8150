r"""Which keys of a history are wanted: exact names, or a pattern; and the columns that they come to.

A key is named as W&B names it (``train.loss`` is the key `loss` inside `train`, or the key `train.loss` itself), or as
its column is (``train\.loss`` is only the latter). An object's name stands for everything inside it.
"""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from runframe.errors import UsageError
from runframe.frames.callers import user_level
from runframe.frames.names import join_path, split_name
from runframe.frames.patterns import Pattern, matcher
from runframe.resources.history.pages import MISSING, value_at

RESERVED = ("_step", "_runtime", "_timestamp")
"""What the SDK puts into each row."""

How = Literal["any", "all"]
Asked: TypeAlias = "Sequence[str] | Pattern | None"
Path = tuple[str, ...]


class Keys:
    """The keys that somebody wants, and all that were seen.

    Args:
        keys: None for all keys; a list of exact names; or a pattern (see `runframe.frames.patterns.matcher`).
        how: "any" for rows that have at least one of the keys, "all" for rows that have every one. `RESERVED` keys,
            which every row has, do not count, unless nothing else is wanted.

    Raises:
        UsageError: they are something else.
    """

    def __init__(self, keys: Asked, how: str = "any") -> None:
        if how not in ("any", "all"):
            raise UsageError(f"how must be 'any' (rows that have one of the keys) or 'all', not {how!r}")
        is_pattern = isinstance(keys, (str, re.Pattern)) or callable(keys)
        names = [] if keys is None or is_pattern else _names(keys)
        self.asked: Any = keys if keys is None or is_pattern else names
        self.how = how
        self._matches = matcher(keys) if isinstance(keys, (str, re.Pattern)) or callable(keys) else None
        self._wanted: dict[Path, bool] = {}
        self._flat: set[str] = set()
        self._seen: dict[Path, None] = {}
        self._indexed: tuple[int, dict[str, list[Path]]] = (0, {})
        self._tests = [name for name in names if name not in RESERVED] or names

    @property
    def paths(self) -> list[Path]:
        """The paths of all leaves that were seen, sorted."""
        return sorted(self._seen)

    def take(self, row: Mapping[str, Any]) -> bool:
        """Notes the keys of a row, and tells whether the row is wanted.

        Where `is_late` it is told of some more rows than are wanted.
        """
        self._look_at(row)
        if self.asked is None:
            return True
        if self._matches is not None:
            return any(self._is_wanted(path) for path in leaves(row))
        if not self._tests:
            return False
        found = (_has(row, name) for name in self._tests)
        return all(found) if self.how == "all" else any(found)

    def exactly(self) -> Keys:
        """For a pattern, the keys that were seen and match it, by name."""
        exact = Keys([join_path(path) for path in self.paths if self._is_wanted(path)], self.how)
        exact._flat, exact._seen = self._flat, self._seen
        return exact

    @property
    def is_late(self) -> bool:
        """Whether only all rows together tell which of them are wanted: then `exactly` is asked once more for each.

        So it is for a pattern where "all" is wanted, or that means what every row has.
        """
        return self._matches is not None and (self.how == "all" or any(map(self._matches, RESERVED)))

    @property
    def is_pattern(self) -> bool:
        """Whether the keys were given as a pattern."""
        return self._matches is not None

    def columns(self) -> tuple[list[str], list[str]]:
        """The names of the wanted columns, in the order asked for, and the names asked for that no row has."""
        if self._matches is not None:
            found = [path for path in self.paths if self._is_wanted(path)]
            return [join_path(path) for path in found], [] if found else [repr(self.asked)]
        columns: dict[str, None] = {}
        unknown = []
        index = self._index()
        for name in self.asked or ():
            matches = index.get(name, ())
            columns.update(dict.fromkeys(map(join_path, matches)))
            if not matches:
                unknown.append(name)
        return list(columns), unknown

    def column_of(self, name: str) -> str | None:
        """The column of one key; None where no row has it."""
        index = self._index()
        return next((join_path(path) for path in index.get(name, ())), None)

    def _index(self) -> dict[str, list[Path]]:
        """Every name that stands for something, with the leaves that it stands for."""
        size, index = self._indexed
        if size != len(self._seen):
            index = {}
            for path in self.paths:
                for name in names_of(path):
                    index.setdefault(name, []).append(path)
            self._indexed = (len(self._seen), index)
        return index

    def note(self, paths: Iterable[Path]) -> None:
        """Notes keys that are known from elsewhere."""
        self._seen.update(dict.fromkeys(paths))

    def warn_of(self, unknown: Sequence[str], source: str, rows: str = "row") -> None:
        """Warns of names that no row has, with near matches.

        Args:
            unknown: the names.
            source: where they were looked for.
            rows: how a row is called, where not every row was read.
        """
        for name in unknown:
            what = f"the pattern {name} matches no key" if self.is_pattern else f"no {rows} has the key {name!r}"
            near = difflib.get_close_matches(name, map(join_path, self.paths), n=3)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else self._known()
            warnings.warn(f"{source}: {what}: {hint}", UserWarning, stacklevel=user_level())

    def _known(self) -> str:
        known = [join_path(path) for path in self.paths if path[0] not in RESERVED]
        more = f" and {len(known) - 10} more" if len(known) > 10 else ""
        return f"the keys are {', '.join(known[:10])}{more}" if known else "nothing was logged"

    def _look_at(self, row: Mapping[str, Any]) -> None:
        if row.keys() <= self._flat and not any(type(value) is dict for value in row.values()):
            return
        self._flat.update(key for key, value in row.items() if type(value) is not dict)
        self._seen.update(dict.fromkeys(leaves(row)))

    def _is_wanted(self, path: Path) -> bool:
        wanted = self._wanted.get(path)
        if wanted is None:
            assert self._matches is not None
            wanted = self._wanted[path] = any(map(self._matches, names_of(path)))
        return wanted


def leaves(row: Mapping[str, Any], prefix: Path = ()) -> Iterator[Path]:
    """The paths of a row's leaves: what is no object, an empty one, or one with a ``_type`` (media)."""
    for key, value in row.items():
        if type(value) is dict and value and not isinstance(value.get("_type"), str):
            yield from leaves(value, (*prefix, key))
        else:
            yield (*prefix, key)


def names_of(path: Path) -> set[str]:
    """The names of a leaf and of the objects that it is in: as columns are named, and as W&B does."""
    starts = [path[:length] for length in range(1, len(path) + 1)]
    return {*map(join_path, starts), *map(".".join, starts)}


def _has(row: Mapping[str, Any], name: str) -> bool:
    if value_at(row, name) is not MISSING:
        return True
    if "\\" not in name:
        return False
    found: Any = row
    for step in split_name(name):
        if not isinstance(found, Mapping) or step not in found:
            return False
        found = found[step]
    return True


def _names(keys: Any) -> list[str]:
    if not isinstance(keys, (list, tuple)):
        raise UsageError(f"keys must be a list of names, or a pattern as text, not {keys!r:.80}")
    for key in keys:
        if not isinstance(key, str):
            raise UsageError(f"keys must be a list of names; {key!r:.80} is not text")
    return list(dict.fromkeys(keys))
