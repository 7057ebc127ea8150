"""Each documented distribution: its ends, its middle, its steps, and that a seed repeats it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from runframe.server.store.sweeps.config import read
from runframe.server.store.sweeps.distributions import Distribution

COUNT = 4000


def distribution(parameter: str) -> Distribution:
    space = read(f"method: random\nparameters: {{a: {parameter}}}").space
    assert space is not None
    return space.leaves[0].distribution


def draws(parameter: str, seed: int = 1) -> list[Any]:
    found, random = distribution(parameter), Random(seed)
    return [found.draw(random) for _ in range(COUNT)]


def same(value: float) -> float:
    return value


@pytest.mark.parametrize(
    ("parameter", "undo", "low", "high"),
    [
        ("{distribution: uniform, min: -2, max: 6}", same, -2, 6),
        ("{distribution: log_uniform, min: -3, max: 1}", math.log, -3, 1),
        ("{distribution: log_uniform_values, min: 0.001, max: 10}", math.log10, -3, 1),
        ("{distribution: inv_log_uniform, min: -3, max: 1}", lambda value: math.log(1 / value), -3, 1),
        ("{distribution: inv_log_uniform_values, min: 0.001, max: 10}", lambda value: math.log10(1 / value), -1, 3),
    ],
)
def test_what_is_uniform_is_so_between_its_ends(
    parameter: str, undo: Callable[[float], float], low: float, high: float
) -> None:
    values = sorted(map(undo, draws(parameter)))
    assert low - 1e-9 <= values[0] <= low + 0.02 * (high - low)
    assert high - 0.02 * (high - low) <= values[-1] <= high + 1e-9
    for quarter in (1, 2, 3):
        expected = low + (high - low) * quarter / 4
        assert values[COUNT * quarter // 4] == pytest.approx(expected, abs=0.04 * (high - low))


@pytest.mark.parametrize(
    ("parameter", "undo"),
    [
        ("{distribution: normal, mu: 3, sigma: 2}", same),
        ("{distribution: log_normal, mu: 3, sigma: 2}", math.log),
        ("{distribution: q_normal, mu: 3, sigma: 2, q: 0.001}", same),
    ],
)
def test_what_is_normal_has_its_mean_and_deviation(parameter: str, undo: Callable[[float], float]) -> None:
    values = list(map(undo, draws(parameter)))
    assert statistics.mean(values) == pytest.approx(3, abs=0.15)
    assert statistics.stdev(values) == pytest.approx(2, abs=0.15)


@pytest.mark.parametrize(
    ("parameter", "q", "low", "high"),
    [
        ("{distribution: q_uniform, min: 0.0, max: 1.0, q: 0.1}", 0.1, 0, 1),
        ("{distribution: q_log_uniform, min: 0, max: 3, q: 2}", 2, 0, 20),
        ("{distribution: q_log_uniform_values, min: 1, max: 64, q: 8}", 8, 0, 64),
        ("{distribution: q_log_normal, mu: 1, sigma: 1, q: 5}", 5, 0, math.inf),
        ("{distribution: q_beta, a: 2, b: 2, q: 0.25}", 0.25, 0, 1),
    ],
)
def test_what_is_rounded_is_a_multiple(parameter: str, q: float, low: float, high: float) -> None:
    for value in set(draws(parameter)):
        assert isinstance(value, type(q))
        assert value == pytest.approx(round(value / q) * q, abs=1e-12)
        assert low <= value <= high


def test_multiples_are_free_of_the_noise_of_their_last_digits() -> None:
    values = set(draws("{distribution: q_uniform, min: 0.0, max: 1.0, q: 0.1}"))
    assert values == {0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0}
    grid = distribution("{distribution: q_uniform, min: 0.0, max: 1.0, q: 0.1}").grid()
    assert grid is not None
    assert set(grid) == values


def test_integers_are_drawn_with_both_ends() -> None:
    assert set(draws("{min: 2, max: 5}")) == {2, 3, 4, 5}


def test_lists_are_drawn_by_their_probabilities() -> None:
    values = draws("{values: [a, b, c], probabilities: [0.7, 0.3, 0.0]}")
    assert values.count("a") / COUNT == pytest.approx(0.7, abs=0.03)
    assert values.count("c") == 0
    values = draws("{values: [a, b, c]}")
    assert all(values.count(value) / COUNT == pytest.approx(1 / 3, abs=0.03) for value in "abc")


def test_a_seed_repeats_what_was_drawn() -> None:
    parameter = "{distribution: log_normal, mu: 0, sigma: 1}"
    assert draws(parameter, 5) == draws(parameter, 5) != draws(parameter, 6)
