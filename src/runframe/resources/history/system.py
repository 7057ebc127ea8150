"""The machine's metrics of a run as a frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from runframe.errors import NotFoundError
from runframe.frames.batches import parse_time
from runframe.frames.flatten import flatten
from runframe.frames.frame import Frame
from runframe.frames.melt import melt
from runframe.frames.names import split_name
from runframe.frames.provenance import Provenance
from runframe.frames.schema import CATEGORY, JSON, Column, Schema
from runframe.resources.history.frames import checked_shape
from runframe.resources.history.pages import LIVE_STATES

if TYPE_CHECKING:
    from runframe.resources.run import Run

EVENTS = Schema(
    "system metrics",
    [
        Column("run_id", CATEGORY, "run_id", "Id of the run."),
        Column("row", JSON, "row", "One sample of the machine's metrics.", document="row"),
    ],
)

UNCOUNTED = 1_000_000
"""How many samples are asked for where the server does not say how many there are."""

ROOM = 100
"""How many more are asked for than were counted: a live run adds some meanwhile."""

MARK = "_wandb"
"""A key that the SDK puts into each sample; it says nothing."""


def system_frame(run: Run, shape: str) -> Frame:
    """The machine's metrics; see `Run.system_frame`."""
    chosen = checked_shape(shape)
    said: list[Provenance] = []

    def open_() -> Iterator[pa.RecordBatch]:
        texts, provenance = _read(run)
        said[:] = [provenance]
        run_ids = pa.DictionaryArray.from_arrays(
            pa.array([0] * len(texts), CATEGORY.index_type), pa.array([run.id], pa.string())
        )
        rows = pa.ExtensionArray.from_storage(JSON, pa.array(texts, JSON.storage_type))
        yield pa.RecordBatch.from_arrays([run_ids, rows], schema=EVENTS.arrow)

    def provenance() -> Provenance:
        return said[0] if said else Provenance("complete", source=run._place)

    wide = _named(flatten(Frame(EVENTS.arrow, open_, provenance)))
    return wide if chosen == "wide" else melt(wide)


def _read(run: Run) -> tuple[list[str], Provenance]:
    """All samples, and what the server says of them.

    Servers give a sample of the samples where there are more than asked for, so as many are asked for as they count.
    """
    place = {"entity": run.entity, "project": run.project, "name": run.id}
    found = (run.client.query("history", "RunEventCount", place).get("project") or {}).get("run")
    if found is None:
        raise NotFoundError(f"Could not find run {run._place}", path=run._place)
    counted = found.get("eventsLineCount")
    asked = UNCOUNTED if counted is None else counted + ROOM
    answer = run.client.query("history", "RunEvents", {**place, "samples": asked})
    texts = ((answer.get("project") or {}).get("run") or {}).get("events") or []
    enough = len(texts) < asked if counted is None else len(texts) >= counted
    completeness: Any = "sampled" if not enough else "live" if found.get("state") in LIVE_STATES else "complete"
    heard = found.get("heartbeatAt")
    return texts, Provenance(
        completeness,
        source=run._place,
        server_rows=counted,
        query="system metrics",
        watermark=parse_time(heard) if heard else None,
        rows_read=len(texts),
    )


def _named(flat: Frame) -> Frame:
    r"""The frame without the SDK's mark, its columns named as the metrics are: ``system.cpu``, not ``system\.cpu``.

    The metrics' own names have dots. Where two columns would have one name, both stay as they are.
    """
    kept = [(index, field) for index, field in enumerate(flat.schema) if field.name != MARK]
    plain = [".".join(split_name(field.name)) for _, field in kept]
    often = Counter(plain)
    fields = [
        field.with_name(name) if often[name] == 1 else field for (_, field), name in zip(kept, plain, strict=True)
    ]
    schema = pa.schema(fields, metadata=flat.schema.metadata)

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in flat.to_batches():
            yield pa.RecordBatch.from_arrays([batch.column(index) for index, _ in kept], schema=schema)

    return Frame(schema, batches, flat.provenance, lambda: flat.conflicts, num_rows=flat.num_rows)
