"""The records of a ``.wandb`` log: protobuf numbers to typed values.

Each dataclass here is one message of the log. A field's annotation carries its protobuf number, and its type says how
the bytes are read: `str`, `bool`, `int` (int32, int64), `bytes` (kept undecoded), `Timestamp`, another message, or a
list of one of these. Numbers that are not listed are passed over, so logs of newer SDKs stay readable.

The numbers are facts of the protocol, checked against the official SDK 0.31.0.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin, get_type_hints

from runframe.offline.protobuf import BYTES, FIXED64, VARINT, WireError, double, fields, signed

HISTORY: Final = 2
SUMMARY: Final = 3
CONFIG: Final = 5
FILES: Final = 6
STATS: Final = 7
ARTIFACT: Final = 8
ALERT: Final = 10
TELEMETRY: Final = 11
METRIC: Final = 12
OUTPUT: Final = 13
RUN: Final = 17
EXIT: Final = 18
HEADER: Final = 21
PREEMPTING: Final = 23
USE_ARTIFACT: Final = 25
ENVIRONMENT: Final = 26
LOGGER: Final = 27

KINDS: Final[dict[int, str]] = {
    HISTORY: "history",
    SUMMARY: "summary",
    4: "output",
    CONFIG: "config",
    FILES: "files",
    STATS: "stats",
    ARTIFACT: "artifact",
    9: "tbrecord",
    ALERT: "alert",
    TELEMETRY: "telemetry",
    METRIC: "metric",
    OUTPUT: "output_raw",
    RUN: "run",
    EXIT: "exit",
    20: "final",
    HEADER: "header",
    22: "footer",
    PREEMPTING: "preempting",
    24: "noop_link_artifact",
    USE_ARTIFACT: "use_artifact",
    ENVIRONMENT: "environment",
    LOGGER: "output_logger",
    100: "request",
}
"""Every member of the record's oneof, by number."""

_ENVELOPE = frozenset({1, 16, 19, 200})  # num, control, uuid, _info: on every kind of record


def record(data: bytes) -> tuple[int, bytes]:
    """What kind of record these bytes are (a key of `KINDS`, or an unknown number), and its message's bytes.

    Raises:
        WireError: the bytes are no record.
    """
    kind, payload = 0, b""
    for number, wire, value in fields(data):
        if number not in _ENVELOPE and wire == BYTES:
            kind, payload = number, value  # type: ignore[assignment]  # wire type 2 is always bytes
    return kind, payload


@dataclass(slots=True)
class Timestamp:
    """A moment, as whole seconds since 1970 in UTC and nanoseconds."""

    seconds: Annotated[int, 1] = 0
    nanos: Annotated[int, 2] = 0

    @property
    def unix(self) -> float:
        """Seconds since 1970."""
        return self.seconds + self.nanos / 1e9

    @property
    def nanoseconds(self) -> int:
        """Nanoseconds since 1970."""
        return self.seconds * 1_000_000_000 + self.nanos

    @property
    def moment(self) -> datetime:
        """The moment with its zone, UTC, cut to microseconds."""
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds, microseconds=self.nanos // 1000)


@dataclass(slots=True)
class Item:
    """One key and its value in a config, summary or stats record. `nested_key` comes before `key`."""

    key: Annotated[str, 1] = ""
    nested_key: Annotated[list[str], 2] = field(default_factory=list)
    value_json: Annotated[str, 16] = ""

    @property
    def path(self) -> tuple[str, ...]:
        """The keys from the document's root to the value."""
        return tuple(self.nested_key) or (self.key,)


@dataclass(slots=True)
class Changes:
    """A config or summary record: what to set, then what to remove."""

    update: Annotated[list[Item], 1] = field(default_factory=list)
    remove: Annotated[list[Item], 2] = field(default_factory=list)


@dataclass(slots=True)
class VersionInfo:
    """Which SDK wrote the log."""

    producer: Annotated[str, 1] = ""
    min_consumer: Annotated[str, 2] = ""


@dataclass(slots=True)
class Header:
    """The first record."""

    version_info: Annotated[VersionInfo, 1] = field(default_factory=VersionInfo)


@dataclass(slots=True)
class Git:
    """The repository that the run was started from."""

    remote_url: Annotated[str, 1] = ""
    commit: Annotated[str, 2] = ""


@dataclass(slots=True)
class BranchPoint:
    """Where a forked or rewound run leaves its ancestor."""

    run: Annotated[str, 1] = ""
    value: Annotated[float, 2] = 0.0
    metric: Annotated[str, 3] = ""


@dataclass(slots=True)
class Run:
    """Who the run is. Written at the start, and again whole whenever name, notes, tags or the like change."""

    run_id: Annotated[str, 1] = ""
    entity: Annotated[str, 2] = ""
    project: Annotated[str, 3] = ""
    config: Annotated[Changes, 4] = field(default_factory=Changes)
    summary: Annotated[Changes, 5] = field(default_factory=Changes)
    run_group: Annotated[str, 6] = ""
    job_type: Annotated[str, 7] = ""
    display_name: Annotated[str, 8] = ""
    notes: Annotated[str, 9] = ""
    tags: Annotated[list[str], 10] = field(default_factory=list)
    sweep_id: Annotated[str, 12] = ""
    host: Annotated[str, 13] = ""
    starting_step: Annotated[int, 14] = 0
    storage_id: Annotated[str, 16] = ""
    start_time: Annotated[Timestamp | None, 17] = None
    resumed: Annotated[bool, 18] = False
    telemetry: Annotated[bytes, 19] = b""
    runtime: Annotated[int, 20] = 0
    git: Annotated[Git, 21] = field(default_factory=Git)
    forked: Annotated[bool, 22] = False
    branch_point: Annotated[BranchPoint | None, 23] = None
    resume: Annotated[bool, 24] = False


@dataclass(slots=True)
class MetricOptions:
    """Flags of a metric definition."""

    step_sync: Annotated[bool, 1] = False
    hidden: Annotated[bool, 2] = False
    defined: Annotated[bool, 3] = False


@dataclass(slots=True)
class MetricControl:
    """How a metric definition joins an earlier one of the same name."""

    overwrite: Annotated[bool, 1] = False


@dataclass(slots=True)
class Metric:
    """A `define_metric` call. `summary` is the undecoded message: only the numbers of its set flags matter."""

    name: Annotated[str, 1] = ""
    glob_name: Annotated[str, 2] = ""
    step_metric: Annotated[str, 4] = ""
    options: Annotated[MetricOptions, 6] = field(default_factory=MetricOptions)
    summary: Annotated[bytes, 7] = b""
    goal: Annotated[int, 8] = 0
    control: Annotated[MetricControl, 9] = field(default_factory=MetricControl)
    expanded_from_glob: Annotated[bool, 10] = False


@dataclass(slots=True)
class Stats:
    """One sample of the system metrics."""

    timestamp: Annotated[Timestamp, 2] = field(default_factory=Timestamp)
    item: Annotated[list[Item], 3] = field(default_factory=list)


@dataclass(slots=True)
class Output:
    """A fragment of console text: any part of a line, or several lines. `output_type` 0 is stderr, 1 stdout."""

    output_type: Annotated[int, 1] = 0
    timestamp: Annotated[Timestamp, 2] = field(default_factory=Timestamp)
    line: Annotated[str, 3] = ""


@dataclass(slots=True)
class LoggerLine:
    """A line that the SDK took from a Python logger; it carries no time."""

    line: Annotated[str, 1] = ""


@dataclass(slots=True)
class FileItem:
    """A run file. `policy` 0 now, 1 end, 2 live; `type` 0 other, 1 wandb, 2 media, 3 artifact."""

    path: Annotated[str, 1] = ""
    policy: Annotated[int, 2] = 0
    type: Annotated[int, 3] = 0


@dataclass(slots=True)
class Files:
    """Files that the run wants uploaded."""

    files: Annotated[list[FileItem], 1] = field(default_factory=list)


@dataclass(slots=True)
class Alert:
    """A `run.alert` call. `wait_duration` in milliseconds, as it was given."""

    title: Annotated[str, 1] = ""
    text: Annotated[str, 2] = ""
    level: Annotated[str, 3] = ""
    wait_duration: Annotated[int, 4] = 0


@dataclass(slots=True)
class Exit:
    """The end of a run that said goodbye; `runtime` in seconds."""

    exit_code: Annotated[int, 1] = 0
    runtime: Annotated[int, 2] = 0
    not_complete: Annotated[bool, 3] = False


@dataclass(slots=True)
class UseArtifact:
    """An artifact that the run took as input."""

    id: Annotated[str, 1] = ""
    type: Annotated[str, 2] = ""
    name: Annotated[str, 3] = ""


@dataclass(slots=True)
class KeyJson:
    """A key and a JSON text."""

    key: Annotated[str, 1] = ""
    value_json: Annotated[str, 2] = ""


@dataclass(slots=True)
class ManifestEntry:
    """One file of an artifact. `digest` is base64 MD5 (or the reference itself), `local_path` the staged payload."""

    path: Annotated[str, 1] = ""
    digest: Annotated[str, 2] = ""
    ref: Annotated[str, 3] = ""
    size: Annotated[int, 4] = 0
    mimetype: Annotated[str, 5] = ""
    local_path: Annotated[str, 6] = ""
    birth_artifact_id: Annotated[str, 7] = ""
    skip_cache: Annotated[bool, 8] = False
    extra: Annotated[list[KeyJson], 16] = field(default_factory=list)


@dataclass(slots=True)
class Manifest:
    """What an artifact holds; large ones are a gzip JSON-lines file beside the log (`manifest_file_path`)."""

    version: Annotated[int, 1] = 0
    storage_policy: Annotated[str, 2] = ""
    storage_policy_config: Annotated[list[KeyJson], 3] = field(default_factory=list)
    contents: Annotated[list[ManifestEntry], 4] = field(default_factory=list)
    manifest_file_path: Annotated[str, 5] = ""


@dataclass(slots=True)
class Artifact:
    """An artifact that the run logged. `metadata` is a JSON text or empty."""

    run_id: Annotated[str, 1] = ""
    project: Annotated[str, 2] = ""
    entity: Annotated[str, 3] = ""
    type: Annotated[str, 4] = ""
    name: Annotated[str, 5] = ""
    digest: Annotated[str, 6] = ""
    description: Annotated[str, 7] = ""
    metadata: Annotated[str, 8] = ""
    user_created: Annotated[bool, 9] = False
    use_after_commit: Annotated[bool, 10] = False
    aliases: Annotated[list[str], 11] = field(default_factory=list)
    manifest: Annotated[Manifest, 12] = field(default_factory=Manifest)
    distributed_id: Annotated[str, 13] = ""
    finalize: Annotated[bool, 14] = False
    client_id: Annotated[str, 15] = ""
    sequence_client_id: Annotated[str, 16] = ""
    base_id: Annotated[str, 17] = ""
    ttl_duration_seconds: Annotated[int, 18] = 0
    tags: Annotated[list[str], 19] = field(default_factory=list)
    digest_algorithm: Annotated[str, 20] = ""
    incremental: Annotated[bool, 100] = False


M = TypeVar("M")


def decode(message: type[M], data: bytes) -> M:
    """A message of this module, read from its bytes.

    Raises:
        WireError: the bytes are no such message.
    """
    table = _table(message)
    result = message()
    for number, wire, value in fields(data):
        entry = table.get(number)
        if entry is None:
            continue
        name, expected, convert, repeated = entry
        if wire != expected:
            raise WireError(f"{message.__name__}.{name} has wire type {wire}, expected {expected}")
        if repeated:
            getattr(result, name).append(convert(value))
        else:
            setattr(result, name, convert(value))
    return result


_Entry = tuple[str, int, Callable[[Any], Any], bool]
_TABLES: dict[type, dict[int, _Entry]] = {}


def _table(message: type) -> dict[int, _Entry]:
    """Name, wire type, converter and whether repeated, of each field of a message, by number."""
    if message in _TABLES:
        return _TABLES[message]
    table: dict[int, _Entry] = {}
    for name, hint in get_type_hints(message, include_extras=True).items():
        kind, number = get_args(hint)
        repeated = get_origin(kind) is list
        if repeated or isinstance(kind, types.UnionType):  # list[X], or X | None
            kind = get_args(kind)[0]
        wire, convert = _converter(kind)
        table[number] = (name, wire, convert, repeated)
    _TABLES[message] = table
    return table


def _converter(kind: type) -> tuple[int, Callable[[Any], Any]]:
    if kind is str:
        return BYTES, _text
    if kind is bytes:
        return BYTES, bytes
    if kind is bool:
        return VARINT, bool
    if kind is int:
        return VARINT, signed
    if kind is float:
        return FIXED64, double
    return BYTES, functools.partial(decode, kind)


def _text(value: bytes) -> str:
    # A cut-off surrogate from some other writer must not cost the whole record.
    return value.decode("utf-8", errors="replace")
