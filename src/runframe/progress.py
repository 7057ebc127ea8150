"""How far a long piece of work has come: a value, a callback that takes it, and one bar for people who watch.

Work is wrapped in `track`, which hands a `Progress` to a callback whenever something changes. What shows it is chosen
by the `progress` argument that long calls have: `None` finds out where we are (a bar on a terminal, one in a notebook,
nothing elsewhere), `False` is quiet, `True` a bar wherever standard error goes, and a function gets every change.
Nothing is ever written to standard output.
"""

from __future__ import annotations

import html
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

_REDRAW_SECONDS = 0.2  # a notebook's page is slower than a terminal


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of a piece of work at one moment.

    Attributes:
        description: what is being done.
        done: how much of it, in units.
        total: how much there is, where that is known.
        unit: what is counted, in the plural: `runs`, `rows`; `bytes` are shown as kB, MB, GB.
        elapsed: seconds since it began.
        rate: units a second so far; None before anything is done.
        eta: seconds left at this rate; None where the rate or the total is not known.
        finished: whether this is the last one.
    """

    description: str
    done: float = 0
    total: float | None = None
    unit: str = ""
    elapsed: float = 0.0
    rate: float | None = None
    eta: float | None = None
    finished: bool = False

    def __str__(self) -> str:
        """The counts as people read them: `12/40 runs · 3.2 runs/s · 0:00:09 left`."""
        count = _amount(self.done, self.unit)
        if self.total is not None:
            count = f"{count}/{_amount(self.total, self.unit)}"
        parts = [count if self.unit == "bytes" else f"{count} {self.unit}".rstrip()]
        if self.rate is not None:
            unit = "" if self.unit == "bytes" else f" {self.unit}"
            parts.append(f"{_amount(self.rate, self.unit)}{unit}/s")
        if self.finished:
            parts.append(_duration(self.elapsed))
        elif self.eta is not None:
            parts.append(f"{_duration(self.eta)} left")
        return " · ".join(parts)


Report = Callable[[Progress], object]
"""What is told of each change."""


class Task:
    """A piece of work under way; threads may share it. `track` makes one.

    Args:
        description: what is being done.
        total: how much there is, where that is known.
        unit: what is counted, in the plural.
        done: how much was done before, which the rate does not count.
        report: what is told of each change.
        clock: the seconds' source.
    """

    def __init__(
        self,
        description: str,
        total: float | None = None,
        unit: str = "",
        done: float = 0,
        *,
        report: Report,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lock = threading.Lock()
        self._report = report
        self._clock = clock
        self._began = clock()
        self._before = done
        self._state = Progress(description, done, total, unit)
        report(self._state)

    @property
    def state(self) -> Progress:
        """The last reported state."""
        return self._state

    def advance(self, amount: float = 1) -> None:
        """Add to what is done."""
        with self._lock:
            self._change(done=self._state.done + amount)

    def update(self, *, done: float | None = None, total: float | None = None, description: str | None = None) -> None:
        """Set what is given and keep the rest."""
        with self._lock:
            self._change(done, total, description)

    def finish(self) -> None:
        """Report the last state."""
        with self._lock:
            self._change(finished=True)

    def _change(
        self,
        done: float | None = None,
        total: float | None = None,
        description: str | None = None,
        finished: bool = False,
    ) -> None:
        old = self._state
        done = old.done if done is None else done
        total = old.total if total is None else total
        elapsed = self._clock() - self._began
        moved = done - self._before
        rate = moved / elapsed if elapsed > 0 and moved > 0 else None
        eta = max(total - done, 0) / rate if rate is not None and total is not None else None
        described = old.description if description is None else description
        self._state = Progress(described, done, total, old.unit, elapsed, rate, eta, finished)
        self._report(self._state)


@contextmanager
def track(
    description: str,
    total: float | None = None,
    unit: str = "",
    done: float = 0,
    *,
    progress: bool | Report | None = None,
) -> Iterator[Task]:
    """A piece of work for the block's time; what shows it goes away cleanly also when the block raises.

    Args:
        description: what is being done.
        total: how much there is, where that is known; `Task.update` can set it later.
        unit: what is counted, in the plural.
        done: how much was done before, as when an export resumes.
        progress: who is shown it; see the module.
    """
    with _shown(progress) as report:
        task = Task(description, total, unit, done, report=report)
        yield task
        task.finish()


def quiet(progress: Progress) -> None:
    """The report that shows nothing."""


def _shown(progress: bool | Report | None) -> AbstractContextManager[Report]:
    """Where progress goes, for the block's time."""
    if callable(progress):
        return _kept(progress)
    if progress is None:
        if notebook_shell() is not None:
            return _kept(_NotebookBar())
        progress = sys.stderr is not None and sys.stderr.isatty()
    return _terminal_bar() if progress else _kept(quiet)


@contextmanager
def _kept(report: Report) -> Iterator[Report]:
    yield report


@contextmanager
def _terminal_bar() -> Iterator[Report]:
    """A bar on standard error. Rich draws it from a thread of its own and restores the cursor at the end."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[counts]}", markup=False),
    )
    with RichProgress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=None, counts="")

        def report(progress: Progress) -> None:
            total = progress.total
            if progress.finished and total is None:
                total = progress.done
            bar.update(
                task,
                description=progress.description,
                completed=progress.done,
                total=total,
                counts=str(progress),
            )

        yield report


def notebook_shell() -> Any:
    """The IPython shell of the Jupyter kernel that runs us; None elsewhere. IPython is not loaded to find out."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return shell if hasattr(shell, "kernel") else None


class _NotebookBar:
    """A bar in the cell's output."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._drawn = 0.0

    def __call__(self, progress: Progress) -> None:
        from IPython import display

        picture = _Picture(progress)
        if self._handle is None:
            self._handle = display.display(picture, display_id=True)  # type: ignore[no-untyped-call]
        elif progress.finished or progress.elapsed - self._drawn >= _REDRAW_SECONDS:
            self._handle.update(picture)
        else:
            return
        self._drawn = progress.elapsed


@dataclass(frozen=True, slots=True)
class _Picture:
    """A state as notebooks show it."""

    progress: Progress

    def __repr__(self) -> str:
        return f"{self.progress.description}  {self.progress}"

    def _repr_html_(self) -> str:
        state = self.progress
        total = state.done if state.finished and state.total is None else state.total
        place = "" if total is None else f' value="{state.done:g}" max="{total:g}"'
        return f"{html.escape(state.description)} <progress{place}></progress> {html.escape(str(state))}"


def _amount(value: float, unit: str) -> str:
    if unit == "bytes":
        for name in ("B", "kB", "MB", "GB"):
            if value < 1000:
                return f"{value:.3g} {name}"
            value /= 1000
        return f"{value:,.3g} TB"
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:.2g}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
