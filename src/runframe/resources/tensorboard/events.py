"""Event files, message by message, into rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runframe.resources.tensorboard.found import EventFile
from runframe.resources.tensorboard.hparams import PLUGIN, hyperparameters
from runframe.resources.tensorboard.library import load
from runframe.resources.tensorboard.media import Media
from runframe.resources.tensorboard.records import Records
from runframe.resources.tensorboard.rows import Rows
from runframe.resources.tensorboard.values import NoValueError, value_of

SILENT = frozenset({"file_version", "session_log", None})
"""Parts of an event that say nothing of the training."""


def read_event_files(files: Sequence[EventFile], media: Media) -> Rows:
    """The rows of all files; `Rows.tears` and `Rows.left_out` say what is not in them.

    Raises:
        UsageError: the library is not installed.
        OSError: a file cannot be read.
    """
    rows = Rows()
    for file in files:
        _Reading(file, rows, media).read()
    return rows


class _Reading:
    """One file while it is read."""

    def __init__(self, file: EventFile, rows: Rows, media: Media) -> None:
        self.file = file
        self.rows = rows
        self.media = media
        self.plugins: dict[str, str] = {}

    def read(self) -> None:
        event = load("compat.proto.event_pb2").Event
        records = Records(self.file.path)
        for payload in records:
            try:
                message = event.FromString(payload)
            except Exception as error:  # protobuf's own error; the library decides which protobuf that is
                records.torn(f"a record is no event: {error}")
                break
            self._take(message)
        if records.tear is not None:
            self.rows.tears.append(f"{self.file.name} is {records.tear}")

    def _take(self, event: Any) -> None:
        what = event.WhichOneof("what")
        if what == "summary":
            for value in event.summary.value:
                self._take_value(event, value)
        elif what not in SILENT:
            self.rows.left_out[what] += 1

    def _take_value(self, event: Any, value: Any) -> None:
        # Only the first message of a tag has to say which plugin it belongs to.
        plugin = self.plugins.setdefault(value.tag, value.metadata.plugin_data.plugin_name)
        if plugin == PLUGIN:
            return self._take_hyperparameters(value.metadata.plugin_data.content)
        key = self.file.key(value.tag)
        try:
            found = value_of(value, plugin, key, event.step, self.media)
        except NoValueError as reason:
            self.rows.left_out[str(reason)] += 1
            return None
        if plugin == "pr_curves":
            self.rows.charts.add(key)
        return self.rows.add(event.step, event.wall_time, key, found)

    def _take_hyperparameters(self, content: bytes) -> None:
        try:
            found = hyperparameters(content)
        except ValueError as reason:
            self.rows.left_out[str(reason)] += 1
            return
        if found:
            self.rows.add_session(self.file.namespace, found)
