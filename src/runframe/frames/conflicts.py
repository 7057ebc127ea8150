"""The conflict report: which columns held values of types that do not go together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from runframe.frames.names import join_path, path_json
from runframe.frames.places import Place
from runframe.frames.reading import Sight
from runframe.frames.schema import type_name
from runframe.frames.types import Kind

CONFLICTS: Any = pa.schema(
    [
        pa.field("column", pa.string(), nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("becomes", pa.string(), nullable=False),
        pa.field("types", pa.list_(pa.string()), nullable=False),
        pa.field("counts", pa.list_(pa.int64()), nullable=False),
        pa.field("first_rows", pa.list_(pa.int64()), nullable=False),
        pa.field("first", pa.list_(pa.string()), nullable=False),
    ]
)
"""The schema of the report, one row a column."""


@dataclass(frozen=True)
class Conflict:
    """One column whose values' types disagree.

    Attributes:
        column: the column's name; for a field of a struct, with the field's name behind a dot.
        path: the column's path.
        becomes: the Arrow type that the column gets.
        seen: the types that were seen, how often each, and where first.
    """

    column: str
    path: tuple[str, ...]
    becomes: Any
    seen: Sequence[tuple[str, int, Sight]]

    @property
    def path_of_run(self) -> str | None:
        """The run in which the last of the types was first seen, where runs have names."""
        sight = self.seen[-1][2]
        return None if sight.name == str(sight.row) else sight.name

    def __str__(self) -> str:
        parts = [f"{count} × {kind} (first in {_where(sight)})" for kind, count, sight in self.seen]
        return f"{self.column!r} holds " + ", ".join(parts)


def _where(sight: Sight) -> str:
    return f"row {sight.row}" if sight.name == str(sight.row) else sight.name


def seen_at(place: Place) -> list[tuple[str, int, Sight]]:
    """The types seen at a place, in the lattice's order, with their counts and first sights."""
    counts, first = dict(place.counts), dict(place.first)
    if Kind.TEXT in counts and Kind.NONFINITE in counts:  # beside other texts they are texts
        counts[Kind.TEXT] += counts.pop(Kind.NONFINITE)
        first[Kind.TEXT] = min(first[Kind.TEXT], first.pop(Kind.NONFINITE))
    labels: list[tuple[str, str]] = [(kind, str(kind)) for kind in Kind if kind in counts]
    if "list" in counts and place.items is not None:
        labels.append(("list", f"list<{place.items.seen()}>"))
    labels.extend((kind, kind) for kind in sorted(place.structs) if kind in counts)
    return [(label, counts[kind], first[kind]) for kind, label in labels]


def conflicts_at(place: Place, name: str, path: tuple[str, ...], type_: Any) -> Iterable[Conflict]:
    """The conflicts at one column: its own, else those of its struct's fields."""
    if place.seen().resolve().conflict:
        yield Conflict(name, path, type_, seen_at(place))
        return
    for kind, struct in place.structs.items():
        if kind in place.counts:
            for key, field in sorted(struct.fields.children.items()):
                seen = field.seen()
                yield from conflicts_at(field, f"{name}.{join_path([key])}", (*path, key), seen.type)


def report(conflicts: Sequence[Conflict]) -> Any:
    """The report as a `pyarrow.Table` of the schema `CONFLICTS`."""
    rows = [
        {
            "column": found.column,
            "path": path_json(found.path).decode(),
            "becomes": type_name(found.becomes),
            "types": [kind for kind, _, _ in found.seen],
            "counts": [count for _, count, _ in found.seen],
            "first_rows": [sight.row for _, _, sight in found.seen],
            "first": [sight.name for _, _, sight in found.seen],
        }
        for found in conflicts
    ]
    return pa.Table.from_pylist(rows, CONFLICTS)
