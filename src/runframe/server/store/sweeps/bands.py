"""Stopping trials early by Hyperband: which trials go on from each of its bands.

A trial reaches a band when it has logged the metric so often. There it is compared with all that were there before it:
the best of them, one in `eta`, go on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runframe.server.errors import Refusal

_LAST_BAND = 1 << 40


@dataclass(frozen=True, slots=True)
class Hyperband:
    """The settings of ``early_terminate``.

    Attributes:
        eta: one trial in so many goes on; also the ratio between bands.
        min_iter: the first band; the others follow without end. Or
        max_iter: what the bands are fractions of, with
        brackets: how many there are.
        strict: compare what a trial had at the band; otherwise the best that it has by now.
    """

    eta: float
    min_iter: int | None
    max_iter: int | None
    brackets: int
    strict: bool

    def bands(self, count: int) -> list[int]:
        """The bands that a trial has reached which logged the metric so often, in their order."""
        return [band for band in self._all() if band <= count]

    def _all(self) -> Iterator[int]:
        if self.min_iter is None:
            assert self.max_iter is not None
            yield from sorted({max(1, int(self.max_iter / self.eta**power)) for power in range(1, self.brackets + 1)})
            return
        band: float = self.min_iter
        end = _LAST_BAND if self.max_iter is None else self.max_iter
        while band <= end:
            yield int(band)
            band *= self.eta

    def goes_on(self, value: float, others: Sequence[float], *, maximize: bool) -> bool:
        """Whether a trial goes on from a band.

        Args:
            value: the trial's own.
            others: the values of all trials at the band, its own among them.
            maximize: whether more is better.
        """
        kept = math.ceil(len(others) / self.eta)
        ordered = sorted(others, reverse=maximize)
        worst = ordered[kept - 1] if ordered else value
        return value >= worst if maximize else value <= worst


def read_hyperband(given: Any, warnings: list[str]) -> Hyperband | None:
    """The settings in a config's ``early_terminate``.

    Args:
        given: the value of the key.
        warnings: gets a sentence where it is passed over.

    Raises:
        Refusal: they make no bands.
    """
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise Refusal("Invalid sweep config: 'early_terminate' must be an object with a 'type'.")
    if given.get("type") != "hyperband":
        warnings.append(f"'early_terminate' of the type {given.get('type')!r} is not known: no run is stopped early")
        return None
    eta = given.get("eta", 3)
    if isinstance(eta, bool) or not isinstance(eta, int | float) or not 1 < eta < math.inf:
        raise Refusal(f"Invalid sweep config: 'eta' of 'early_terminate' is {eta!r}, expected a number above 1.")
    low, high, brackets = (_count(given, key) for key in ("min_iter", "max_iter", "s"))
    if low is None and (high is None or brackets is None):
        raise Refusal("Invalid sweep config: 'early_terminate' needs 'min_iter', or 'max_iter' and 's'.")
    return Hyperband(eta, low, high, brackets or 0, bool(given.get("strict", False)))


def _count(given: Mapping[str, Any], key: str) -> int | None:
    value = given.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise Refusal(
            f"Invalid sweep config: {key!r} of 'early_terminate' is {value!r}, expected an integer from 1 on."
        )
    return value
