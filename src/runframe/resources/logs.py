"""What a run printed: its console, line by line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from runframe.errors import RunNotFoundError, UsageError
from runframe.frames.provenance import Provenance
from runframe.frames.schema import CATEGORY, INT, TEXT, TIME, Column, Schema
from runframe.resources.artifacts.notices import warn
from runframe.resources.client import Client
from runframe.resources.collection import Collection
from runframe.resources.errors import as_comm_error
from runframe.wire.pages import Connection

if TYPE_CHECKING:
    from runframe.frames.frame import Frame
    from runframe.resources.run import Run

LIVE_STATES = frozenset({"running", "pending", "preempting"})
NOTHING: dict[str, Any] = {"edges": [], "pageInfo": {"hasNextPage": False}}


@dataclass(frozen=True)
class ConsoleLogLine:
    """One line of a run's console.

    Attributes:
        number: its position, from 0.
        timestamp: when it was printed, in UTC; None where the server doesn't say.
        level: ``"error"`` for what went to stderr, else "".
        label: which process wrote it, where several write to one run; else "".
        content: its text; colours are kept as the escape sequences that they are.
    """

    number: int
    timestamp: dt.datetime | None
    level: str
    label: str
    content: str


def instant(text: str | None) -> dt.datetime | None:
    """The time that a line names; one without a zone is UTC. None for what is no time."""
    try:
        time = dt.datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time.astimezone(dt.UTC)


class ConsoleLogs(Collection[ConsoleLogLine]):
    """The console of a run, oldest line first.

    Lines that were read stay, so iterating again gives the same ones: ask `run.console_logs()` again for what was
    printed since. There is no `len()`; `length` asks the server how many lines there are.

    Args:
        client: the connection.
        run: the run.
        per_page: lines asked for at once when they are read as objects.
        last: only so many lines at the end, in one request; None for all lines.

    Attributes:
        run: the run.
        last: as given.
    """

    SCHEMA = Schema(
        "console_logs",
        [
            Column("run_id", CATEGORY, "run_id", "Id of the run."),
            Column("number", INT, "number", "The line's position, from 0."),
            Column("timestamp", TIME, "timestamp", "When it was printed.", convert=instant),
            Column("level", CATEGORY, "level", "`error` for what went to stderr, else empty."),
            Column("label", CATEGORY, "label", "Which process wrote it, where several write to one run."),
            Column("content", TEXT, "line", "Its text."),
        ],
    )
    CONNECTION = Connection(
        ("project", "run", "logLines"),
        cursor="end",
        total=("project", "run", "logLineCount"),
        key="number",
        size_variable="first",
        cursor_variable="after",
    )

    def __init__(self, client: Client, run: Run, per_page: int = 1000, last: int | None = None) -> None:
        self.run = run
        self.last = last
        variables = {"entity": run.entity, "project": run.project, "runName": run.id}
        super().__init__(client, variables if last is None else {**variables, "last": last}, per_page)

    def _operation(self, full: bool) -> tuple[str, str]:
        return "logs", "RunConsoleLogPage" if self.last is None else "RunConsoleLogTail"

    def _checked(self, data: dict[str, Any]) -> dict[str, Any]:
        run = (data.get("project") or {}).get("run")
        if run is None:
            raise RunNotFoundError(f"Could not find run {self.run!r}", path="/".join(self._place))
        found = run.get("logLines") or NOTHING
        edges = [edge for edge in found.get("edges") or [] if edge and edge.get("node")]
        lines, count = {**found, "edges": edges}, run.get("logLineCount")
        if self.last is not None:
            self._compare(len(edges), count)
            lines["pageInfo"] = {"hasNextPage": False}
        elif edges and count is not None and (lines.get("pageInfo") or {}).get("endCursor"):
            # Servers were seen to end a page early and to say that nothing follows.
            info, number = lines["pageInfo"], edges[-1]["node"].get("number")
            lines["pageInfo"] = {**info, "hasNextPage": info.get("hasNextPage") or (number or 0) + 1 < count}
        return {"project": {"run": {"logLineCount": count, "logLines": lines}}}

    def _compare(self, given: int, count: int | None) -> None:
        wanted = min(self.last or 0, given if count is None else count)
        if given < wanted:
            warn(
                f"the server gave the last {given} lines of {'/'.join(self._place)}, not {wanted}; "
                "run.console_logs() without last= reads all of them"
            )

    @as_comm_error
    def _load(self) -> bool:
        for name, value in (("per_page", self.per_page), ("last", self.last)):
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        return super()._load()

    def _object(self, node: dict[str, Any]) -> ConsoleLogLine:
        return ConsoleLogLine(
            number=node.get("number") or 0,
            timestamp=instant(node.get("timestamp")),
            level=node.get("level") or "",
            label=node.get("label") or "",
            content=node.get("line") or "",
        )

    def _context(self) -> dict[str, Any]:
        return {"run_id": self.run.id}

    def _path_of(self, node: Mapping[str, Any]) -> str:
        return f"line {node.get('number')} of {'/'.join(self._place)}"

    def _source(self) -> str:
        return "/".join(self._place)

    def _query(self) -> str | None:
        return None if self.last is None else f"last {self.last} lines"

    def _is_live(self, node: Mapping[str, Any]) -> bool:
        return self.run.state in LIVE_STATES

    @property
    def _place(self) -> tuple[str, str, str]:
        return self.run.entity, self.run.project, self.run.id

    def __repr__(self) -> str:
        return f"<ConsoleLogs {'/'.join(self._place)}>"


def console_frame(run: Run, tail: int | None) -> Frame:
    """The console of a run as a frame; see `Run.console_frame`."""
    from runframe.frames.frame import Frame

    if tail is not None and (isinstance(tail, bool) or not isinstance(tail, int) or tail < 0):
        raise UsageError(f"tail must be how many lines to give from the end, or None, not {tail!r}")
    logs = ConsoleLogs(run.client, run, last=tail or None)
    if tail is None:
        return logs._table(None)
    whole = logs._table(None)
    if not tail:
        return Frame(whole.schema, tuple, Provenance("complete", logs._source()), num_rows=0)

    def said() -> Provenance:
        given = whole.provenance or Provenance("complete", logs._source())
        counted = given.server_rows  # of all lines
        return replace(given, rows=None, server_rows=None if counted is None else min(counted, tail))

    return Frame(whole.schema, whole.to_batches, said)
