"""The tables of a dataset as frames, from what was fetched: nothing is asked of a server here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

import pyarrow as pa

from runframe.export.options import Options
from runframe.export.project_tables import OF_THE_PROJECT, PROJECT_TABLES, ProjectTable
from runframe.export.run_tables import EVENTS, ConsoleTable, FilesTable
from runframe.export.source import ORDER, Source
from runframe.export.state import State
from runframe.frames import Frame, Provenance, flatten
from runframe.frames.batches import parse_time, to_batch
from runframe.frames.melt import melt
from runframe.frames.schema import CATEGORY, MEANING, TIME, is_json
from runframe.frames.united import Part, sample_of, united
from runframe.resources.history.live import HISTORY
from runframe.resources.runs import Runs

CONTENTS = "file_contents"
"""The folder of the contents of files, in which each run has one of its own."""

_RUNS_AT_ONCE = 500
_AS_HELD = {MEANING: b"As the server holds it."}
_DELETED = pa.field("deleted_at", TIME, metadata={MEANING: b"When it was found to be deleted on the server."})


def table_frame(name: str, state: State, source: Source, options: Options) -> Frame:
    """A table's frame; building it reads all that it is made of."""
    if name == "runs":
        return _runs_frame(state, source, options)
    if name in PROJECT_TABLES:
        return _project_frame(PROJECT_TABLES[name], state, source, options)
    if name == "history":
        wide = _row_frame("history", HISTORY.arrow, state, source, options)
        return wide if options.layout == "wide" else _long(wide)
    if name == "system":
        return _plain_names(_row_frame("system", EVENTS.arrow, state, source, options))
    schema = ConsoleTable.schema if name == "console" else FilesTable.schema
    return Frame(schema, lambda: _listed(name, state), _provenance(name, state, source))


def table_content(name: str, state: State, options: Options) -> str:
    """What a table is made of, as a short text: equal texts mean equal tables."""
    if name == "runs":
        return state.catalog.content_of_runs()
    if name in PROJECT_TABLES:
        part = state.catalog.part(OF_THE_PROJECT, name)
        return "" if part is None else f"{part.rows} {part.digest}"
    layout = f"{options.layout} " if name == "history" else ""
    return layout + state.catalog.content(name)


def contents(state: State) -> Iterator[tuple[str, str]]:
    """The contents of files that were fetched: where each is kept, and where it is in the dataset."""
    for entry in state.catalog.entries("files"):
        for batch in () if entry.part is None else state.read(entry.part):
            for name, kept in zip(batch.column("name").to_pylist(), batch.column("content").to_pylist(), strict=True):
                if kept is not None:
                    yield kept, f"{CONTENTS}/{entry.run_id}/{name}"


def _runs_frame(state: State, source: Source, options: Options) -> Frame:
    """The runs with their documents twice: as typed columns, and as the JSON text that the server holds."""
    listed = Runs.SCHEMA
    documents = [each.name for each in listed.arrow if is_json(each.type)]
    schema, raw = _twice(pa.schema([*listed.arrow, _DELETED]), documents)
    context = {"entity": source.entity, "project": source.project}

    def path_of(node: Mapping[str, Any]) -> str:
        return f"{source.path}/{node['name']}"

    def open_() -> Iterator[Any]:
        nodes = state.catalog.nodes()
        while some := list(islice(nodes, _RUNS_AT_ONCE)):
            batch = to_batch(listed, [node for node, _ in some], context, path_of=path_of)
            deleted = pa.array([None if moment is None else parse_time(moment) for _, moment in some], TIME)
            yield pa.RecordBatch.from_arrays([*batch.columns, deleted, *map(batch.column, raw)], schema=schema)

    live = bool(state.catalog.live_names())
    provenance = Provenance("live" if live else "complete", source=source.path, query=ORDER)
    return flatten(Frame(schema, open_, provenance), documents=documents, memory_budget=options.spool)


def _project_frame(table: ProjectTable, state: State, source: Source, options: Options) -> Frame:
    """A table that was listed as a whole; some of its documents twice, as typed columns and as text."""
    schema, raw = _twice(table.schema, table.documents)
    part = state.catalog.part(OF_THE_PROJECT, table.name)

    def open_() -> Iterator[Any]:
        for batch in () if part is None else state.read(part):
            yield pa.RecordBatch.from_arrays([*batch.columns, *map(batch.column, raw)], schema=schema)

    frame = Frame(schema, open_, Provenance("complete", source=source.path))
    if not table.documents:
        return frame
    return flatten(frame, documents=table.documents, memory_budget=options.spool)


def _twice(schema: Any, documents: Any) -> tuple[Any, list[str]]:
    """The schema with the documents a second time, as `raw_…`; and their names."""
    raw = [pa.field(f"raw_{name}", schema.field(name).type, metadata=_AS_HELD) for name in documents]
    return pa.schema([*schema, *raw]), list(documents)


def _row_frame(name: str, schema: Any, state: State, source: Source, options: Options) -> Frame:
    """JSON rows of all runs, by run and in their order, flattened to one schema."""
    parts: list[Part] = []
    for entry in state.catalog.entries(name):
        if entry.part is not None:
            # Once one part has to be flattened all have: no need to look into the others.
            parts.append(_part(entry, schema, state, sampled=not parts or parts[-1].sample is not None))
    return united(schema, parts, _provenance(name, state, source), memory_budget=options.spool)


def _part(entry: Any, schema: Any, state: State, *, sampled: bool) -> Part:
    """One run's rows; where they are plain columns already, with a sample of them."""

    def open_() -> Iterator[Any]:
        for batch in state.read(entry.part):
            yield _of_run(entry.run_id, batch, schema)

    return Part(sample_of(open_()) if sampled else None, open_)


def _long(wide: Frame) -> Frame:
    """A history with a row a value; its provenance still tells whether all rows that were logged are in it."""

    def provenance() -> Provenance | None:
        of_wide = wide.provenance
        return None if of_wide is None else replace(of_wide, rows_read=of_wide.rows)

    return melt(wide, provenance=provenance)


def _listed(name: str, state: State) -> Iterator[Any]:
    """The rows of a table of fixed columns, by run and in their order."""
    for entry in state.catalog.entries(name):
        for batch in () if entry.part is None else state.read(entry.part):
            yield batch if name != "files" else _with_places(entry.run_id, batch)


def _with_places(run_id: str, batch: Any) -> Any:
    """The files of a run, with where their contents are in the dataset."""
    pairs = zip(batch.column("name").to_pylist(), batch.column("content").to_pylist(), strict=True)
    places = [None if kept is None else f"{CONTENTS}/{run_id}/{name}" for name, kept in pairs]
    return pa.RecordBatch.from_arrays([*batch.columns[:-1], pa.array(places, pa.string())], schema=batch.schema)


def _provenance(name: str, state: State, source: Source) -> Provenance:
    live, counts = False, []
    for entry in state.catalog.entries(name):
        if entry.part is not None:
            live = live or entry.live
            counts.append(entry.part.counted)
    known = [each for each in counts if each is not None]
    counted = sum(known) if len(known) == len(counts) else None
    return Provenance("live" if live else "complete", source=source.path, server_rows=counted)


def _of_run(run_id: str, batch: Any, schema: Any) -> Any:
    """A part's batch with its run's id."""
    zeros = pa.array([0], CATEGORY.index_type).take(pa.array([0] * batch.num_rows, pa.int8()))
    run_ids = pa.DictionaryArray.from_arrays(zeros, pa.array([run_id], CATEGORY.value_type))
    if pa.types.is_struct(batch.columns[-1].type):
        return pa.RecordBatch.from_arrays([run_ids, *batch.columns], names=schema.names)
    return pa.RecordBatch.from_arrays([run_ids, *batch.columns], schema=schema)


def _plain_names(frame: Frame) -> Frame:
    r"""System metrics without the mark that each line has, as they are called: ``system.cpu``, not ``system\.cpu``.

    Their keys hold dots and are never nested, so no name can be taken for another; where one could, all stay.
    """
    kept = [index for index, name in enumerate(frame.columns) if name != "_wandb"]
    names = [frame.columns[index].replace("\\.", ".") for index in kept]
    if len(set(names)) < len(names):
        names = [frame.columns[index] for index in kept]
    fields = [frame.schema.field(index).with_name(name) for index, name in zip(kept, names, strict=True)]
    schema = pa.schema(fields)

    def open_() -> Iterator[Any]:
        for batch in frame.to_batches():
            yield pa.RecordBatch.from_arrays([batch.column(index) for index in kept], schema=schema)

    return Frame(schema, open_, frame.provenance, frame.conflicts)
