"""Complete histories from the server's Parquet files, with what stands in none of them."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runframe import Api, CommError, NotFoundError, extjson
from runframe.resources.client import Client
from runframe.resources.history.exported import ExportedBatches, find_exports
from runframe.resources.history.gathered import gather
from runframe.resources.history.live import HistoryBatches
from runframe.resources.history.pages import RunHistory
from runframe.server import open_local
from runframe.wire import Session

Row = dict[str, Any]


def rows_of(batches: Iterator[pa.RecordBatch]) -> list[Row]:
    """The rows, whatever form they came in; a null in a column is a key that was not logged."""
    found = []
    for batch in batches:
        assert batch.schema.names == ["run_id", "step", "row"]
        for step, row in zip(batch.column("step").to_pylist(), batch.column("row").to_pylist(), strict=True):
            plain = extjson.loads(row) if isinstance(row, str) else without_nulls(row)
            assert plain["_step"] == step
            found.append(plain)
    return found


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


def parquet(rows: Sequence[Row], **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), file, **options)
    return file.getvalue()


def row(step: int, **more: Any) -> Row:
    return {"_step": step, "loss": step / 7, **more}


class Server:
    """A server with some files and some live rows of one run.

    Attributes:
        files: the contents of the Parquet files.
        live: the rows in its live store.
        unexported: the steps that it says are in no file.
        ranges: the ranges that were asked for.
        knows_ranges: whether it understands them.
        takes_aliases: whether it answers for several runs at once.
        asked: the operations that it was asked.
        refused: how many files it will refuse.
    """

    def __init__(self) -> None:
        self.files: list[bytes] = []
        self.live: list[Row] = []
        self.unexported: list[int] = []
        self.ranges: list[str | None] = []
        self.knows_ranges = True
        self.takes_aliases = True
        self.asked: list[str] = []
        self.refused = 0
        self.generation = 0
        self.app = Starlette(
            routes=[
                Route("/graphql", self.graphql, methods=["POST"]),
                Route("/files/{generation:int}/{number:int}", self.file),
            ]
        )
        self.client = Client(
            Session("stub", api_key="k" * 40, user_agent="test", open_app=lambda: self.app), "http://stub/", {}
        )
        self.history = RunHistory(self.client, "e", "p", "r")

    async def graphql(self, request: Request) -> Response:
        asked = await request.json()
        variables = asked["variables"]
        self.asked.append(asked["operationName"])
        if asked["operationName"] == "ExportedHistories":
            if not self.takes_aliases:
                return JSONResponse({"errors": [{"message": "one run at a time"}]}, 400)
            names = {alias: name for alias, name in variables.items() if alias[1:].isdigit()}
            runs = {alias: None if name == "gone" else self.run(asked, variables, request)
                    for alias, name in names.items()}  # fmt: skip
            return JSONResponse({"data": {"project": runs}})
        if variables.get("runName") == "gone":
            return JSONResponse({"data": {"project": {"run": None}}})
        return JSONResponse({"data": {"project": {"run": self.run(asked, variables, request)}}})

    def run(self, asked: Row, variables: Row, request: Request) -> Row:
        steps = [each["_step"] for each in self.live] + [
            step for file in self.files for step in pq.read_table(io.BytesIO(file))["_step"].to_pylist()
        ]
        run: Row = {"historyKeys": {"lastStep": max(steps, default=-1)}, "historyLineCount": len(set(steps))}
        if "parquetHistory" in asked["query"]:
            urls = [str(request.url_for("file", generation=self.generation, number=n)) for n in range(len(self.files))]
            live = [{"_step": step} for step in self.unexported]
            run["parquetHistory"] = {"parquetUrls": urls, "liveData": live}
        if "minStep" in variables:
            low, high = variables["minStep"], variables["maxStep"]
            run["history"] = [json.dumps(each) for each in self.live if low <= each["_step"] < high]
        return run

    async def file(self, request: Request) -> Response:
        if request.path_params["generation"] != self.generation:
            return Response("expired", 403)
        if self.refused:
            self.refused -= 1
            return Response("not now", 403)
        content = self.files[request.path_params["number"]]
        asked = request.headers.get("range")
        self.ranges.append(asked)
        if asked is None or not self.knows_ranges:
            return Response(content)
        low, _, high = asked.removeprefix("bytes=").partition("-")
        start, stop = (int(low), min(int(high or len(content)) + 1, len(content))) if low else (
            max(len(content) - int(high), 0), len(content),
        )  # fmt: skip
        headers = {"content-range": f"bytes {start}-{stop - 1}/{len(content)}"}
        return Response(content[start:stop], 206, headers)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    with server.client.session:
        yield server


def read(server: Server, **options: Any) -> list[Row]:
    return rows_of(ExportedBatches(server.history, **options))


def test_a_compacted_store_gives_the_rows_that_its_lines_hold(tmp_path: Path, recorder: Any) -> None:
    logged = [
        row(
            step,
            **({"acc": step % 2 == 0, "text": f"é{step}"} if step % 3 else {"valid": {"acc": 0.5}, "bins": [1, 2]}),
        )
        for step in range(0, 5000, 2)
    ]
    with open_local(tmp_path) as local:
        recorder(local).run("p/r", rows=logged)
        assert [each.reason for each in local.compact()] == [None]
    with Api(f"local:{tmp_path}") as api:
        history = api.run("p/r").live_history
        batches = ExportedBatches(history)
        found = rows_of(batches)
        assert found == rows_of(HistoryBatches(history))
        assert len(found) == len(logged) == batches.rows == batches.server_rows


def test_a_history_without_files_is_read_live(server: Server) -> None:
    server.live = [row(step) for step in range(2500)]
    assert read(server) == server.live


def test_files_come_in_the_order_of_their_steps(server: Server) -> None:
    server.files = [parquet([row(step) for step in steps]) for steps in (range(100, 200), range(100))]
    assert read(server) == [row(step) for step in range(200)]


def test_the_live_tail_follows_the_seam(server: Server) -> None:
    server.files = [parquet([row(step) for step in range(100)])]
    server.live = [row(step) for step in range(100, 2300)]
    server.unexported = list(range(100, 2300))
    batches = ExportedBatches(server.history)
    assert rows_of(batches) == [row(step) for step in range(2300)]
    assert batches.rows == batches.server_rows == 2300


def test_steps_that_stand_in_both_come_once(server: Server) -> None:
    server.files = [parquet([row(step) for step in range(100)])]
    server.live = [row(step) for step in range(90, 150)]
    server.unexported = [95, *range(100, 150)]
    assert read(server) == [row(step) for step in range(150)]


def test_exported_steps_beyond_the_seam_are_not_lost(server: Server) -> None:
    exported = [*range(50), *range(60, 70), *range(80, 90)]
    live = [*range(50, 60), *range(70, 80), 95]
    server.files = [parquet([row(step) for step in exported])]
    server.live = [row(step) for step in live]
    server.unexported = live
    assert read(server) == [row(step) for step in sorted(exported + live)]


def test_files_that_overlap_are_merged_and_keep_their_own_types(server: Server) -> None:
    server.files = [
        parquet([row(step, x=2**60 + step) for step in range(100)]),
        parquet([row(step, x=0.5) for step in range(90, 120)]),
    ]
    found = read(server)
    assert [each["_step"] for each in found] == list(range(120))
    assert [each["x"] for each in found] == [2**60 + step for step in range(100)] + [0.5] * 20


def test_rows_that_are_not_sorted_are(server: Server) -> None:
    server.files = [parquet([row(step) for step in (5, 3, 3, 1, 9)])]
    assert [each["_step"] for each in read(server)] == [1, 3, 5, 9]


def wide(step: int) -> Row:
    return row(step, **{f"metric{n}": (step * 7919 + n) % 1000 / 7 for n in range(30)})


def test_of_chosen_keys_only_their_columns_travel(server: Server) -> None:
    server.files = [parquet([wide(step) for step in range(5000)], compression="none", use_dictionary=False)]
    batches = list(ExportedBatches(server.history, keys=["metric3", "loss"]))
    assert [field.name for field in batches[0].schema.field("row").type] == ["_step", "loss", "metric3"]
    assert sum(batch.num_rows for batch in batches) == 5000
    assert server.ranges and None not in server.ranges
    asked = sum(int(high) - int(low) + 1 for low, high in (r[6:].split("-") for r in server.ranges[1:] if r))
    assert asked < len(server.files[0]) / 4


def test_most_columns_of_a_file_are_read_as_the_whole(server: Server) -> None:
    server.files = [parquet([wide(step) for step in range(5000)], compression="none", use_dictionary=False)]
    keys = [f"metric{n}" for n in range(28)]
    rows = read(server, keys=keys)
    assert rows[7] == {"_step": 7, **{key: wide(7)[key] for key in keys}}
    assert server.ranges == ["bytes=-65536", None]


def test_a_small_file_takes_one_request(server: Server) -> None:
    server.files = [parquet([row(step) for step in range(10)])]
    assert read(server, keys=["loss"]) == [row(step) for step in range(10)]
    assert server.ranges == ["bytes=-65536"]


def test_a_server_without_ranges_gives_the_whole(server: Server) -> None:
    server.knows_ranges = False
    server.files = [parquet([wide(step) for step in range(3000)])]
    assert read(server, keys=["loss"]) == [row(step) for step in range(3000)]
    assert len(server.ranges) == 1


def test_a_signature_that_expired_is_asked_for_again(server: Server) -> None:
    server.files = [parquet([row(step) for step in range(10)])]
    exports = find_exports(server.history)
    server.generation += 1
    assert read(server, exports=exports) == [row(step) for step in range(10)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"no parquet at all", "no Parquet"), (parquet([{"loss": 1.0}]), "no column '_step'")],
)
def test_what_is_no_exported_history_is_an_error(server: Server, content: bytes, expected: str) -> None:
    server.files = [parquet([row(0)])]
    exports = find_exports(server.history)
    server.files = [content]
    with pytest.raises(CommError, match=expected):
        read(server, exports=exports)


def test_a_run_that_is_gone_is_an_error(server: Server) -> None:
    with pytest.raises(NotFoundError, match="e/p/gone"):
        list(ExportedBatches(RunHistory(server.client, "e", "p", "gone")))


def test_the_footers_tell_what_stands_for_the_rows(server: Server, tmp_path: Path) -> None:
    server.files = [parquet([row(step, n=step - 5, none=None, ok=True, name="a") for step in range(10)])]
    (gathered,) = gather([server.history], tmp_path)
    sample = gathered.batches().sample()
    assert sample is not None
    found = sample.column("row").to_pylist()
    assert [each["_step"] for each in found] == [0, 9]
    assert [each["n"] for each in found] == [-5, 4]
    assert found[0]["none"] is None and found[0]["name"] is not None
    assert rows_of(gathered.batches()) == [row(step, n=step - 5, ok=True, name="a") for step in range(10)]


@pytest.mark.parametrize("unlike", [{"x": {"a": 1}}, {"x": [1]}])
def test_of_objects_and_lists_footers_tell_too_little(server: Server, tmp_path: Path, unlike: Row) -> None:
    server.files = [parquet([row(0, **unlike)])]
    (gathered,) = gather([server.history], tmp_path)
    assert gathered.batches().sample() is None


def test_a_history_that_goes_on_live_has_no_sample(server: Server, tmp_path: Path) -> None:
    server.files, server.live, server.unexported = [parquet([row(0)])], [row(1)], [1]
    (gathered,) = gather([server.history], tmp_path)
    assert gathered.batches().sample() is None
    assert rows_of(gathered.batches()) == [row(0), row(1)]


def test_many_histories_are_asked_for_in_one_request(server: Server, tmp_path: Path) -> None:
    server.files = [parquet([row(step) for step in range(3)])]
    histories = [RunHistory(server.client, "e", "p", name) for name in ("a", "gone", "b")]
    found = list(gather(histories, tmp_path))
    assert [each.history.run_id for each in found] == ["a", "b"]
    assert server.asked == ["ExportedHistories"]
    assert [rows_of(each.batches()) for each in found] == [[row(step) for step in range(3)]] * 2


def test_a_server_that_takes_no_aliases_is_asked_one_by_one(server: Server, tmp_path: Path) -> None:
    server.takes_aliases = False
    server.files = [parquet([row(0)])]
    histories = [RunHistory(server.client, "e", "p", name) for name in ("a", "gone", "b")]
    assert [each.history.run_id for each in gather(histories, tmp_path)] == ["a", "b"]
    assert server.asked == ["ExportedHistories"] + ["RunExportedHistory"] * 3


def test_a_file_that_cannot_be_fetched_is_asked_for_again_when_it_is_read(server: Server, tmp_path: Path) -> None:
    server.files = [parquet([row(step) for step in range(5)])]
    server.refused = 1
    (gathered,) = gather([server.history], tmp_path)
    assert gathered.files is None
    assert rows_of(gathered.batches()) == [row(step) for step in range(5)]


def test_many_histories_of_a_real_store_are_gathered(tmp_path: Path, recorder: Any) -> None:
    with open_local(tmp_path / "store") as local:
        for name in ("a", "b"):
            recorder(local).run(f"p/{name}", rows=[row(step, of=name) for step in range(20)])
        local.compact()
    with Api(f"local:{tmp_path / 'store'}") as api:
        histories = [run.live_history for run in api.runs("p")]
        found = {each.history.run_id: rows_of(each.batches()) for each in gather(histories, tmp_path)}
        assert found == {each.run_id: rows_of(HistoryBatches(each)) for each in histories}
    assert {name: rows[-1]["of"] for name, rows in found.items()} == {"a": "a", "b": "b"}
