"""Complete histories as typed frames: wide or long, of one run or of many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from runframe.errors import UsageError
from runframe.frames.flatten import flatten
from runframe.frames.frame import Frame
from runframe.frames.melt import IDENTITY, AxisOf, X, melt
from runframe.frames.names import join_path, path_json, split_name
from runframe.frames.patterns import Pattern
from runframe.frames.schema import PATH
from runframe.frames.spool import Spool
from runframe.resources.config import parse_document, split_config
from runframe.resources.history.axes import STEP, MetricDefinitions
from runframe.resources.history.keys import RESERVED, Keys
from runframe.resources.history.live import HISTORY
from runframe.resources.history.pages import Extent, RunHistory
from runframe.resources.history.reading import Histories, Part, Range, last_rows, present, wanted_rows
from runframe.wire.pages import Connection

if TYPE_CHECKING:
    from runframe.resources.client import Client
    from runframe.resources.run import Run
    from runframe.resources.runs import Runs

Shape = Literal["wide", "long"]

AUTO = "auto"

MANY = 256
"""More columns than this are cheaper to choose after all keys have been flattened."""

MEMORY_BUDGET = 64 * 2**20

RUNS = Connection(("project", "runs"), total=("project", "runCount"))
RUNS_PAGE = 1000


def run_frame(
    run: Run,
    keys: Sequence[str] | Pattern | None,
    how: str,
    *,
    min_step: int | None,
    max_step: int | None,
    tail: int | None,
    shape: str,
    x: str | None,
) -> Frame:
    """The history of one run; see `Run.history_frame`."""
    range_ = checked_range(min_step, max_step, tail)

    def parts() -> Iterator[Part]:
        yield Part(run.live_history, None, run.metric_definitions if x == AUTO else MetricDefinitions())

    wanted = Keys(keys, how)
    query = _query(wanted, range_)
    open_ = _opener(parts, run.live_history.path, query, single=True)
    return _frame(open_, wanted, range_, checked_shape(shape), checked_x(x))


def runs_frame(
    runs: Runs,
    keys: Sequence[str] | Pattern | None,
    how: str,
    *,
    min_step: int | None,
    max_step: int | None,
    tail: int | None,
    shape: str,
    x: str | None,
) -> Frame:
    """The histories of many runs; see `Runs.histories_frame`."""
    range_ = checked_range(min_step, max_step, tail)

    def parts() -> Iterator[Part]:
        names = ("project", "entity", "order", "filters")
        variables: dict[str, Any] = {name: runs.variables.get(name) for name in names}
        variables["config"] = x == AUTO
        return listed(runs.client, variables)

    wanted = Keys(keys, how)
    query = " · ".join(filter(None, [runs._query(), _query(wanted, range_)]))
    open_ = _opener(parts, runs._source(), query, single=False)
    frame = _frame(open_, wanted, range_, checked_shape(shape), checked_x(x))
    frame._runs = runs  # what their configs say is read where it is asked for
    return frame


def listed(client: Client, variables: Mapping[str, Any]) -> Iterator[Part]:
    """The runs of a listing with what the server says of their histories, a thousand a request.

    Args:
        client: the connection.
        variables: project, entity, order, filters; and `config`, whether the metric definitions are needed.

    Raises:
        NotFoundError: there is no such project.
    """
    entity, project = variables["entity"], variables["project"]
    where = Connection(RUNS.path, total=RUNS.total, missing=f"Could not find project {entity}/{project}")
    known: dict[MetricDefinitions, MetricDefinitions] = {}
    for page in client.pages("history", "RunExtents", variables, where):
        for node in page.nodes:
            definitions = MetricDefinitions()
            if variables.get("config"):
                _, raw = split_config(parse_document(node.get("config"), "config"))
                definitions = MetricDefinitions.from_config(raw)
            extent = Extent.of_node(node)
            # A listing may leave out how far a history goes.
            asked = None if extent.last_step < 0 and extent.lines else extent
            history = RunHistory(client, entity, project, node["name"])
            yield Part(history, asked, known.setdefault(definitions, definitions))


def checked_range(min_step: Any, max_step: Any, tail: Any) -> Range:
    """The steps that are wanted.

    Raises:
        UsageError: a bound is no whole number, or `tail` is negative.
    """
    for name, value in (("min_step", min_step), ("max_step", max_step), ("tail", tail)):
        if value is not None and (isinstance(value, bool) or not hasattr(value, "__index__")):
            raise UsageError(f"{name} must be a whole number or None, not {value!r}")
    if tail is not None and tail < 0:
        raise UsageError(f"tail must be how many rows to give from the end, not {tail}")
    bounds = [None if value is None else value.__index__() for value in (min_step, max_step, tail)]
    return Range(bounds[0] or 0, bounds[1], bounds[2])


def checked_shape(shape: Any) -> Shape:
    """The shape.

    Raises:
        UsageError: there is no such shape.
    """
    if shape == "wide" or shape == "long":
        return shape  # type: ignore[no-any-return]
    raise UsageError(f"shape must be 'wide' (a column a metric) or 'long' (a row a value), not {shape!r}")


def checked_x(x: Any) -> str | None:
    """The x axis.

    Raises:
        UsageError: it is no name.
    """
    if x is None or (isinstance(x, str) and x):
        return x
    raise UsageError(f"x must be 'auto', the name of a metric, or None, not {x!r}")


def _opener(
    parts: Callable[[], Iterable[Part]], source: str | None, query: str, *, single: bool
) -> Callable[[Keys, Range], Histories]:
    def open_(keys: Keys, range_: Range) -> Histories:
        return Histories(parts, source or "", range_, keys, query=query, single=single)

    return open_


def _query(keys: Keys, range_: Range) -> str:
    asked = {"keys": keys.asked, "how": keys.how if keys.asked is not None else None, **vars(range_)}
    said = [
        f"{name}={value!r}" for name, value in asked.items() if value is not None and (name, value) != ("min_step", 0)
    ]
    return f"history({', '.join(said)})"


def _frame(open_: Callable[[Keys, Range], Histories], keys: Keys, range_: Range, shape: Shape, x: str | None) -> Frame:
    if keys.asked is None:
        histories = open_(keys, range_)
        wide = flatten(Frame(HISTORY.arrow, histories.batches, histories.provenance))
        metrics = [name for name in wide.columns if name not in IDENTITY]
        column_of: Callable[[str], str | None] = _column_in(wide)
        if x is not None and x != AUTO and column_of(x) is None:
            _warn_of_x(Keys([x]), wide, histories.source, range_.rows)
    else:
        late = keys.is_late
        histories = open_(keys, Range(range_.min_step, range_.max_step) if late else range_)
        spool = Spool(MEMORY_BUDGET)
        for batch in histories.batches():
            spool.append(batch)
        metrics, unknown = keys.columns()
        if range_.tail != 0:
            keys.warn_of(unknown, histories.source, range_.rows)
        metrics += [] if keys.is_pattern else unknown
        rows = _late(spool, keys, range_.tail) if late else spool
        column_of = keys.column_of
        wide = _chosen(rows, keys, histories, metrics, unknown, shape, x, tail=range_.tail is not None)
    if shape == "long":
        return melt(wide, metrics, _axes(x, histories, column_of), lambda: histories.provenance())
    return wide if x is None else _marked(wide, metrics, x, histories, column_of)


def _late(spool: Spool, keys: Keys, tail: int | None) -> Spool:
    """The rows that are wanted of the keys that match a pattern; of those the last ones."""
    exact = keys.exactly()
    chosen = Spool(MEMORY_BUDGET)
    for batch in spool:
        batch = wanted_rows(batch, exact)
        if batch.num_rows:
            chosen.append(batch)
    if tail is None:
        return chosen
    last = Spool(MEMORY_BUDGET)
    for batch in last_rows(chosen, tail):
        last.append(batch)
    return last


def _chosen(
    rows: Spool,
    keys: Keys,
    histories: Histories,
    metrics: list[str],
    unknown: list[str],
    shape: Shape,
    x: str | None,
    *,
    tail: bool,
) -> Frame:
    """The wide frame of chosen keys: with the columns that the shape and the x axes need as well."""
    also = [STEP]
    if shape == "long":
        also += [name for name in RESERVED if keys.column_of(name) is not None and name not in also]
    if x == AUTO:
        named = {definitions.x_axis(key) for definitions in histories.definitions.values() for key in metrics}
        also += [column for name in sorted(named) if (column := keys.column_of(name)) is not None]
    elif x is not None:
        column = keys.column_of(x)
        if column is None and x != STEP:
            keys.warn_of([x], histories.source)
        also += [] if column is None else [column]
    columns = list(dict.fromkeys(["run_id", *also, *metrics]))
    source = Frame(HISTORY.arrow, lambda: rows, histories.provenance)
    if len(columns) > MANY:
        return _selected(flatten(source), columns)
    nothing = {name: pa.null() for name in metrics if name in unknown}
    if keys.how == "all" or keys.is_late or tail:
        # Of the keys that were seen, the rows that are left may lack some.
        here = set(present(rows))
        nothing |= {name: pa.null() for name in columns[1:] if name != STEP and name not in here}
    return _selected(flatten(source, columns, nothing), columns)


def _selected(flat: Frame, columns: Sequence[str]) -> Frame:
    """The frame with just these columns, in this order; what it lacks is a column of nulls."""
    whole = flat.schema
    place = {name: index for index, name in enumerate(whole.names)}
    if list(place) == list(columns):
        return flat
    indices = [place.get(name, -1) for name in columns]
    fields = [
        whole.field(index) if index >= 0 else pa.field(name, pa.null(), metadata={PATH: path_json(split_name(name))})
        for name, index in zip(columns, indices, strict=True)
    ]
    schema = pa.schema(fields, metadata=whole.metadata)

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in flat.to_batches():
            arrays = [batch.column(index) if index >= 0 else pa.nulls(batch.num_rows) for index in indices]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    conflicts = flat.conflicts
    names = {*columns}
    kept = [row for row, name in enumerate(conflicts["column"].to_pylist()) if names.intersection(_starts(name))]
    conflicts = conflicts.take(pa.array(kept, pa.int64()))
    return Frame(schema, batches, lambda: _conflicting(flat, conflicts), conflicts, num_rows=flat.num_rows)


def _starts(name: str) -> Iterator[str]:
    """A column's name, and those of the structs that it may be a field of."""
    path = split_name(name)
    return (join_path(path[: length + 1]) for length in range(len(path)))


def _conflicting(flat: Frame, conflicts: Any) -> Any:
    said = flat.provenance
    return None if said is None else replace(said, conflicts=conflicts.num_rows)


def _axes(
    x: str | None, histories: Histories, column_of: Callable[[str], str | None]
) -> Callable[[str], AxisOf] | None:
    """Gives for a run's id the x axes of its metrics; None where none were asked for."""
    if x is None:
        return None
    if x != AUTO:
        column = (column_of(x) or x) if x != STEP else STEP
        return lambda run_id: lambda key: column

    of_definitions: dict[MetricDefinitions, AxisOf] = {}

    def axis_of(definitions: MetricDefinitions) -> AxisOf:
        names: dict[str, str] = {}

        def axis(key: str) -> str:
            if key not in names:
                name = definitions.x_axis(key)
                names[key] = name if name == STEP else column_of(name) or name
            return names[key]

        return axis

    def of_run(run_id: str) -> AxisOf:
        definitions = histories.definitions.get(run_id, MetricDefinitions())
        if definitions not in of_definitions:
            of_definitions[definitions] = axis_of(definitions)
        return of_definitions[definitions]

    return of_run


def _marked(
    wide: Frame, metrics: Sequence[str], x: str, histories: Histories, column_of: Callable[[str], str | None]
) -> Frame:
    """The wide frame whose metrics say in their metadata which column is their x axis; "" where runs disagree."""
    axes = _axes(x, histories, column_of)
    assert axes is not None
    of_runs = {id(axis_of): axis_of for axis_of in map(axes, histories.definitions)}.values()
    fields = {field.name: field for field in wide.schema}
    for name in metrics:
        named = {axis_of(name) for axis_of in of_runs}
        axis = (named.pop() if len(named) == 1 else None) or ""
        field = fields[name]
        fields[name] = field.with_metadata({**(field.metadata or {}), X: axis.encode()})
    schema = pa.schema(list(fields.values()), metadata=wide.schema.metadata)
    return Frame(schema, wide.to_batches, lambda: _provenance_of(wide), lambda: wide.conflicts, num_rows=wide.num_rows)


def _provenance_of(frame: Frame) -> Any:
    return frame.provenance


def _column_in(wide: Frame) -> Callable[[str], str | None]:
    """Finds the column of a key in a frame of all keys."""
    plain = {".".join(split_name(name)): name for name in reversed(wide.columns) if name != "run_id"}
    return lambda name: name if name in wide.columns and name != "run_id" else plain.get(name)


def _warn_of_x(keys: Keys, wide: Frame, source: str, rows: str) -> None:
    keys.note(split_name(name) for name in wide.columns if name != "run_id")
    keys.warn_of(keys.asked or (), source, rows)
