r"""Which metric has which x axis: the calls of `define_metric`, as a run's config keeps them.

The SDK stores them under the reserved config entry ``_wandb``, as ``m``: a list of objects keyed by protobuf number.
``1`` is a name, ``2`` a pattern instead, ``5`` the step metric's place in the list (from 1; ``4`` its name, in older
runs), ``6`` flags (1 step_sync, 2 hidden, 3 defined), ``7`` summaries, ``8`` the goal. Names are written as columns
are named: dots lead into nested keys, and a dot that belongs to a key is ``\.``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

from runframe.frames.schema import BOOL, TEXT, TEXTS, Column, Schema

if TYPE_CHECKING:
    from runframe.frames.frame import Frame

STEP = "_step"
"""The x axis of a metric that was defined with no other."""

SUMMARIES = {1: "min", 2: "max", 3: "mean", 4: "best", 5: "last", 6: "none", 7: "copy", 8: "first"}
GOALS: dict[int, Literal["minimize", "maximize"]] = {1: "minimize", 2: "maximize"}

METRICS = Schema(
    "metrics",
    [
        Column("name", TEXT, "name", "Name of the metric, or the pattern of names."),
        Column("is_pattern", BOOL, "is_pattern", "Whether the name is a pattern, as in `val/*`."),
        Column("step_metric", TEXT, "step_metric", "The metric that is its x axis; null for `_step`."),
        Column("step_sync", BOOL, "step_sync", "Whether the SDK adds the step metric to rows that lack it."),
        Column("summary", TEXTS, "summary", "What the summary keeps: `min`, `max`, `mean`, `best`, `last`, …"),
        Column("goal", TEXT, "goal", "`minimize` or `maximize`; null where none was given."),
        Column("hidden", BOOL, "hidden", "Whether W&B's pages hide it."),
        Column("defined", BOOL, "defined", "Whether `define_metric` named it, and not only as another's step metric."),
    ],
)  # fmt: skip
"""The columns of `MetricDefinitions.frame`."""


@dataclass(frozen=True)
class MetricDefinition:
    """One metric, or pattern of metrics, that `define_metric` was called with.

    Attributes:
        name: the metric's name, or the pattern.
        is_pattern: whether it is a pattern, in which `*` stands for any text.
        step_metric: the metric that is its x axis; None for `_step`.
        step_sync: whether the SDK adds the step metric to rows that lack it.
        summary: what the summary keeps: some of min, max, mean, best, last, none, copy, first.
        goal: "minimize", "maximize" or None.
        hidden: whether W&B's pages hide it.
        defined: whether it was named in a call, and not only as another's step metric.
    """

    name: str
    is_pattern: bool = False
    step_metric: str | None = None
    step_sync: bool = False
    summary: tuple[str, ...] = ()
    goal: Literal["minimize", "maximize"] | None = None
    hidden: bool = False
    defined: bool = False

    def covers(self, key: str) -> bool:
        """Whether the definition is about this metric."""
        if not self.is_pattern:
            return self.name == key
        return fnmatchcase(key, self.name.replace("[", "[[]").replace("?", "[?]"))


class MetricDefinitions(Sequence[MetricDefinition]):
    """The metric definitions of a run, in the order in which the run's config has them."""

    def __init__(self, definitions: Sequence[MetricDefinition] = ()) -> None:
        self._definitions = tuple(definitions)
        self._named = {each.name: each for each in self._definitions if not each.is_pattern}
        patterns = [each for each in self._definitions if each.is_pattern]
        self._patterns = sorted(patterns, key=lambda each: -len(each.name))
        self._axes: dict[str, str] = {}

    @classmethod
    def from_config(cls, rawconfig: Mapping[str, Any]) -> MetricDefinitions:
        """The definitions in a run's raw config; none where there are none.

        What cannot be read as a definition is no definition.
        """
        internal = rawconfig.get("_wandb")
        entries = internal.get("m") if isinstance(internal, Mapping) else None
        entries = entries if isinstance(entries, list) else []
        return cls([found for entry in entries if (found := _definition(entry, entries)) is not None])

    def definition_of(self, key: str) -> MetricDefinition | None:
        """The definition that a metric has: its own, else that of the longest pattern that its name matches."""
        found = self._named.get(key)
        if found is not None and (found.defined or found.step_metric is not None):
            return found
        if key.startswith("_"):  # what the SDK itself puts into each row
            return found
        matching = (pattern for pattern in self._patterns if pattern.covers(key) and pattern.step_metric != key)
        return next(matching, found)

    def x_axis(self, key: str) -> str:
        """The name of the metric that is this one's x axis: ``"_step"`` where nothing else was defined."""
        axis = self._axes.get(key)
        if axis is None:
            definition = self.definition_of(key)
            axis = (definition.step_metric if definition is not None else None) or STEP
            self._axes[key] = axis
        return axis

    @property
    def axes(self) -> list[str]:
        """The step metrics that are named, each once."""
        return list(dict.fromkeys(each.step_metric for each in self._definitions if each.step_metric))

    def frame(self) -> Frame:
        """The definitions as a frame with the columns of `METRICS`."""
        from runframe.frames.batches import to_batch
        from runframe.frames.frame import Frame

        nodes = [{**vars(each), "summary": list(each.summary)} for each in self._definitions]
        return Frame.from_arrow(to_batch(METRICS, nodes))

    def __getitem__(self, index: Any) -> Any:
        return self._definitions[index]

    def __len__(self) -> int:
        return len(self._definitions)

    def __iter__(self) -> Iterator[MetricDefinition]:
        return iter(self._definitions)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MetricDefinitions) and self._definitions == other._definitions

    def __hash__(self) -> int:
        return hash(self._definitions)

    def __repr__(self) -> str:
        return f"<MetricDefinitions {', '.join(each.name for each in self._definitions) or 'none'}>"


def _definition(entry: Any, entries: Sequence[Any]) -> MetricDefinition | None:
    if not isinstance(entry, Mapping):
        return None
    name, pattern = entry.get("1"), entry.get("2")
    if not isinstance(name, str) and not isinstance(pattern, str):
        return None
    flags = _numbers(entry.get("6"))
    return MetricDefinition(
        name=name if isinstance(name, str) else str(pattern),
        is_pattern=not isinstance(name, str),
        step_metric=_step_metric(entry, entries),
        step_sync=1 in flags,
        summary=tuple(SUMMARIES[number] for number in sorted(_numbers(entry.get("7"))) if number in SUMMARIES),
        goal=GOALS.get(entry["8"]) if isinstance(entry.get("8"), int) else None,
        hidden=2 in flags,
        defined=3 in flags,
    )


def _step_metric(entry: Mapping[str, Any], entries: Sequence[Any]) -> str | None:
    named, place = entry.get("4"), entry.get("5")
    if isinstance(named, str) and named:
        return named
    if not isinstance(place, int) or not 1 <= place <= len(entries):
        return None
    found = entries[place - 1]
    name = found.get("1") if isinstance(found, Mapping) else None
    return name if isinstance(name, str) and name else None


def _numbers(value: Any) -> set[int]:
    return {number for number in value if isinstance(number, int)} if isinstance(value, list) else set()
