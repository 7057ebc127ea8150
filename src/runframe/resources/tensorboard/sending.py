"""A run that is sent as a whole: begun, its files, its rows, its summary, its end."""

from __future__ import annotations

import platform
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from runframe import extjson
from runframe.resources.client import Client
from runframe.resources.run import Run
from runframe.resources.streaming import HISTORY, RunStream
from runframe.resources.uploads import upload_files

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
        self._stream = RunStream(client.session, self.run.entity, self.run.project, self.run.id)

    def files(self, files: Mapping[str, Path | bytes]) -> None:
        """Uploads files, by their names in the run."""
        names = list(files)
        for start in range(0, len(names), FILES_AT_ONCE):
            part = names[start : start + FILES_AT_ONCE]
            upload_files(self.run, {name: files[name] for name in part})
            self._stream.uploaded(part)

    def rows(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Sends rows of the history, some megabytes at a time."""
        self._offset += self._stream.lines(HISTORY, self._offset, (extjson.dumps(row) for row in rows))

    def summary(self, summary: Mapping[str, Any]) -> None:
        """Sends the summary."""
        self._stream.summary(extjson.dumps(summary))

    def finish(self, exit_code: int = 0) -> None:
        """Says that the run has ended."""
        self._stream.finish(exit_code)


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
