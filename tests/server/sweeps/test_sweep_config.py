"""What a sweep's config may say, and what it is told when it may not."""

from __future__ import annotations

from typing import Any

import pytest

from runframe.server.errors import Refusal
from runframe.server.store.sweeps.config import read

ONE = "parameters: {a: {value: 1}}"


def message(text: str) -> str:
    with pytest.raises(Refusal) as refusal:
        read(text)
    return refusal.value.message


@pytest.mark.parametrize(
    ("parameter", "point"),
    [
        ("{value: 7}", 7),
        ("{values: [x]}", "x"),
        ("{values: [x], probabilities: [1]}", "x"),
        ("{min: 3, max: 3}", 3),
        ("{min: 3.0, max: 3.0}", 3.0),
        ("{mu: 5, sigma: 0}", 5.0),
        ("{distribution: q_uniform, min: 7.0, max: 7.0, q: 5}", 5),
        ("{parameters: {b: {value: 1}, c: {parameters: {d: {value: null}}}}}", {"b": 1, "c": {"d": None}}),
        ("{value: 2020-01-01}", "2020-01-01"),
    ],
)
def test_a_parameter_is_read(parameter: str, point: Any) -> None:
    from random import Random

    space = read(f"method: random\nparameters: {{a: {parameter}}}").space
    assert space is not None
    assert space.draw(Random(0)) == {"a": {"value": point}}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a: [", "not YAML"),
        ("- 1", "is list, expected an object"),
        ("&a [*a]", "expected an object"),
        ("&a {b: *a}", "more than 1,000,000 values"),
        (ONE, "'method' is None"),
        (f"method: simulated\n{ONE}", "'method' is 'simulated', expected one of grid, random, bayes"),
        ("method: grid", "'parameters' must be an object"),
        ("method: grid\nparameters: {}", "'parameters' must be an object"),
        ("method: grid\nparameters: {a: 1}", "parameter 'a' is 1, expected an object"),
        ("method: grid\nparameters: {a: {}}", "parameter 'a' says neither"),
        ("method: grid\nparameters: {a: {values: []}}", "'a' needs 'values'"),
        ("method: grid\nparameters: {a: {parameters: {b: {}}}}", "parameter 'a.b' says neither"),
        ("method: grid\nparameters: {a: {min: 0.0, max: 1.0}, b: {value: 1}}", "a grid cannot count 'a'"),
        ("method: random\nparameters: {a: {min: 2, max: 1}}", "'min' 2 above 'max' 1"),
        ("method: random\nparameters: {a: {min: 1e-3, max: 1.0}}", "YAML reads 1e-3 as text"),
        ("method: random\nparameters: {a: {distribution: cauchy}}", "the distribution 'cauchy', expected one of beta"),
        ("method: random\nparameters: {a: {values: [1, 2], probabilities: [1]}}", "a list as long as its 2 values"),
        ("method: random\nparameters: {a: {values: [1, 2], probabilities: [0.5, 0.6]}}", "the sum 1.1, expected 1"),
        (
            "method: random\nparameters: {a: {distribution: log_uniform_values, min: 0, max: 1}}",
            "expected a number above",
        ),
        ("method: random\nparameters: {a: {distribution: q_normal, q: 0}}", "'q' 0, expected a number above 0"),
        ("method: random\nparameters: {a: {distribution: int_uniform, min: 0.5, max: 2}}", "expected an integer"),
        (f"method: bayes\n{ONE}", "'bayes' needs a 'metric'"),
        (f"method: random\nmetric: {{name: x, goal: best}}\n{ONE}", "'goal' is 'best'"),
        (f"method: random\nrun_cap: 0\n{ONE}", "'run_cap' is 0"),
        (
            f"method: random\nearly_terminate: {{type: hyperband, min_iter: 3}}\n{ONE}",
            "'early_terminate' needs a 'metric'",
        ),
        (f"method: random\nmetric: {{name: x}}\nearly_terminate: {{type: hyperband}}\n{ONE}", "needs 'min_iter', or"),
    ],
)
def test_a_config_that_no_sweep_can_run_by_is_refused(text: str, part: str) -> None:
    assert part in message(text)


def test_what_is_passed_over_is_said() -> None:
    warnings = read(
        "method: bayes\nmetric: {name: x}\nparamters: 1\nearly_terminate: {type: other}\n"
        "parameters: {a: {value: 1, valeus: 2}}"
    ).warnings
    assert any("'paramters'" in text and "'parameters' is known" in text for text in warnings)
    assert any("'valeus'" in text for text in warnings)
    assert any("'other'" in text for text in warnings)
    assert any("draws at random" in text for text in warnings)
    assert read(f"method: grid\nprogram: train.py\ncommand: [a]\nname: n\n{ONE}").warnings == ()


def test_how_many_runs_are_expected() -> None:
    grid = "method: grid\nparameters: {a: {values: [1, 1, 1.0, true, '1']}, b: {min: 1, max: 10}}"
    assert read(grid).size == 4 * 10
    assert read(f"run_cap: 7\n{grid}").size == 7
    assert read("method: random\nparameters: {a: {values: [1, 2]}}").size is None
    assert read("method: random\nrun_cap: 3\nparameters: {a: {values: [1, 2]}}").size == 3
    assert read("method: grid\nparameters: {a: {min: 1, max: 1000000000000}}").size == 10**12
