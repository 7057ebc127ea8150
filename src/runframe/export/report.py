"""What an export says of itself: to its caller, and in the dataset's manifest."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from runframe import __version__
from runframe.export.plan import Plan
from runframe.export.tables import Table
from runframe.export.target import FORMAT, MANIFEST

MANIFEST_VERSION = 1


@dataclass(frozen=True)
class Gap:
    """A run whose history is not there as the server counted it.

    Attributes:
        run_id: the run's id.
        rows: the rows that came.
        counted: the rows that the server counted; None where it doesn't say.
        reason: what happened, as a sentence.
    """

    run_id: str
    rows: int
    counted: int | None
    reason: str


@dataclass
class Notes:
    """What was noticed while histories were read.

    Attributes:
        live: ids of the runs that were still being written.
        gaps: runs whose history is not there as it was counted.
    """

    live: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote.

    Attributes:
        path: `entity/project`.
        target: the dataset's folder.
        runs: how many runs.
        rows: how many history rows.
        bytes: the size of all Parquet files.
        seconds: how long it took.
        conflicts: how many columns hold values whose types disagree; they are JSON text, and the manifest lists them.
        live: ids of the runs that were still being written: a later export may hold more of them.
        gaps: the runs whose history is not there as the server counted it.
    """

    path: str
    target: Path
    runs: int
    rows: int
    bytes: int
    seconds: float
    conflicts: int
    live: list[str]
    gaps: list[Gap]

    @property
    def complete(self) -> bool:
        """Whether everything that the server counted is there."""
        return not self.gaps


def write_manifest(folder: Path, plan: Plan, began: datetime, tables: list[Table], notes: Notes) -> None:
    """Write `manifest.json`: where the data come from, what the tables hold, what was noticed."""
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "version": MANIFEST_VERSION,
        "source": {"base_url": plan.source, "path": plan.path},
        "began_at": began.isoformat(),
        "ended_at": datetime.now(UTC).isoformat(),
        "complete": not notes.gaps,
        "live_runs": notes.live,
        "gaps": [vars(gap) for gap in notes.gaps],
        "tables": {table.name: table.described() for table in tables},
        "made_with": {"runframe": __version__, "pyarrow": pa.__version__, "python": platform.python_version()},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
