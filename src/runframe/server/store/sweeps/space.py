"""The space that a sweep searches: leaves with distributions, some inside nested parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from runframe.server.store.sweeps.distributions import Distribution


@dataclass(frozen=True, slots=True)
class Leaf:
    """One parameter.

    Attributes:
        path: its name, behind those of the parameters that it is nested in.
        distribution: its values.
    """

    path: tuple[str, ...]
    distribution: Distribution


@dataclass(frozen=True, slots=True)
class Space:
    """All parameters of a sweep, in the order of its config."""

    leaves: tuple[Leaf, ...]

    def draw(self, random: Random) -> dict[str, Any]:
        """A point drawn at random, as the arguments of a trial."""
        return self._arguments([leaf.distribution.draw(random) for leaf in self.leaves])

    @property
    def size(self) -> int | None:
        """How many points a grid over the space has; None where a parameter cannot be counted."""
        grids = [leaf.distribution.grid() for leaf in self.leaves]
        return None if None in grids else math.prod(len(grid) for grid in grids if grid is not None)

    def point(self, index: int) -> dict[str, Any]:
        """A point of the grid, as the arguments of a trial; the last parameter changes fastest.

        Raises:
            ValueError: a parameter cannot be counted.
        """
        values: list[Any] = []
        for leaf in reversed(self.leaves):
            grid = leaf.distribution.grid()
            if grid is None:
                raise ValueError(f"{'.'.join(leaf.path)} cannot be counted")
            index, place = divmod(index, len(grid))
            values.append(grid[place])
        return self._arguments(values[::-1])

    def _arguments(self, values: Sequence[Any]) -> dict[str, Any]:
        """Values as an agent gets them: ``{name: {"value": v}}``, nested parameters as an object in ``value``."""
        arguments: dict[str, Any] = {}
        for leaf, value in zip(self.leaves, values, strict=True):
            *above, name = ("value", *leaf.path[1:])
            place = arguments.setdefault(leaf.path[0], {})
            for step in above:
                place = place.setdefault(step, {})
            place[name] = value
        return arguments
