"""The rows of a scan: a source's batches, with each condition and each limit applied to them in turn."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from runframe import extjson
from runframe.filters import Always, Compare, Predicate
from runframe.filters.fields import value_at
from runframe.filters.messages import near
from runframe.filters.tree import MISSING
from runframe.frames.frame import Frame
from runframe.frames.leaves import flattened
from runframe.frames.names import join_path, split_name
from runframe.frames.predicate import Condition, MongoCondition, Path, fields_of
from runframe.frames.schema import Schema

if TYPE_CHECKING:
    from runframe.frames.scan import Source

_INSIDE = frozenset({"runframe", "functools", "polars", "pyarrow", "duckdb", "pandas"})
SAMPLE = 50
"""Rows whose keys are looked through for names that are near."""


class Rows:
    """The rows that pass all steps.

    Args:
        declared: the source's schema.
        columns: the columns of its batches.
        batches: opens its stream.
        steps: conditions, and limits as numbers, in order.
        types: the types of flattened columns, as far as they are known.

    Attributes:
        schema: the Arrow schema of the batches.
    """

    def __init__(
        self,
        declared: Schema,
        columns: Sequence[str],
        batches: Callable[[], Iterator[Any]],
        steps: Sequence[Condition | int],
        types: Mapping[str, Any],
    ) -> None:
        self.schema = declared.select(columns).arrow
        self._declared = declared
        self._batches = batches
        self._steps = steps
        self._types = types
        self._seen: set[Path] = set()

    def read(self) -> Iterator[Any]:
        """The batches, from the start; the source is read no further than the limits need."""
        self._seen = set()
        if 0 in self._steps:
            self._seen = {path for step in self._steps if isinstance(step, Condition) for path in step.paths}
            return
        found = self._batches()
        closing = found
        for step in self._steps:
            found = _first(found, step) if isinstance(step, int) else self._fitting(found, step)
        try:
            yield from found
        finally:
            close = getattr(closing, "close", None)
            if close is not None:
                close()

    def unseen_paths(self) -> list[Path]:
        """The paths into documents that a condition names, and that had a value in none of the rows that came.

        Where a column's type is known, it was looked for already.
        """
        paths = [path for step in self._steps if isinstance(step, Condition) for path in step.paths]
        known = self._seen.union(map(split_name, self._types))
        return [path for path in dict.fromkeys(paths) if path not in known]

    def _fitting(self, batches: Iterator[Any], condition: Condition) -> Iterator[Any]:
        for batch in batches:
            yield batch.filter(self._holds(batch, condition))

    def _holds(self, batch: Any, condition: Condition) -> Any:
        """Where a condition holds in a batch."""
        if not condition.leaves:
            self._look(condition, batch)
            return condition.holds(batch)
        names = [*condition.plain, *condition.leaves]
        typed = flattened(Frame(self.schema, lambda: iter([batch])), self._declared, names, self._types)
        parts = [condition.holds(part) for part in typed.to_batches()]
        return pa.concat_arrays(parts) if parts else pa.array([False] * batch.num_rows, pa.bool_())

    def _look(self, condition: Condition, batch: Any) -> None:
        if isinstance(condition, MongoCondition):
            self._seen.update(condition.present(batch))


def _first(batches: Iterator[Any], limit: int) -> Iterator[Any]:
    left = limit
    for batch in batches:
        taken = batch.slice(0, left)
        left -= taken.num_rows
        if taken.num_rows:
            yield taken
        if left <= 0:
            return


def unseen(source: Source, declared: Schema, paths: Sequence[Path], request: Any) -> None:
    """Warns of paths into documents that no row of the source has, with the names that are near.

    What the rows of one scan did not have, others may: the source is asked for one row that has it.
    """
    for path in paths:
        predicate = Compare(path, "$exists", True)
        if any(_has(declared, batch, path) for batch in _some(source, request, path, predicate, 1)):
            continue
        known = set()
        for batch in _some(source, request, path, Always(), SAMPLE):
            known.update(_keys(declared, batch, path[0]))
        name = join_path(path)
        warn(f"no row of {source!r} has {name!r}{near(name, sorted(known))}")


def _some(source: Source, request: Any, path: Path, where: Predicate, limit: int) -> Iterator[Any]:
    asked = request(columns=(path[0],), keys={path[0]: None}, where=where, limit=limit)
    batches = source.open_scan(asked).batches()
    left = limit
    for batch in batches:
        yield batch
        left -= batch.num_rows
        if left <= 0 and isinstance(where, Always):
            break
    close = getattr(batches, "close", None)
    if close is not None:
        close()


def _has(declared: Schema, batch: Any, path: Path) -> bool:
    kind = fields_of(declared).kinds[path[0]]
    texts = batch.column(0).storage.to_pylist()
    return any(text is not None and value_at(extjson.loads(text), kind, path[1:]) is not MISSING for text in texts)


def _keys(declared: Schema, batch: Any, document: str) -> list[str]:
    frame = flattened(Frame(batch.schema, lambda: iter([batch])), declared, None, {})
    return [name for name in frame.columns if name != document]


def warn(message: str) -> None:
    """A warning that points at the caller's line."""
    warnings.warn(message, UserWarning, stacklevel=_user_level())


def _user_level() -> int:
    """The stack level of the first caller outside this package and the engines, for warnings."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in _INSIDE:
        level, frame = level + 1, frame.f_back
    return level
