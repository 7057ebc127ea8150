"""When a request is tried again, and after how long: pure decisions, without a clock and without I/O.

A `Retry` is told what became of each attempt and at what time, and says how long to wait before the next one, or that
there is none. Waits are drawn between 0 and a bound that doubles (full jitter). A wait that the server asks for is
obeyed, and moves the soft deadline along; nothing moves the hard one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum

from .http import Limits

__all__ = ["Kind", "Outcome", "Retry", "asked_wait", "quota_pause"]

# 501 and 505 say that the server will never do it; the other statuses above 500 are trouble of the moment.
_LASTING = frozenset({501, 505, 508, 510, 511})
_PASSING = frozenset({408, 425, 429})
_GATEWAY_TIMEOUT = 504
# Above this a reset is a moment in Unix time, below it a number of seconds: both are in use.
_EPOCH = 1_000_000_000.0


class Kind(Enum):
    """What became of an attempt."""

    ANSWER = "answer"  # settled: the caller gets the answer, good or bad
    BUSY = "busy"  # an answer that says: later
    UNREACHABLE = "unreachable"  # no connection came about
    TIMEOUT = "timeout"  # connected, but no bytes for too long
    BROKEN = "broken"  # the connection ended before the answer did
    HOPELESS = "hopeless"  # trying again cannot help: a bad URL, a certificate that is refused


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt, and the wait in seconds that the server asked for, if it did."""

    kind: Kind
    asked: float | None = None

    @classmethod
    def of_answer(cls, status: int, headers: Mapping[str, str], now: float, *, in_process: bool = False) -> Outcome:
        """The outcome that an answer stands for; `now` is Unix time, for headers that hold a date.

        A 500 of a server in this very process is a mistake in it, and would come again.
        """
        if status == 500 and in_process:
            return cls(Kind.ANSWER)
        if status == _GATEWAY_TIMEOUT:
            return cls(Kind.TIMEOUT, asked_wait(headers, now))
        if status in _PASSING or (status >= 500 and status not in _LASTING):
            return cls(Kind.BUSY, asked_wait(headers, now))
        return cls(Kind.ANSWER)


class Retry:
    """The attempts of one request.

    Args:
        limits: the deadlines and waits.
        start: the time of the first attempt, on any clock that `after` is then asked on.
        known: whether the server has answered anything before.
        timeouts: whether an attempt that timed out is repeated (a page is better asked for again in halves).
        draw: random number between 0 and 1.
    """

    def __init__(
        self,
        limits: Limits,
        start: float,
        *,
        known: bool = False,
        timeouts: bool = True,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.attempts = 0
        self._limits = limits
        self._start = start
        self._extended = 0.0
        self._known = known
        self._timeouts = timeouts
        self._draw = draw

    def after(self, outcome: Outcome, now: float) -> float | None:
        """Seconds to wait before the next attempt; None where this one was the last."""
        self.attempts += 1
        if outcome.kind in (Kind.ANSWER, Kind.HOPELESS) or (outcome.kind is Kind.TIMEOUT and not self._timeouts):
            return None
        soft = self._start + self._patience(outcome.kind) + self._extended
        hard = self._start + self._limits.hard_deadline
        left = min(soft, hard) - now
        if left <= 0:
            return None
        if outcome.asked:
            # Not less than a first wait: a server that asks for milliseconds would be asked thousands of times.
            wait = max(outcome.asked, self._limits.first_wait)
            self._extended += wait
            return wait if now + wait < hard else None
        bound = min(self._limits.first_wait * 2.0 ** min(self.attempts - 1, 30), self._limits.longest_wait)
        # The last wait is cut so that one more attempt falls within the deadline.
        return min(bound * self._draw(), left)

    def restart(self, now: float) -> None:
        """Begin counting anew: something was achieved since (a download brought bytes)."""
        self.attempts = 0
        self._start = now
        self._extended = 0.0
        self._known = True

    def _patience(self, kind: Kind) -> float:
        if kind is not Kind.UNREACHABLE:
            return self._limits.soft_deadline
        return self._limits.restart_deadline if self._known else self._limits.unreachable_deadline


def asked_wait(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds that an answer asks us to wait: `Retry-After`, else the reset of an exhausted quota.

    >>> asked_wait({"retry-after": "3"}, now=0.0)
    3.0
    >>> asked_wait({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, now=50.0)
    10.0
    >>> asked_wait({"ratelimit-remaining": "0", "ratelimit-reset": "7"}, now=0.0)
    7.0
    """
    text = headers.get("retry-after", "").strip()
    if text:
        seconds = _number(text)
        if seconds is None:
            seconds = _seconds_until(text, now)
        if seconds is not None:
            return max(seconds, 0.0)
    return quota_pause(headers, now)


def quota_pause(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds until a quota that is used up is refilled; None where something is left, or nothing is said.

    Understood are `RateLimit-Remaining`/`RateLimit-Reset` (what W&B sends), the same with `X-`, and the newer
    structured form.

    >>> quota_pause({"ratelimit": '"default";r=0;t=12'}, now=0.0)
    12.0
    >>> quota_pause({"ratelimit-remaining": "5", "ratelimit-reset": "7"}, now=0.0) is None
    True
    """
    if "ratelimit" in headers:
        fields = dict(part.strip().split("=", 1) for part in headers["ratelimit"].split(";") if "=" in part)
        remaining, reset = _number(fields.get("r", "")), _number(fields.get("t", ""))
    else:
        remaining, reset = (
            _number(headers.get(f"ratelimit-{name}") or headers.get(f"x-ratelimit-{name}") or "")
            for name in ("remaining", "reset")
        )
    if remaining is None or reset is None or remaining > 0:
        return None
    return max(reset - now if reset > _EPOCH else reset, 0.0)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < float("inf") else None


def _seconds_until(date: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
