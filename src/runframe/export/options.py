"""What is asked of an export."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from runframe.errors import UsageError

TABLES = ("runs", "history", "system", "console", "artifacts", "files", "sweeps", "reports", "projects")
"""The tables that there are."""

DEFAULT_TABLES = ("runs", "history")

Layout = Literal["wide", "long"]

MEMORY = 512 * 10**6
"""Bytes that an export may use unless told otherwise."""

OVERLAP = timedelta(minutes=10)

_LEAST_MEMORY = 64 * 10**6
_SIZE = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*([kmgt]?)(i?)b?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Options:
    """What is asked of an export.

    Attributes:
        tables: the tables to write, in the order of `TABLES`.
        layout: "wide" for a history with a column a metric, "long" for one with a row a value.
        files: the files of runs whose content is fetched: names, with ``*`` for any text.
        memory: how many bytes it may use for what it holds.
        overlap: how far back before the last sign of any run changes are looked for.
        compare_all: list every run again and compare it with what is known, instead of trusting the times.
        workers: how many runs are read at once.
    """

    tables: tuple[str, ...] = DEFAULT_TABLES
    layout: Layout = "wide"
    files: tuple[str, ...] = ()
    memory: int = MEMORY
    overlap: timedelta = OVERLAP
    compare_all: bool = False
    workers: int = 8

    @classmethod
    def of(
        cls,
        *,
        tables: Iterable[str] | str | None = None,
        layout: str = "wide",
        files: Iterable[str] | str = (),
        memory: int | str | None = None,
        compare_all: bool = False,
    ) -> Options:
        """Options from what people write.

        Args:
            tables: names of tables, as a list or with commas between them; "all" for all; None for the default ones.
            layout: "wide" or "long".
            files: names or patterns of files whose content is fetched, as a list or with commas between them; the
                table of files is written then, whatever tables are asked for.
            memory: bytes, or text such as ``512MB``.
            compare_all: see `Options`.

        Raises:
            UsageError: there is no such table or layout, or the size is malformed or too small.
        """
        budget = MEMORY if memory is None else size_in_bytes(memory)
        if budget < _LEAST_MEMORY:
            raise UsageError(f"memory is {memory}; an export needs at least {_LEAST_MEMORY // 10**6} MB")
        if layout not in ("wide", "long"):
            raise UsageError(f"layout must be 'wide' (a column a metric) or 'long' (a row a value), not {layout!r}")
        patterns = tuple(sorted({each.strip() for each in _listed(files)} - {""}))
        chosen = chosen_tables(tables)
        if patterns:
            chosen = tuple(name for name in TABLES if name in {*chosen, "files"})
        workers = max(1, min(cls.workers, budget // (4 * 2**23)))
        shape: Layout = "wide" if layout == "wide" else "long"
        return cls(chosen, shape, patterns, budget, compare_all=compare_all, workers=workers)

    @property
    def spool(self) -> int:
        """How many bytes of a table are kept in memory while its types are found out; the rest goes to disk."""
        return self.memory // 8


def chosen_tables(asked: Iterable[str] | str | None) -> tuple[str, ...]:
    """The tables that are asked for, in the order of `TABLES`.

    Raises:
        UsageError: there is no such table, or none is asked for.
    """
    if asked is None:
        return DEFAULT_TABLES
    names = [name.strip() for name in _listed(asked)]
    if names == ["all"]:
        return TABLES
    for name in names:
        if name not in TABLES:
            near = difflib.get_close_matches(name, TABLES, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(TABLES)}, or 'all'"
            raise UsageError(f"there is no table {name!r}: {hint}")
    if not names:
        raise UsageError(f"no table is asked for; there are {', '.join(TABLES)}")
    return tuple(name for name in TABLES if name in names)


def _listed(asked: Iterable[str] | str) -> list[str]:
    return asked.split(",") if isinstance(asked, str) else list(asked)


def size_in_bytes(size: int | str) -> int:
    """A size in bytes: a number of bytes, or text such as ``512MB``, ``2 GiB`` or ``1.5g``.

    Raises:
        UsageError: it is no size.
    """
    found = _SIZE.fullmatch(str(size)) if not isinstance(size, bool) else None
    if found is None:
        raise UsageError(f"{size!r} is no size in bytes; write 536870912, 512MB or 2GiB")
    number, prefix, binary = found.groups()
    power = " kmgt".index(prefix.lower() or " ")
    return int(float(number) * (1024 if binary else 1000) ** power)
