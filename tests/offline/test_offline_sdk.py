"""Logs of the official SDK, compared with its own message classes and with what `wandb sync` sends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from runframe import extjson
from runframe.offline import OfflineRun, find_logs, read_run, records, reserved
from runframe.offline.records import KINDS

from .recorder import KEY, Recorder

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.slow,
    # The SDK's generated modules warn about themselves.
    pytest.mark.filterwarnings("ignore"),
]

SCRIPT = Path(__file__).with_name("sdk_runs.py")


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """The environment of an SDK process that stays inside a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
    folders = {f"WANDB_{name}_DIR": str(folder / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
    fixed = {"WANDB_DIR": str(folder), "WANDB_ERROR_REPORTING": "false", "NETRC": str(folder / "netrc")}
    return {**kept, **folders, **fixed, "WANDB_X_STATS_SAMPLING_INTERVAL": "0.5", **settings}


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The log of a scenario of `sdk_runs.py`, made when it is first asked for."""
    logs: dict[str, Path] = {}

    def make(scenario: str) -> Path:
        if scenario not in logs:
            folder = tmp_path_factory.mktemp(scenario)
            command = [sys.executable, str(SCRIPT), scenario, str(folder)]
            subprocess.run(
                command, env=environment(folder, WANDB_MODE="offline"), capture_output=True, timeout=120, check=False
            )
            (logs[scenario],) = find_logs([folder])
        return logs[scenario]

    return make


@pytest.fixture(scope="module")
def sent(offline: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Recorder]:
    """What `wandb sync` sends for a scenario."""
    recordings: dict[str, Recorder] = {}

    def sync(scenario: str) -> Recorder:
        if scenario not in recordings:
            folder = tmp_path_factory.mktemp(f"sync-{scenario}")
            copy = shutil.copytree(offline(scenario).parent, folder / offline(scenario).parent.name, symlinks=True)
            with Recorder() as recorder:
                settings = {"WANDB_BASE_URL": recorder.url, "WANDB_API_KEY": KEY}
                command = [sys.executable, "-m", "wandb", "sync", str(copy)]
                subprocess.run(
                    command, env=environment(folder, **settings), capture_output=True, timeout=120, check=False
                )
            recordings[scenario] = recorder
        return recordings[scenario]

    return sync


def official_records(path: Path) -> Iterator[Any]:
    """The log by the SDK's own message classes; the framing by hand, for whole files only."""
    from wandb.proto import wandb_internal_pb2 as pb

    data, position, parts = path.read_bytes(), 7, b""
    while position < len(data):
        room = 32768 - position % 32768
        if room < 7:
            position += room
            continue
        length, kind = int.from_bytes(data[position + 4 : position + 6], "little"), data[position + 6]
        parts += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):
            yield pb.Record.FromString(parts)
            parts = b""


def sorted_json(value: Any) -> Any:
    """The value with its keys and lists of numbers in order, for the SDK writes them at random; NaN as text."""
    if isinstance(value, dict):
        return {key: sorted_json(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        return [sorted_json(entry) for entry in value]
    return repr(value)


def parsed(lines: Any) -> list[Any]:
    return [sorted_json(extjson.loads(line)) for line in lines]


# --- against the SDK's message classes -------------------------------------------------------------------------------

MESSAGES = {
    "Timestamp": ["google.protobuf.Timestamp"],
    "Item": ["ConfigItem", "SummaryItem", "HistoryItem", "StatsItem"],
    "Changes": ["ConfigRecord", "SummaryRecord"],
    "Header": ["HeaderRecord"],
    "Git": ["GitRepoRecord"],
    "Run": ["RunRecord"],
    "Metric": ["MetricRecord"],
    "Stats": ["StatsRecord"],
    "Output": ["OutputRawRecord"],
    "LoggerLine": ["OutputLoggerRecord"],
    "FileItem": ["FilesItem"],
    "Files": ["FilesRecord"],
    "Alert": ["AlertRecord"],
    "Exit": ["RunExitRecord"],
    "UseArtifact": ["UseArtifactRecord"],
    "KeyJson": ["ExtraItem", "StoragePolicyConfigItem"],
    "ManifestEntry": ["ArtifactManifestEntry"],
    "Manifest": ["ArtifactManifest"],
    "Artifact": ["ArtifactRecord"],
}
OTHER_NAMES = {"control": "_control", "incremental": "incremental_beta1"}


@pytest.mark.parametrize(
    "message",
    [value for value in vars(records).values() if isinstance(value, type) and value.__module__ == records.__name__],
)
def test_field_numbers_are_those_of_the_sdk(message: type) -> None:
    from google.protobuf import timestamp_pb2
    from wandb.proto import wandb_internal_pb2 as pb

    for name in MESSAGES.get(message.__name__, [message.__name__]):
        known = timestamp_pb2.Timestamp if name.startswith("google") else getattr(pb, name)
        numbers = {field.name: field.number for field in known.DESCRIPTOR.fields}
        ours = {OTHER_NAMES.get(field, field): number for number, (field, *_) in records._table(message).items()}
        if name == "StatsItem":
            ours.pop("nested_key")
        assert ours.items() <= numbers.items()


def test_record_kinds_are_those_of_the_sdk() -> None:
    from wandb.proto import wandb_internal_pb2 as pb

    kinds = pb.Record.DESCRIPTOR.oneofs_by_name["record_type"].fields
    assert {field.number: field.name for field in kinds} == KINDS


def test_environment_names_are_those_of_the_sdk() -> None:
    from wandb.proto import wandb_internal_pb2 as pb

    def check(spec: Any, descriptor: Any) -> None:
        fields = {field.number: field for field in descriptor.fields if field.number < 200}
        assert spec.keys() == fields.keys()
        for number, (name, kind) in spec.items():
            assert name == fields[number].json_name
            assert isinstance(kind, reserved._Message) == (fields[number].message_type is not None and kind != "time")
            if isinstance(kind, reserved._Message):
                check(kind.spec, fields[number].message_type)

    check(reserved._ENVIRONMENT, pb.EnvironmentRecord.DESCRIPTOR)


@pytest.mark.parametrize("scenario", ["features", "typed", "crash"])
def test_history_is_what_the_sdk_s_classes_read(scenario: str, offline: Callable[[str], Path]) -> None:
    expected = []
    for record in official_records(offline(scenario)):
        if record.WhichOneof("record_type") == "history":
            row: dict[str, Any] = {}
            for item in record.history.item:
                below = row
                for key in item.nested_key[:-1]:
                    below = below.setdefault(key, {})
                below[item.nested_key[-1]] = extjson.loads(item.value_json)
            expected.append(sorted_json(row))
    assert expected
    assert parsed(read_run(offline(scenario)).history()) == expected


def test_typed_values_alone_give_the_same_rows(offline: Callable[[str], Path]) -> None:
    from runframe.offline.rows import history_line

    run = read_run(offline("typed"))
    histories = [r.history for r in official_records(offline("typed")) if r.WhichOneof("record_type") == "history"]
    for history in histories:
        assert {item.WhichOneof("value") is not None for item in history.item} == {True}
        for item in history.item:
            item.value_json = ""
    assert parsed(history_line(history.SerializeToString()) for history in histories) == parsed(run.history())


def test_environment_and_telemetry_are_what_the_sdk_s_classes_read(offline: Callable[[str], Path]) -> None:
    from google.protobuf import json_format
    from wandb.proto import wandb_internal_pb2 as pb
    from wandb.proto import wandb_telemetry_pb2 as tpb

    environment, telemetry = pb.EnvironmentRecord(), tpb.TelemetryRecord()
    for record in official_records(offline("features")):
        kind = record.WhichOneof("record_type")
        if kind == "environment":
            environment.MergeFrom(record.environment)
        elif kind == "telemetry":
            telemetry.MergeFrom(record.telemetry)
    run = read_run(offline("features"))
    assert run.metadata == json_format.MessageToDict(environment)
    assert run.config["_wandb"]["value"]["e"] == {environment.writer_id: run.metadata}
    features = [field.number for field, _ in telemetry.feature.ListFields()]
    assert run.config["_wandb"]["value"]["t"]["3"] == sorted(features)


# --- against `wandb sync` --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", ["features", "typed", "crash", "killed"])
@pytest.mark.parametrize("stream", ["history", "events"])
def test_lines_are_what_a_sync_streams(
    scenario: str, stream: str, offline: Callable[[str], Path], sent: Callable[[str], Recorder]
) -> None:
    lines = getattr(read_run(offline(scenario)), stream)()
    expected = parsed(sent(scenario).stream(f"wandb-{stream}.jsonl"))
    assert parsed(lines) == expected
    assert expected


@pytest.mark.parametrize("scenario", ["features", "crash"])
def test_console_is_what_a_sync_streams(
    scenario: str, offline: Callable[[str], Path], sent: Callable[[str], Recorder]
) -> None:
    def without_time(line: str) -> str:
        head, _, text = line.removeprefix("ERROR ").partition(" ")
        assert len(head) == len("2026-11-23T23:45:11.949316")
        return ("ERROR " if line.startswith("ERROR ") else "") + text

    ours = [without_time(line) for line in read_run(offline(scenario)).console()]
    assert ours == [without_time(line) for line in sent(scenario).stream("output.log")]
    assert any("boom" in line or "red" in line for line in ours)


@pytest.mark.parametrize("scenario", ["features", "typed", "crash"])
def test_the_summary_is_what_a_sync_streams(
    scenario: str, offline: Callable[[str], Path], sent: Callable[[str], Recorder]
) -> None:
    (expected,) = parsed(sent(scenario).stream("wandb-summary.json"))
    assert sorted_json(read_run(offline(scenario)).summary) == expected


def expanded(metrics: list[dict[str, Any]]) -> list[Any]:
    """Metric definitions without their order: names for indices, flags as sets."""
    names = [metric.get("1") or metric["2"] for metric in metrics]
    rows = [
        {**m, "6": sorted(m["6"]), "7": sorted(m["7"]), "5": names[m["5"] - 1] if "5" in m else None} for m in metrics
    ]
    return sorted(map(sorted_json, rows), key=repr)


def test_the_config_is_what_a_sync_sends(offline: Callable[[str], Path], sent: Callable[[str], Recorder]) -> None:
    run = read_run(offline("features"))
    ours, theirs = run.config, extjson.loads(sent("features").bucket["config"])
    our_entry, their_entry = ours.pop("_wandb")["value"], theirs.pop("_wandb")["value"]
    assert sorted_json(ours) == sorted_json(theirs)
    assert expanded(our_entry.pop("m")) == expanded(their_entry.pop("m"))
    # A sync writes itself down: as a feature in the telemetry, and as the writer of the environment.
    their_entry["t"]["3"] = sorted(set(their_entry["t"]["3"]) - {76})
    their_entry["e"] = {block["writerId"]: block for block in their_entry["e"].values()}
    assert sorted_json(our_entry) == sorted_json(their_entry)


def test_identity_and_exit_are_what_a_sync_sends(
    offline: Callable[[str], Path], sent: Callable[[str], Recorder]
) -> None:
    run, bucket = read_run(offline("features")), sent("features").bucket
    expected = ["name", "project", "groupName", "jobType", "displayName", "notes", "tags"]
    assert [run.run_id, run.project, run.group, run.job_type, run.display_name, run.notes, run.tags] == [
        bucket[key] for key in expected
    ]
    assert run.exit_code == sent("features").exit_code == 3
    assert read_run(offline("crash")).exit_code == sent("crash").exit_code == 1


def test_files_are_those_that_a_sync_uploads(offline: Callable[[str], Path], sent: Callable[[str], Recorder]) -> None:
    run, uploaded = read_run(offline("features")), sent("features").files
    files = {file.name: file.read() for file in run.files}
    assert files.keys() == uploaded.keys()
    for name, content in files.items():
        if name in ("wandb-summary.json", "wandb-metadata.json"):
            assert sorted_json(extjson.loads(content)) == sorted_json(extjson.loads(uploaded[name]))
        elif name == "config.yaml":
            assert yaml.safe_load(content) == run.config | {"nan": {"value": None}}
            assert yaml.safe_load(uploaded[name]).keys() == run.config.keys()
        else:
            assert content == uploaded[name]


def test_alerts_and_artifacts_are_decoded(offline: Callable[[str], Path]) -> None:
    run = read_run(offline("features"))
    assert [(alert.title, alert.text, alert.level) for alert in run.alerts] == [("Title", "Text", "WARN")]
    table, dataset = run.artifacts
    assert (table.name, table.type) == ("run-features-table", "run_table")
    assert (dataset.name, dataset.type, dataset.metadata) == ("ds", "dataset", {"k": 1})
    assert set(dataset.aliases) == {"latest", "best"}
    assert dataset.entries is not None
    saved, reference = dataset.entries
    staged = saved.staged()
    assert staged is not None and staged.read_bytes() == b"saved"
    assert (reference.ref, reference.staged()) == ("https://example.org/x", None)


def test_a_killed_run_has_no_exit(offline: Callable[[str], Path]) -> None:
    # Where the sidecar stops writing is up to it: between two records, or inside one.
    run: OfflineRun = read_run(offline("killed"))
    assert run.exit_code is None
    assert 0 < run.history_rows == len(list(run.history())) <= 3000


def test_a_resumed_run_says_so(offline: Callable[[str], Path]) -> None:
    assert read_run(offline("resumed")).resume
    assert not read_run(offline("features")).resume
