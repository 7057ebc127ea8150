"""The lines of a run: its history, its system metrics and its console, read from one server and sent to another."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from runframe.errors import Error
from runframe.export.clone.ends import End
from runframe.export.clone.equality import same_json
from runframe.resources.history.pages import RunHistory
from runframe.resources.streaming import CONSOLE, EVENTS, HISTORY, RunStream

PAGE = 1000
_PLAIN = re.compile(
    r"(?P<level>ERROR )?(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?) (?:\[(?P<label>[^\]]*)\] )?", re.ASCII
)


class OtherRunError(Error):
    """The run on the target is another one than that on the source."""


class Rows:
    """The rows of a run's history and system metrics: first compared with those that are there, then sent.

    Args:
        source: where the run is.
        target: where it goes.
        run: its id.
        seen: is told every row of the history as it passes.

    Attributes:
        history: how many rows of the history were read.
        events: how many rows of system metrics were read.
        checked: whether what is there was compared: nothing is sent before.
    """

    def __init__(self, source: End, target: End, run: str, seen: Callable[[str], object]) -> None:
        self._source, self._target, self._run, self._seen = source, target, run, seen
        self._texts: Iterator[str] | None = None
        self._metrics: list[str] | None = None
        self.history = 0
        self.events = 0
        self.checked = False

    def check(self, rows: int, events: int, counted: int) -> None:
        """Compares what is there with the source; nothing is sent.

        Args:
            rows: how many rows of the history are there.
            events: how many rows of system metrics are there.
            counted: how many the source counts.

        Raises:
            OtherRunError: what is there is not what the source begins with.
        """
        path, self.checked = f"{self._target.path}/{self._run}", True
        texts = self._history()
        if rows:
            for number, theirs in enumerate(_history(self._target, self._run)):
                mine = next(texts, None)
                if mine is None or not same_json(mine, theirs):
                    raise OtherRunError(f"history row {number} of {path} is not the source's")
                self._take(mine)
        if events:
            mine_too, there = self._events(counted), _events(self._target, self._run, events)
            if len(there) > len(mine_too) or not all(map(same_json, mine_too, there)):
                raise OtherRunError(f"the system metrics of {path} are not the source's")

    def send_history(self, stream: RunStream) -> int:
        """Sends the rows of the history that the target lacks; how many they were."""
        before = self.history
        for part in _gathered(self._history()):
            stream.lines(HISTORY, self.history, part)
            for text in part:
                self._take(text)
        return self.history - before

    def send_events(self, stream: RunStream, have: int, counted: int) -> int:
        """Sends the rows of system metrics that the target lacks; how many they were."""
        texts = self._events(counted)
        self.events, self._metrics = len(texts), None
        return stream.lines(EVENTS, have, texts[have:])

    def _take(self, text: str) -> None:
        self.history += 1
        self._seen(text)

    def _history(self) -> Iterator[str]:
        if self._texts is None:
            self._texts = _history(self._source, self._run)
        return self._texts

    def _events(self, counted: int) -> list[str]:
        if self._metrics is None:
            self._metrics = _events(self._source, self._run, counted)
        return self._metrics


def copy_console(source: End, run: str, stream: RunStream) -> int:
    """Sends all lines of the console, which a run may have rewritten; how many there were."""
    nodes = source.nodes("CloneConsole", "run", "logLines", size=PAGE, run=run)
    return stream.lines(CONSOLE, 0, (console_text(node) for node in nodes))


def console_text(node: Mapping[str, Any]) -> str:
    """A line of the console as the SDK sends it; as a JSON object where its plain form would be read differently."""
    time, line = node.get("timestamp") or "", node.get("line") or ""
    level, label = node.get("level") or "", node.get("label") or ""
    plain = line
    if time:
        plain = f"{'ERROR ' if level == 'error' else ''}{time} {f'[{label}] ' if label else ''}{line}"
    if _read(plain) == (time, level, label, line):
        return plain
    parts = {"ts": time, "level": level, "label": label, "content": line}
    return json.dumps({name: value for name, value in parts.items() if value or name == "content"}, ensure_ascii=False)


def _read(text: str) -> tuple[str, str, str, str]:
    """Time, level, label and text of a plain line, as servers read it."""
    match = None if text.startswith("{") else _PLAIN.match(text)
    if match is None:
        return "", "", "", text if not text.startswith("{") else f"?{text}"
    return match["time"], "error" if match["level"] else "", match["label"] or "", text[match.end() :]


def _history(end: End, run: str) -> Iterator[str]:
    history = RunHistory(end.client, end.entity, end.project, run)
    extent = history.extent()
    return (text for page in history.texts(0, extent.last_step + 1, extent=extent) for text in page.texts)


def _events(end: End, run: str, count: int) -> list[str]:
    if not count:
        return []
    variables = {"entity": end.entity, "project": end.project, "name": run, "samples": count}
    found = (end.client.query("history", "RunEvents", variables).get("project") or {}).get("run") or {}
    return list(found.get("events") or [])


def _gathered(texts: Iterator[str]) -> Iterator[list[str]]:
    """The rows in lists of some megabytes at the most."""
    part: list[str] = []
    size = 0
    for text in texts:
        part.append(text)
        size += len(text)
        if size > 2_000_000 or len(part) == PAGE * 5:
            yield part
            part, size = [], 0
    if part:
        yield part
