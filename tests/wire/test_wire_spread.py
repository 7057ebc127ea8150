"""Long listings read in stretches of time side by side: the same nodes in the same order, whatever the server does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runframe.errors import ServerError, TransportError
from runframe.wire.http import httpx
from runframe.wire.pages import Ask, Connection, Pages, Paging
from runframe.wire.spread import Cut, Spread

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
RUNS = Connection(("runs",), total=("count",))


def between(first: datetime | None, last: datetime | None) -> dict[str, Any]:
    return {"first": first, "last": last}


class Server:
    """A listing of nodes that lie some seconds apart, newest first if `descending`."""

    def __init__(self, pauses: list[float], *, descending: bool = False) -> None:
        self.descending = descending
        self.asked: list[Mapping[str, Any]] = []
        self.nodes: list[dict[str, Any]] = []
        for pause in pauses:
            self.add(pause)

    def add(self, pause: float) -> None:
        before = self.nodes[-1]["at"] if self.nodes else BEGIN
        at = before + timedelta(seconds=pause)
        self.nodes.append({"id": len(self.nodes), "at": at, "createdAt": at.replace(microsecond=0).isoformat()})

    def chosen(self, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        first, last = given.get("first"), given.get("last")
        nodes = [node for node in self.nodes if (not first or node["at"] >= first) and (not last or node["at"] <= last)]
        return nodes[::-1] if self.descending else nodes

    def answer(self, ask: Ask, given: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append({"size": ask.size, "cursor": ask.cursor, **given})
        nodes, start = self.chosen(given), int(ask.cursor or 0)
        shown = nodes[start : start + ask.size]
        edges = [{"node": dict(node), "cursor": str(start + at + 1)} for at, node in enumerate(shown)]
        more = start + len(shown) < len(nodes)
        return {"count": len(nodes), "runs": {"edges": edges, "pageInfo": {"hasNextPage": more}}}

    def pages(self, size: int) -> Pages:
        paging = Paging(RUNS, size=size)

        def send(ask: Ask, given: Mapping[str, Any]) -> Future[dict[str, Any]]:
            future: Future[dict[str, Any]] = Future()
            try:
                future.set_result(self.answer(ask, given))
            except Exception as error:
                future.set_exception(error)
            return future

        spread = Spread(RUNS, Cut("createdAt", between, self.descending), paging, send, Future.result, size)
        return Pages(paging, lambda ask: send(ask, {}), Future.result, spread=spread)

    def read(self, size: int) -> list[int]:
        return [node["id"] for page in self.pages(size) for node in page.nodes]

    @property
    def ids(self) -> list[int]:
        return [node["id"] for node in self.chosen({})]

    @property
    def stretches(self) -> list[Mapping[str, Any]]:
        return [asked for asked in self.asked if "first" in asked]


# Sweeps start many runs in one moment; nights and holidays have none.
pauses = st.lists(
    st.sampled_from([0.0, 0.0, 0.3, 1.0, 20.0, 20.0, 600.0, 9000.0, 4e6]), max_size=400
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(pauses, st.integers(1, 40), st.booleans())
def test_every_node_comes_once_and_in_order(found: list[float], size: int, descending: bool) -> None:
    server = Server(found, descending=descending)
    pages = server.pages(size)
    assert [node["id"] for page in pages for node in page.nodes] == server.ids
    assert pages.tally.complete


@pytest.mark.parametrize("descending", [False, True])
def test_an_even_listing_takes_hardly_more_requests_than_pages(descending: bool) -> None:
    server = Server([30.0] * 10_000, descending=descending)
    assert server.read(1000) == server.ids
    assert len(server.asked) <= 15
    assert len(server.stretches) == len(server.asked) - 1


def test_several_stretches_are_asked_for_before_the_first_page_is_used() -> None:
    server = Server([30.0] * 10_000)
    pages = server.pages(1000)
    next(pages)
    assert len(server.asked) >= 3


def test_a_listing_of_three_pages_is_read_by_its_cursor() -> None:
    server = Server([30.0] * 3000)
    assert server.read(1000) == server.ids
    assert len(server.asked) == 3 and not server.stretches


def test_thousands_in_one_moment_are_read_by_their_cursor() -> None:
    server = Server([30.0] * 1500 + [0.0] * 5000 + [30.0] * 3000)
    assert server.read(1000) == server.ids
    assert len(server.asked) < 20


def test_nodes_that_are_made_meanwhile_come_too() -> None:
    server = Server([30.0] * 6000)
    pages, found = server.pages(1000), []
    for number, page in enumerate(pages):
        found += [node["id"] for node in page.nodes]
        if number < 2:
            server.add(5.0)
    assert found == server.ids and len(found) == 6002


def test_nodes_that_are_removed_meanwhile_are_no_reason_to_read_all_again() -> None:
    server = Server([30.0] * 6000)
    pages = server.pages(1000)
    next(pages)
    del server.nodes[5500:5510]
    rest = [node["id"] for page in pages for node in page.nodes]
    assert rest == server.ids[1000:]
    assert pages.tally.complete
    assert len(server.asked) < 15


def ignores_bounds(server: Server) -> None:
    server.chosen = lambda given: list(server.nodes)  # type: ignore[method-assign]


def knows_no_bounds(server: Server) -> None:
    answer = server.answer

    def refuse(ask: Ask, given: Mapping[str, Any]) -> dict[str, Any]:
        if given:
            raise ServerError("unknown filter: created_at", status=400)
        return answer(ask, given)

    server.answer = refuse  # type: ignore[method-assign]


def loses_some(server: Server) -> None:
    chosen = server.chosen
    server.chosen = lambda given: [  # type: ignore[method-assign]
        node for node in chosen(given) if not given or node["id"] % 7
    ]


def counts_nothing(server: Server) -> None:
    answer = server.answer
    server.answer = lambda ask, given: {  # type: ignore[method-assign]
        **answer(ask, given), **({"count": None} if given else {})
    }  # fmt: skip


@pytest.mark.parametrize("fault", [ignores_bounds, knows_no_bounds, loses_some, counts_nothing])
def test_a_server_that_answers_stretches_badly_is_read_page_after_page(fault: Callable[[Server], None]) -> None:
    server = Server([30.0] * 6000)
    fault(server)
    pages = server.pages(1000)
    found = [node["id"] for page in pages for node in page.nodes]
    assert len(found) == 6000 and sorted(found) == server.ids
    assert pages.tally.complete


def test_a_stretch_that_is_too_slow_is_asked_for_in_smaller_pages() -> None:
    server = Server([30.0] * 6000)
    answer = server.answer

    def slow(ask: Ask, given: Mapping[str, Any]) -> dict[str, Any]:
        if given and ask.size > 300:
            server.asked.append({"size": ask.size, **given})
            raise TransportError("did not answer in time", httpx.ReadTimeout("slow"))
        return answer(ask, given)

    server.answer = slow  # type: ignore[method-assign]
    assert server.read(1000) == server.ids
    assert {asked["size"] for asked in server.stretches} >= {1000, 250}


def test_what_is_under_way_is_cancelled_when_nobody_reads_on() -> None:
    server = Server([30.0] * 10_000)
    waiting: list[Future[dict[str, Any]]] = []
    paging = Paging(RUNS, size=1000)

    def send(ask: Ask, given: Mapping[str, Any]) -> Future[dict[str, Any]]:
        future: Future[dict[str, Any]] = Future()
        waiting.append(future)
        if not given:
            future.set_result(server.answer(ask, given))
        return future

    spread = Spread(RUNS, Cut("createdAt", between), paging, send, Future.result, 1000)
    pages = Pages(paging, lambda ask: send(ask, {}), Future.result, spread=spread)
    next(pages)
    pages.close()
    assert len(waiting) > 1 and all(future.cancelled() for future in waiting[1:])
