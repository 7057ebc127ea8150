"""The retry policy, on a clock of its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runframe.wire.http import Limits
from runframe.wire.retry import Kind, Outcome, Retry, asked_wait, quota_pause

LIMITS = Limits()


def waits(
    kind: Kind, *, each: float = 0.0, asked: float | None = None, draw: float = 1.0, **options: bool
) -> list[float]:
    """The waits until the policy gives up, where every attempt takes `each` seconds and ends in the same way."""
    retry, now, found = Retry(LIMITS, 0.0, draw=lambda: draw, **options), 0.0, []
    while len(found) < 10_000:
        now += each
        wait = retry.after(Outcome(kind, asked), now)
        if wait is None:
            return found
        found.append(wait)
        now += wait
    raise AssertionError("the policy never gives up")


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 403, 404, 409, 410, 413, 422, 501])
def test_an_answer_that_is_settled_is_not_asked_again(status: int) -> None:
    assert Outcome.of_answer(status, {}, 0.0).kind is Kind.ANSWER


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 520])
def test_an_answer_that_says_later_is_asked_again(status: int) -> None:
    assert Outcome.of_answer(status, {}, 0.0).kind is Kind.BUSY


def test_a_gateway_timeout_counts_as_a_timeout() -> None:
    assert Outcome.of_answer(504, {}, 0.0).kind is Kind.TIMEOUT


def test_a_500_of_a_server_in_this_process_is_final() -> None:
    assert Outcome.of_answer(500, {}, 0.0, in_process=True).kind is Kind.ANSWER
    assert Outcome.of_answer(503, {}, 0.0, in_process=True).kind is Kind.BUSY


def test_waits_double_up_to_the_longest() -> None:
    assert waits(Kind.BUSY)[:8] == [0.5, 1, 2, 4, 8, 16, 20, pytest.approx(8.5)]


def test_the_last_wait_ends_at_the_soft_deadline() -> None:
    assert sum(waits(Kind.BUSY)) == pytest.approx(LIMITS.soft_deadline)


def test_jitter_is_full() -> None:
    assert waits(Kind.BUSY, draw=0.5)[:3] == [0.25, 0.5, 1]


def test_a_refused_connection_is_given_up_after_two_seconds() -> None:
    found = waits(Kind.UNREACHABLE)
    assert sum(found) == pytest.approx(2.0)
    assert 2 <= len(found) <= 5


def test_a_server_that_answered_before_gets_time_to_restart() -> None:
    assert sum(waits(Kind.UNREACHABLE, known=True)) == pytest.approx(LIMITS.restart_deadline)


def test_hopeless_failures_are_final() -> None:
    assert waits(Kind.HOPELESS) == []


def test_timeouts_are_final_where_the_caller_wants_that() -> None:
    assert waits(Kind.TIMEOUT, timeouts=False, each=19) == []
    assert waits(Kind.TIMEOUT, each=19) != []


def test_each_wait_that_is_asked_for_extends_the_soft_deadline_but_not_the_hard_one() -> None:
    found = waits(Kind.BUSY, asked=30.0)
    assert set(found) == {30.0}
    assert LIMITS.hard_deadline - 30 <= sum(found) < LIMITS.hard_deadline


def test_time_spent_in_attempts_counts_although_waits_are_asked_for() -> None:
    assert len(waits(Kind.BUSY, asked=1.0, each=10.0)) == 5


def test_a_wait_beyond_the_hard_deadline_is_not_begun() -> None:
    assert waits(Kind.BUSY, asked=3600.0) == []


def test_a_wait_of_zero_that_is_asked_for_does_not_become_a_storm() -> None:
    assert len(waits(Kind.BUSY, asked=0.0)) < 10


def test_progress_begins_the_count_anew() -> None:
    retry = Retry(LIMITS, 0.0, draw=lambda: 1.0)
    assert retry.after(Outcome(Kind.BROKEN), 61.0) is None
    retry.restart(61.0)
    assert retry.after(Outcome(Kind.BROKEN), 62.0) == 0.5


@given(
    st.sampled_from([Kind.BUSY, Kind.TIMEOUT, Kind.BROKEN]), st.floats(0, 30), st.one_of(st.none(), st.floats(0, 700))
)
def test_nothing_outlasts_the_hard_deadline(kind: Kind, each: float, asked: float | None) -> None:
    assert sum(waits(kind, each=each, asked=asked)) <= LIMITS.hard_deadline + 1e-6


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, 10.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:01 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-4"}, None),
        ({"retry-after": "inf"}, None),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "7"}, 7.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "7"}, 7.0),
        ({"ratelimit": '"default";r=0;t=12'}, 12.0),
        ({"retry-after": "2", "ratelimit-remaining": "0", "ratelimit-reset": "7"}, 2.0),
        ({}, None),
    ],
)
def test_the_wait_that_an_answer_asks_for(headers: dict[str, str], wait: float | None) -> None:
    assert asked_wait(headers, now=50.0) == wait


def test_a_quota_that_is_not_used_up_asks_for_nothing() -> None:
    assert quota_pause({"ratelimit-remaining": "1", "ratelimit-reset": "7"}, now=0.0) is None
    assert quota_pause({"ratelimit": '"default";r=5;t=12'}, now=0.0) is None
    assert quota_pause({"ratelimit-remaining": "0"}, now=0.0) is None


def test_a_reset_in_unix_time_is_a_moment() -> None:
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000010"}
    assert quota_pause(headers, now=1_800_000_000.0) == 10.0
