"""How many requests are in flight to one origin: a number that follows what the server can bear.

It grows by one for every round of good answers while latency stays flat, and is halved by an answer that says "busy"
(429, 5xx) or by none at all. Pure: times are given, nothing sleeps.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .http import Limits

__all__ = ["Pace"]

# Latency counts as flat below this multiple of the best that was seen for the same kind of request.
_FLAT = 2.0
# The best is forgotten slowly, so that a server that became slower for good is not taken for a crowded one forever.
_FORGET = 1.02


@dataclass
class Pace:
    """The limit on requests in flight to one origin.

    Attributes:
        limit: requests that may be in flight now.
        in_flight: requests that are.
        paused_until: no request starts before this time (the quota is used up).
    """

    limits: Limits
    limit: float = field(init=False)
    in_flight: int = 0
    paused_until: float = 0.0
    _best: dict[str, float] = field(default_factory=dict)
    _halved_at: float = -1.0

    def __post_init__(self) -> None:
        self.limit = float(self.limits.first_concurrency)

    def wait(self, now: float) -> float | None:
        """0 where a request may start now, the seconds of a pause, or None: when one of those in flight is done."""
        if self.in_flight >= int(self.limit):
            return None
        return max(self.paused_until - now, 0.0)

    def started(self) -> None:
        """A request was sent."""
        self.in_flight += 1

    def finished(self) -> None:
        """A request is over, its answer read, whatever it was."""
        self.in_flight -= 1

    def succeeded(self, kind: str, latency: float) -> None:
        """A good answer came after `latency` seconds; `kind` names requests that are alike (a GraphQL operation)."""
        best = min(self._best.get(kind, latency) * _FORGET, latency)
        self._best[kind] = best
        # Only a limit that is in use says anything about what the server can bear.
        if latency <= best * _FLAT and self.in_flight >= int(self.limit):
            self.limit = min(self.limit + 1.0 / self.limit, float(self.limits.concurrency))

    def failed(self, sent_at: float, now: float) -> None:
        """The server is busy or away. Requests that were sent before the last halving do not halve again."""
        if sent_at >= self._halved_at:
            self.limit = max(self.limit / 2.0, 1.0)
            self._halved_at = now

    def pause(self, until: float) -> None:
        """Let no request start before this time."""
        self.paused_until = max(self.paused_until, until)
