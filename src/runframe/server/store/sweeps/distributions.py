"""What a parameter of a sweep can be: the documented distributions, drawn from and, where they can be, counted.

`log` and `exp` are natural. A distribution whose name begins with ``q_`` gives ``round(X / q) * q``; with an integer q,
integers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol, overload

from runframe import extjson

Number = int | float


class Distribution(Protocol):
    """The values that a parameter can have."""

    def draw(self, random: Random) -> Any:
        """One value."""

    def grid(self) -> Sequence[Any] | None:
        """Each value once; None where they cannot be counted."""


@dataclass(frozen=True, slots=True)
class Constant:
    """One value."""

    value: Any

    def draw(self, random: Random) -> Any:
        """The value."""
        return self.value

    def grid(self) -> Sequence[Any]:
        """The value."""
        return (self.value,)


@dataclass(frozen=True, slots=True)
class Categorical:
    """Values in a list; with weights, drawn by them."""

    values: tuple[Any, ...]
    weights: tuple[float, ...] | None = None

    def draw(self, random: Random) -> Any:
        """One of the values."""
        return random.choices(self.values, self.weights)[0]

    def grid(self) -> Sequence[Any]:
        """The values that differ; ``1``, ``1.0`` and ``true`` do."""
        return tuple({extjson.dumps(value): value for value in self.values}.values())


@dataclass(frozen=True, slots=True)
class IntUniform:
    """Integers from `low` to `high`, both included."""

    low: int
    high: int

    def draw(self, random: Random) -> int:
        """One of them."""
        return random.randint(self.low, self.high)

    def grid(self) -> Sequence[int]:
        """All of them."""
        return range(self.low, self.high + 1)


@dataclass(frozen=True, slots=True)
class Continuous:
    """Real numbers.

    Attributes:
        shape: a name in `SHAPES`.
        first: its first number: a lower end, a mean, an alpha.
        second: its second number: an upper end, a deviation, a beta.
        q: the step that values are rounded to; None for none.
    """

    shape: str
    first: Number
    second: Number
    q: Number | None = None

    def draw(self, random: Random) -> Number:
        """One of them."""
        value = SHAPES[self.shape](random, self.first, self.second)
        return value if self.q is None else multiple(round(value / self.q), self.q)

    def grid(self) -> Sequence[Number] | None:
        """The values that rounding a uniform one can give; None for all others."""
        if self.shape != "uniform" or self.q is None:
            return None
        return Multiples(range(round(self.first / self.q), round(self.second / self.q) + 1), self.q)


@dataclass(frozen=True, slots=True)
class Multiples(Sequence[Number]):
    """Multiples of a step."""

    counts: range
    q: Number

    def __len__(self) -> int:
        return len(self.counts)

    @overload
    def __getitem__(self, index: int) -> Number: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Number]: ...
    def __getitem__(self, index: int | slice) -> Number | Sequence[Number]:
        if isinstance(index, slice):
            return Multiples(self.counts[index], self.q)
        return multiple(self.counts[index], self.q)


def multiple(count: int, q: Number) -> Number:
    """``count * q``, a float without the noise of its last digits: 3 times 0.1 is 0.3."""
    return count * q if isinstance(q, int) else float(f"{count * q:.15g}")


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def _between(value: float, low: float, high: float) -> float:
    """The value, not beyond the ends by a rounding error."""
    return min(max(value, low), high)


def _log_uniform_values(random: Random, low: float, high: float) -> float:
    return _between(_exp(random.uniform(math.log(low), math.log(high))), low, high)


#: Shapes to functions that draw one value from them.
SHAPES: dict[str, Callable[[Random, float, float], float]] = {
    "uniform": lambda random, low, high: _between(random.uniform(low, high), low, high),
    "log_uniform": lambda random, low, high: _exp(random.uniform(low, high)),
    "log_uniform_values": _log_uniform_values,
    "inv_log_uniform": lambda random, low, high: _exp(-random.uniform(low, high)),
    "inv_log_uniform_values": _log_uniform_values,  # -log X is uniform between -log high and -log low
    "normal": lambda random, mean, deviation: random.normalvariate(mean, deviation),
    "log_normal": lambda random, mean, deviation: _exp(random.normalvariate(mean, deviation)),
    "beta": lambda random, alpha, beta: random.betavariate(alpha, beta),
}
