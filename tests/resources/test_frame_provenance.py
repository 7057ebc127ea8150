"""What frames say of themselves is true: complete, live or short, of what, and as of when."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runframe import Api, Frame, FrameError
from runframe.frames import Provenance
from runframe.resources.client import Client
from runframe.resources.runs import Runs
from runframe.server import open_local
from runframe.wire import Session

if TYPE_CHECKING:
    from conftest import Asked, Recorder

FRAMES: dict[str, Callable[[Api], Any]] = {
    "runs": lambda api: api.runs("digits").frame(),
    "chosen columns": lambda api: api.runs("digits").frame(["id", "config.big"]),
    "configs": lambda api: api.runs("digits").configs(),
    "summaries": lambda api: api.runs("digits").summaries(),
    "a filter": lambda api: Frame.from_arrow(api.runs("digits", {"tags": "n1"}).to_arrow()),
    "projects": lambda api: Frame.from_arrow(api.projects("local").to_arrow()),
    "files": lambda api: Frame.from_arrow(api.run("digits/run-1").files().to_arrow()),
    "files of some names": lambda api: Frame.from_arrow(api.run("digits/run-1").files(pattern="%.json").to_arrow()),
    "no runs": lambda api: api.runs("digits", {"tags": "none"}).frame(),
    "artifacts": lambda api: Frame.from_arrow(api.run("digits/run-1").logged_artifacts().to_arrow()),
    "artifact types": lambda api: Frame.from_arrow(api.artifact_types("digits").to_arrow()),
}


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_every_listing_says_that_it_is_complete_of_what_and_as_of_when(api: Api, make: Callable[[Api], Any]) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    frame = make(api)
    found = frame.provenance
    assert (found.completeness, found.gap) == ("complete", None)
    assert found.source.split("/")[0] == "local"
    assert found.rows == len(frame)
    assert found.server_rows in (None, len(frame))
    assert before <= found.watermark <= datetime.now(UTC)
    assert frame.require_complete() is frame


def test_a_run_that_goes_on_makes_its_listing_live(tmp_path: Path, recorder: type[Recorder]) -> None:
    with open_local(tmp_path / "store") as local:
        recorder(local).run("digits/done")
        recorder(local).run("digits/going", exit_code=None, files={"a.txt": b"a"})
    with Api(f"local:{tmp_path / 'store'}") as api:
        frame = api.runs("digits").frame()
        assert frame.provenance is not None and frame.provenance.completeness == "live"
        with pytest.raises(FrameError, match="while it was being written"):
            frame.require_complete()
        files = Frame.from_arrow(api.run("digits/going").files().to_arrow())
        assert files.provenance is not None and files.provenance.completeness == "live"
        assert api.runs("digits", {"state": "finished"}).frame().require_complete().num_rows == 1


class Changed:
    """A store's app whose answers are changed on their way."""

    def __init__(self, local: Any, change: Callable[[Any], Any], headers: list[tuple[bytes, bytes]]) -> None:
        self.local = local
        self.api_key = local.api_key
        self.change = change
        self.headers = headers

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        start: dict[str, Any] = {}
        body = b""

        async def answer(message: Any) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                changed = json.dumps(self.change(json.loads(body))).encode()
                names = (b"content-length", b"content-encoding")
                kept = [(name, value) for name, value in start["headers"] if name.lower() not in names]
                await send({**start, "headers": [*kept, (b"content-length", b"%d" % len(changed)), *self.headers]})
                await send({"type": "http.response.body", "body": changed})

        await self.local.app(scope, receive, answer)


@pytest.fixture
def changed(store: Path) -> Iterator[Callable[..., Runs]]:
    """Gives the runs of "digits", from a server whose answers are changed."""
    sessions = []
    with open_local(store) as local:

        def make(change: Callable[[Any], Any], headers: list[tuple[bytes, bytes]] | None = None) -> Runs:
            app = Changed(local, change, headers or [])
            sessions.append(Session("local", api_key=None, user_agent="W&B Public Client", open_app=lambda: app))
            return Runs(Client(sessions[-1], "http://local/", {}), "local", "digits")

        yield make
        for session in sessions:
            session.close()


def counting(more: int) -> Callable[[Any], Any]:
    """Adds to each count of runs in an answer."""

    def change(answer: Any) -> Any:
        if isinstance(answer, dict):
            return {
                key: value + more if key == "runCount" and isinstance(value, int) else change(value)
                for key, value in answer.items()
            }
        return [change(item) for item in answer] if isinstance(answer, list) else answer

    return change


@pytest.mark.parametrize("more", [2, -1])
def test_a_listing_that_differs_from_the_servers_count_says_so(changed: Callable[..., Runs], more: int) -> None:
    frame = changed(counting(more)).frame()
    with pytest.raises(FrameError, match=f"it has 5 rows, and the server counted {5 + more}") as raised:
        frame.require_complete()
    assert raised.value.path == "local/digits"
    for shown in (repr(frame), frame._repr_html_()):
        assert f"incomplete · local/digits · 5 of {5 + more} rows" in shown
    table = changed(counting(more)).to_arrow()
    assert (table.schema.metadata[b"runframe.rows"], table.schema.metadata[b"runframe.server_rows"]) == (
        b"5",
        str(5 + more).encode(),
    )


def test_the_watermark_is_the_servers_time(changed: Callable[..., Runs]) -> None:
    date = [(b"date", b"Sat, 01 Mar 2031 12:00:00 GMT")]
    watermark = changed(counting(0), date).frame().provenance.watermark
    noon = datetime(2031, 3, 1, 12, tzinfo=UTC)
    assert noon - timedelta(seconds=60) <= watermark <= noon
    assert "as of 2031-03-01 1" in repr(changed(counting(0), date).frame())


@pytest.mark.parametrize("date", [b"yesterday", b"", b"Sat, 99 Mar 2031 12:00:00 GMT"])
def test_a_time_that_cannot_be_read_is_no_time(changed: Callable[..., Runs], date: bytes) -> None:
    watermark = changed(counting(0), [(b"date", date)]).frame().provenance.watermark
    assert abs(datetime.now(UTC) - watermark) < timedelta(seconds=60)


def test_a_stream_does_not_promise_what_shows_only_at_its_end(asked: Asked, client: Client) -> None:
    reader = pa.RecordBatchReader.from_stream(Runs(client, "local", "digits"))
    assert Provenance.from_metadata(reader.schema.metadata).completeness == "unread"
    frame = Frame.from_arrow(reader)
    with pytest.raises(FrameError, match="it has not been read to its end"):
        frame.require_complete()


def test_provenance_survives_arrow_and_parquet_and_is_in_pandas_attrs(api: Api, tmp_path: Path) -> None:
    frame = api.runs("digits").frame()
    assert Frame.from_arrow(frame.to_arrow()).provenance == frame.provenance
    assert Frame.from_arrow(pa.table(frame)).provenance == frame.provenance
    path = frame.to_parquet(tmp_path / "runs.parquet")
    assert Frame.from_arrow(pq.read_table(path)).provenance == frame.provenance
    attrs = frame.to_pandas().attrs
    assert Provenance.from_metadata({k.encode(): v.encode() for k, v in attrs.items()}) == frame.provenance
    frame.to_pandas()[["id", "name"]].to_parquet(tmp_path / "pandas.parquet")
    assert pd.read_parquet(tmp_path / "pandas.parquet").attrs == attrs
