"""Reading by windows is complete and exact against servers that sample, and takes few requests."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runframe.errors import ServerError
from runframe.resources.history.pages import _step_of_text, read
from runframe.resources.history.windows import Plan, Window

Sample = Callable[[list[int], int], list[int]]


def spread(steps: list[int], limit: int) -> list[int]:
    """A server that gives exactly `limit` rows of more."""
    return [steps[index * len(steps) // limit] for index in range(limit)] if len(steps) > limit else steps


def careless(steps: list[int], limit: int) -> list[int]:
    """A server that gives about `limit` rows of more, sometimes fewer."""
    return steps[:: 2 * len(steps) // limit] if len(steps) > limit else steps


class Server:
    """Rows at some steps; answers a window with a sample and counts what it is asked."""

    def __init__(self, steps: list[int], limit: int, sample: Sample = spread, inclusive: bool = False) -> None:
        self.steps = sorted(steps)
        self.limit = limit
        self.sample = sample
        self.inclusive = inclusive
        self.windows: list[Window] = []

    def ask(self, window: Window) -> Future[dict[str, Any]]:
        self.windows.append(window)
        answer: Future[dict[str, Any]] = Future()
        stop = window.stop + self.inclusive
        answer.set_result({"steps": self.sample([s for s in self.steps if window.start <= s < stop], self.limit)})
        return answer

    def all(self, plan: Plan) -> list[int]:
        pages = read(plan, self.ask, lambda answer: answer.result(), lambda data: data["steps"], lambda step: step)
        return [step for _, page in pages for step in page]


STEPS = st.lists(st.one_of(st.integers(0, 60), st.integers(0, 10**4), st.integers(0, 2**53)), unique=True, max_size=200)


@given(
    steps=STEPS,
    limit=st.integers(2, 30),
    kind=st.sampled_from([(spread, False), (spread, True), (careless, False)]),
    start=st.integers(0, 100),
    hint=st.booleans(),
)
def test_every_step_arrives_once_and_in_order(
    steps: list[int], limit: int, kind: tuple[Sample, bool], start: int, hint: bool
) -> None:
    stop = max(steps, default=-1) + 1
    known = {"rows": len(steps), "span": stop} if hint else {}
    found = Server(steps, limit, *kind).all(Plan(start, stop, limit, **known))
    assert found == [step for step in sorted(steps) if step >= start]


def test_a_dense_history_costs_a_request_a_page() -> None:
    server = Server(list(range(10_000)), 1000)
    assert len(server.all(Plan(0, 10_000, 1000))) == 10_000
    assert len(server.windows) == 10


def test_sparse_steps_cost_tens_of_requests() -> None:
    steps = [0, 1, 10**6, 10**9, 10**12]
    server = Server(steps, 1000)
    assert server.all(Plan(0, 10**12 + 1, 1000)) == steps
    assert len(server.windows) < 30
    guided = Server(steps, 1000)
    assert guided.all(Plan(0, 10**12 + 1, 1000, rows=5, span=10**12 + 1)) == steps
    assert len(guided.windows) <= 11


def test_a_cluster_far_away_is_found_by_halving() -> None:
    steps = [*range(5000), *range(10**9, 10**9 + 5000)]
    server = Server(steps, 1000)
    assert server.all(Plan(0, 10**9 + 5000, 1000)) == steps
    assert len(server.windows) < 120


def test_nothing_is_asked_for_an_empty_range() -> None:
    server = Server([1, 2], 10)
    assert server.all(Plan(0, 0, 10)) == server.all(Plan(5, 3, 10)) == []
    assert server.windows == []


def test_a_window_that_is_too_slow_is_asked_again_in_halves() -> None:
    server = Server(list(range(64)), 64)

    def ask(window: Window) -> Future[dict[str, Any]]:
        answer = server.ask(window)
        if window.width > 10:
            answer = Future()
            answer.set_exception(ServerError("upstream timed out", status=504))
        return answer

    pages = read(Plan(0, 64, 64), ask, lambda answer: answer.result(), lambda data: data["steps"], lambda step: step)
    assert [step for _, page in pages for step in page] == list(range(64))


def test_leaving_early_cancels_what_is_under_way() -> None:
    waiting: list[Future[dict[str, Any]]] = []
    server = Server(list(range(100)), 10)

    def ask(window: Window) -> Future[dict[str, Any]]:
        waiting.append(server.ask(window) if not waiting else Future())
        return waiting[-1]

    pages = read(Plan(0, 100, 10), ask, lambda answer: answer.result(), lambda data: data["steps"], lambda step: step)
    next(pages)
    pages.close()  # type: ignore[attr-defined]
    assert [answer.cancelled() for answer in waiting] == [False, True]


def test_a_page_of_no_rows_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="at least 1 row"):
        Plan(0, 10, 0)


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ('{"loss":0.5,"_step":12}', 12),
        ('{"_step": 12 ,"loss":0.5}', 12),
        ('{"_step":3.0,"loss":0.5}', 3),
        ('{"a":{"_step":7},"_step":12}', 12),
        ('{"_step":12,"a":{"_step":7}}', 12),
        ('{"a":"{\\"_step\\":7}","_step":12,"b":NaN}', 12),
        ('{"a":"\\"_step\\":7}","_step":12}', 12),
        ('{"_step":1e3}', 1000),
    ],
)
def test_the_step_of_a_row_is_its_own(text: str, step: int) -> None:
    assert _step_of_text(text) == step


@pytest.mark.parametrize("text", ['{"loss":0.5}', '{"_step":null}', '{"a":"\\"_step\\":7"}'])
def test_a_row_without_a_step_is_an_error(text: str) -> None:
    with pytest.raises(ServerError, match="without a step"):
        _step_of_text(text)
