"""How concurrency follows what the server can bear."""

from __future__ import annotations

from runframe.wire.http import Limits
from runframe.wire.pace import Pace


def full(pace: Pace) -> Pace:
    """As many requests in flight as may be."""
    while pace.wait(0.0) == 0:
        pace.started()
    return pace


def test_no_more_requests_are_in_flight_than_the_limit() -> None:
    assert full(Pace(Limits(first_concurrency=4))).in_flight == 4


def test_it_grows_by_one_a_round_while_latency_is_flat() -> None:
    pace = full(Pace(Limits(first_concurrency=4)))
    for _ in range(4):
        pace.succeeded("Runs", 0.1)
    assert 4.8 < pace.limit <= 5


def test_it_does_not_grow_past_the_most_allowed() -> None:
    pace = full(Pace(Limits(first_concurrency=4, concurrency=6)))
    for _ in range(1000):
        full(pace).succeeded("Runs", 0.1)
    assert pace.limit == 6


def test_it_does_not_grow_while_latency_does() -> None:
    pace = full(Pace(Limits(first_concurrency=4)))
    pace.succeeded("Runs", 0.1)
    before = pace.limit
    pace.succeeded("Runs", 0.5)
    assert pace.limit == before


def test_slow_kinds_of_request_are_not_compared_with_fast_ones() -> None:
    pace = full(Pace(Limits(first_concurrency=4)))
    pace.succeeded("Viewer", 0.001)
    before = pace.limit
    pace.succeeded("Runs", 0.5)
    assert pace.limit > before


def test_it_does_not_grow_where_it_is_not_used() -> None:
    pace = Pace(Limits(first_concurrency=4))
    pace.started()
    pace.succeeded("Runs", 0.1)
    assert pace.limit == 4


def test_busy_answers_halve_it_down_to_one() -> None:
    pace = Pace(Limits(first_concurrency=8))
    found = []
    for now in range(5):
        pace.failed(sent_at=now, now=now + 0.5)
        found.append(pace.limit)
    assert found == [4, 2, 1, 1, 1]


def test_requests_sent_before_a_halving_do_not_halve_again() -> None:
    pace = Pace(Limits(first_concurrency=8))
    for _ in range(8):
        pace.failed(sent_at=1.0, now=2.0)
    assert pace.limit == 4


def test_a_pause_holds_everything_until_it_is_over() -> None:
    pace = Pace(Limits())
    pace.pause(until=10.0)
    assert pace.wait(4.0) == 6.0
    assert pace.wait(11.0) == 0
