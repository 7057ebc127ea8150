"""An offline run: what a log and its folder say, in the shapes in which a server keeps a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from runframe.errors import LogError
from runframe.offline.artifacts import OfflineArtifact, UsedArtifact
from runframe.offline.console import STDOUT, Console, Line
from runframe.offline.files import OfflineFile
from runframe.offline.framing import Records, Tear
from runframe.offline.records import (
    HISTORY,
    LOGGER,
    OUTPUT,
    STATS,
    Alert,
    BranchPoint,
    LoggerLine,
    Output,
    decode,
    record,
)
from runframe.offline.rows import NO_SHIFT, Shift, events_line, history_line


@dataclass(slots=True)
class OfflineRun:
    """One log, folded.

    History, system metrics and console text are not held here: `history`, `events` and `console` read the log again,
    as far as it was readable when it was opened.

    Attributes:
        path: the ``.wandb`` file.
        run_id: the run's id.
        entity: None where the run left it to the server.
        project: None where the run gave none.
        display_name: empty where the run left it to the server; likewise `group`, `job_type`, `notes`, `sweep_id`,
            `host`, `program`, `git_remote`, `git_commit`.
        started_at: when the run began, UTC.
        runtime: seconds; from the exit record, else from the summary.
        config: as a server stores it, ``{key: {"value": v}}``, with the reserved entry ``_wandb`` (telemetry ``t``,
            metric definitions ``m``, environment ``e``, ``cli_version``, ``python_version``).
        summary: as a server stores it.
        metadata: the newest environment, which is the content of ``wandb-metadata.json``; empty where there is none.
        exit_code: None where the log has no exit record: the run was killed, or still goes on.
        preempting: whether the run said that it might be preempted.
        resume: whether the run was started to go on with an earlier log of its id. Its own steps begin at 0 again:
            see `Shift`.
        forked: whether the run began as a fork; `branch_point` says of what.
        files: name and content of each run file.
        alerts: as sent by ``run.alert``.
        artifacts: what the run logged.
        used_artifacts: what the run took as input.
        history_rows: how many lines `history` gives; likewise `event_rows`.
        tear: where the log stopped being readable; None for a log that ends cleanly.
        remarks: a sentence for each thing that was noticed and could not be had, such as a missing file.
        producer: version of the sidecar that wrote the log.
    """

    path: Path
    run_id: str
    started_at: datetime
    entity: str | None = None
    project: str | None = None
    display_name: str = ""
    group: str = ""
    job_type: str = ""
    notes: str = ""
    tags: list[str] = field(default_factory=list)
    sweep_id: str = ""
    host: str = ""
    program: str = ""
    git_remote: str = ""
    git_commit: str = ""
    runtime: float = 0.0
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    exit_code: int | None = None
    preempting: bool = False
    resume: bool = False
    forked: bool = False
    branch_point: BranchPoint | None = None
    files: list[OfflineFile] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    artifacts: list[OfflineArtifact] = field(default_factory=list)
    used_artifacts: list[UsedArtifact] = field(default_factory=list)
    history_rows: int = 0
    event_rows: int = 0
    tear: Tear | None = None
    remarks: list[str] = field(default_factory=list)
    producer: str = ""
    start_nanoseconds: int = field(default=0, repr=False)
    end: int = field(default=0, repr=False)

    @property
    def updated_at(self) -> datetime:
        """When the run was last heard of: its start and its runtime."""
        return self.started_at + timedelta(seconds=self.runtime)

    def history(self, shift: Shift = NO_SHIFT) -> Iterator[str]:
        """One extended-JSON line a step, in the order of the log, streamed from the file.

        Args:
            shift: what a resumed run adds to `_step` and `_runtime`.

        Raises:
            LogError: a record is damaged though its checksum is right, or the file changed since it was folded.
        """
        with _readable(self.path):
            for _, data in self._payloads({HISTORY}):
                yield history_line(data, shift)

    def events(self, shift: Shift = NO_SHIFT) -> Iterator[str]:
        """One extended-JSON line for each sample of system metrics, streamed from the file.

        Raises:
            LogError: as `history`.
        """
        started = self.start_nanoseconds - round(shift.runtime * 1e9)
        with _readable(self.path):
            for _, data in self._payloads({STATS}):
                yield events_line(data, started)

    def console(self) -> Iterator[str]:
        """The console's lines as the SDK streams ``output.log``: ``[ERROR ]<ISO time> text``, streamed from the file.

        Raises:
            LogError: as `history`.
        """
        return map(str, self._console_lines())

    def console_text(self) -> Iterator[str]:
        """The console's lines without their times, as ``output.log`` holds them.

        Raises:
            LogError: as `history`.
        """
        return (line.shown_text for line in self._console_lines())

    def _console_lines(self) -> Iterator[Line]:
        console = Console()
        time = _iso(self.started_at)
        with _readable(self.path):
            for kind, data in self._payloads({OUTPUT, LOGGER}):
                if kind == LOGGER:
                    lines = console.write(STDOUT, time, decode(LoggerLine, data).line)
                else:
                    output = decode(Output, data)
                    time = _iso(output.timestamp.moment)
                    lines = console.write(output.output_type, time, output.line)
                yield from lines
        yield from console.finish()

    def _payloads(self, kinds: set[int]) -> Iterator[tuple[int, bytes]]:
        with self.path.open("rb") as file:
            records = Records(file, limit=self.end)
            for data in records:
                kind, payload = record(data)
                if kind in kinds:
                    yield kind, payload
            if records.tear is not None:
                raise LogError(f"{self.path}: the log changed while it was read: {records.tear}.", path=str(self.path))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Say of which log a record is damaged."""
    try:
        yield
    except LogError:
        raise
    except ValueError as error:
        raise LogError(f"{path}: a record with a right checksum cannot be read: {error}.", path=str(path)) from error


def _iso(moment: datetime) -> str:
    """ISO 8601 in UTC, with microseconds and without a zone."""
    return moment.isoformat(timespec="microseconds").removesuffix("+00:00")
