"""A scan as a polars lazy frame: what a query needs of it is what is asked for.

polars hands a source the columns, the filter and the number of rows that a query comes to. That interface is marked
unstable there; it is used here alone.

polars resolves the names of a query against a schema that it asks for first. A collection's own columns are known; what
lies in its JSON columns is not, and finding it out means reading it. So it is found out by need: where a query names
``config.lr``, and only then, this column is looked for, and the query runs again.
"""

from __future__ import annotations

import inspect
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import polars as pl
from polars.io.plugins import register_io_source
from polars.lazyframe.group_by import LazyGroupBy

from runframe.errors import UsageError
from runframe.frames.columns import leaf_path
from runframe.frames.engines.polars import frame_of
from runframe.frames.storage import plain_table

if TYPE_CHECKING:
    from runframe.frames.scan import Scan

_MISSING = re.compile(r'unable to find column "(.*?)"; valid columns', re.DOTALL)
_ESCAPED = re.compile(r"\\(?:u\{([0-9a-f]+)\}|(.))", re.DOTALL)
_SCAN = re.compile(r"PYTHON(?:\[\w+\])? SCAN")
_SLICED = re.compile(rf"^ *SLICE\[offset: (\d+), len: (\d+)\]\n *{_SCAN.pattern}", re.MULTILINE)
_SIGNS = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


class _Source:
    """What polars asks: a schema, then batches.

    Attributes:
        scan: the scan, as it was given.
        found: the flattened columns that the running query names beside the scan's own.
        typed: whether their types are wanted by now.
        head: how many of the rows that fit are enough for the running query, where that is known.
        running: whether the query is one that tells us when it ends.
        lock: held while such a query runs.
        failure: the error with which the schema could not be told.
    """

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        self.found: list[str] = []
        self.typed = False
        self.head: int | None = None
        self.running = False
        self.lock = threading.RLock()
        self.failure: Exception | None = None
        self._now: tuple[list[str], Scan] | None = None

    def schema(self) -> pl.Schema:
        """The schema by what is known now; columns whose types are not wanted yet have none."""
        if not self.running:
            self.forget()
        try:
            return self._schema()
        except Exception as error:
            self.failure = error  # polars keeps only its text
            raise

    def _schema(self) -> pl.Schema:
        if self.typed or not self.found:
            return pl.DataFrame(plain_table(self._current().schema.empty_table())).schema
        own = pl.DataFrame(plain_table(self.scan.declared.arrow.empty_table())).schema
        return pl.Schema({**own, **dict.fromkeys(self.found, pl.Null())})

    def read(
        self, with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        """The batches of a query. It means: the first rows, of these the ones that fit, of these the columns."""
        narrowed = self._current().narrowed(with_columns, predicate, n_rows)
        if self.head is not None and predicate is not None and n_rows is None:
            narrowed = narrowed.scan(limit=self.head)
        for batch in narrowed.frame().to_batches():
            yield frame_of(batch)

    def forget(self) -> None:
        """Ends a query: what it named, and the types that it found, are not the next one's."""
        self.found, self.typed, self.running, self._now = [], False, False, None
        self.head = None
        self.failure = None

    def _current(self) -> Scan:
        """The scan with the flattened columns that the running query names; it keeps the types that it finds."""
        if self._now is None or self._now[0] != self.found:
            self._now = (list(self.found), self.scan.wider(self.found) if self.found else self.scan.scan())
        return self._now[1]


class _Making:
    """How a lazy frame makes others of its class: they stand on the same sources."""

    def __get__(self, frame: ScanFrame | None, kind: type[ScanFrame]) -> Callable[[Any], ScanFrame]:
        def make(ldf: Any) -> ScanFrame:
            made = kind.__new__(kind)
            made._ldf = ldf
            made._sources = () if frame is None else frame._sources
            return made

        return make


class ScanFrame(pl.LazyFrame):
    """A lazy frame on a scan, or on several."""

    _sources: tuple[_Source, ...]
    _from_pyldf: Any = _Making()

    def collect(self, *args: Any, **options: Any) -> Any:
        """Runs the query."""

        def run() -> Any:
            if not args and not options:
                self._look_for_head()
            return pl.LazyFrame.collect(self, *args, **options)

        return self._resolved(run)

    def collect_schema(self) -> pl.Schema:
        """The schema that the query comes to."""
        found: pl.Schema = self._resolved(self._schema_now)
        return found

    def explain(self, *args: Any, **options: Any) -> str:
        """The plan of the query."""
        found: str = self._resolved(lambda: pl.LazyFrame.explain(self, *args, **options))
        return found

    def group_by(self, *args: Any, **options: Any) -> Any:
        """Groups of the rows; what is made of them is of this class again."""
        return _Groups(pl.LazyFrame.group_by(self, *args, **options), self)

    def join(self, other: pl.LazyFrame, *args: Any, **options: Any) -> Any:
        """The rows of two lazy frames side by side."""
        made: Any = pl.LazyFrame.join(self, other, *args, **options)
        made._sources = tuple(dict.fromkeys((*self._sources, *getattr(other, "_sources", ()))))
        return made

    def _schema_now(self) -> pl.Schema:
        """The schema by what is known now. A lazy frame keeps the schema that it found: a copy is asked."""
        return pl.LazyFrame.collect_schema(pl.LazyFrame.select(self, pl.all()))

    def _look_for_head(self) -> None:
        """Tells the source how many rows that fit are enough.

        polars hands a number of rows over only where there is no filter: with one, the slice stays above the scan. It
        is read off the plan, where nothing stands between the two and the plan has no other scan or slice.
        """
        if len(self._sources) != 1:
            return
        plan = pl.LazyFrame.explain(self)
        sliced = _SLICED.search(plan)
        if sliced and len(_SCAN.findall(plan)) == 1 and plan.count("SLICE[") == 1:
            self._sources[0].head = int(sliced[1]) + int(sliced[2])

    def _resolved(self, run: Callable[[], Any]) -> Any:
        """What a call gives, with the flattened columns that the query names."""
        with ExitStack() as held:
            for source in self._sources:
                held.enter_context(source.lock)
                held.callback(source.forget)
                source.running = True
            while True:
                try:
                    return run()
                except pl.exceptions.ColumnNotFoundError as error:
                    if not self._find(error):
                        raise
                except pl.exceptions.ComputeError as error:
                    failures = [source.failure for source in self._sources if source.failure is not None]
                    raise (failures or [error])[0] from None

    def _find(self, error: Exception | None) -> bool:
        """Takes in the columns that the query misses; False where that is not a matter of ours."""
        before = [list(source.found) for source in self._sources]
        tries: dict[str, int] = {}
        for source in self._sources:
            source.typed = False
        while error is not None:
            missing = _missing(error)
            if missing is None or not self._place(missing, tries):
                return False
            error = self._unresolved()
        for source in self._sources:
            source.typed = True
        return before != [source.found for source in self._sources]

    def _place(self, name: str, tries: dict[str, int]) -> bool:
        """Gives a missing column to a source, to each in turn and then to all; False when all was tried."""
        able = [source for source in self._sources if _is_leaf(name, source.scan)]
        turn = tries[name] = tries.get(name, -1) + 1
        if turn > len(able) - (len(able) == 1):
            return False
        for number, source in enumerate(able):
            wanted = turn in (number, len(able))
            source.found = [each for each in source.found if each != name] + [name] * wanted
        return bool(able)

    def _unresolved(self) -> Exception | None:
        """The error of a query that still misses a column, when types don't matter."""
        try:
            self._schema_now()
        except pl.exceptions.ColumnNotFoundError as error:
            return error
        except pl.exceptions.PolarsError:
            pass
        return None


class _Groups(LazyGroupBy):
    """Groups of a lazy frame on a scan."""

    def __init__(self, made: LazyGroupBy, frame: ScanFrame) -> None:
        super().__init__(made.lgb)
        self._frame = frame

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("_") or not callable(found):
            return found

        def call(*args: Any, **options: Any) -> Any:
            made = found(*args, **options)
            return self._frame._from_pyldf(made._ldf) if isinstance(made, pl.LazyFrame) else made

        return call


def _missing(error: Exception) -> str | None:
    """The column that a query misses, by the error's text, where it stands as Rust writes texts."""
    found = _MISSING.search(str(error))
    if found is None:
        return None
    return _ESCAPED.sub(lambda sign: chr(int(sign[1], 16)) if sign[1] else _SIGNS.get(sign[2], sign[2]), found[1])


def _is_leaf(name: str, scan: Scan) -> bool:
    try:
        leaf_path(name, scan.declared)
    except UsageError:
        return False
    return scan.is_open


def lazy(scan: Scan) -> pl.LazyFrame:
    """The scan as a lazy frame."""
    source = _Source(scan)
    wanted = {"is_pure": True, "explain_name": "runframe", "explain_detail": scan.source_text}
    known = inspect.signature(register_io_source).parameters  # older versions know fewer
    options: Any = {name: value for name, value in wanted.items() if name in known}
    made = register_io_source(source.read, schema=source.schema, **options)
    found: ScanFrame = ScanFrame._from_pyldf(made._ldf)
    found._sources = (source,)
    return found
