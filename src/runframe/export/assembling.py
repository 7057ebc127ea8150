"""The tables of a dataset as frames, from what was fetched: nothing is asked of a server here."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pyarrow as pa

from runframe.export.options import Options
from runframe.export.source import ORDER, Source
from runframe.export.state import State
from runframe.frames import Frame, Provenance, flatten
from runframe.frames.batches import parse_time, to_batch
from runframe.frames.schema import CATEGORY, MEANING, TIME, is_json
from runframe.resources.history.live import HISTORY
from runframe.resources.runs import Runs

_RUNS_AT_ONCE = 500

_DELETED = pa.field("deleted_at", TIME, metadata={MEANING: b"When it was found to be deleted on the server."})


def table_frame(name: str, state: State, source: Source, options: Options) -> Frame:
    """A table's frame; building it reads all that it is made of."""
    if name == "runs":
        return _runs_frame(state, source, options)
    return _history_frame(state, source, options)


def table_content(name: str, state: State, source: Source, options: Options) -> str:
    """What a table is made of, as a short text: equal texts mean equal tables."""
    return state.catalog.content_of_runs() if name == "runs" else state.catalog.content(name)


def _runs_frame(state: State, source: Source, options: Options) -> Frame:
    """The runs with their documents twice: as typed columns, and as the JSON text that the server holds."""
    listed = Runs.SCHEMA
    documents = [each for each in listed.arrow if is_json(each.type)]
    raw = [
        pa.field(f"raw_{each.name}", each.type, metadata={MEANING: b"As the server holds it."}) for each in documents
    ]
    schema = pa.schema([*listed.arrow, _DELETED, *raw])
    context = {"entity": source.entity, "project": source.project}

    def open_() -> Iterator[Any]:
        nodes = state.catalog.nodes()
        while some := list(islice(nodes, _RUNS_AT_ONCE)):
            path_of = lambda node: f"{source.path}/{node['name']}"  # noqa: E731
            batch = to_batch(listed, [node for node, _ in some], context, path_of=path_of)
            deleted = pa.array([None if moment is None else parse_time(moment) for _, moment in some], TIME)
            twice = [*batch.columns, deleted, *(batch.column(each.name) for each in documents)]
            yield pa.RecordBatch.from_arrays(twice, schema=schema)

    live = bool(state.catalog.live_names())
    provenance = Provenance("live" if live else "complete", source=source.path, query=ORDER)
    names = [each.name for each in documents]
    return flatten(Frame(schema, open_, provenance), documents=names, memory_budget=options.spool)


def _history_frame(state: State, source: Source, options: Options) -> Frame:
    """The rows of all histories, sorted by run and step, flattened to one schema."""
    entries = [entry for entry in state.catalog.entries("history") if entry.part is not None]
    counted = [entry.part.counted for entry in entries if entry.part is not None]

    def open_() -> Iterator[Any]:
        for entry in state.catalog.entries("history"):
            if entry.part is not None:
                for batch in state.read(entry.part):
                    yield _of_run(entry.run_id, batch)

    provenance = Provenance(
        "live" if any(entry.live for entry in entries) else "complete",
        source=source.path,
        server_rows=None if None in counted else sum(each for each in counted if each is not None),
    )
    return flatten(Frame(HISTORY.arrow, open_, provenance), memory_budget=options.spool)


def _of_run(run_id: str, batch: Any) -> Any:
    """A part's batch with its run's id."""
    zeros = pa.array([0], CATEGORY.index_type).take(pa.array([0] * batch.num_rows, pa.int8()))
    run_ids = pa.DictionaryArray.from_arrays(zeros, pa.array([run_id], CATEGORY.value_type))
    return pa.RecordBatch.from_arrays([run_ids, *batch.columns], schema=HISTORY.arrow)
