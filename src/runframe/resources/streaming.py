"""Writing a run the way the SDK does it: lines at offsets, file by file, in requests of some megabytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from runframe import extjson
from runframe.wire import Session

HISTORY = "wandb-history.jsonl"
EVENTS = "wandb-events.jsonl"
CONSOLE = "output.log"
SUMMARY = "wandb-summary.json"

CHARACTERS = 4_000_000
"""Characters of lines in one request; servers take at least four times as much."""
LINES = 10_000
"""Lines in one request."""


class RunStream:
    """The lines of one run on their way to its server. Sending the same lines to the same offset again changes nothing.

    Args:
        session: the connection.
        entity: the entity's name.
        project: the project's name.
        run: the run's id.
    """

    def __init__(self, session: Session, entity: str, project: str, run: str) -> None:
        self._session = session
        self._url = f"/files/{'/'.join(quote(part, safe='') for part in (entity, project, run))}/file_stream"

    def lines(self, file: str, offset: int, texts: Iterable[str]) -> int:
        """Sends lines of a file from an offset on; how many they were.

        Raises:
            CommError: the server refused them, or could not be reached.
        """
        sent = 0
        for part in _parts(texts):
            self.post({"files": {file: {"offset": offset + sent, "content": part}}})
            sent += len(part)
        return sent

    def summary(self, text: str) -> None:
        """Sends the summary, as JSON text."""
        self.post({"files": {SUMMARY: {"offset": 0, "content": [text]}}})

    def uploaded(self, names: Sequence[str]) -> None:
        """Says that files of the run are there."""
        self.post({"uploaded": list(names)})

    def finish(self, exit_code: int, *, preempting: bool = False) -> None:
        """Says that the run has ended."""
        self.post({"complete": True, "exitcode": exit_code} | ({"preempting": True} if preempting else {}))

    def post(self, body: Mapping[str, Any]) -> None:
        """One request."""
        self._session.post(self._url, extjson.dumps(body).encode())


def _parts(texts: Iterable[str]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for text in texts:
        if part and (size + len(text) > CHARACTERS or len(part) == LINES):
            yield part
            part, size = [], 0
        part.append(text)
        size += len(text)
    if part:
        yield part
