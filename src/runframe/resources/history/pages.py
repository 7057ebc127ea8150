"""Pages of a history: what is asked, what comes back, and when it is whole."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import orjson

from runframe import extjson
from runframe.errors import CommError, RunNotFoundError, ServerError
from runframe.resources.client import Client
from runframe.resources.history.windows import Plan, Window
from runframe.wire.pages import is_too_slow

IN_FLIGHT = 2
"""How many windows are asked for at once: one is decoded while the next one travels."""

PAGE_SIZE = 1000
"""Rows that a window may hold: what the official client asks for, so any server gives them."""

LIVE_STATES = frozenset({"running", "pending", "preempting"})
"""The states of a run in which rows may still come."""

MISSING = object()
"""What `value_at` gives where there is no value; None is a value."""

_STEP_KEY = '"_step":'
_WHOLE = re.compile(r"\s*(\d{1,18})\s*[,}]")

R = TypeVar("R")
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Extent:
    """What the server says of a history before it is read.

    Attributes:
        last_step: the highest step logged; -1 for an empty history.
        lines: how many rows the server counts, where it says so.
        live: whether the run was still being written; None where that was not asked.
        heartbeat_at: when the server last heard of the run, as it says so.
    """

    last_step: int
    lines: int | None = None
    live: bool | None = None
    heartbeat_at: str | None = None

    @classmethod
    def of_node(cls, node: Mapping[str, Any]) -> Extent:
        """What a run's node says of its history: `historyKeys`, `historyLineCount`, `state`, `heartbeatAt`."""
        live = node.get("state") in LIVE_STATES if "state" in node else None
        last = last_step_of(node.get("historyKeys"))
        return cls(last, node.get("historyLineCount"), live, node.get("heartbeatAt"))


@dataclass(frozen=True)
class RunHistory:
    """The live history of one run: where it is, and how to ask for it.

    Attributes:
        client: the connection.
        entity: the entity's name.
        project: the project's name.
        run_id: the run's id.
    """

    client: Client
    entity: str
    project: str
    run_id: str

    @property
    def path(self) -> str:
        """The run's path, as messages name it."""
        return f"{self.entity}/{self.project}/{self.run_id}"

    def extent(self) -> Extent:
        """Asks how far the history goes: one request. A missing run has an empty history."""
        variables = {"entity": self.entity, "project": self.project, "name": self.run_id}
        data = self.client.query("history", "RunHistoryKeys", variables)
        return Extent.of_node((data.get("project") or {}).get("run") or {})

    def texts(
        self, start: int, stop: int, page_size: int = PAGE_SIZE, extent: Extent | None = None
    ) -> Generator[Page, None, None]:
        """All rows of the steps ``[start, stop)`` as the JSON texts that the server holds, a page at a time.

        The first pages are asked for at once, by this call.
        """
        plan = _plan(start, stop, page_size, extent)
        ask = partial(self._ask_page, page_size=page_size)
        return _pages_of(self._read(plan, ask, self._decode_page, _step_of_pair))

    def rows(
        self,
        start: int,
        stop: int,
        *,
        keys: Sequence[str] | None = None,
        page_size: int = PAGE_SIZE,
        extent: Extent | None = None,
    ) -> Iterator[tuple[Window, Rows]]:
        """All rows of the steps ``[start, stop)`` as dicts, sorted by step, a page at a time.

        With `keys`: the rows that have all of them, holding `_step` and these keys in the order asked for.
        """
        plan = _plan(start, stop, page_size, extent)
        if keys is None:
            for window, pairs in self._read(
                plan, partial(self._ask_page, page_size=page_size), self._decode_rows, _step_of_row
            ):
                yield window, sorted(pairs, key=_step_of_row)
            return
        wanted = list(dict.fromkeys(["_step", *keys]))
        ask = partial(self._ask_keys, keys=wanted, page_size=page_size)
        for window, rows in self._read(plan, ask, self._decode_keys, _step_of_row):
            if any(_is_uncertain(value) for row in rows for value in row.values()):
                rows = [row for _, page in self.rows(window.start, window.stop, page_size=page_size) for row in page]
            chosen = (choose(row, wanted) for row in sorted(rows, key=_step_of_row))
            yield window, [row for row in chosen if row is not None]

    def _read(
        self,
        plan: Plan,
        ask: Callable[[Window], Future[dict[str, Any]]],
        decode: Callable[[dict[str, Any]], list[R]],
        step_of: Callable[[R], int],
    ) -> Generator[tuple[Window, list[R]], None, None]:
        return read(plan, ask, self.client.wait, decode, step_of)

    def _ask_page(self, window: Window, page_size: int) -> Future[dict[str, Any]]:
        variables = {
            "entity": self.entity,
            "project": self.project,
            "run": self.run_id,
            "minStep": window.start,
            "maxStep": window.stop,
            "pageSize": page_size,
        }
        return self.client.submit("history", "HistoryPage", variables, retry_timeouts=False)

    def _ask_keys(self, window: Window, keys: list[str], page_size: int) -> Future[dict[str, Any]]:
        # Unlike a page's, the upper bound of a spec is inclusive.
        spec = {"keys": keys, "minStep": window.start, "maxStep": window.stop - 1, "samples": page_size}
        variables = {"entity": self.entity, "project": self.project, "run": self.run_id, "spec": json.dumps(spec)}
        return self.client.submit("history", "SampledHistoryPage", variables, retry_timeouts=False)

    def _decode_page(self, data: dict[str, Any]) -> list[tuple[int, str]]:
        texts = self._run(data).get("history") or []
        return [(_step_of_text(text), text) for text in texts]

    def _decode_rows(self, data: dict[str, Any]) -> Rows:
        return [with_whole_step(extjson.loads(text)) for text in self._run(data).get("history") or []]

    def _decode_keys(self, data: dict[str, Any]) -> Rows:
        answers = self._run(data).get("sampledHistory") or []
        return [with_whole_step(row) for row in (answers[0] if answers else []) or []]

    def _run(self, data: dict[str, Any]) -> dict[str, Any]:
        run = (data.get("project") or {}).get("run")
        if run is None:
            raise RunNotFoundError(f"Could not find run {self.path}: it was deleted, or never was.", path=self.path)
        return dict(run)


@dataclass(frozen=True)
class Page:
    """One page of a history: the step and the JSON text of each row, sorted by step."""

    steps: list[int]
    texts: list[str]


@dataclass(frozen=True)
class _Asked:
    window: Window
    answer: Future[dict[str, Any]]


def read(
    plan: Plan,
    ask: Callable[[Window], Future[dict[str, Any]]],
    wait: Callable[[Future[dict[str, Any]]], dict[str, Any]],
    decode: Callable[[dict[str, Any]], list[R]],
    step_of: Callable[[R], int],
) -> Generator[tuple[Window, list[R]], None, None]:
    """Asks for window after window, the next one already under way, and gives the rows of each complete one.

    The first windows are asked for at once, so that several histories can be under way while one is being read.
    """
    reading = _read(plan, ask, wait, decode, step_of)
    next(reading)
    return reading


def _read(
    plan: Plan,
    ask: Callable[[Window], Future[dict[str, Any]]],
    wait: Callable[[Future[dict[str, Any]]], dict[str, Any]],
    decode: Callable[[dict[str, Any]], list[R]],
    step_of: Callable[[R], int],
) -> Generator[tuple[Window, list[R]], None, None]:
    """Gives a pair of no meaning when the first windows are under way; then what `read` gives."""
    asked: deque[_Asked] = deque()
    under_way = False
    try:
        while True:
            while len(asked) < IN_FLIGHT and (window := plan.take()) is not None:
                asked.append(_Asked(window, ask(window)))
            if not under_way:
                under_way = True
                yield Window(0, 0), []
                continue
            if not asked:
                return
            window, rows = asked[0].window, _answer(asked[0], wait, decode)
            asked.popleft()
            # A server may take a bound as inclusive: the row at the border belongs to the next window.
            inside = [row for row in rows or () if window.start <= step_of(row) < window.stop]
            if rows is not None and plan.believes(window, len(rows), len({step_of(row) for row in inside})):
                yield window, inside
            else:
                asked.extendleft(reversed([_Asked(half, ask(half)) for half in plan.halve(window)]))
    finally:
        for other in asked:
            other.answer.cancel()


def _answer(
    asked: _Asked,
    wait: Callable[[Future[dict[str, Any]]], dict[str, Any]],
    decode: Callable[[dict[str, Any]], list[R]],
) -> list[R] | None:
    """The rows of an answer; None where the server was too slow for a window that can be halved."""
    try:
        return decode(wait(asked.answer))
    except CommError as error:
        if asked.window.width > 1 and is_too_slow(error):
            return None
        raise


def _pages_of(read_: Generator[tuple[Window, list[tuple[int, str]]], None, None]) -> Generator[Page, None, None]:
    try:
        for _, rows in read_:
            rows.sort(key=_step_of_pair)
            yield Page([step for step, _ in rows], [text for _, text in rows])
    finally:
        read_.close()


def last_step_of(history_keys: Any) -> int:
    """The last step that a `historyKeys` value tells of; -1 where it tells of none."""
    last = history_keys.get("lastStep") if isinstance(history_keys, dict) else None
    return -1 if last is None else int(last)


def with_whole_step(row: dict[str, Any]) -> dict[str, Any]:
    """The row with a whole `_step` as an int (some servers send 3.0)."""
    step = row.get("_step")
    if isinstance(step, float) and step.is_integer():
        row["_step"] = int(step)
    return row


def choose(row: dict[str, Any], keys: Sequence[str]) -> dict[str, Any] | None:
    """The row reduced to `keys`, in their order; None where it lacks one.

    A key is looked up as it is, and then as a path with dots into nested objects.
    """
    chosen = {key: value_at(row, key) for key in keys}
    return None if any(value is MISSING for value in chosen.values()) else chosen


def value_at(row: Any, key: str) -> Any:
    """The value of a key in a row: the key as it is, or a path with dots into objects; else `MISSING`."""
    if not isinstance(row, dict):
        return MISSING
    if key in row:
        return row[key]
    for position, sign in enumerate(key):
        if sign == "." and key[:position] in row:
            value = value_at(row[key[:position]], key[position + 1 :])
            if value is not MISSING:
                return value
    return MISSING


def _plan(start: int, stop: int, page_size: int, extent: Extent | None) -> Plan:
    if extent is None or extent.lines is None:
        return Plan(start, stop, page_size)
    return Plan(start, stop, page_size, rows=extent.lines, span=extent.last_step + 1)


def _step_of_row(row: dict[str, Any]) -> int:
    try:
        return int(row["_step"])
    except (KeyError, TypeError, ValueError):
        raise ServerError(f"the server gave a history row without a step: {row!r:.100}") from None


def _step_of_text(text: str) -> int:
    # Where the key stands once it is the row's own: reading the row for it would cost as much as all of its values.
    start = text.find(_STEP_KEY)
    if start >= 0 and text.find(_STEP_KEY, start + 1) < 0 and (found := _WHOLE.match(text, start + len(_STEP_KEY))):
        return int(found[1])
    # Of the row only the step is needed, so it does not matter that orjson makes floats of very large integers.
    try:
        return _step_of_row(orjson.loads(text))
    except orjson.JSONDecodeError:
        return _step_of_row(extjson.loads(text))


def _step_of_pair(pair: tuple[int, str]) -> int:
    return pair[0]


def _is_uncertain(value: Any) -> bool:
    """Whether a value of a key's page may stand for another one that JSON has no form for.

    Pages of chosen keys are plain JSON, where NaN and the infinities arrive as null or as text, depending on the
    server, and integers beyond 64 bits as floats. Pages of whole rows are exact.
    """
    if value is None or (isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity")):
        return True
    if isinstance(value, float):
        return abs(value) >= 2**63
    if isinstance(value, dict):
        return any(_is_uncertain(item) for item in value.values())
    return isinstance(value, list) and any(_is_uncertain(item) for item in value)
