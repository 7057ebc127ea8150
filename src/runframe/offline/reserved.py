"""What W&B keeps in a run's config under the reserved key ``_wandb``: telemetry, metric definitions, environment.

The log has these as protobuf messages; a server is sent JSON. The shapes here are those that the SDK sends online
(checked against 0.31.0), except that the SDK's lists are in random order and these are in the log's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from runframe.offline.protobuf import BYTES, VARINT, fields, signed
from runframe.offline.records import Metric

# --- telemetry -------------------------------------------------------------------------------------------------------

PYTHON_VERSION: Final = "4"
CLI_VERSION: Final = "5"
CORE_VERSION: Final = "12"


def telemetry(messages: bytes, core_version: str = "") -> dict[str, Any]:
    """The ``t`` entry: texts as they are, groups of flags as lists of the numbers that are set, keyed by number.

    Args:
        messages: all telemetry messages of the log, one behind the other (which is how protobuf merges messages).
        core_version: version of the sidecar that wrote the log; it is not in the messages.
    """
    texts: dict[str, str] = {}
    groups: dict[int, set[int]] = {}
    labels: dict[str, dict[str, str]] = {}
    for number, wire, value in fields(messages):
        if wire != BYTES or not isinstance(value, bytes) or number >= _INFO:
            continue
        if number in _TELEMETRY_TEXTS:
            texts[str(number)] = value.decode("utf-8", errors="replace")
            continue
        for inner, inner_wire, flag in fields(value):
            if isinstance(flag, bytes) and inner_wire == BYTES:
                labels.setdefault(str(number), {})[str(inner)] = flag.decode("utf-8", errors="replace")
            elif flag:
                groups.setdefault(number, set()).add(inner)
    if core_version:
        texts.setdefault(CORE_VERSION, core_version)
    entry: dict[str, Any] = {**texts, **labels, **{str(number): sorted(flags) for number, flags in groups.items()}}
    return {key: entry[key] for key in sorted(entry, key=int)}


_INFO = 200
_TELEMETRY_TEXTS = frozenset({4, 5, 6, 12, 13})  # python, SDK, huggingface, sidecar version, platform


# --- metric definitions ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Definition:
    step: str = ""
    step_sync: bool = False
    hidden: bool = False
    defined: bool = False
    summary: set[int] = field(default_factory=set)
    goal: int = 0

    def merge(self, metric: Metric) -> None:
        self.step_sync |= metric.options.step_sync
        self.hidden |= metric.options.hidden
        self.defined |= bool(metric.name)  # a glob is never "defined" itself
        self.step = metric.step_metric or self.step
        self.goal = metric.goal or self.goal
        flags = {number for number, wire, value in fields(metric.summary) if wire == VARINT and value}
        if metric.summary:
            self.summary.discard(_NO_SUMMARY)
        self.summary |= flags


_NO_SUMMARY = 6


class Metrics:
    """The metric definitions of a run, joined in the order of the log."""

    def __init__(self) -> None:
        self._named: dict[str, _Definition] = {}
        self._globs: dict[str, _Definition] = {}

    def add(self, metric: Metric) -> None:
        """Take a definition; an earlier one of the same name is extended, or replaced where the record says so."""
        if metric.expanded_from_glob:
            return  # the glob says it already, and is sent unexpanded
        table, name = (self._named, metric.name) if metric.name else (self._globs, metric.glob_name)
        if not name:
            return
        if metric.control.overwrite:
            table.pop(name, None)
        table.setdefault(name, _Definition()).merge(metric)

    def entry(self) -> list[dict[str, Any]]:
        """The ``m`` entry: objects keyed by protobuf number; step metrics are named by their 1-based index in it."""
        rows: list[dict[str, Any]] = []
        index: dict[str, int] = {}
        for name, definition in self._named.items():
            self._encode(name, definition, "1", rows, index)
        for name, definition in self._globs.items():
            self._encode(name, definition, "2", rows, index)
        return rows

    def _encode(
        self, name: str, definition: _Definition, name_key: str, rows: list[dict[str, Any]], index: dict[str, int]
    ) -> None:
        if name in index:
            return
        row: dict[str, Any] = {name_key: name}
        rows.append(row)
        index[name] = len(rows)
        if definition.step:
            self._encode(definition.step, self._named.get(definition.step, _Definition()), "1", rows, index)
            row["5"] = index[definition.step]
        flags = {1: definition.step_sync, 2: definition.hidden, 3: definition.defined}
        row["6"] = [number for number, flag in flags.items() if flag]
        row["7"] = sorted(definition.summary)
        if definition.goal:
            row["8"] = definition.goal


# --- environment -----------------------------------------------------------------------------------------------------

_TEXT, _NUMBER, _BIG, _TIME, _TEXTS = "text", "number", "big", "time", "texts"
_Spec = dict[int, tuple[str, "str | _Message"]]


@dataclass(frozen=True, slots=True)
class _Message:
    """A message inside the environment: one, a list of them, or a map from text to value."""

    spec: _Spec
    kind: str = "one"


_DISK: _Spec = {1: ("total", _BIG), 2: ("used", _BIG)}
_ENVIRONMENT: _Spec = {
    1: ("os", _TEXT),
    2: ("python", _TEXT),
    3: ("startedAt", _TIME),
    4: ("docker", _TEXT),
    5: ("args", _TEXTS),
    6: ("program", _TEXT),
    7: ("codePath", _TEXT),
    8: ("codePathLocal", _TEXT),
    9: ("git", _Message({1: ("remote", _TEXT), 2: ("commit", _TEXT)})),
    10: ("email", _TEXT),
    11: ("root", _TEXT),
    12: ("host", _TEXT),
    13: ("username", _TEXT),
    14: ("executable", _TEXT),
    15: ("colab", _TEXT),
    16: ("cpu_count", _NUMBER),
    17: ("cpu_count_logical", _NUMBER),
    18: ("gpu", _TEXT),
    19: ("gpu_count", _NUMBER),
    20: ("disk", _Message({1: ("key", _TEXT), 2: ("value", _Message(_DISK))}, "map")),
    21: ("memory", _Message({1: ("total", _BIG)})),
    22: ("cpu", _Message({1: ("count", _NUMBER), 2: ("countLogical", _NUMBER), 3: ("model", _TEXT)})),
    23: (
        "apple",
        _Message(
            {
                1: ("name", _TEXT),
                2: ("ecpuCores", _NUMBER),
                3: ("pcpuCores", _NUMBER),
                4: ("gpuCores", _NUMBER),
                5: ("memoryGb", _NUMBER),
                6: ("swapTotalBytes", _BIG),
                7: ("ramTotalBytes", _BIG),
                8: ("macModel", _TEXT),
            }
        ),
    ),
    24: (
        "gpu_nvidia",
        _Message(
            {
                1: ("name", _TEXT),
                2: ("memoryTotal", _BIG),
                3: ("cudaCores", _NUMBER),
                4: ("architecture", _TEXT),
                5: ("uuid", _TEXT),
                6: ("pciBusId", _TEXT),
                7: ("numaNode", _NUMBER),
            },
            "list",
        ),
    ),
    25: ("cudaVersion", _TEXT),
    26: (
        "gpu_amd",
        _Message(
            {
                1: ("id", _TEXT),
                2: ("uniqueId", _TEXT),
                3: ("vbiosVersion", _TEXT),
                4: ("performanceLevel", _TEXT),
                5: ("gpuOverdrive", _TEXT),
                6: ("gpuMemoryOverdrive", _TEXT),
                7: ("maxPower", _TEXT),
                8: ("series", _TEXT),
                9: ("model", _TEXT),
                10: ("vendor", _TEXT),
                11: ("sku", _TEXT),
                12: ("sclkRange", _TEXT),
                13: ("mclkRange", _TEXT),
            },
            "list",
        ),
    ),
    27: ("slurm", _Message({1: ("key", _TEXT), 2: ("value", _TEXT)}, "map")),
    28: (
        "trainium",
        _Message(
            {
                1: ("name", _TEXT),
                2: ("vendor", _TEXT),
                3: ("neuronDeviceCount", _NUMBER),
                4: ("neuroncorePerDeviceCount", _NUMBER),
            }
        ),
    ),
    29: (
        "tpu",
        _Message({1: ("name", _TEXT), 2: ("hbmGib", _NUMBER), 3: ("devicesPerChip", _NUMBER), 4: ("count", _NUMBER)}),
    ),
    30: ("coreweave", _Message({1: ("clusterName", _TEXT), 2: ("orgId", _TEXT), 3: ("region", _TEXT)})),
    199: ("writerId", _TEXT),
}


def environment(messages: bytes) -> dict[str, Any]:
    """One writer's block of the ``e`` entry, which is also the content of ``wandb-metadata.json``.

    Keys are the SDK's JSON names, in their protobuf order; 64-bit sizes are texts, as protobuf's JSON has them; what
    is zero or empty is left out.

    Args:
        messages: all environment messages of one writer, one behind the other.
    """
    return _message_json(messages, _ENVIRONMENT)


def _message_json(data: bytes, spec: _Spec) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, _, value in fields(data):
        if number not in spec:
            continue
        name, kind = spec[number]
        if isinstance(kind, _Message):
            if isinstance(value, bytes):
                _add_message(found, name, kind, _message_json(value, kind.spec))
        elif kind == _TEXTS and isinstance(value, bytes):
            found.setdefault(name, []).append(value.decode("utf-8", errors="replace"))
        else:
            scalar = _scalar(kind, value)
            if scalar:
                found[name] = scalar
    order = [name for name, _ in spec.values()]
    return {name: found[name] for name in sorted(found, key=order.index)}


def _add_message(found: dict[str, Any], name: str, kind: _Message, inner: dict[str, Any]) -> None:
    if kind.kind == "list":
        found.setdefault(name, []).append(inner)
    elif kind.kind == "map":
        found.setdefault(name, {})[inner.get("key", "")] = inner.get("value", {})
    else:
        found[name] = {**found.get(name, {}), **inner}


def _scalar(kind: str, value: int | bytes) -> str | int | None:
    if isinstance(value, int):
        return str(value) if kind == _BIG and value else value
    if kind == _TIME:
        parts = {number: signed(part) for number, _, part in fields(value) if isinstance(part, int)}
        return rfc3339(parts.get(1, 0), parts.get(2, 0))
    return value.decode("utf-8", errors="replace") if kind == _TEXT else None


def rfc3339(seconds: int, nanos: int) -> str:
    """A moment in UTC with as many decimals as it needs: none, 3, 6 or 9."""
    text = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    decimals = f"{nanos:09d}"
    while decimals.endswith("000"):
        decimals = decimals[:-3]
    return f"{text}.{decimals}Z" if decimals else f"{text}Z"
