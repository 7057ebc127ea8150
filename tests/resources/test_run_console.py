"""What a run printed, as lines and as columns."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pyarrow as pa
import pytest

from runframe import Api, CommError, Frame, FrameError, NotFoundError, UsageError
from runframe.resources.client import Client
from runframe.resources.logs import ConsoleLogLine, ConsoleLogs
from runframe.resources.run import Run

WHEN = dt.datetime(2026, 11, 23, 12, 0, 0, 5, tzinfo=dt.UTC)
SAID = [
    ("2026-11-23T12:00:00.000005 plain", ConsoleLogLine(0, WHEN, "", "", "plain")),
    ("ERROR 2026-11-23T12:00:00.000005 ünlucky", ConsoleLogLine(1, WHEN, "error", "", "ünlucky")),
    ("2026-11-23T12:00:00.000005 [rank 1] labelled", ConsoleLogLine(2, WHEN, "", "rank 1", "labelled")),
    ("no time at all", ConsoleLogLine(3, None, "", "", "no time at all")),
    ("", ConsoleLogLine(4, None, "", "", "")),
    ('{"ts": "yesterday", "content": "odd time"}', ConsoleLogLine(5, None, "", "", "odd time")),
]


def say(api: Api, path: str, lines: list[str], *, exit_code: int | None = 0) -> Run:
    """The run, after it printed these lines as the SDK sends them."""
    end = {} if exit_code is None else {"complete": True, "exitcode": exit_code}
    body = json.dumps({"files": {"output.log": {"offset": 0, "content": lines}}} | end)
    api.client.session.post(f"/files/{path}/file_stream", body.encode())
    api.flush()
    return api.run(path)


def read(logs: ConsoleLogs) -> Frame:
    frame = logs._table(None)
    frame.to_arrow()
    return frame


@pytest.fixture
def talker(runframe_api: Api) -> Run:
    runframe_api.create_run("talker", "p")
    return say(runframe_api, "local/p/talker", [text for text, _ in SAID])


def test_lines_are_taken_apart(talker: Run) -> None:
    logs = talker.console_logs()
    assert list(logs) == [line for _, line in SAID]
    assert (logs.more, logs.length, repr(logs)) == (False, 6, "<ConsoleLogs local/p/talker>")
    assert [line.number for line in talker.console_logs(per_page=4)] == list(range(6))
    assert [line.number for line in talker.console_logs(last=2)] == [4, 5]


def test_lines_are_columns_too(talker: Run) -> None:
    table = talker.console_logs().to_arrow()
    assert table.column_names == ["run_id", "number", "timestamp", "level", "label", "content"]
    assert table.schema.field("timestamp").type == pa.timestamp("us", "UTC")
    assert table.column("timestamp").to_pylist() == [line.timestamp for _, line in SAID]
    assert table.column("content").to_pylist() == [line.content for _, line in SAID]
    assert set(table.column("run_id").to_pylist()) == {"talker"}
    assert read(talker.console_logs()).require_complete().num_rows == 6


def test_the_end_of_a_log_is_not_the_whole(talker: Run) -> None:
    with pytest.raises(FrameError, match="not complete"):
        read(talker.console_logs(last=2)).require_complete()


def test_the_log_of_a_running_run_says_that_it_goes_on(runframe_api: Api) -> None:
    run = say(runframe_api, f"local/p/{runframe_api.create_run('live', 'p').id}", ["one"], exit_code=None)
    with pytest.raises(FrameError, match="while it was being written"):
        read(run.console_logs()).require_complete()


def test_nothing_is_asked_before_a_line_is_wanted(client: Client, asked: Any) -> None:
    run = Run(client, "local", "digits", "run-1", {"id": "x", "name": "run-1"})
    logs = run.console_logs(per_page=2)
    assert asked.counts == {}
    assert list(logs) == list(logs) == []
    assert asked.counts == {"RunConsoleLogPage": 1}


def test_a_long_log_comes_in_pages_and_its_end_in_one(runframe_api: Api) -> None:
    runframe_api.create_run("long", "p")
    said = [f"line {number}" for number in range(1500)]
    run = say(runframe_api, "local/p/long", said)
    logs = run.console_logs(per_page=400)
    assert [line.content for line in logs[:3]] == said[:3]
    assert (len(logs.objects), logs.more) == (400, True)
    assert [line.content for line in logs] == said
    tail = run.console_logs(last=3)
    assert (tail[0].number, len(tail.objects), tail.more) == (1497, 3, False)
    # Servers cap what they give at once.
    with pytest.warns(UserWarning, match="the last 1000 lines of local/p/long, not 1200") as warned:
        assert len(list(run.console_logs(last=1200))) == 1000
    assert warned[0].filename == __file__


def test_a_page_that_ends_early_is_gone_on_from(client: Client) -> None:
    """Servers were seen to say that nothing follows, although they count more lines."""
    logs = ConsoleLogs(client, Run(client, "local", "digits", "run-1", {"id": "x", "name": "run-1"}))
    edges = [{"node": {"number": 0, "line": "first"}}]
    short = {"edges": edges, "pageInfo": {"endCursor": "c", "hasNextPage": False}}
    whole = logs._checked({"project": {"run": {"logLineCount": 1, "logLines": short}}})
    assert whole["project"]["run"]["logLines"]["pageInfo"]["hasNextPage"] is False
    more = logs._checked({"project": {"run": {"logLineCount": 2, "logLines": short}}})
    assert more["project"]["run"]["logLines"]["pageInfo"]["hasNextPage"] is True


@pytest.mark.parametrize("arguments", [{"last": 0}, {"per_page": 0}, {"last": -1}])
def test_no_lines_cannot_be_asked_for(talker: Run, arguments: dict[str, int]) -> None:
    logs = talker.console_logs(**arguments)
    with pytest.raises(CommError, match="must be at least 1"):
        list(logs)


def test_a_run_that_is_gone_has_no_console(talker: Run) -> None:
    talker.delete()
    with pytest.raises(NotFoundError, match="talker"):
        list(talker.console_logs())


# As a frame of its own.


def test_the_console_is_a_frame(talker: Run) -> None:
    frame = talker.console_frame()
    assert frame.columns == ["run_id", "number", "timestamp", "level", "label", "content"]
    rows = frame.to_arrow().to_pylist()
    assert [row["content"] for row in rows] == [line.content for _, line in SAID]
    assert [row["level"] for row in rows] == ["", "error", "", "", "", ""]
    assert frame.require_complete().provenance.server_rows == 6  # type: ignore[union-attr]
    assert frame.to_arrow().num_rows == 6


@pytest.mark.parametrize("tail", [0, 1, 2, 6, 100])
def test_the_end_of_a_console_is_what_was_asked_for(talker: Run, tail: int) -> None:
    frame = talker.console_frame(tail=tail)
    assert frame.to_arrow()["number"].to_pylist() == list(range(6))[6 - min(tail, 6) :]
    assert frame.require_complete() is frame


def test_the_console_of_a_run_that_goes_on_is_live(runframe_api: Api) -> None:
    runframe_api.create_run("going", "p")
    run = say(runframe_api, "local/p/going", ["2026-11-23T12:00:00 one"], exit_code=None)
    frame = run.console_frame()
    assert frame.num_rows == 1
    with pytest.raises(FrameError, match="while it was being written"):
        frame.require_complete()


@pytest.mark.parametrize("tail", [-1, "2", True, 1.0])
def test_a_tail_is_a_number_of_lines(talker: Run, tail: Any) -> None:
    with pytest.raises(UsageError, match="tail must be"):
        talker.console_frame(tail)


def test_a_run_that_printed_nothing_has_an_empty_console(api: Api) -> None:
    assert api.run("digits/empty").console_frame().num_rows == 0
    with pytest.raises(NotFoundError):
        Run(api.client, "local", "digits", "gone", {"state": "finished"}).console_frame().to_arrow()
