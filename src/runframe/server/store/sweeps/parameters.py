"""The ``parameters`` of a sweep's config, checked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runframe.server.errors import Refusal
from runframe.server.store.sweeps.distributions import (
    SHAPES,
    Categorical,
    Constant,
    Continuous,
    Distribution,
    IntUniform,
    Number,
)
from runframe.server.store.sweeps.space import Leaf, Space

_DEEPEST = 30
_BOUNDED = {"uniform", "log_uniform", "log_uniform_values", "inv_log_uniform", "inv_log_uniform_values"}
_POSITIVE = {"log_uniform_values", "inv_log_uniform_values"}
_DEFAULTS = {"normal": {"mu": 0.0, "sigma": 1.0}, "log_normal": {"mu": 0.0, "sigma": 1.0}}
_NAMES = {
    "constant",
    "categorical",
    "categorical_w_probabilities",
    "int_uniform",
    *SHAPES,
    *(f"q_{shape}" for shape in SHAPES),
}
_KEYS = {"value", "values", "probabilities", "distribution", "min", "max", "mu", "sigma", "q", "a", "b", "parameters"}


def read_space(parameters: Any, warnings: list[str]) -> Space:
    """The space of a config's ``parameters``.

    Args:
        parameters: the value of the key.
        warnings: gets a sentence for each thing that is passed over.

    Raises:
        Refusal: there are none, or one says nothing that can be drawn; the message names it.
    """
    if not isinstance(parameters, Mapping) or not parameters:
        raise Refusal("Invalid sweep config: 'parameters' must be an object with one parameter or more.")
    return Space(tuple(_leaves(parameters, (), warnings)))


def _leaves(parameters: Mapping[Any, Any], above: tuple[str, ...], warnings: list[str]) -> Iterator[Leaf]:
    if len(above) > _DEEPEST:
        raise Refusal("Invalid sweep config: 'parameters' are nested too deeply.")
    for name, definition in parameters.items():
        path = (*above, str(name))
        if not isinstance(definition, Mapping):
            raise Refusal(
                f"Invalid sweep config: parameter {'.'.join(path)!r} is {definition!r}, expected an object such as "
                "{'value': 1}, {'values': [1, 2]} or {'min': 0.0, 'max': 1.0}."
            )
        for key in definition.keys() - _KEYS:
            warnings.append(f"parameter {'.'.join(path)!r} has an unknown key {key!r}, which is passed over")
        if "parameters" in definition:
            nested = definition["parameters"]
            if not isinstance(nested, Mapping) or not nested:
                shown = ".".join(path)
                raise Refusal(f"Invalid sweep config: 'parameters' of {shown!r} must be an object that has some.")
            yield from _leaves(nested, path, warnings)
        else:
            yield Leaf(path, _Definition(".".join(path), definition).distribution())


@dataclass(frozen=True, slots=True)
class _Definition:
    """One parameter's definition."""

    name: str
    given: Mapping[str, Any]

    def distribution(self) -> Distribution:
        kind = self.given["distribution"] if "distribution" in self.given else self._guessed()
        if not isinstance(kind, str) or kind not in _NAMES:
            raise self._wrong(f"has the distribution {kind!r}, expected one of {', '.join(sorted(_NAMES))}")
        if kind == "constant":
            if "value" not in self.given:
                raise self._wrong("is constant and needs a 'value'")
            return Constant(self.given["value"])
        if kind in ("categorical", "categorical_w_probabilities"):
            return self._categorical(weighted=kind == "categorical_w_probabilities")
        if kind == "int_uniform":
            low, high = self._integer("min"), self._integer("max")
            return IntUniform(*self._ordered(low, high))
        return self._continuous(kind)

    def _guessed(self) -> str:
        """The distribution of a parameter that does not say."""
        if "values" in self.given:
            return "categorical_w_probabilities" if "probabilities" in self.given else "categorical"
        if "value" in self.given:
            return "constant"
        if "min" in self.given and "max" in self.given:
            whole = isinstance(self.given["min"], int) and isinstance(self.given["max"], int)
            return "int_uniform" if whole else "uniform"
        if "mu" in self.given or "sigma" in self.given:
            return "normal"
        raise self._wrong("says neither 'value', 'values', 'min' and 'max', nor a 'distribution'")

    def _categorical(self, *, weighted: bool) -> Categorical:
        values = self.given.get("values")
        if not isinstance(values, list) or not values:
            raise self._wrong("needs 'values', a list of one value or more")
        if not weighted and "probabilities" not in self.given:
            return Categorical(tuple(values))
        weights = self.given.get("probabilities")
        if not isinstance(weights, list) or len(weights) != len(values):
            raise self._wrong(f"needs 'probabilities', a list as long as its {len(values)} values")
        if not all(_is_number(weight) and weight >= 0 for weight in weights):
            raise self._wrong("has 'probabilities' that are no numbers from 0 on")
        if not math.isclose(sum(weights), 1, abs_tol=1e-6):
            raise self._wrong(f"has 'probabilities' with the sum {sum(weights)}, expected 1")
        return Categorical(tuple(values), tuple(map(float, weights)))

    def _continuous(self, kind: str) -> Continuous:
        rounded = kind.startswith("q_")
        shape = kind.removeprefix("q_")
        if shape in _BOUNDED:
            first, second = self._ordered(self._number("min"), self._number("max"))
            if shape in _POSITIVE and first <= 0:
                raise self._wrong(f"has 'min' {first}, expected a number above 0 for {kind}")
        elif shape == "beta":
            first, second = self._number("a"), self._number("b")
            if first <= 0 or second <= 0:
                raise self._wrong("needs 'a' and 'b' above 0")
        else:
            first, second = self._number("mu", _DEFAULTS[shape]), self._number("sigma", _DEFAULTS[shape])
            if second < 0:
                raise self._wrong(f"has 'sigma' {second}, expected a number from 0 on")
        if not rounded:
            return Continuous(shape, first, second)
        q = self._number("q", {"q": 1})
        if q <= 0:
            raise self._wrong(f"has 'q' {q}, expected a number above 0")
        return Continuous(shape, first, second, q)

    def _number(self, key: str, defaults: Mapping[str, Number] | None = None) -> Number:
        value = self.given.get(key, (defaults or {}).get(key))
        if not _is_number(value):
            hint = " (YAML reads 1e-3 as text; write 1.0e-3)" if isinstance(value, str) else ""
            raise self._wrong(f"has {key!r} {value!r}, expected a number{hint}")
        number: Number = value
        return number

    def _integer(self, key: str) -> int:
        value = self._number(key)
        if not isinstance(value, int) and not value.is_integer():
            raise self._wrong(f"has {key!r} {value!r}, expected an integer")
        return int(value)

    def _ordered(self, low: Any, high: Any) -> tuple[Any, Any]:
        if low > high:
            raise self._wrong(f"has 'min' {low} above 'max' {high}")
        return low, high

    def _wrong(self, what: str) -> Refusal:
        return Refusal(f"Invalid sweep config: parameter {self.name!r} {what}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
