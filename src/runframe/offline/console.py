r"""Console text as a terminal would show it: fragments of stdout and stderr to lines with times.

Follows what the SDK does before it uploads: each stream has a cursor of its own, both put their lines into one list;
`\r` goes back to the start of the line, so a progress bar leaves its last state; `ESC[A` and `ESC[B` move up and down;
every other escape sequence (colours) is kept as text. A line can change while it is among the last 32, and its time
is that of its first character. Unlike the SDK, nothing is cut: the SDK keeps 4,096 characters of a line.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

WINDOW: Final = 32
"""How many of the latest lines can still change."""

STDERR: Final = 0
STDOUT: Final = 1

_HEIGHTS = {STDOUT: 32, STDERR: 4096}  # rows that a stream's cursor can move in, as the SDK has them
_CONTROL = re.compile(r"(\r|\n|\x1b\[A|\x1b\[B)")
_UNFINISHED = re.compile(r"\x1b\[?\Z")


@dataclass(slots=True)
class Line:
    """One line of the console."""

    stream: int
    time: str
    text: str = ""
    shown: int = 0

    def put(self, text: str, column: int) -> None:
        """Write text over the line from a column on."""
        before = self.text
        after = before.ljust(column)[:column] + text + before[column + len(text) :]
        padded = before.ljust(len(after))
        if padded != after:
            last = len(after) - 1
            while padded[last] == after[last]:
                last -= 1
            # Blanks at the end show only once something stands behind them.
            self.shown = max(len(before), last + 1)
        self.text = after

    @property
    def shown_text(self) -> str:
        """The line without its time."""
        return self.text[: self.shown]

    def __str__(self) -> str:
        return f"{'ERROR ' if self.stream == STDERR else ''}{self.time} {self.shown_text}"


class Console:
    """Two terminals that share one list of lines."""

    def __init__(self) -> None:
        self._lines: deque[Line] = deque()
        self._first = 0
        self._terminals = {stream: _Terminal(stream, height) for stream, height in _HEIGHTS.items()}

    def write(self, stream: int, time: str, text: str) -> Iterator[Line]:
        """Write a fragment; yields the lines that can change no more.

        Args:
            stream: `STDERR` or `STDOUT`; anything else counts as stdout.
            time: ISO time without a zone, given to the lines that begin here.
            text: any part of a line, or several lines.
        """
        terminal = self._terminals.get(stream) or self._terminals[STDOUT]
        yield from terminal.write(text, time, self)

    def finish(self) -> Iterator[Line]:
        """The lines that are left."""
        yield from self._lines
        self._lines.clear()

    def add(self, stream: int, time: str) -> int:
        """Begin a line below all others; its number."""
        self._lines.append(Line(stream, time))
        return self._first + len(self._lines) - 1

    def line(self, number: int) -> Line | None:
        """A line that can still change."""
        return self._lines[number - self._first] if number >= self._first else None

    def settle(self) -> Iterator[Line]:
        """Take the lines above the window."""
        while len(self._lines) > WINDOW:
            self._first += 1
            yield self._lines.popleft()


class _Terminal:
    """One stream's cursor over the lines that it wrote."""

    def __init__(self, stream: int, height: int) -> None:
        self._stream = stream
        self._height = height
        self._rows: deque[int] = deque()
        self._row = 0
        self._column = 0
        self._pending = ""

    def write(self, text: str, time: str, console: Console) -> Iterator[Line]:
        text = self._pending + text
        unfinished = _UNFINISHED.search(text)
        self._pending = text[unfinished.start() :] if unfinished else ""
        for token in _CONTROL.split(text[: len(text) - len(self._pending)]):
            if token == "\r":
                self._column = 0
            elif token == "\n":
                self._column = 0
                self._down()
            elif token == "\x1b[A":
                self._row = max(self._row - 1, 0)
            elif token == "\x1b[B":
                self._down()
            elif token:
                while self._row >= len(self._rows):
                    self._rows.append(console.add(self._stream, time))
                    yield from console.settle()
                line = console.line(self._rows[self._row])
                if line is not None:
                    line.put(token, self._column)
                self._column += len(token)

    def _down(self) -> None:
        self._row += 1
        if self._row >= self._height:
            if self._rows:
                self._rows.popleft()
            self._row -= 1
