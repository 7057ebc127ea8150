"""Clones that are repeated: of runs that went on, that were edited, that are others with the same id."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from comparing import contents

from runframe import Api
from runframe.server import LocalServer, open_local

PATH = "local/live"
Open = Callable[[Path], Api]
UPSERT = "mutation U($input: UpsertBucketInput!) { upsertBucket(input: $input) { bucket { id } } }"


class Writer:
    """Writes runs of the project `live` into a store, as the SDK streams them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, local: LocalServer, url: str, body: dict[str, Any]) -> None:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=local.app)
            auth = ("api", local.api_key)
            async with httpx.AsyncClient(transport=transport, base_url="http://store", auth=auth) as http:
                return await http.post(url, json=body)

        answer = anyio.run(send)
        assert answer.status_code == 200 and "errors" not in answer.json(), answer.text

    def begin(self, name: str = "r", **fields: Any) -> None:
        config = {"seed": {"value": 1}, "_wandb": {"value": {"t": {}, "e": {"w": {"startedAt": "2026-01-01"}}}}}
        given = {"modelName": "live", "name": name, "host": "h", "config": json.dumps(config), **fields}
        with open_local(self.folder) as local:
            self.send(local, "/graphql", {"query": UPSERT, "variables": {"input": given}})

    def log(
        self,
        first: int,
        count: int,
        *,
        name: str = "r",
        exit_code: int | None = None,
        shift: float = 0,
        events: int | None = None,
    ) -> None:
        metrics = [f'{{"system.cpu": {step}}}' for step in range(count)]
        lines = [json.dumps({"_step": step, "loss": step + shift}) for step in range(first, first + count)]
        console = [f"2026-01-01T00:00:00.000000 line {step} of {first + count}" for step in range(first + count)]
        files = {
            "wandb-history.jsonl": {"offset": first, "content": lines},
            "wandb-events.jsonl": {"offset": first if events is None else events, "content": metrics},
            "output.log": {"offset": 0, "content": console},
            "wandb-summary.json": {"offset": 0, "content": [json.dumps({"loss": first + count - 1 + shift})]},
        }
        end = {} if exit_code is None else {"complete": True, "exitcode": exit_code}
        with open_local(self.folder) as local:
            self.send(local, f"/files/local/live/{name}/file_stream", {"files": files, **end})


@pytest.fixture
def left(tmp_path: Path) -> Writer:
    with open_local(tmp_path / "left"):
        pass
    return Writer(tmp_path / "left")


@pytest.fixture
def clone(left: Writer, empty: Path) -> Callable[..., Any]:
    def clone(**arguments: Any) -> Any:
        with Api(f"local:{left.folder}") as here, Api(f"local:{empty}") as there:
            return here.clone(PATH, to=there, **arguments)

    return clone


def test_a_run_that_went_on_is_brought_up_to_date(left: Writer, empty: Path, clone: Callable[..., Any]) -> None:
    left.begin()
    left.log(0, 30)
    first = clone()
    assert (first.live, first.runs, first.rows) == (["r"], 1, 30)
    left.log(30, 2500, exit_code=0)
    second = clone()
    assert (second.live, second.runs, second.updated, second.rows, second.events) == ([], 0, 1, 2500, 2500)
    assert second.console_lines == 2530
    assert contents(left.folder, "live") == contents(empty, "live")
    assert clone().unchanged == 1


def test_what_was_edited_on_the_source_is_changed(left: Writer, empty: Path, clone: Callable[..., Any]) -> None:
    left.begin(notes="old", tags=["a"], displayName="one", groupName="g")
    left.log(0, 3, exit_code=0)
    clone()
    with Api(f"local:{left.folder}") as api:
        run = api.run(f"{PATH}/r")
        run.notes, run.tags, run.name = "", ["b", "a"], "two"
        run.config["seed"] = 2
        run.update()
        run.summary["best"] = 7
        run.summary.update()
    report = clone()
    assert (report.updated, report.rows) == (1, 0)
    before, after = contents(left.folder, "live"), contents(empty, "live")
    assert [run[:-6] for run in before["runs"]] == [run[:-6] for run in after["runs"]]
    with Api(f"local:{empty}") as api:
        run = api.run(f"{PATH}/r")
        assert (run.notes, run.tags, run.name, run.config["seed"], run.summary["best"]) == ("", ["b", "a"], "two", 2, 7)


def other(empty: Path) -> Writer:
    there = Writer(empty)
    there.begin(config=json.dumps({"seed": {"value": 99}}), notes="mine")
    return there


def test_another_run_of_the_same_id_is_left_alone_and_named(
    left: Writer, empty: Path, clone: Callable[..., Any]
) -> None:
    for name in ("r", "good"):
        left.begin(name)
        left.log(0, 5, name=name, exit_code=0)
    other(empty).log(0, 3, exit_code=0, shift=0.5)
    before = [run for run in contents(empty, "live")["runs"] if run[0] == "r"]
    report = clone()
    assert not report.complete
    assert [(failure.kind, failure.name) for failure in report.failures] == [("run", "r")]
    assert "history row 0" in report.failures[0].reason and "--overwrite" in report.failures[0].reason
    assert report.runs == 1
    after = contents(empty, "live")["runs"]
    assert [run for run in after if run[0] == "r"] == before
    assert {run[0] for run in after} == {"r", "good"}


def test_another_run_without_rows_is_told_by_its_config(left: Writer, empty: Path, clone: Callable[..., Any]) -> None:
    left.begin()
    left.log(0, 5, exit_code=0)
    other(empty)
    report = clone()
    assert "it is another run" in report.failures[0].reason


def test_another_run_is_replaced_where_that_is_asked_for(left: Writer, empty: Path, clone: Callable[..., Any]) -> None:
    left.begin()
    left.log(0, 5, exit_code=0)
    other(empty).log(0, 30, exit_code=1, shift=0.5)
    report = clone(overwrite=True)
    assert report.complete, str(report)
    before, after = contents(left.folder, "live"), contents(empty, "live")
    # The project there is older than the one that came.
    assert {**before, "projects": after["projects"]} == after


def test_a_run_that_has_more_rows_there_is_another_one(left: Writer, empty: Path, clone: Callable[..., Any]) -> None:
    left.begin()
    left.log(0, 5, exit_code=0)
    clone()
    Writer(empty).log(5, 5, exit_code=0)
    report = clone()
    assert "history row 5" in report.failures[0].reason


def test_a_fork_comes_with_the_rows_that_it_inherited(left: Writer, empty: Path, clone: Callable[..., Any]) -> None:
    left.begin("parent")
    left.log(0, 10, name="parent", exit_code=0)
    config = {"_wandb": {"value": {"t": {}, "branch_point": {"run_id": "parent", "step": 4}}}}
    left.begin("child", config=json.dumps(config))
    left.log(5, 3, name="child", exit_code=0, shift=100, events=0)
    assert clone().complete
    assert contents(left.folder, "live") == contents(empty, "live")


@pytest.mark.parametrize("state", ["failed", "killed", "crashed", "preempted", "pending"])
def test_each_state_stays(left: Writer, empty: Path, clone: Callable[..., Any], state: str) -> None:
    left.begin()
    left.log(0, 1)
    left.begin(state=state)
    assert clone().failures == []
    before, after = contents(left.folder, "live"), contents(empty, "live")
    assert before["runs"] == after["runs"] and before["runs"][0][2] == state


def test_odd_console_lines_come_as_they_were(left: Writer, empty: Path, clone: Callable[..., Any]) -> None:
    left.begin()
    texts = [
        "no time at all",
        "ERROR 2026-01-01T00:00:00.000001 to stderr",
        "2026-01-01T00:00:00.000001 [rank 1] labelled",
        "2026-01-01T00:00:00.000001 [looks like a label] but \x1b[31mred\x1b[0m",
        json.dumps({"ts": "2026-01-01T00:00:00+02:00", "content": "structured", "level": "error", "label": "a]b"}),
        '{"not": "a line"}',
        "2026-01-01T00:00:00Z {braces}",
        "",
        "ERROR without a time",
    ]
    with open_local(left.folder) as local:
        files = {"output.log": {"offset": 0, "content": texts}}
        left.send(local, "/files/local/live/r/file_stream", {"files": files, "complete": True, "exitcode": 0})
    assert clone().complete
    query = """{ project(name: "live") { run(name: "r") { logLineCount
        logLines(first: 100) { edges { node { number timestamp level label line } } } } } }"""
    with Api(f"local:{left.folder}") as here, Api(f"local:{empty}") as there:
        assert here.client.execute(query) == there.client.execute(query)
