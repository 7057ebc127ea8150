"""`Api.sync_tensorboard`: a folder of event files becomes a finished run."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from runframe import extjson
from runframe.errors import Error
from runframe.resources.artifacts.notices import warn
from runframe.resources.client import Client
from runframe.resources.run import Run
from runframe.resources.tensorboard.events import read_event_files
from runframe.resources.tensorboard.found import EventFile, NoEventFilesError, find_event_files
from runframe.resources.tensorboard.media import Media
from runframe.resources.tensorboard.rows import Rows
from runframe.resources.tensorboard.sending import Sender, machine


def sync(client: Client, root_dir: str | os.PathLike[str], run_id: str, project: str, entity: str | None) -> Run:
    """Reads all event files below a folder and sends them as one run.

    Raises:
        NoEventFilesError: there are none, or they hold nothing.
        UsageError: TensorBoard's library is not installed.
        CommError: the server refused something; the run has then failed.
    """
    root = Path(root_dir).expanduser()
    files = find_event_files(root)
    with tempfile.TemporaryDirectory(prefix="runframe-tensorboard-") as folder:
        media = Media(Path(folder))
        rows = read_event_files(files, media)
        _say(root, rows)
        sender = Sender(client, entity, project, run_id, rows.config())
        try:
            _send(sender, root, files, rows, media)
        except BaseException:
            # What is there of it shall not look as if it went on.
            with contextlib.suppress(Error):
                sender.finish(exit_code=1)
            raise
    return Run(client, sender.run.entity, sender.run.project, sender.run.id)


def _say(root: Path, rows: Rows) -> None:
    """Says what is not in the rows.

    Raises:
        NoEventFilesError: nothing is.
    """
    torn = "; ".join(rows.tears)
    if not len(rows) and not rows.sessions:
        raise NoEventFilesError(
            f"the event files in {root} hold nothing that was logged" + (f": {torn}" if torn else "")
        )
    if torn:
        warn(f"sync_tensorboard read up to the tear: {torn}")
    if rows.left_out:
        warn(f"sync_tensorboard made no rows of {_counted(rows.left_out)}; they are in the event files of the run")


def _counted(things: Counter[str]) -> str:
    return ", ".join(f"{count} × {what}" for what, count in sorted(things.items()))


def _send(sender: Sender, root: Path, files: list[EventFile], rows: Rows, media: Media) -> None:
    summary = rows.summary()
    started = dt.datetime.fromtimestamp(rows.started or 0, dt.UTC).isoformat()
    made: dict[str, Any] = {"wandb-metadata.json": machine(started, root), "wandb-summary.json": summary}
    documents = {name: extjson.dumps(document).encode() for name, document in made.items()}
    sender.files({**{file.name: file.path for file in files}, **media.files, **documents})
    sender.rows(rows)
    sender.summary(summary)
    sender.finish()
