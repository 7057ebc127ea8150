"""Quantiles of the normal and of Student's t distribution, for confidence intervals."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

_TINY = 1e-300
_ROUNDS = 500


def normal_quantile(probability: float) -> float:
    """The value that a standard normal variable stays below with this probability."""
    return NormalDist().inv_cdf(probability)


@lru_cache(maxsize=4096)
def t_quantile(probability: float, freedom: int) -> float:
    """The value that a variable of Student's t distribution stays below with this probability.

    Found by bisection of the distribution function, to about 14 digits.

    Args:
        probability: between 0 and 1, both excluded.
        freedom: degrees of freedom, 1 or more.
    """
    if probability < 0.5:
        return -t_quantile(1.0 - probability, freedom)
    tail = 2.0 * (1.0 - probability)
    low, high = 0.0, 1.0
    while _both_tails(high, freedom) > tail:
        low, high = high, high * 2.0
    while True:
        middle = (low + high) / 2.0
        if middle in (low, high):
            return middle
        if _both_tails(middle, freedom) > tail:
            low = middle
        else:
            high = middle


def _both_tails(value: float, freedom: int) -> float:
    """The probability that a t variable is further from 0 than `value`."""
    share = freedom / (freedom + value * value)
    return _beta_share(share, freedom / 2.0, 0.5)


def _beta_share(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b)."""
    if x <= 0.0 or x >= 1.0:
        return min(max(x, 0.0), 1.0)
    # The fraction converges fast only on one side of the mean; the other side is its mirror image.
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - _beta_share(1.0 - x, b, a)
    logarithm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(logarithm) * _fraction(x, a, b) / a


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    c, d = 1.0, 1.0 / _not_zero(1.0 - (a + b) * x / (a + 1.0))
    result = d
    for m in range(1, _ROUNDS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            d = 1.0 / _not_zero(1.0 + term * d)
            c = _not_zero(1.0 + term / c)
            result *= c * d
        if abs(c * d - 1.0) < 1e-16:
            break
    return result


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
