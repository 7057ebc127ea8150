"""What a clone says of itself: what it brought, what did not survive, what could not be done."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["project", "run", "sweep", "artifact", "collection", "report"]
Count = Literal[
    "runs", "updated", "unchanged", "rows", "events", "console_lines", "files", "artifacts", "sweeps", "reports",
    "bytes",
]  # fmt: skip


@dataclass(frozen=True)
class Loss:
    """Something that did not survive, of one thing or of many for the same reason.

    Attributes:
        kind: what it belonged to: ``"run"``, ``"artifact"``, ``"sweep"``, ``"collection"``, ``"report"``,
            ``"project"``.
        what: which part of it, as in ``"created_at"``.
        reason: why, as a sentence.
        names: ids of the runs and sweeps, ``name:vN`` of artifacts, names of the others.
    """

    kind: Kind
    what: str
    reason: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Failure:
    """A run, artifact, sweep or report that was not cloned, or not to its end.

    Attributes:
        kind: as in `Loss`.
        name: as in `Loss.names`.
        reason: what happened, as a sentence.
    """

    kind: Kind
    name: str
    reason: str


@dataclass(frozen=True)
class CloneReport:
    """What a clone did. `str()` of it is what the command prints.

    Attributes:
        source: what was cloned: ``entity/project`` or ``entity/project/run``.
        target: the project that it was cloned into.
        runs: runs that are new there.
        updated: runs that were there already, and were brought up to date.
        unchanged: runs that were there already, and equal.
        rows: history rows that were sent; likewise `events` (system metrics) and `console_lines`.
        files: files of runs that were sent.
        artifacts: versions of artifacts that are new there.
        sweeps: sweeps that are new there; likewise `reports`.
        bytes: the size of all files that were sent, those of artifacts included.
        seconds: how long it took.
        live: ids of the runs that were still being written: a later clone may bring more of them.
        losses: what did not survive.
        failures: what was not cloned.
    """

    source: str
    target: str
    runs: int
    updated: int
    unchanged: int
    rows: int
    events: int
    console_lines: int
    files: int
    artifacts: int
    sweeps: int
    reports: int
    bytes: int
    seconds: float
    live: list[str]
    losses: list[Loss]
    failures: list[Failure]

    @property
    def complete(self) -> bool:
        """Whether everything is there as it was."""
        return not self.losses and not self.failures

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, for JSON."""
        return {**asdict(self), "complete": self.complete}

    def __str__(self) -> str:
        lines = [
            f"{self.source} -> {self.target}",
            f"runs: {self.runs:,} new, {self.updated:,} brought up to date, {self.unchanged:,} unchanged",
            f"sent: {self.rows:,} history rows, {self.events:,} rows of system metrics, {self.console_lines:,} console "
            f"lines, {self.files:,} files",
            f"new: {self.artifacts:,} artifact versions, {self.sweeps:,} sweeps, {self.reports:,} reports",
        ]
        if self.live:
            lines.append(f"still being written: {_some(self.live)}")
        if self.losses:
            lines.append("did not survive:")
            lines += [f"  {each.what} of {_counted(each)}: {each.reason}" for each in self.losses]
        if self.failures:
            lines.append("not cloned:")
            lines += [f"  {each.kind} {each.name}: {each.reason}" for each in self.failures]
        if self.complete:
            lines.append("everything is there as it was")
        return "\n".join(lines)


SHOWN = 5


def _counted(loss: Loss) -> str:
    noun = loss.kind if len(loss.names) == 1 else f"{len(loss.names):,} {loss.kind}s"
    return f"{noun} ({_some(loss.names)})"


def _some(names: tuple[str, ...] | list[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest:,} more" if rest > 0 else "")


class Ledger:
    """Where everything that happens during a clone is written down; threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._counts: Counter[str] = Counter()
        self._losses: dict[tuple[Kind, str, str], dict[str, None]] = {}
        self._failures: dict[tuple[Kind, str], str] = {}
        self._live: dict[str, None] = {}

    def add(self, what: Count, amount: int = 1) -> None:
        """Counts what was done."""
        with self._lock:
            self._counts[what] += amount

    def lose(self, kind: Kind, what: str, reason: str, name: str) -> None:
        """Notes what did not survive."""
        with self._lock:
            self._losses.setdefault((kind, what, reason), {})[name] = None

    def fail(self, kind: Kind, name: str, reason: str) -> None:
        """Notes what was not cloned; the first reason stands."""
        with self._lock:
            self._failures.setdefault((kind, name), reason)

    def failed(self, kind: Kind, name: str) -> bool:
        """Whether that was noted."""
        return (kind, name) in self._failures

    def live(self, run: str) -> None:
        """Notes a run that was still being written."""
        with self._lock:
            self._live[run] = None

    def report(self, source: str, target: str) -> CloneReport:
        """All of it."""
        counts = self._counts
        return CloneReport(
            source=source,
            target=target,
            runs=counts["runs"],
            updated=counts["updated"],
            unchanged=counts["unchanged"],
            rows=counts["rows"],
            events=counts["events"],
            console_lines=counts["console_lines"],
            files=counts["files"],
            artifacts=counts["artifacts"],
            sweeps=counts["sweeps"],
            reports=counts["reports"],
            bytes=counts["bytes"],
            seconds=time.monotonic() - self._began,
            live=sorted(self._live),
            losses=[Loss(*key, tuple(sorted(names))) for key, names in self._losses.items()],
            failures=[Failure(*key, reason) for key, reason in self._failures.items()],
        )
