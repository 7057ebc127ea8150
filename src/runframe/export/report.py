"""What an export says of itself: to its caller, and in the dataset's manifest."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from runframe import __version__
from runframe.export.source import Source
from runframe.export.tables import Table
from runframe.export.target import FORMAT

MANIFEST_VERSION = 2


@dataclass(frozen=True)
class Gap:
    """A run of which something is not there as the server counted it.

    Attributes:
        run_id: the run's id.
        rows: the rows that came.
        counted: the rows that the server counted; None where it doesn't say.
        reason: what happened, as a sentence.
        table: the table that lacks the rows.
    """

    run_id: str
    rows: int
    counted: int | None
    reason: str
    table: str = "history"


@dataclass
class Notes:
    """What was noticed while the runs were read.

    Attributes:
        live: ids of the runs that were still being written.
        gaps: runs of which something is not there as it was counted.
        deleted: ids of the runs that are in the dataset, and no longer on the server.
        watermark: when any run last gave a sign, by the server's clock.
    """

    live: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    watermark: datetime | None = None


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote.

    Attributes:
        path: `entity/project`.
        target: the dataset's folder; text where it is in an object store.
        runs: how many runs the dataset has.
        rows: how many rows its history has: steps, or values where the layout is long.
        bytes: the size of all its data files.
        seconds: how long it took.
        conflicts: how many columns hold values whose types disagree; they are JSON text, and the manifest lists them.
        live: ids of the runs that were still being written: a later export may hold more of them.
        gaps: the runs of which something is not there as the server counted it.
        deleted: ids of the runs that are in the dataset, and no longer on the server.
        tables: the rows of each table.
        fetched: of how many runs something was fetched this time.
        changed: whether the dataset is another one than before.
    """

    path: str
    target: Path | str
    runs: int
    rows: int
    bytes: int
    seconds: float
    conflicts: int
    live: list[str]
    gaps: list[Gap]
    deleted: list[str] = field(default_factory=list)
    tables: dict[str, int] = field(default_factory=dict)
    fetched: int = 0
    changed: bool = True

    def __fspath__(self) -> str:
        """The dataset's folder: a report can be given wherever a path is expected."""
        return str(self.target)

    @property
    def complete(self) -> bool:
        """Whether everything that the server counted is there."""
        return not self.gaps


def manifest_of(
    source: Source, began: datetime, tables: list[Table], notes: Notes, generation: int, layout: str
) -> dict[str, Any]:
    """The manifest: where the data come from, what the tables hold, what was noticed."""
    return {
        "format": FORMAT,
        "version": MANIFEST_VERSION,
        "generation": generation,
        "source": {"base_url": source.address, "path": source.path, "filters": dict(source.filters)},
        "began_at": began.isoformat(),
        "ended_at": datetime.now(UTC).isoformat(),
        "watermark": None if notes.watermark is None else notes.watermark.isoformat(),
        "complete": not notes.gaps,
        "live_runs": notes.live,
        "deleted_runs": notes.deleted,
        "gaps": [vars(gap) for gap in notes.gaps],
        "layout": layout,
        "tables": {table.name: table.described() for table in tables},
        "made_with": {"runframe": __version__, "pyarrow": pa.__version__, "python": platform.python_version()},
    }


OF_THE_DATA = ("version", "complete", "live_runs", "deleted_runs", "gaps", "tables", "contents")
"""What of a manifest tells of the data, and not of the export that wrote it."""


def same_data(old: dict[str, Any] | None, new: dict[str, Any]) -> bool:
    """Whether two manifests tell of the same data."""
    return old is not None and all(old.get(key) == new.get(key) for key in OF_THE_DATA)
