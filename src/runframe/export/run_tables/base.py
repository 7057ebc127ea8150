"""What every table that is fetched run by run has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from runframe.export.source import Source
from runframe.export.state import Todo


class Reading(Protocol):
    """The rows of one run as they come."""

    @property
    def counted(self) -> int | None:
        """The rows that the server counted; None where it doesn't say. It is known once all rows were read."""
        ...

    def __iter__(self) -> Iterator[Any]: ...

    def close(self) -> None:
        """Stops reading."""
        ...


class RunTable(Protocol):
    """A table whose rows are fetched run by run."""

    @property
    def name(self) -> str:
        """The table's folder."""
        ...

    @property
    def asked(self) -> str:
        """What is asked of the table, where that may differ from one export to the next: parts of it are others."""
        ...

    @property
    def schema(self) -> Any:
        """The schema of a part's batches."""
        ...

    def open(self, source: Source, run: Todo) -> Reading:
        """Begins to read a run's rows."""
        ...
