"""Complete histories from the Parquet files that the server made of them, and from its live store where they end.

The server says which steps stand in no file (`liveData`); the smallest of them is the seam. What is logged after it is
read by pages; before it, the files are the history. No step comes twice, and none is lost: steps that the files hold
beyond the seam are merged with the live ones.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from runframe.errors import CommError, RunNotFoundError, ServerError
from runframe.frames.schema import CATEGORY, INT
from runframe.resources.history.live import HISTORY, HistoryBatches
from runframe.resources.history.pages import PAGE_SIZE, Extent, RunHistory, last_step_of
from runframe.resources.history.ranged import open_columns

STEP = "_step"

BATCH_ROWS = 2**16


@dataclass(frozen=True)
class Exports:
    """What the server says of the files that it made of a history.

    Attributes:
        urls: where they are: signed, for a while.
        seam: the first step that stands in no file; None where all of them do.
        extent: how far the history goes.
    """

    urls: list[str]
    seam: int | None
    extent: Extent


def find_exports(history: RunHistory) -> Exports:
    """Asks which files there are of a history; none where the server makes no such files.

    Raises:
        RunNotFoundError: the run isn't there.
        CommError: the server refused, or could not be reached.
    """
    variables = {
        "entity": history.entity, "project": history.project, "runName": history.run_id, "liveKeys": [STEP],
    }  # fmt: skip
    data = history.client.query("history", "RunExportedHistory", variables)
    run = (data.get("project") or {}).get("run")
    if run is None:
        message = f"Could not find run {history.path}: it was deleted, or never was."
        raise RunNotFoundError(message, path=history.path)
    return exports_of(run)


def exports_of(run: dict[str, Any]) -> Exports:
    """The exports that a run's node tells of."""
    extent = Extent(last_step_of(run.get("historyKeys")), run.get("historyLineCount"))
    found = run.get("parquetHistory") or {}
    live = [int(row[STEP]) for row in found.get("liveData") or [] if isinstance(row, dict) and STEP in row]
    return Exports(list(found.get("parquetUrls") or []), min(live, default=None), extent)


class ExportedBatches(Iterator[pa.RecordBatch]):
    """The rows of one run's history in step order, as batches of `run_id`, `step` and `row`.

    `row` is a struct with a field for each logged key in batches that come from a file, a null field being a key that
    was not logged; in batches of live rows it is extended JSON text, as in the schema `HISTORY`. `runframe.flatten`
    reads both, in any order, wrapped in a `TypedRows`.

    Args:
        history: of which run.
        exports: what the server said; None to ask when the first batch is wanted.
        keys: the top-level keys to read of the files, beside `_step`: only these travel. None for all. Live rows
            come whole.
        page_size: live rows asked for at once.
        files: the files, where they were fetched already.

    Attributes:
        path: the run's path.
        rows: the rows given so far.
        exports: what the server said.
    """

    def __init__(
        self,
        history: RunHistory,
        exports: Exports | None = None,
        *,
        keys: Sequence[str] | None = None,
        page_size: int = PAGE_SIZE,
        files: Sequence[Path] | None = None,
    ) -> None:
        self.path = history.path
        self.rows = 0
        self.exports = exports
        self._fetched = files
        self._history = history
        self._keys = None if keys is None else list(dict.fromkeys([STEP, *keys]))
        self._page_size = page_size
        self._batches = self._read()

    @property
    def extent(self) -> Extent | None:
        """How far the history went when it was asked for; None before."""
        return None if self.exports is None else self.exports.extent

    @property
    def server_rows(self) -> int | None:
        """The rows that the server counted before reading; None where it doesn't say."""
        return None if self.exports is None else self.exports.extent.lines

    def __next__(self) -> pa.RecordBatch:
        return next(self._batches)

    def close(self) -> None:
        """Stops reading and gives up what is under way."""
        self._batches.close()

    def sample(self) -> pa.RecordBatch | None:
        """A batch that stands for all of them, where the footers of the fetched files tell their types.

        It has for each column the least and the greatest integer, or any other value; see `runframe.frames.united`.
        """
        if self.exports is None or self.exports.seam is not None or not self._fetched or self._keys is not None:
            return None
        files = [self._opened(path) for path in self._fetched]
        values = [found for file in files if (found := _sample(file)) is not None]
        if len(values) != 1 or len(files) != 1:
            return None
        return self._batch(values[0])

    def _read(self) -> Generator[pa.RecordBatch, None, None]:
        if self.exports is None:
            self.exports = find_exports(self._history)
        with TemporaryDirectory(prefix="runframe-") as folder:
            for batch in self._all(self.exports, Path(folder)):
                if batch.num_rows:
                    self.rows += batch.num_rows
                    yield batch

    def _all(self, exports: Exports, folder: Path) -> Iterator[pa.RecordBatch]:
        if not exports.urls:
            yield from self._live(0, exports.extent)
            return
        files = self._files(exports, folder)
        beyond: list[pa.RecordBatch] = []
        for batch in _in_order(files, self._keys):
            steps = batch.column(0)
            if exports.seam is None:
                yield self._batch(batch)
                continue
            here = pc.less(steps, exports.seam)
            yield self._batch(batch.filter(here))
            beyond.append(batch.filter(pc.invert(here)))
        if exports.seam is not None:
            live = self._live(exports.seam, exports.extent)
            yield from _merged(live, [self._batch(batch) for batch in beyond if batch.num_rows])

    def _live(self, start: int, extent: Extent) -> HistoryBatches:
        return HistoryBatches(self._history, min_step=start, page_size=self._page_size, extent=extent)

    def _files(self, exports: Exports, folder: Path) -> list[pq.ParquetFile]:
        if self._fetched is not None:
            return [self._opened(path) for path in self._fetched]
        try:
            return [self._open(url, folder / f"{number}.parquet") for number, url in enumerate(exports.urls)]
        except ServerError as error:
            if error.status not in (400, 401, 403, 404, 410):
                raise
            # A signature that expired meanwhile: the server makes another.
            urls = find_exports(self._history).urls
            return [self._open(url, folder / f"again-{number}.parquet") for number, url in enumerate(urls)]

    def _open(self, url: str, target: Path) -> pq.ParquetFile:
        client = self._history.client
        if self._keys is not None:
            try:
                file = open_columns(lambda start, stop: client.read_range(url, start, stop), self._keys)
            except pa.ArrowInvalid as error:
                raise self._no_parquet(error) from error
            if file is not None:
                return file
        return self._opened(client.download(url, target))

    def _opened(self, path: Path) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(path, memory_map=True)
        except pa.ArrowInvalid as error:
            raise self._no_parquet(error) from error

    def _no_parquet(self, error: pa.ArrowInvalid) -> CommError:
        return CommError(f"an exported file of {self.path} is no Parquet: {error}", path=self.path)

    def _batch(self, columns: pa.RecordBatch) -> pa.RecordBatch:
        """The columns of a file as a batch of `run_id`, `step` and `row`."""
        count = columns.num_rows
        zeros = pa.repeat(pa.scalar(0, CATEGORY.index_type), count)
        run_ids = pa.DictionaryArray.from_arrays(zeros, pa.array([self._history.run_id], CATEGORY.value_type))
        rows = pa.StructArray.from_arrays(columns.columns, fields=list(columns.schema))
        return pa.RecordBatch.from_arrays([run_ids, columns.column(0), rows], names=list(HISTORY.names))


def exported_batches(history: RunHistory, extent: Extent) -> HistoryBatches | ExportedBatches:
    """The complete history of a run that has ended, from the server's exports where there are any: one request more.

    Raises:
        NotFoundError: the run isn't there.
        CommError: the server could not be asked; one that knows no exports is read by pages.
    """
    try:
        exports = find_exports(history)
    except ServerError:
        return HistoryBatches(history, extent=extent)
    return ExportedBatches(history, exports) if exports.urls else HistoryBatches(history, extent=extent)


def _in_order(files: Sequence[pq.ParquetFile], keys: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    """The rows of some files, steps ascending, each step once; `_step` comes first."""
    spans = [_span(file) for file in files]
    order = sorted(range(len(files)), key=lambda index: spans[index] or (-1, -1))
    known = [span for index in order if (span := spans[index]) is not None]
    apart = len(known) == len(files) and all(one[1] < two[0] for one, two in pairwise(known))
    if apart:
        for index in order:
            yield from _ascending(_batches(files[index], keys))
    else:
        yield from _ascending(batch for index in order for batch in _batches(files[index], keys))


def _batches(file: pq.ParquetFile, keys: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
    there = file.schema_arrow.names
    if STEP not in there:
        raise CommError(f"an exported history has no column {STEP!r}, but {', '.join(there[:5])}")
    names = [STEP, *(name for name in there if name != STEP and (keys is None or name in keys))]
    for batch in file.iter_batches(BATCH_ROWS, columns=names):
        steps = batch.column(batch.schema.get_field_index(STEP)).cast(INT)
        columns = [steps, *(batch.column(batch.schema.get_field_index(name)) for name in names[1:])]
        yield pa.RecordBatch.from_arrays(columns, names=names)


def _span(file: pq.ParquetFile) -> tuple[int, int] | None:
    """The first and the last step of a file, where its footer tells them."""
    metadata = file.metadata
    found = []
    for group in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(index)
            if chunk.path_in_schema == STEP:
                if chunk.statistics is None or not chunk.statistics.has_min_max:
                    return None
                found.append((int(chunk.statistics.min), int(chunk.statistics.max)))
    return (min(low for low, _ in found), max(high for _, high in found)) if found else None


def _sample(file: pq.ParquetFile) -> pa.RecordBatch | None:
    """Two rows that show of each column what its type comes to; None where the footer doesn't tell."""
    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    schema = file.schema_arrow
    if STEP not in schema.names or len(schema) != file.metadata.num_columns:
        return None
    columns = []
    for index, field in enumerate(schema):
        if pa.types.is_null(field.type):
            columns.append(pa.nulls(2))
            continue
        found = [group.column(index).statistics for group in groups]
        if any(each is None or not each.has_null_count for each in found):
            return None
        if pa.types.is_integer(field.type) and not all(each.has_min_max or not each.num_values for each in found):
            return None
        there = [each for each in found if each.num_values]
        values: list[Any] = [None, None]
        if there and pa.types.is_integer(field.type):
            values = [min(each.min for each in there), max(each.max for each in there)]
        elif there:
            values = [_ANY.get(field.type)] * 2
            if values[0] is None:
                return None
        columns.append(pa.array(values, field.type))
    names = [STEP, *(name for name in schema.names if name != STEP)]
    return pa.RecordBatch.from_arrays(columns, schema=schema).select(names)


_ANY = {pa.float64(): 0.5, pa.float32(): 0.5, pa.bool_(): True, pa.string(): "text", pa.large_string(): "text"}


def _ascending(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches with their rows in step order, each step once; held together only where they are not so."""
    last = -1
    for batch in batches:
        steps = batch.column(0)
        if not _ascends(steps, last):
            yield from _woven([batch, *batches], 0, after=last)
            return
        last = steps[-1].as_py() if len(steps) else last
        yield batch


def _ascends(steps: pa.Array, last: int) -> bool:
    if not len(steps):
        return True
    if steps.null_count or steps[0].as_py() <= last:
        return False
    return bool(pc.all(pc.greater(steps.slice(1), steps.slice(0, len(steps) - 1))).as_py() is not False)


def _merged(live: Iterator[pa.RecordBatch], exported: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Live batches, and between them the exported rows of steps that they lack, in step order."""
    waiting = exported
    for batch in live:
        if not waiting:
            yield batch
            continue
        last = batch.column(1)[-1].as_py()
        due = [each.filter(pc.less_equal(each.column(1), last)) for each in waiting]
        waiting = [rest for each in waiting if (rest := each.filter(pc.greater(each.column(1), last))).num_rows]
        yield from _woven([batch, *due], 1)
    yield from _woven(waiting, 1)


def _woven(batches: Sequence[pa.RecordBatch], column: int, *, after: int = -1) -> Iterator[pa.RecordBatch]:
    """The rows of some batches in step order, as slices of them; of rows with one step the one of the first batch."""
    rows = sorted(
        (step, which, at)
        for which, batch in enumerate(batches)
        for at, step in enumerate(_whole_steps(batch.column(column)))
        if step > after
    )
    first = [row for before, row in zip([None, *rows], rows, strict=False) if before is None or before[0] != row[0]]
    start = 0
    for position in range(1, len(first) + 1):
        ended = position == len(first)
        if ended or first[position][1:] != (first[position - 1][1], first[position - 1][2] + 1):
            _, which, at = first[start]
            yield batches[which].slice(at, position - start)
            start = position


def _whole_steps(steps: pa.Array) -> list[int]:
    if steps.null_count:
        raise CommError("an exported history has rows without a step")
    found: list[int] = steps.to_pylist()
    return found
