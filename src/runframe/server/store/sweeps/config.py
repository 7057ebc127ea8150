"""A sweep's config: YAML text, checked when it comes and read when it is needed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from runframe.server.errors import Refusal
from runframe.server.store.sweeps.bands import Hyperband, read_hyperband
from runframe.server.store.sweeps.parameters import read_space
from runframe.server.store.sweeps.space import Space

METHODS = ("grid", "random", "bayes")
_KEYS = (
    "name",
    "description",
    "program",
    "command",
    "method",
    "metric",
    "parameters",
    "early_terminate",
    "run_cap",
    "project",
    "entity",
    "controller",
    "scheduler",
    "job",
    "image_uri",
    "imports",
    "$schema",
)
_MOST_NODES = 1_000_000


@dataclass(frozen=True, slots=True)
class Metric:
    """What a sweep optimises.

    Attributes:
        name: a key of histories and summaries.
        maximize: whether more is better.
    """

    name: str
    maximize: bool


@dataclass(frozen=True, slots=True)
class SweepConfig:
    """A config, read.

    Attributes:
        method: how points are chosen.
        space: what is searched; None where a controller of the user's chooses.
        metric: what is optimised.
        early_terminate: which trials are stopped early.
        run_cap: after how many runs the sweep ends.
        program: what agents of the command line start.
        description: the config's own.
        warnings: a sentence for each thing that is passed over or read in another way than may be meant.
    """

    method: str
    space: Space | None
    metric: Metric | None
    early_terminate: Hyperband | None
    run_cap: int | None
    program: str | None
    description: str | None
    warnings: tuple[str, ...]

    @property
    def size(self) -> int | None:
        """How many runs the sweep has at its end; None for no end."""
        size = self.space.size if self.space is not None and self.method == "grid" else None
        caps = [number for number in (size, self.run_cap) if number is not None]
        return min(caps) if caps else None


class _Loader(yaml.SafeLoader):
    """Plain data; what looks like a date stays text, as JSON has no dates."""


_Loader.yaml_implicit_resolvers = {
    sign: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for sign, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@lru_cache(maxsize=64)
def read(text: str) -> SweepConfig:
    """The config in a YAML text.

    Raises:
        Refusal: it is none, or one that no sweep can run by; the message names what is wrong.
    """
    given = _mapping(text)
    warnings = [_unknown(key) for key in given if key not in _KEYS]
    own = _has_controller(given)
    method = given.get("method")
    if not own and method not in METHODS:
        raise Refusal(f"Invalid sweep config: 'method' is {method!r}, expected one of {', '.join(METHODS)}.")
    metric = _metric(given.get("metric"))
    if method == "bayes" and not own:
        if metric is None:
            raise Refusal("Invalid sweep config: the method 'bayes' needs a 'metric' with a 'name'.")
        warnings.append("this server has no model for the method 'bayes': it draws at random")
    space = None if own else read_space(given.get("parameters"), warnings)
    if space is not None and method == "grid":
        _check_countable(space)
    early = read_hyperband(given.get("early_terminate"), warnings)
    if early is not None and metric is None:
        raise Refusal("Invalid sweep config: 'early_terminate' needs a 'metric' with a 'name'.")
    program, description = given.get("program"), given.get("description")
    return SweepConfig(
        method=str(method) if method is not None else "custom",
        space=space,
        metric=metric,
        early_terminate=early,
        run_cap=_run_cap(given.get("run_cap")),
        program=program if isinstance(program, str) else None,
        description=description if isinstance(description, str) else None,
        warnings=tuple(warnings),
    )


def _mapping(text: str) -> dict[str, Any]:
    try:
        value = yaml.load(text, _Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Refusal(f"The sweep config is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(value, dict):
        raise Refusal(f"The sweep config is {type(value).__name__}, expected an object with 'method' and 'parameters'.")
    _check_extent(value)
    return value


def _check_extent(value: Any) -> None:
    """Refuse what YAML's aliases make of a short text: an object without end, or one of millions of values."""
    left, count = [value], 0
    while left:
        found = left.pop()
        count += 1
        if count > _MOST_NODES:
            raise Refusal(f"The sweep config has more than {_MOST_NODES:,} values.")
        if isinstance(found, dict):
            left.extend(found.values())
        elif isinstance(found, list):
            left.extend(found)
        elif not isinstance(found, str | int | float | None):
            raise Refusal(f"The sweep config holds {found!r}, which JSON cannot.")


def _unknown(key: Any) -> str:
    near = difflib.get_close_matches(str(key), _KEYS, 1)
    return f"the config has an unknown key {key!r}, which is passed over" + (f"; {near[0]!r} is known" if near else "")


def _has_controller(given: Mapping[str, Any]) -> bool:
    """Whether a program of the user's chooses the trials."""
    controller = given.get("controller")
    local = isinstance(controller, Mapping) and controller.get("type") == "local"
    return local or given.get("method") == "custom" or isinstance(given.get("scheduler"), Mapping)


def _metric(given: Any) -> Metric | None:
    if given is None:
        return None
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
        raise Refusal("Invalid sweep config: 'metric' must be an object with a 'name'.")
    goal = given.get("goal", "minimize")
    if goal not in ("minimize", "maximize"):
        raise Refusal(f"Invalid sweep config: the metric's 'goal' is {goal!r}, expected 'minimize' or 'maximize'.")
    return Metric(given["name"], goal == "maximize")


def _run_cap(given: Any) -> int | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise Refusal(f"Invalid sweep config: 'run_cap' is {given!r}, expected an integer from 1 on.")
    return given


def _check_countable(space: Space) -> None:
    endless = [".".join(leaf.path) for leaf in space.leaves if leaf.distribution.grid() is None]
    if endless:
        raise Refusal(
            f"Invalid sweep config: a grid cannot count {', '.join(map(repr, endless))}. "
            "Its parameters must be constant, categorical, int_uniform or q_uniform."
        )
