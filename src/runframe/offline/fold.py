"""Folding a log into a run: one pass over its records, keeping what a server would keep."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from runframe.errors import LogError
from runframe.offline import documents, records, reserved
from runframe.offline.artifacts import OfflineArtifact, UsedArtifact, read_artifact
from runframe.offline.files import CONFIG_FILE, METADATA_FILE, OUTPUT_FILE, SUMMARY_FILE, collect
from runframe.offline.framing import Records, Tear
from runframe.offline.protobuf import fields
from runframe.offline.records import decode
from runframe.offline.run import OfflineRun

_WRITER_ID: Final = 199
_IGNORED: Final = frozenset({9, 20, 22, 24, records.HISTORY, records.STATS, records.OUTPUT, records.LOGGER})


def read_run(path: Path | str) -> OfflineRun:
    """Read a ``.wandb`` log and its folder.

    Memory holds the run's documents, not its history. A log that breaks off, or whose checksums stop matching, is read
    up to there, and `OfflineRun.tear` says where.

    Args:
        path: the log, as `find_logs` gives it.

    Raises:
        LogError: the file is no ``.wandb`` log, or names no run before it breaks off.
        OSError: the file cannot be read.
    """
    path = Path(path)
    fold = _Fold(path)
    with path.open("rb") as file:
        try:
            log = Records(file)
        except LogError as error:
            raise LogError(f"{path}: {error.message}", path=str(path)) from None
        end = log.end
        tear: Tear | None = None
        for data in log:
            try:
                fold.add(data)
            except ValueError as error:
                tear = Tear(end, f"record {log.count} cannot be read: {error}", log.count - 1)
                break
            end = log.end
    return fold.finish(end, tear or log.tear)


class _Fold:
    """What has been read of a log so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._run: records.Run | None = None
        self._header = records.Header()
        self._exit: records.Exit | None = None
        self._start: records.Timestamp | None = None
        self._config: dict[str, Any] = {}
        self._summary: dict[str, Any] = {}
        self._telemetry: list[bytes] = []
        self._environment: dict[str, bytes] = {}
        self._metrics = reserved.Metrics()
        self._files: list[str] = []
        self._alerts: list[records.Alert] = []
        self._artifacts: list[OfflineArtifact] = []
        self._used: list[UsedArtifact] = []
        self._counts: Counter[int] = Counter()
        self._remarks: list[str] = []
        self._takers: dict[int, Callable[[bytes], None]] = {
            records.SUMMARY: lambda data: documents.apply_summary(self._summary, decode(records.Changes, data)),
            records.CONFIG: lambda data: documents.apply_config(self._config, decode(records.Changes, data)),
            records.FILES: lambda data: self._files.extend(item.path for item in decode(records.Files, data).files),
            records.ARTIFACT: self._take_artifact,
            records.ALERT: lambda data: self._alerts.append(decode(records.Alert, data)),
            records.TELEMETRY: self._take_telemetry,
            records.METRIC: lambda data: self._metrics.add(decode(records.Metric, data)),
            records.RUN: self._take_run,
            records.EXIT: self._take_exit,
            records.HEADER: self._take_header,
            records.PREEMPTING: lambda data: None,
            records.USE_ARTIFACT: self._take_used,
            records.ENVIRONMENT: self._take_environment,
        }

    def add(self, data: bytes) -> None:
        """Take one record.

        Raises:
            ValueError: it cannot be read.
        """
        kind, payload = records.record(data)
        take = self._takers.get(kind)
        if take is not None:
            take(payload)
        self._counts[kind] += 1

    def _take_header(self, data: bytes) -> None:
        self._header = decode(records.Header, data)

    def _take_run(self, data: bytes) -> None:
        run = decode(records.Run, data)
        documents.apply_config(self._config, run.config)
        documents.apply_summary(self._summary, run.summary)
        if run.telemetry:
            self._take_telemetry(run.telemetry)
        if self._run is not None:
            # A later record is whole too; only what it cannot express ("not set") is kept from before.
            for name in ("entity", "project", "run_group", "job_type", "display_name", "notes", "sweep_id", "host"):
                if not getattr(run, name):
                    setattr(run, name, getattr(self._run, name))
            run.resume |= self._run.resume
            run.forked |= self._run.forked
            run.branch_point = run.branch_point or self._run.branch_point
        self._start = self._start or run.start_time
        self._run = run

    def _take_telemetry(self, data: bytes) -> None:
        if data not in self._telemetry[-1:]:
            self._telemetry.append(data)

    def _take_environment(self, data: bytes) -> None:
        writer = next((v.decode() for n, _, v in fields(data) if n == _WRITER_ID and isinstance(v, bytes)), "")
        self._environment[writer] = self._environment.get(writer, b"") + data

    def _take_artifact(self, data: bytes) -> None:
        record = decode(records.Artifact, data)
        try:
            artifact = read_artifact(record)
        except (OSError, EOFError, KeyError, TypeError, zlib.error) as error:
            record.manifest.manifest_file_path = ""
            artifact = read_artifact(record)
            self._remarks.append(f"The manifest of the artifact {record.name!r} cannot be read: {error!r}.")
        if artifact.entries is None:
            self._remarks.append(f"The manifest of the artifact {record.name!r} lay in a file that is gone.")
        self._artifacts.append(artifact)

    def _take_used(self, data: bytes) -> None:
        used = decode(records.UseArtifact, data)
        self._used.append(UsedArtifact(used.id, used.type, used.name))

    def _take_exit(self, data: bytes) -> None:
        self._exit = decode(records.Exit, data)

    def finish(self, end: int, tear: Tear | None) -> OfflineRun:
        """The run.

        Raises:
            LogError: the log names no run.
        """
        if self._run is None or not self._run.run_id:
            why = str(tear) if tear else f"{sum(self._counts.values())} records, none of them names a run"
            raise LogError(f"{self._path}: nothing to import: {why}.", path=str(self._path))
        self._remark_unknown()
        run = self._identity(self._run)
        metadata = [reserved.environment(messages) for messages in self._environment.values()]
        run.metadata = metadata[-1] if metadata else {}
        run.program = run.metadata.get("program", "")
        git = run.metadata.get("git", {})
        run.git_remote = self._run.git.remote_url or git.get("remote", "")
        run.git_commit = self._run.git.commit or git.get("commit", "")
        run.config = self._wrapped_config()
        run.summary = self._summary
        run.exit_code = None if self._exit is None else self._exit.exit_code
        run.runtime = self._runtime()
        run.preempting = self._counts[records.PREEMPTING] > 0
        run.history_rows = self._counts[records.HISTORY]
        run.event_rows = self._counts[records.STATS]
        run.alerts, run.artifacts, run.used_artifacts = self._alerts, self._artifacts, self._used
        run.tear, run.remarks, run.end = tear, self._remarks, end
        run.files = collect(self._path, self._files, self._made_files(run), self._remarks)
        return run

    def _identity(self, record: records.Run) -> OfflineRun:
        start = self._start or records.Timestamp()
        if self._start is None:
            self._remarks.append("The log names no start time; the file's own time is taken.")
            start = records.Timestamp(int(self._path.stat().st_mtime))
        return OfflineRun(
            path=self._path,
            run_id=record.run_id,
            started_at=start.moment,
            start_nanoseconds=start.nanoseconds,
            entity=record.entity or None,
            project=record.project or None,
            display_name=record.display_name,
            group=record.run_group,
            job_type=record.job_type,
            notes=record.notes,
            tags=list(dict.fromkeys(record.tags)),
            sweep_id=record.sweep_id,
            host=record.host,
            resume=record.resume,
            forked=record.forked,
            branch_point=record.branch_point,
            producer=self._header.version_info.producer,
        )

    def _wrapped_config(self) -> dict[str, Any]:
        """The config in a server's form, with the reserved entry completed."""
        config = {key: {"value": value} for key, value in self._config.items() if key != "_wandb"}
        given = self._config.get("_wandb")
        entry: dict[str, Any] = dict(given) if isinstance(given, dict) else {}
        telemetry = reserved.telemetry(b"".join(self._telemetry), self._header.version_info.producer.split("+")[0])
        if reserved.CLI_VERSION in telemetry:
            entry["cli_version"] = telemetry[reserved.CLI_VERSION]
        if reserved.PYTHON_VERSION in telemetry:
            entry["python_version"] = telemetry[reserved.PYTHON_VERSION]
        entry["t"] = telemetry
        entry["m"] = self._metrics.entry()
        if self._environment:
            entry["e"] = {
                writer or (self._run.run_id if self._run else ""): reserved.environment(messages)
                for writer, messages in self._environment.items()
            }
        return {"_wandb": {"value": entry}, **config}

    def _runtime(self) -> float:
        if self._exit is not None and self._exit.runtime:
            return float(self._exit.runtime)
        reserved_summary = self._summary.get("_wandb")
        seconds = reserved_summary.get("runtime") if isinstance(reserved_summary, dict) else None
        return float(seconds) if isinstance(seconds, (int, float)) else 0.0

    def _made_files(self, run: OfflineRun) -> dict[str, bytes]:
        """The files that the SDK writes only when it uploads."""
        made = {
            SUMMARY_FILE: documents.summary_json(run.summary),
            CONFIG_FILE: documents.config_yaml(run.config),
        }
        if run.metadata:
            made[METADATA_FILE] = documents.metadata_json(run.metadata)
        if self._counts[records.OUTPUT] + self._counts[records.LOGGER]:
            made[OUTPUT_FILE] = b"".join(f"{text}\n".encode() for text in run.console_text())
        return made

    def _remark_unknown(self) -> None:
        known = self._takers.keys() | _IGNORED
        for kind, count in sorted(self._counts.items()):
            if kind not in known:
                name = records.KINDS.get(kind, f"number {kind}")
                self._remarks.append(f"{count} records of the kind {name!r} are not read by this version.")
