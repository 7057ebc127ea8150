"""Tables as frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from runframe.errors import FrameError
from runframe.frames.frame import Frame
from runframe.frames.provenance import Provenance
from runframe.resources.artifacts.tables.arrow import Conflicts, array_of

BATCH_ROWS = 65_536


def frame_of(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], *, source: str | None, stored_rows: int | None
) -> Frame:
    """The frame of a table.

    Args:
        columns: the columns' names.
        rows: rows of plain values.
        source: where the table comes from.
        stored_rows: how many rows there should be, where that is known.

    Raises:
        FrameError: two columns have the same name.
    """
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise FrameError(f"the table has several columns {', '.join(map(repr, repeated))}", path=source)
    conflicts = Conflicts()
    arrays = [array_of(name, [row[index] for row in rows], conflicts) for index, name in enumerate(columns)]
    table = pa.Table.from_arrays(arrays, names=list(columns))
    provenance = Provenance(
        "complete", source=source, rows=len(rows), server_rows=stored_rows, conflicts=len(conflicts.rows)
    )
    return Frame(
        table.schema,
        lambda: table.to_batches(max_chunksize=BATCH_ROWS),
        provenance,
        conflicts.table,
        num_rows=len(rows),
    )
