"""Tags of versions and of collections; a project's tags are its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of a project."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Tagged:
    """Where the tags of one sort of thing are kept."""

    table: str
    column: str

    def add(self, connection: sqlite3.Connection, number: int, project_id: int, given: Iterable[str]) -> None:
        """Put tags on the thing in a row; ones that it has stay."""
        for name in given:
            connection.execute(
                "INSERT INTO tags (project_id, name) VALUES (?, ?) ON CONFLICT DO NOTHING", (project_id, name)
            )
            connection.execute(
                f"INSERT INTO {self.table} ({self.column}, tag_id)"
                " SELECT ?, id FROM tags WHERE project_id = ? AND name = ? ON CONFLICT DO NOTHING",
                (number, project_id, name),
            )

    def remove(self, connection: sqlite3.Connection, number: int, given: Iterable[str]) -> None:
        """Take tags from the thing in a row; ones that it has not are passed over."""
        connection.executemany(
            f"DELETE FROM {self.table} WHERE {self.column} = ? AND tag_id IN (SELECT id FROM tags WHERE name = ?)",
            [(number, name) for name in given],
        )

    def of(self, connection: sqlite3.Connection, number: int) -> list[Tag]:
        """The tags of the thing in a row, in the order in which they were put on it."""
        rows = connection.execute(
            f"SELECT t.id, t.name FROM {self.table} x JOIN tags t ON t.id = x.tag_id WHERE x.{self.column} = ?"
            " ORDER BY x.id",
            (number,),
        )
        return [Tag(*row) for row in rows]


VERSIONS = Tagged("artifact_tags", "artifact_id")
COLLECTIONS = Tagged("collection_tags", "collection_id")
