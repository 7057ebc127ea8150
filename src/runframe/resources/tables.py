"""The tables that a run logged: found by their key, read from the artifact, else from the run's file."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from runframe import extjson
from runframe.errors import FrameError, NotFoundError, UsageError
from runframe.frames.callers import user_level
from runframe.frames.frame import Frame
from runframe.frames.provenance import Provenance
from runframe.resources.artifacts.tables.joining import JoinedTables
from runframe.resources.artifacts.tables.table import JoinedTable, Tabular
from runframe.resources.config import parse_document
from runframe.resources.history.keys import Keys, leaves, names_of
from runframe.resources.history.pages import MISSING, RunHistory, value_at
from runframe.resources.history.reading import wanted_rows
from runframe.resources.history.tail import HistoryTail

if TYPE_CHECKING:
    from runframe.resources.client import Client
    from runframe.resources.run import Run
    from runframe.resources.runs import Runs

KINDS = frozenset(
    {"table-file", "incremental-table-file", "joined-table", "joined-table-file", "partitioned-table-file"}
)
"""The ``_type`` of a logged table."""

ARTIFACT, CLIENT = "wandb-artifact://", "wandb-client-artifact://"

Missing = Literal["warn", "error", "ignore"]


@dataclass(frozen=True)
class Logged:
    """A table as it was read.

    Attributes:
        columns: the columns' names.
        rows: rows of plain values.
        source: where it was.
        counted: how many rows it should have, where that is known.
    """

    columns: list[str]
    rows: list[list[Any]]
    source: str
    counted: int | None


def run_table(run: Run, key: str, step: int | None = None) -> Frame:
    """A table of one run as a frame; see `Run.table`."""
    from runframe.resources.artifacts.tables.framing import frame_of

    _check(key, step)
    value = _at_step(run.live_history, key, step) if step is not None else _newest(run, key)
    if value is MISSING:
        raise _no_table(run, key, step)
    found = read_logged(run, key, value)
    return frame_of(found.columns, found.rows, source=found.source, stored_rows=found.counted)


def runs_tables(runs: Runs, key: str, missing: Missing = "warn") -> Frame:
    """A table of each of many runs as one frame; see `Runs.tables`."""
    if missing not in ("warn", "error", "ignore"):
        raise UsageError(f"missing must be 'warn', 'error' or 'ignore', not {missing!r}")
    _check(key, None)
    joined = JoinedTables()
    without: list[str] = []
    counted: int | None = 0
    for run, summary in _summaries(runs):
        value = value_at(summary, key)
        if value is MISSING:
            without.append(run.id)
            continue
        found = read_logged(run, key, value)
        joined.add(run.id, found.columns, found.rows)
        counted = None if counted is None or found.counted is None else counted + found.counted
    _report(without, runs, key, missing)
    conflicts = joined.conflicts()
    said = Provenance(
        "complete", runs._source(), joined.rows, counted, f"tables({key!r})", conflicts=conflicts.num_rows
    )
    return Frame(joined.schema, joined.batches, said, conflicts, num_rows=joined.rows)


def read_logged(run: Run, key: str, value: Any) -> Logged:
    """Reads the table that a logged value leads to.

    Args:
        run: the run that logged it.
        key: its key, for messages.
        value: the value in the summary or the history.

    Raises:
        FrameError: the value is no table, or what it leads to is malformed.
        NotFoundError: neither its artifact nor its file is there.
        CommError: they could not be fetched.
    """
    if not _is_table(value):
        kind = value.get("_type", "an object") if isinstance(value, Mapping) else type(value).__name__
        raise FrameError(f"{key!r} of {run._place} is no table but {kind}", path=run._place)
    found = _from_artifact(run.client, value)
    if found is None:
        found = _from_file(run, key, value)
    rows = value.get("nrows")
    is_increment = value.get("_type") == "incremental-table-file"
    counted = rows if isinstance(rows, int) and not is_increment else found.counted
    columns = found.columns
    if len(set(columns)) < len(columns):
        repeated = next(name for name in columns if columns.count(name) > 1)
        raise FrameError(f"the table {key!r} of {run._place} has several columns {repeated!r}", path=found.source)
    return Logged(columns, found.rows, found.source, counted)


def _check(key: Any, step: Any) -> None:
    if not isinstance(key, str) or not key:
        raise UsageError(f"key must be the name of a table, not {key!r}")
    if step is not None and (isinstance(step, bool) or not isinstance(step, int)):
        raise UsageError(f"step must be a whole number or None, not {step!r}")


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("_type") in KINDS


def _from_artifact(client: Client, value: Mapping[str, Any]) -> Logged | None:
    """The table in the artifact that the value names; None where it names none, or that isn't there any more."""
    from runframe.resources.artifacts.digests import from_hex
    from runframe.resources.artifacts.finding import by_id

    uri = value.get("artifact_path")
    if not isinstance(uri, str):
        return None
    if uri.startswith(CLIENT):
        number, _, path = uri.removeprefix(CLIENT).partition("/")
        mapping = client.query("artifacts", "ClientIDMapping", {"clientID": number}).get("clientIDMapping")
        node_id = (mapping or {}).get("serverID")
    elif uri.startswith(ARTIFACT):
        number, _, path = uri.removeprefix(ARTIFACT).partition("/")
        node_id = from_hex(number)
    else:
        return None
    if not node_id:
        return None
    try:
        artifact = by_id(client, node_id)
        table = artifact.get(path)
    except NotFoundError:
        return None
    if table is None:
        return None
    if isinstance(table, JoinedTable) or not isinstance(table, Tabular):
        raise FrameError(f"{artifact.qualified_name}/{path} is no single table: Artifact.get gives it", path=path)
    return Logged(list(table.columns), table.data, table._source() or artifact.qualified_name, table._stored_rows())


def _from_file(run: Run, key: str, value: Mapping[str, Any]) -> Logged:
    """The table in the run's own file: at most 10,000 rows, times as text, media as the names of their kinds."""
    name = value.get("path")
    try:
        if not isinstance(name, str):
            raise NotFoundError("the logged value names none")
        content = run.client.read(run.file(name).url)
    except NotFoundError as error:
        raise NotFoundError(
            f"the table {key!r} of {run._place} has neither an artifact nor a file: {error.message}", path=run._place
        ) from error
    source = f"{run._place}/{name}"
    try:
        document = extjson.loads(content)
    except ValueError as error:
        raise FrameError(f"{source} is not JSON: {error}", path=source) from error
    columns = document.get("columns") if isinstance(document, dict) else None
    rows = document.get("data") if isinstance(document, dict) else None
    if not isinstance(columns, list) or not isinstance(rows, list):
        raise FrameError(f"{source} has no lists 'columns' and 'data'", path=source)
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(columns):
            raise FrameError(f"row {number} of {source} is no list of {len(columns)} cells", path=source)
    return Logged([str(column) for column in columns], rows, source, None)


def _newest(run: Run, key: str) -> Any:
    """What the summary holds under a key, else what was logged last."""
    value = value_at(run.summary_metrics, key)
    known = run.history_keys.get("keys") if isinstance(run.history_keys, Mapping) else None
    if value is MISSING and key in (known or ()):  # kept out of the summary
        return _at_step(run.live_history, key, None)
    return value


def _at_step(history: RunHistory, key: str, step: int | None) -> Any:
    """What was logged last under a key, up to a step; `MISSING` where nothing was."""
    keys = Keys([key])
    max_step = None if step is None else step + 1
    tail = HistoryTail(history, 1, lambda batch: wanted_rows(batch, keys), max_step=max_step)
    value: Any = MISSING
    for batch in tail:
        value = value_at(extjson.loads(batch.column("row").storage[batch.num_rows - 1].as_py()), key)
    return value


def _no_table(run: Run, key: str, step: int | None) -> NotFoundError:
    where = "" if step is None else f" up to step {step}"
    summary = run.summary_metrics
    tables = [name for path in leaves(summary) for name in names_of(path) if _is_table(value_at(summary, name))]
    tables = list(dict.fromkeys(tables))
    near = difflib.get_close_matches(key, tables, n=3) or tables[:10]
    hint = f"its tables are {', '.join(map(repr, near))}" if near else "it logged no table"
    return NotFoundError(f"{run._place} has no table {key!r}{where}: {hint}", path=run._place)


def _summaries(runs: Runs) -> Iterator[tuple[Run, Mapping[str, Any]]]:
    """The runs as listed, each with its summary, a page at a time."""
    from runframe.resources.run import Run

    for batch in runs.to_batches(["id", "summary"]):
        texts = batch.column("summary").storage.to_pylist()
        for run_id, text in zip(batch.column("id").to_pylist(), texts, strict=True):
            run = Run(runs.client, runs.entity, runs.project, run_id, {"name": run_id})
            yield run, parse_document(text, "summary")


def _report(without: list[str], runs: Runs, key: str, missing: Missing) -> None:
    if not without or missing == "ignore":
        return
    shown = ", ".join(without[:10]) + (f" and {len(without) - 10} more" if len(without) > 10 else "")
    many = f"{len(without)} runs have" if len(without) > 1 else "one run has"
    told = f"{runs._source()}: {many} no table {key!r}: {shown}"
    if missing == "error":
        raise NotFoundError(told, path=runs._source())
    warnings.warn(told, UserWarning, stacklevel=user_level())
