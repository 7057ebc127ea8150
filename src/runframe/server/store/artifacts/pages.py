"""Pages of collections and of their versions: filtered, ordered, counted."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from runframe.filters import FilterError
from runframe.server.errors import Refusal
from runframe.server.store.artifacts import collections, memberships, versions
from runframe.server.store.artifacts.collections import Collection
from runframe.server.store.artifacts.memberships import Membership
from runframe.server.store.artifacts.versions import Artifact
from runframe.server.store.fragments import Fragment
from runframe.server.store.order_sql import Order

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Listing(Generic[Found]):
    """Rows that can be listed.

    Attributes:
        columns: what is selected.
        width: how many columns that is.
        source: what follows FROM.
        read: makes what is answered of a row's columns.
    """

    columns: str
    width: int
    source: str
    read: Callable[[Sequence[Any]], Found]

    def count(self, connection: sqlite3.Connection, condition: Fragment) -> int:
        """How many rows satisfy a condition."""
        query = f"SELECT count(*) FROM {self.source} WHERE {condition.text}"
        return int(connection.execute(query, condition.parameters).fetchone()[0])

    def page(
        self, connection: sqlite3.Connection, condition: Fragment, order: Order, after: str | None, first: int
    ) -> tuple[list[tuple[Found, str]], bool]:
        """Up to `first` rows with their cursors, and whether more follow.

        Args:
            connection: a reader.
            condition: which rows.
            order: in which order.
            after: the cursor of the last row of the page before.
            first: how many at the most.

        Raises:
            Refusal: `after` is no cursor of this order.
        """
        where, parameters = condition.text, [*order.columns.parameters, *condition.parameters]
        if after:
            try:
                behind = order.after(after)
            except FilterError as error:
                raise Refusal(f"after: {error}.") from error
            where += f" AND {behind.text}"
            parameters += behind.parameters
        columns = f"{self.columns}, {order.columns.text}"
        query = f"SELECT {columns} FROM {self.source} WHERE {where} ORDER BY {order.by.text} LIMIT ?"
        rows = connection.execute(query, (*parameters, *order.by.parameters, first + 1)).fetchall()
        width = self.width
        found = [(self.read(tuple(row[:width])), order.cursor(tuple(row[width:]))) for row in rows[:first]]
        return found, len(rows) > first


def _read_version(row: Sequence[Any]) -> tuple[Artifact, Membership]:
    return versions.from_row(row[: versions.WIDTH]), memberships.from_row(row[versions.WIDTH :])


VERSIONS: Listing[tuple[Artifact, Membership]] = Listing(
    f"{versions.COLUMNS}, {memberships.COLUMNS}",
    versions.WIDTH + memberships.WIDTH,
    "artifact_memberships m JOIN artifacts a ON a.id = m.artifact_id",
    _read_version,
)

COLLECTIONS: Listing[Collection] = Listing(
    collections.COLUMNS, collections.WIDTH, "artifact_collections c", collections.from_row
)


def also(column: str, number: int, condition: Fragment) -> Fragment:
    """A condition, for the rows alone that have a number in a column."""
    return Fragment(f"{column} = ? AND {condition.text}", (number, *condition.parameters), condition.depth + 1)
