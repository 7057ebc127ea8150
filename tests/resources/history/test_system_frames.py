"""The machine's metrics as frames."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from runframe import Api, FrameError, NotFoundError, UsageError
from runframe.resources.client import Client
from runframe.resources.run import Run
from runframe.server import LocalServer
from runframe.testing import Server

if TYPE_CHECKING:
    from conftest import Asked, Recorder


def sample(number: int, **more: Any) -> dict[str, Any]:
    return {"_wandb": True, "_runtime": number * 0.5, "_timestamp": 100.0 + number, "system.cpu": number, **more}


def test_all_samples_come_with_the_metrics_own_names(written: tuple[Recorder, Api]) -> None:
    record, api = written
    events = [sample(number) for number in range(700)]
    events[3] |= {"system.gpu.0.memory": 5.5, "system.disk.\\.usage": math.nan}
    record.run("p/r", events=events)
    frame = api.run("p/r").system_frame()
    assert frame.columns == [
        "run_id", "_runtime", "_timestamp", "system.cpu", "system.disk.\\.usage", "system.gpu.0.memory",
    ]  # fmt: skip
    table = frame.require_complete().to_arrow()
    assert table["system.cpu"].to_pylist() == list(range(700))
    assert table["system.gpu.0.memory"].to_pylist()[2:5] == [None, 5.5, None]
    assert json.loads(frame.schema.field("system.cpu").metadata[b"runframe.path"]) == ["system.cpu"]
    assert frame.provenance is not None
    assert (frame.provenance.rows, frame.provenance.server_rows) == (700, 700)


def test_names_that_would_meet_stay_apart(written: tuple[Recorder, Api]) -> None:
    record, api = written
    record.run("p/r", events=[sample(0) | {"system": {"cpu": 9}}])
    frame = api.run("p/r").system_frame()
    assert frame.columns[3:] == ["system.cpu", r"system\.cpu"]
    assert [column.to_pylist() for column in frame.to_arrow().columns[3:]] == [[9], [0]]


def test_a_long_frame_has_times_and_no_steps(written: tuple[Recorder, Api]) -> None:
    record, api = written
    record.run("p/r", events=[sample(0), sample(1)])
    rows = api.run("p/r").system_frame("long").to_arrow().to_pylist()
    assert [(row["key"], row["step"], row["time"].timestamp(), row["runtime"], row["value"]) for row in rows] == [
        ("system.cpu", None, 100.0, 0.0, 0.0), ("system.cpu", None, 101.0, 0.5, 1.0),
    ]  # fmt: skip


def test_a_run_without_samples_is_an_empty_frame(api: Api) -> None:
    frame = api.run("digits/empty").system_frame()
    assert (frame.columns, frame.num_rows) == (["run_id"], 0)
    assert frame.require_complete() is frame
    with pytest.raises(UsageError, match="'tall'"):
        api.run("digits/empty").system_frame("tall")  # type: ignore[arg-type]


def test_it_costs_a_count_and_the_samples(asked: Asked, client: Client) -> None:
    Run(client, "local", "digits", "run-0", {"state": "finished"}).system_frame()
    assert asked.counts == {"RunEventCount": 1, "RunEvents": 1}
    with pytest.raises(NotFoundError, match="local/digits/gone"):
        Run(client, "local", "digits", "gone", {"state": "finished"}).system_frame()


def test_a_run_that_goes_on_is_live(written: tuple[Recorder, Api]) -> None:
    record, api = written
    record.run("p/r", events=[sample(0)], exit_code=None)
    with pytest.raises(FrameError, match="while it was being written"):
        api.run("p/r").system_frame().require_complete()


def test_a_server_that_gives_fewer_samples_than_it_counts_is_found_out(
    recorder: type[Recorder], runframe_store: LocalServer, altered: Callable[..., Server]
) -> None:
    recorder(runframe_store).run("made/r", rows=[{"a": 1}])

    def alter(operation: str, variables: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        run = ((data.get("data") or {}).get("project") or {}).get("run")
        if operation == "RunEventCount":
            run["eventsLineCount"] = 3
        if operation == "RunEvents":
            assert variables["samples"] >= 3
            run["events"] = [json.dumps(sample(0)), json.dumps(sample(2))]
        return data

    with altered(alter).api() as api:
        frame = api.run("made/r").system_frame()
    assert frame.num_rows == 2
    assert repr(frame).startswith("Frame · 2 rows × 4 columns · sampled · ")
    with pytest.raises(FrameError, match="it was sampled"):
        frame.require_complete()
    assert frame.schema.field("system.cpu").type == pa.int64()
