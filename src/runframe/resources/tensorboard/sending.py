"""A run that is sent as a whole: begun, its files, its rows, its summary, its end."""

from __future__ import annotations

import platform
import socket
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from runframe import extjson
from runframe.resources.client import Client
from runframe.resources.run import Run
from runframe.resources.uploads import upload_files

PART = 4_000_000
"""Characters of lines in one request."""
FILES_AT_ONCE = 100


class Sender:
    """Sends a run.

    Attributes:
        run: the run, as the server named it.
    """

    def __init__(
        self, client: Client, entity: str | None, project: str, run_id: str, config: Mapping[str, Any]
    ) -> None:
        document = {key: {"value": value} for key, value in config.items()}
        variables = {
            "entity": entity,
            "project": project,
            "name": run_id,
            "config": extjson.dumps(document),
            "host": socket.gethostname(),
            "program": "sync_tensorboard",
        }
        bucket = client.query("runs", "StartRun", variables)["upsertBucket"]["bucket"]
        home = bucket["project"]
        self.run = Run(client, home["entity"]["name"], home["name"], bucket["name"], bucket)
        self._offset = int(bucket.get("historyLineCount") or 0)
        place = "/".join(quote(part, safe="") for part in (self.run.entity, self.run.project, self.run.id))
        self._stream = f"/files/{place}/file_stream"

    def files(self, files: Mapping[str, Path | bytes]) -> None:
        """Uploads files, by their names in the run."""
        names = list(files)
        for start in range(0, len(names), FILES_AT_ONCE):
            part = names[start : start + FILES_AT_ONCE]
            upload_files(self.run, {name: files[name] for name in part})
            self._post({"uploaded": part})

    def rows(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Sends rows of the history, some megabytes at a time."""
        for lines in _parts(extjson.dumps(row) for row in rows):
            self._post({"files": {"wandb-history.jsonl": {"offset": self._offset, "content": lines}}})
            self._offset += len(lines)

    def summary(self, summary: Mapping[str, Any]) -> None:
        """Sends the summary."""
        self._post({"files": {"wandb-summary.json": {"offset": 0, "content": [extjson.dumps(summary)]}}})

    def finish(self, exit_code: int = 0) -> None:
        """Says that the run has ended."""
        self._post({"complete": True, "exitcode": exit_code})

    def _post(self, body: Mapping[str, Any]) -> None:
        self.run.client.session.post(self._stream, extjson.dumps(body).encode())


def machine(started: str, root: Path) -> dict[str, Any]:
    """What is noted of the machine that sends the run, as the file ``wandb-metadata.json`` has it."""
    return {
        "os": platform.platform(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "host": socket.gethostname(),
        "program": "sync_tensorboard",
        "root": str(root.resolve()),
        "startedAt": started,
    }


def _parts(lines: Iterable[str]) -> Iterator[list[str]]:
    part: list[str] = []
    size = 0
    for line in lines:
        if part and size + len(line) > PART:
            yield part
            part, size = [], 0
        part.append(line)
        size += len(line)
    if part:
        yield part
