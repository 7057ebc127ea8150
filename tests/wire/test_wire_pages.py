"""Pages: what to ask for next, what was seen before, what to do about a page that is too slow."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_servers import answer, read_body

from runframe.errors import NotFoundError, ServerError, TransportError
from runframe.wire import Connection, Document, Limits, Session
from runframe.wire.http import httpx
from runframe.wire.pages import Ask, Pages, Paging, is_too_slow

RUNS = Connection(path=("project", "runs"), total=("project", "runCount"))
DOCUMENT = Document("query Runs($perPage: Int, $cursor: String) { project { runs { edges { node { id } } } } }")
SLOW = TransportError("too slow", httpx.ReadTimeout("slow"))


def page(ids: list[int], *, more: bool, total: int | None = None, cursors: bool = True) -> dict[str, Any]:
    edges = [{"node": {"id": str(n)}, "cursor": f"c{n}"} if cursors else {"node": {"id": str(n)}} for n in ids]
    info = {"hasNextPage": more, "endCursor": f"end{ids[-1]}" if ids else None}
    return {"project": {"runCount": total, "runs": {"edges": edges, "pageInfo": info}}}


def ids(nodes: list[dict[str, Any]]) -> list[int]:
    return [int(node["id"]) for node in nodes]


def test_the_next_page_begins_after_the_last_edge() -> None:
    paging = Paging(RUNS, size=2)
    assert paging.ask == Ask(None, 2)
    assert ids(paging.take(page([1, 2], more=True)).nodes) == [1, 2]
    assert paging.ask == Ask("c2", 2)


def test_or_at_the_connections_end_cursor() -> None:
    paging = Paging(Connection(path=("project", "runs"), cursor="end"), size=2)
    paging.take(page([1, 2], more=True, cursors=False))
    assert paging.ask == Ask("end2", 2)


def test_it_stops_where_the_server_has_no_more() -> None:
    paging = Paging(RUNS, size=2)
    assert paging.take(page([1, 2], more=False)).cursor is None
    assert paging.ask is None
    assert paging.tally.exhausted


def test_an_empty_page_is_the_last() -> None:
    paging = Paging(RUNS, size=2)
    paging.take(page([], more=True))
    assert paging.ask is None


def test_without_page_info_a_short_page_is_the_last() -> None:
    paging = Paging(RUNS, size=2)
    full, short = page([1, 2], more=True), page([3], more=True)
    del full["project"]["runs"]["pageInfo"], short["project"]["runs"]["pageInfo"]
    paging.take(full)
    assert paging.ask is not None
    paging.take(short)
    assert paging.ask is None


def test_nodes_that_come_again_are_given_once() -> None:
    paging = Paging(RUNS, size=3)
    paging.take(page([1, 2, 3], more=True))
    assert ids(paging.take(page([3, 2, 4], more=False)).nodes) == [4]
    assert (paging.tally.nodes, paging.tally.repeated) == (4, 2)


def test_nodes_without_a_key_are_all_given() -> None:
    paging = Paging(Connection(path=("project", "runs"), key=None), size=2)
    assert len(paging.take(page([1, 1], more=False)).nodes) == 2


def test_a_limit_reaches_the_size_that_is_asked_for() -> None:
    paging = Paging(RUNS, size=10, limit=3)
    assert paging.ask == Ask(None, 3)
    paging.take(page([1, 2], more=True))
    assert paging.ask == Ask("c2", 1)
    paging.take(page([3], more=True))
    assert paging.ask is None
    assert paging.tally.complete is False


def test_a_server_that_gives_more_than_the_limit_is_cut() -> None:
    paging = Paging(RUNS, size=10, limit=2)
    assert ids(paging.take(page([1, 2, 3], more=False)).nodes) == [1, 2]


def test_a_limit_of_nothing_asks_for_nothing() -> None:
    assert Paging(RUNS, size=10, limit=0).ask is None


@pytest.mark.parametrize(("total", "complete"), [(2, True), (1, True), (3, False), (None, None)])
def test_the_count_at_the_end_is_held_against_the_servers(total: int | None, complete: bool | None) -> None:
    paging = Paging(RUNS, size=2)
    paging.take(page([1, 2], more=False, total=total))
    assert paging.tally.complete is complete


def test_a_page_that_is_too_slow_is_asked_for_in_halves() -> None:
    paging = Paging(RUNS, size=8)
    paging.take(page([1], more=True))
    paging.too_slow(SLOW)
    assert paging.ask == Ask("c1", 4)
    paging.too_slow(SLOW)
    assert paging.ask == Ask("c1", 2)


def test_the_size_grows_back_after_good_pages() -> None:
    paging = Paging(RUNS, size=8)
    paging.too_slow(SLOW)
    sizes = []
    for n in range(6):
        paging.take(page([n], more=True))
        assert paging.ask is not None
        sizes.append(paging.ask.size)
    assert sizes == [4, 4, 4, 8, 8, 8]


def test_a_single_node_that_is_too_slow_is_an_error_that_says_where() -> None:
    paging = Paging(RUNS, size=2)
    paging.take(page([1], more=True))
    paging.too_slow(SLOW)
    with pytest.raises(TransportError, match=r"after the first 1 nodes of project\.runs"):
        paging.too_slow(SLOW)


def test_what_is_missing_has_its_own_message() -> None:
    connection = Connection(path=("project", "runs"), missing="no project e/p")
    with pytest.raises(NotFoundError, match=r"^no project e/p$"):
        Paging(connection, size=2).take({"project": None})


@pytest.mark.parametrize("runs", [{}, {"edges": None}, []])
def test_a_malformed_connection_is_an_error(runs: Any) -> None:
    with pytest.raises(ServerError, match=r"project\.runs"):
        Paging(RUNS, size=2).take({"project": {"runs": runs}})


def test_a_cursor_that_does_not_move_is_an_error_not_a_circle() -> None:
    paging = Paging(RUNS, size=1)
    paging.take(page([1], more=True))
    with pytest.raises(ServerError, match="but not where"):
        paging.take(page([1], more=True))


def test_null_nodes_are_counted() -> None:
    paging = Paging(RUNS, size=2)
    answer = page([1, 2], more=False, total=2)
    answer["project"]["runs"]["edges"][0]["node"] = None
    assert ids(paging.take(answer).nodes) == [2]
    assert (paging.tally.empty, paging.tally.complete) == (1, True)


@pytest.mark.parametrize(
    ("error", "slow"),
    [
        (SLOW, True),
        (TransportError("x", httpx.ConnectError("refused")), False),
        (ServerError("x", status=504), True),
        (ServerError("context deadline exceeded"), True),
        (ServerError("Request timed out"), True),
        (ServerError("permission denied"), False),
    ],
)
def test_what_counts_as_too_slow(error: TransportError | ServerError, slow: bool) -> None:
    assert is_too_slow(error) is slow


@given(st.integers(0, 60), st.integers(1, 20), st.one_of(st.none(), st.integers(0, 70)), st.data())
def test_every_node_comes_once_and_in_order_whatever_is_slow(
    count: int, size: int, limit: int | None, data: st.DataObject
) -> None:
    paging, found = Paging(RUNS, size=size, limit=limit), list[int]()
    while paging.ask is not None:
        if paging.ask.size > 1 and data.draw(st.booleans()):
            paging.too_slow(SLOW)
            continue
        start = int(paging.ask.cursor[1:]) + 1 if paging.ask.cursor else 0
        given_ids = list(range(start, min(start + paging.ask.size, count)))
        found += ids(paging.take(page(given_ids, more=given_ids != [] and given_ids[-1] < count - 1)).nodes)
    assert found == list(range(count if limit is None else min(count, limit)))


class Hand:
    """Requests for pages that are answered by hand."""

    def __init__(self) -> None:
        self.sent: list[tuple[Ask, Future[dict[str, Any]]]] = []

    def submit(self, ask: Ask) -> Future[dict[str, Any]]:
        future: Future[dict[str, Any]] = Future()
        start = int(ask.cursor[1:]) + 1 if ask.cursor else 0
        future.set_result(page(list(range(start, start + ask.size)), more=True))
        self.sent.append((ask, future))
        return future

    def pages(self, **options: Any) -> Pages:
        return Pages(Paging(RUNS, size=2, **options), self.submit, lambda future: future.result())


def test_nothing_is_sent_before_the_first_page_is_asked_for() -> None:
    hand = Hand()
    hand.pages()
    assert hand.sent == []


def test_the_next_page_is_in_flight_while_one_is_used() -> None:
    hand = Hand()
    pages = hand.pages()
    next(pages)
    assert len(hand.sent) == 2
    next(pages)
    assert len(hand.sent) == 3


def test_nothing_runs_ahead_of_a_limit() -> None:
    hand = Hand()
    next(hand.pages(limit=2))
    assert len(hand.sent) == 1


def test_a_reader_that_stops_early_cancels_what_is_in_flight() -> None:
    cancelled: list[bool] = []

    def submit(ask: Ask) -> Future[dict[str, Any]]:
        future: Future[dict[str, Any]] = Future()
        if ask.cursor is None:
            future.set_result(page([1], more=True))
        future.add_done_callback(lambda done: cancelled.append(done.cancelled()))
        return future

    pages = Pages(Paging(RUNS, size=1), submit, lambda future: future.result())
    next(pages)
    pages.close()
    assert cancelled == [False, True]
    assert list(pages) == []


def test_dropping_the_iterator_cancels_too() -> None:
    hand: list[Future[dict[str, Any]]] = []

    def submit(ask: Ask) -> Future[dict[str, Any]]:
        hand.append(Future())
        if len(hand) == 1:
            hand[0].set_result(page([1], more=True))
        return hand[-1]

    for _ in Pages(Paging(RUNS, size=1), submit, lambda future: future.result()):
        break
    assert hand[1].cancelled()


class Server:
    """Pages of numbered runs; a page of more than `most` of them is too slow."""

    def __init__(self, count: int, most: int = 10**6) -> None:
        self.count, self.most, self.sizes = count, most, list[int]()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        asked = json.loads(await read_body(receive))["variables"]
        self.sizes.append(asked["perPage"])
        if asked["perPage"] > self.most:
            await anyio.sleep_forever()
        start = int(asked["cursor"][1:]) + 1 if asked["cursor"] else 0
        stop = min(start + asked["perPage"], self.count)
        await answer(send, {"data": page(list(range(start, stop)), more=stop < self.count, total=self.count)})


def test_a_session_reads_all_pages(open_session: Callable[..., Session]) -> None:
    pages = open_session(Server(25)).pages(DOCUMENT, {}, RUNS, size=10)
    assert [len(found.nodes) for found in pages] == [10, 10, 5]
    assert (pages.tally.nodes, pages.tally.complete) == (25, True)


def test_a_session_halves_pages_that_time_out(open_session: Callable[..., Session]) -> None:
    server = Server(10, most=3)
    began = time.monotonic()
    pages = open_session(server, timeout=0.1, limits=Limits()).pages(DOCUMENT, {}, RUNS, size=10)
    assert ids([node for found in pages for node in found.nodes]) == list(range(10))
    assert server.sizes[:3] == [10, 5, 2]
    assert time.monotonic() - began < 10, "each size was tried once, not until a deadline"


def test_pages_that_are_dropped_leave_no_request(open_session: Callable[..., Session]) -> None:
    ended = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if json.loads(await read_body(receive))["variables"]["cursor"] is None:
            return await answer(send, {"data": page([1], more=True)})
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    pages = open_session(app).pages(DOCUMENT, {}, RUNS, size=1)
    next(pages)
    time.sleep(0.1)
    pages.close()
    assert ended.wait(2)
