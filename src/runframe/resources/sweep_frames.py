"""The runs of a sweep as a frame: what was tried, and what came of it, best first."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from runframe.frames.callers import user_level
from runframe.frames.flatten import flatten
from runframe.frames.frame import Frame
from runframe.frames.names import join_path, path_json, split_name
from runframe.frames.provenance import Provenance
from runframe.frames.schema import DOUBLE, MEANING, PATH
from runframe.resources.config import parse_document
from runframe.resources.history.pages import MISSING, value_at

if TYPE_CHECKING:
    from runframe.resources.sweeps import Sweep

FIRST = ("id", "name", "state", "created_at")
"""The columns of a run that stand first."""

METRIC = "runframe.metric"
"""What the metric's column is called until the config is flattened: no other column has this name."""

NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@dataclass(frozen=True)
class Target:
    """What a sweep is after.

    Attributes:
        name: the metric.
        maximize: whether the highest value is the best.
    """

    name: str
    maximize: bool

    @property
    def column(self) -> str:
        """The name of its column."""
        return join_path(self.path)

    @property
    def path(self) -> tuple[str, ...]:
        """The path of its column; a name with dots may lead into nested objects."""
        return ("summary", *split_name(self.name))

    def value_in(self, summary: Mapping[str, Any]) -> float | None:
        """The metric's number in a summary; null where there is none.

        Where `define_metric` had the summary keep several numbers, the best of the run is taken, else its last.
        """
        found = value_at(summary, self.name)
        if isinstance(found, Mapping):
            kinds = ("max" if self.maximize else "min", "best", "last")
            found = next((found[kind] for kind in kinds if kind in found), MISSING)
        found = NUMBERS.get(found, found) if isinstance(found, str) else found
        if isinstance(found, (int, float)):
            try:
                return float(found)
            except OverflowError:
                return None
        return None


def target_of(config: Mapping[str, Any]) -> Target | None:
    """What a sweep is after, by its config; None where it names no metric. Without a goal, the lowest is the best."""
    metric = config.get("metric")
    if not isinstance(metric, Mapping) or not metric.get("name"):
        return None
    return Target(str(metric["name"]), metric.get("goal", "minimize") == "maximize")


def parameters_of(config: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of a sweep's parameters in its runs' configs, nested ones too."""
    parameters = config.get("parameters")
    for name, spec in parameters.items() if isinstance(parameters, Mapping) else ():
        path = (*prefix, str(name))
        if isinstance(spec, Mapping) and isinstance(spec.get("parameters"), Mapping):
            yield from parameters_of(spec, path)
        else:
            yield path


def sweep_frame(sweep: Sweep) -> Frame:
    """The runs of a sweep; see `Sweep.frame`."""
    config = sweep.config
    target = target_of(config)
    if target is None:
        told = f"sweep {sweep._place} has no metric in its config: its runs stand in the order in which they were made"
        warnings.warn(told, UserWarning, stacklevel=user_level())
    flat = flatten(_source(sweep, target))
    table = flat.to_arrow()
    names = [*FIRST, *([METRIC] if target else []), *_parameter_columns(table.schema, list(parameters_of(config)))]
    fields, arrays = [], []
    for name in names:
        index = table.schema.get_field_index(name)
        known = index >= 0
        field = table.schema.field(index) if known else pa.field(name, pa.null(), metadata={PATH: _path_of(name)})
        fields.append(field if name != METRIC or target is None else _metric_field(target))
        arrays.append(table.column(index) if known else pa.nulls(table.num_rows))
    chosen = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    if target is not None:
        chosen = chosen.take(pa.array(_best_first(table.column(METRIC).to_pylist(), target), pa.int64()))
    return Frame(chosen.schema, chosen.to_batches, _said(flat, sweep, target), flat.conflicts, num_rows=chosen.num_rows)


def _source(sweep: Sweep, target: Target | None) -> Frame:
    """The runs' own columns and configs, and the metric as a number."""
    runs = sweep._runs()
    columns = [*FIRST, "config", "summary"]
    schema = runs.SCHEMA.select([*FIRST, "config"]).arrow.append(pa.field(METRIC, DOUBLE))
    whole = runs._table(columns)

    def open_() -> Iterator[Any]:
        for batch in whole.to_batches():
            texts = batch.column(len(columns) - 1).storage.to_pylist()
            values = [target.value_in(parse_document(text, "summary")) if target else None for text in texts]
            yield pa.RecordBatch.from_arrays([*batch.columns[:-1], pa.array(values, DOUBLE)], schema=schema)

    return Frame(schema, open_, lambda: whole.provenance or Provenance("complete"))


def _parameter_columns(schema: Any, parameters: list[tuple[str, ...]]) -> list[str]:
    """The columns of the parameters, in the sweep's order; all of the config where the sweep names none."""
    paths = {
        field.name: tuple(json.loads(field.metadata[PATH]))
        for field in schema
        if PATH in (field.metadata or {}) and json.loads(field.metadata[PATH])[0] == "config"
    }
    if not parameters:
        return list(paths)
    found: list[str] = []
    for parameter in parameters:
        whole = ("config", *parameter)
        columns = [name for name, path in paths.items() if path[: len(whole)] == whole]
        found += columns or [join_path(whole)]
    return list(dict.fromkeys(found))


def _path_of(name: str) -> bytes:
    return path_json(split_name(name))


def _metric_field(target: Target) -> Any:
    goal = "highest" if target.maximize else "lowest"
    metadata = {PATH: path_json(target.path), MEANING: f"The sweep's metric: the {goal} is the best.".encode()}
    return pa.field(target.column, DOUBLE, metadata=metadata)


def _best_first(values: list[float | None], target: Target) -> list[int]:
    """The rows in the order of the metric: the best first, then NaN, then those that have none."""

    def place(row: int) -> tuple[int, float]:
        value = values[row]
        if value is None:
            return 2, 0.0
        if math.isnan(value):
            return 1, 0.0
        return 0, -value if target.maximize else value

    return sorted(range(len(values)), key=place)


def _said(flat: Frame, sweep: Sweep, target: Target | None) -> Provenance | None:
    given = flat.provenance
    if given is None:
        return None
    order = "" if target is None else f", best first by {'-' if target.maximize else '+'}{target.name}"
    return replace(given, source=sweep._place, query=f"runs of the sweep{order}")
