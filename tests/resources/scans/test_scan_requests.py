"""What leaves for the server: columns, filter and limit are in the request, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from runframe import FrameError, UsageError
from runframe.resources.client import Client
from runframe.resources.files import Files
from runframe.resources.projects import Projects
from runframe.resources.runs import Runs
from runframe.wire import Session

if TYPE_CHECKING:
    from conftest import Asked, Watch

ALWAYS = {"id", "name", "state"}


def test_the_columns_decide_what_is_selected(runs: Runs, watch: Watch) -> None:
    assert runs.to_arrow(["created_at", "user"]).column_names == ["created_at", "user"]
    assert watch.one().fields == {*ALWAYS, "createdAt", "user", "username"} - {"username"} | {"name", "username"}


def test_no_document_is_asked_for_unless_a_column_needs_it(runs: Runs, watch: Watch) -> None:
    runs.to_polars(["id", "config.big"])
    assert watch.one().fields == {*ALWAYS, "config"}
    runs.to_polars(["id", "summary"])
    assert watch.one().fields == {*ALWAYS, "summaryMetrics"}
    runs.to_polars(["last_history_step"])
    assert watch.one().fields == {*ALWAYS, "historyKeys"}


def test_summary_columns_are_asked_for_by_key(runs: Runs, watch: Watch) -> None:
    table = runs.to_arrow(["summary.word", "id", "summary.loss"])
    assert table["summary.loss"].to_pylist() == [1.0, 1 / 2, 1 / 3, 1 / 4, None]
    assert watch.one().keys == ["word", "loss"]
    runs.to_arrow(["summary.nested.big"])  # whether a server takes paths for keys, nobody says
    assert watch.one().keys is None
    assert runs.to_arrow(["summary", "summary.loss"])["summary"][0].as_py().count("word") == 1
    assert watch.one().keys is None


def test_a_condition_on_a_documents_text_sees_all_of_it(runs: Runs, watch: Watch) -> None:
    for where in (pl.col("summary").str.contains("done"), pc.match_substring(pc.field("summary"), "done")):
        assert runs.to_arrow(["summary.loss"], where=where)["summary.loss"].to_pylist() == [1, 1 / 2, 1 / 3, 1 / 4]
        assert watch.one().keys is None
    lazy = runs.lazy().filter(pl.col("summary").is_null() | pl.col("config").str.contains("sgd")).select("id")
    assert lazy.collect()["id"].to_list() == ["run-0", "run-1", "run-2", "run-3"]


def test_whether_keys_are_taken_is_asked_once(asked: Asked, client: Client) -> None:
    for _ in range(2):
        Runs(client, "local", "digits").to_arrow(["summary.loss"])
    assert asked.counts == {"FieldArguments": 1, "FullRuns": 2}


class WithoutKeys:
    """A server whose `summaryMetrics` takes no keys, as older ones'."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.api_key = asked.api_key

    async def app(self, scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        body, told = b"", False

        async def listen() -> Any:
            nonlocal body, told
            message = await receive()
            body += message.get("body", b"")
            told = b'"FieldArguments"' in body
            return message

        async def answer(message: Any) -> None:
            if told and message["type"] == "http.response.start":
                message = {**message, "headers": [pair for pair in message["headers"] if pair[0] != b"content-length"]}
            if told and message["type"] == "http.response.body" and message.get("body"):
                data = json.loads(message["body"])
                for field in data["data"]["__type"]["fields"]:
                    field["args"] = []
                message = {**message, "body": json.dumps(data).encode()}
            await send(message)

        await self.asked.app(scope, listen, answer)

    def close(self) -> None:
        self.asked.close()


def _same(server: WithoutKeys) -> WithoutKeys:
    return server


def test_a_server_without_keys_sends_whole_summaries(asked: Asked, watch: Watch) -> None:
    server = WithoutKeys(asked)
    with Session(
        "local", api_key=None, user_agent="W&B Public Client test", open_app=partial(_same, server)
    ) as session:
        runs = Runs(Client(session, "http://local/", {}), "local", "digits")
        assert runs.to_arrow(["summary.loss"])["summary.loss"].to_pylist()[:2] == [1.0, 0.5]
    sent = watch.one()
    assert (sent.keys, sent.fields) == (None, {*ALWAYS, "summaryMetrics"})


def test_a_limit_is_the_size_of_the_page(runs: Runs, watch: Watch) -> None:
    assert runs.to_arrow(["id"], limit=2)["id"].to_pylist() == ["run-0", "run-1"]
    assert watch.one().size == 2
    assert runs.to_arrow(["id"], limit=0).num_rows == 0
    assert runs.to_arrow([]).num_columns == 0
    assert watch.look() == []
    assert runs.to_arrow(["id"], limit=99).num_rows == 5


def test_a_filter_and_a_limit_are_one_small_page(runs: Runs, watch: Watch) -> None:
    assert runs.to_arrow(["id"], where={"config.big": {"$gt": 1}, "name": "run 2"}, limit=1)["id"].to_pylist() == [
        "run-2"
    ]
    sent = watch.one()
    assert sent.filters == {"$and": [{"config.big": {"$gt": 1}}, {"displayName": "run 2"}]}
    assert sent.size == 1


def test_what_the_server_cannot_be_told_is_checked_here(runs: Runs, watch: Watch) -> None:
    found = runs.to_arrow(["id"], where=pl.col("name").str.len_chars() > 5, limit=1)
    assert found["id"].to_pylist() == ["empty"]
    sent = watch.one()
    assert (sent.filters, sent.size) == ({}, 1000)
    assert runs.to_arrow(["id"], where={"config.optimizer.lr": {"$not": {"$gt": 0.1}}})["id"].to_pylist() == [
        "run-0", "run-1", "empty",
    ]  # fmt: skip
    assert watch.one().filters == {}


def test_the_filter_of_the_collection_stays(client: Client, watch: Watch) -> None:
    runs = Runs(client, "local", "digits", {"state": "finished"})
    assert runs.to_arrow(["id"], where={"tags": "n2"})["id"].to_pylist() == ["run-2"]
    assert watch.one().filters == {"$and": [{"state": "finished"}, {"tags": "n2"}]}


def test_a_filter_that_is_false_at_the_server_gives_no_rows_that_do_not_fit(runs: Runs, watch: Watch) -> None:
    """A page of 1 whose row does not fit is followed by the next, until there are enough."""
    where = [{"state": "finished"}, pl.col("id").is_in(["run-1", "run-3"])]
    assert runs.to_arrow(["id"], where=where, limit=2)["id"].to_pylist() == ["run-1", "run-3"]
    assert watch.one().filters == {"$and": [{"state": "finished"}, {"name": {"$in": ["run-1", "run-3"]}}]}


def test_an_unknown_column_is_refused_before_anything_is_sent(runs: Runs, watch: Watch) -> None:
    for call in (
        lambda: runs.scan(["stat"]),
        lambda: runs.scan(where={"stat": "finished"}),
        lambda: runs.scan(where=pl.col("stat") == "finished"),
        lambda: runs.scan(where=pc.field("stat") == "finished"),
    ):
        with pytest.raises(UsageError, match=r"'stat'.*state"):
            call()
    with pytest.raises(UsageError, match=r"confg\.lr"):
        runs.scan(where=pl.col("confg.lr") > 1)
    assert watch.look() == []


def test_a_key_that_no_run_has_warns_with_near_matches(runs: Runs) -> None:
    with pytest.warns(UserWarning, match=r"no row of <Runs local/digits> has 'config.bigg' .*config\.big"):
        assert runs.to_arrow(["config.bigg"])["config.bigg"].null_count == 5
    for where in ({"summary.los": 1}, pl.col("summary.los") == 1, pc.field("summary.los") == 1):
        with pytest.warns(UserWarning, match=r"'summary.los' .*summary\.loss"):
            assert runs.to_arrow(["id"], where=where).num_rows == 0


def test_a_key_that_only_other_runs_have_does_not_warn(runs: Runs) -> None:
    table = runs.to_arrow(["id", "config.big"], where={"id": "empty"})
    assert table["config.big"].to_pylist() == [None]
    assert runs.to_arrow(["id"], where={"config.big": 7}).num_rows == 0


def test_explain_says_what_is_sent_and_what_is_checked(runs: Runs, watch: Watch) -> None:
    scan = runs.scan(["id", "summary.loss"], where=pc.field("state") == "finished", limit=3)
    said = scan.explain()
    assert watch.look() == []
    assert json.loads(said.sent or "") == {"state": "finished"}
    assert said.checked == ('(state == "finished")',)
    assert said.limit == 3
    assert said.document is not None
    assert "summaryMetrics(keys: $keys)" in said.document
    assert "config" not in said.document
    assert said.variables["perPage"] == 3
    for part in ("<Runs local/digits>", "id, summary.loss", said.document):
        assert part in str(said)
    scan.to_arrow()
    [sent] = watch.look()
    assert (sent.filters, sent.keys, sent.size) == ({"state": "finished"}, ["loss"], 3)


def test_a_scan_reads_anew_each_time(runs: Runs, watch: Watch) -> None:
    frame = runs.scan(["id"], limit=2).frame()
    for _ in range(2):
        assert frame.to_arrow()["id"].to_pylist() == ["run-0", "run-1"]
    assert len(watch.look()) == 2


def test_reading_stops_where_nothing_more_is_wanted(
    client: Client, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runframe.resources.collection.BATCH_PAGE", 2)
    runs = Runs(client, "local", "digits")
    assert runs.to_arrow(["id"], limit=3)["id"].to_pylist() == ["run-0", "run-1", "run-2"]
    assert len(watch.look()) == 2
    batches = runs.to_batches(["id"], where={"state": "finished"})
    assert next(batches).num_rows == 2
    batches.close()  # type: ignore[attr-defined]
    assert len(watch.look()) <= 2


def test_a_scan_says_what_it_left_out(runs: Runs) -> None:
    whole = runs.scan(["id"], where={"state": "finished"}).frame()
    assert whole.require_complete().num_rows == 4
    assert whole.provenance is not None
    assert whole.provenance.query == '+created_at where {"state":"finished"}'
    cut = runs.scan(["id"], limit=2).frame()
    with pytest.raises(FrameError, match="2 rows, and the server counted 5"):
        cut.require_complete()


def test_every_collection_has_the_same_vocabulary(client: Client, asked: Asked) -> None:
    projects = Projects(client, "local")
    assert projects.to_polars(["name"], where={"name": "digits"}, limit=1)["name"].to_list() == ["digits"]
    run = Runs(client, "local", "digits")[0]
    files = Files(client, run)
    assert files.to_arrow("name|size", where=pc.field("name") == "report.json").to_pylist() == [
        {"name": "report.json", "size": 8}
    ]
    assert files.lazy().filter(pl.col("name").str.starts_with("media")).select("name").collect().to_dicts() == [
        {"name": "media/a/b.txt"}
    ]
    with pytest.raises(UsageError, match=r"'siz'.*size"):
        files.scan(["siz"])


@pytest.mark.parametrize("limit", [-1, 1.5, True, "3"])
def test_a_limit_that_is_no_count_is_refused(runs: Runs, limit: Any) -> None:
    with pytest.raises(UsageError, match="limit"):
        runs.scan(limit=limit)


def test_a_where_that_is_no_condition_is_refused(runs: Runs) -> None:
    with pytest.raises(UsageError, match="polars expression or an Arrow expression, not str"):
        runs.scan(where="state == 'finished'")
    with pytest.raises(UsageError, match="one by one"):
        runs.scan(where=pl.all() == 1)
    with pytest.raises(UsageError, match="cannot be applied"):
        runs.to_arrow(["id"], where=pl.col("history_line_count").str.contains("a"))


def test_types_given_from_outside_stream_and_hold(runs: Runs, watch: Watch) -> None:
    scan = runs.scan(["id", "config.optimizer.lr"], schema={"config.optimizer.lr": pa.float64()})
    assert scan.schema.field("config.optimizer.lr").type == pa.float64()
    assert scan.lazy().collect_schema().names() == ["id", "config.optimizer.lr"]
    assert watch.look() == []
    assert scan.to_arrow().schema.types == [pa.string(), pa.float64()]
    assert len(watch.look()) == 1
    with pytest.raises(FrameError, match="run-0"):
        runs.scan(["id", "config.optimizer.name"], schema={"config.optimizer.name": pa.int64()}).to_arrow()
