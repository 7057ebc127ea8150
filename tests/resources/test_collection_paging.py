"""Paging, indexing, length and truth of collections, and one set of pages for objects and columns."""

from __future__ import annotations

import copy
import json
import pickle
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pytest

from runframe import Api, NotFoundError, UsageError
from runframe.resources.client import Client
from runframe.resources.runs import Runs
from runframe.wire import Session

if TYPE_CHECKING:
    from conftest import Asked

IDS = ["run-0", "run-1", "run-2", "run-3", "empty"]


@pytest.fixture
def runs(client: Client) -> Runs:
    return Runs(client, "local", "digits", per_page=2)


def test_nothing_is_asked_before_it_is_needed(asked: Asked, runs: Runs) -> None:
    assert (runs.more, runs.cursor, runs.objects, runs.index) == (True, None, [], -1)
    assert repr(runs) == "<Runs local/digits>"
    assert not asked.operations


def test_iterating_reads_page_by_page_and_once(asked: Asked, runs: Runs) -> None:
    assert [run.id for run in runs] == IDS
    assert asked.counts == {"Runs": 3}
    again = list(runs)
    assert all(one is other for one, other in zip(again, runs.objects, strict=True))
    assert asked.counts == {"Runs": 3}
    assert not runs.more


def test_next_works_without_iter_and_reads_one_page(asked: Asked, runs: Runs) -> None:
    assert next(runs).id == "run-0"
    assert runs.next().id == "run-1"
    assert runs.index == 1
    assert asked.counts == {"Runs": 1}
    assert len(runs.objects) == 2


def test_next_stops_at_the_end_again_and_again(runs: Runs) -> None:
    assert [run.id for run in runs] == IDS
    for _ in range(2):
        with pytest.raises(StopIteration):
            next(runs)


def test_two_loops_do_not_disturb_each_other(runs: Runs) -> None:
    assert [(one.id, other.id) for one in runs for other in runs][:6] == [("run-0", id) for id in IDS] + [
        ("run-1", "run-0")
    ]


def test_an_index_reads_as_far_as_it_must(asked: Asked, runs: Runs) -> None:
    assert runs[2].id == "run-2"
    assert asked.counts == {"Runs": 2}
    assert runs[0] is runs.objects[0]
    with pytest.raises(IndexError):
        runs[5]
    assert runs[-1].id == "empty"


def test_slices_are_lists(asked: Asked, runs: Runs) -> None:
    assert [run.id for run in runs[:2]] == IDS[:2]
    assert asked.counts == {"Runs": 1}
    assert [run.id for run in runs[1:3]] == IDS[1:3]
    assert [run.id for run in runs[3:]] == IDS[3:]
    assert [run.id for run in runs[::-1]] == IDS[::-1]
    assert runs[:0] == []


def test_length_is_the_servers_count_from_the_first_page(asked: Asked, runs: Runs) -> None:
    assert len(runs) == 5
    assert runs.length == 5
    assert len(runs.objects) == 2
    assert list(runs)[4].id == "empty"
    assert asked.counts == {"Runs": 3}


def test_an_empty_result_is_false_and_has_no_first(client: Client) -> None:
    none = Runs(client, "local", "digits", {"state": "running"})
    assert not none
    assert list(none) == none[:3] == []
    with pytest.raises(IndexError):
        none[0]


def test_a_missing_project_is_said_at_the_first_page(client: Client) -> None:
    missing = Runs(client, "local", "nowhere")
    for ask in (lambda: len(missing), lambda: missing[0], lambda: list(missing), missing.to_polars):
        with pytest.raises(NotFoundError, match="Could not find project local/nowhere") as caught:
            ask()
        assert isinstance(caught.value, ValueError)


def test_a_page_size_of_none_is_fifty(asked: Asked, client: Client) -> None:
    runs = Runs(client, "local", "digits", per_page=None)
    assert runs.per_page == 50
    list(runs)
    assert asked.operations[0][1]["perPage"] == runs.variables["perPage"] == 50


def test_columns_come_from_the_pages_that_were_read(asked: Asked, runs: Runs) -> None:
    list(runs)
    asked.operations.clear()
    assert runs.to_polars(["id", "state"])["id"].to_list() == IDS
    assert not asked.operations


def test_objects_come_from_the_pages_that_columns_read(asked: Asked, client: Client) -> None:
    runs = Runs(client, "local", "digits")
    assert runs.to_polars().height == 5
    assert [run.config.get("big") for run in runs][:1] == [2**62 + 1]
    assert asked.counts == {"FullRuns": 1}


def test_what_is_missing_is_read_for_columns_and_no_more(asked: Asked, runs: Runs) -> None:
    assert runs[0].id == "run-0"
    assert runs.to_arrow(["id"])["id"].to_pylist() == IDS
    assert asked.counts == {"Runs": 2}
    assert asked.operations[1][1]["cursor"] is not None


def test_light_columns_ask_for_no_documents(asked: Asked, runs: Runs) -> None:
    runs.to_arrow(["id", "created_at"])
    assert set(asked.counts) == {"Runs"}
    runs.to_arrow(["id", "summary"])
    assert set(asked.counts) == {"Runs", "FullRuns"}


def test_a_large_collection_streams_without_staying(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    monkeypatch.setattr("runframe.resources.collection.BATCH_PAGE", 2)
    monkeypatch.setattr("runframe.resources.collection.KEPT", 2)
    runs = Runs(client, "local", "digits")
    assert [batch.num_rows for batch in runs.to_batches()] == [2, 2, 1]
    assert len(runs.objects) == 2
    assert [run.id for run in runs] == IDS
    assert runs.to_arrow(["id"])["id"].to_pylist() == IDS


def test_an_unfinished_stream_leaves_the_collection_usable(runs: Runs) -> None:
    batches = runs.to_batches(["id"])
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert [run.id for run in runs] == IDS


def test_the_schema_is_fixed_and_says_what_columns_mean(api: Api) -> None:
    runs = api.runs("digits")
    assert runs.schema == Runs.SCHEMA.arrow
    assert runs.schema.field("config").type == pa.json_()
    assert pa.types.is_dictionary(runs.schema.field("state").type)
    assert runs.schema.field("created_at").type == pa.timestamp("us", "UTC")
    assert all(field.metadata[b"runframe.meaning"] for field in runs.schema)
    assert api.runs("digits", {"state": "running"}).to_arrow().schema.equals(runs.schema)


def test_the_arrow_stream_is_the_same_table(api: Api) -> None:
    runs = api.runs("digits")
    assert pa.table(runs).equals(runs.to_arrow())
    assert pl.DataFrame(runs).height == len(runs.to_pandas()) == 5


def test_columns_are_in_the_order_asked_for_and_must_exist(api: Api) -> None:
    assert api.runs("digits").to_arrow(["state", "id"]).column_names == ["state", "id"]
    with pytest.raises(UsageError, match="created_at"):
        api.runs("digits").to_arrow(["createdat"])


def test_a_frame_says_that_it_is_complete_and_of_what(api: Api) -> None:
    table = api.runs("digits", {"tags": "n1"}).to_arrow()
    metadata = table.schema.metadata
    assert metadata[b"runframe.completeness"] == b"complete"
    assert metadata[b"runframe.source"] == b"local/digits"
    assert metadata[b"runframe.server_rows"] == b"1"
    assert b'{"tags":"n1"}' in metadata[b"runframe.query"]


def test_collections_can_be_copied_and_pickled(api: Api) -> None:
    runs = api.runs("digits")
    assert len(runs[:2]) == 2
    assert [run.id for run in copy.copy(runs)] == IDS
    there = pickle.loads(pickle.dumps(runs))
    assert [run.id for run in there] == IDS
    there.client.session.close()


class Shifting:
    """A server whose second page begins with the last run of the first: one was created meanwhile."""

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        asked = json.loads((await receive())["body"])["variables"]
        names, cursor = (["b", "c"], None) if asked["cursor"] else (["a", "b"], "b")
        node = {"state": "finished", "displayName": "x", "createdAt": "2026-01-01T00:00:00", "config": "{}"}
        edges = [{"node": {**node, "id": name, "name": name}, "cursor": name} for name in names]
        runs = {"edges": edges, "pageInfo": {"endCursor": cursor, "hasNextPage": cursor is not None}}
        body = json.dumps({"data": {"project": {"runCount": 3, "runs": runs}}}).encode()
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def test_pages_that_overlap_give_each_run_once() -> None:
    with Session("shifting", api_key="k" * 40, user_agent="test", open_app=Shifting) as session:
        client = Client(session, "http://local/", {})
        runs = Runs(client, "e", "p", per_page=2)
        assert [run.id for run in runs] == ["a", "b", "c"]
        assert len(runs) == 3
        assert Runs(client, "e", "p").to_arrow(["id"])["id"].to_pylist() == ["a", "b", "c"]
        # The second page's place is still known: its heavy fields are asked for again from there.
        runs.upgrade_to_full()
        assert runs[2].config == {}
