"""What a run has lists of: console lines and files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pyarrow as pa

from runframe.errors import ServerError
from runframe.export.run_tables.base import Reading
from runframe.export.source import Source
from runframe.export.state import Todo
from runframe.export.tables import decoded_batch, decoded_schema
from runframe.frames.batches import to_batch
from runframe.frames.schema import MEANING
from runframe.resources.client import Client
from runframe.resources.collection import Collection
from runframe.resources.files import Files
from runframe.resources.logs import ConsoleLogs
from runframe.resources.run import Run

CONTENT = pa.field(
    "content", pa.string(), metadata={MEANING: b"Where its content is in the dataset, if it was fetched."}
)


class ConsoleTable:
    """What runs printed, line by line."""

    name = "console"
    asked = ""
    schema = decoded_schema(ConsoleLogs.SCHEMA.arrow)

    def open(self, source: Source, run: Todo) -> Reading:
        """Begins to read a run's lines."""
        return _ListingReading(ConsoleLogs(source.client, _run(source, run)))


class FilesTable:
    """The files of runs, and on request their content.

    Args:
        patterns: which files' content is fetched: names, with ``*`` for any text; none for no content.
        folder: where the content goes.
    """

    name = "files"
    schema = decoded_schema(Files.SCHEMA.arrow).append(CONTENT)

    def __init__(self, patterns: Sequence[str] = (), folder: Path | None = None) -> None:
        self.asked = json.dumps(sorted(patterns)) if patterns else ""
        self._patterns = patterns
        self._folder = folder

    def open(self, source: Source, run: Todo) -> Reading:
        """Begins to read a run's files."""
        return _FilesReading(source.client, Files(source.client, _run(source, run)), run, self._patterns, self._folder)


def _run(source: Source, run: Todo) -> Run:
    return Run(source.client, source.entity, source.project, run.run_id, {})


class _ListingReading:
    """A collection, read to its end."""

    def __init__(self, listing: Collection[Any]) -> None:
        self._listing = listing

    @property
    def counted(self) -> int | None:
        total = self._listing.length
        return None if total is None else int(total)

    def __iter__(self) -> Iterator[Any]:
        for batch in self._listing.to_batches():
            yield decoded_batch(batch)

    def close(self) -> None:
        """Nothing is left open."""


class _FilesReading(_ListingReading):
    """The files of a run; the content of those that are asked for is fetched on the way."""

    def __init__(self, client: Client, files: Files, run: Todo, patterns: Sequence[str], folder: Path | None) -> None:
        super().__init__(files)
        self._files = files
        self._client = client
        self._run = run
        self._patterns = patterns
        self._folder = folder

    def __iter__(self) -> Iterator[Any]:
        for nodes in self._files.node_pages():
            batch = decoded_batch(to_batch(Files.SCHEMA, nodes, {"run_id": self._run.run_id}))
            contents = pa.array([self._content(node) for node in nodes], pa.string())
            yield pa.RecordBatch.from_arrays([*batch.columns, contents], schema=FilesTable.schema)

    def _content(self, node: dict[str, Any]) -> str | None:
        """Fetches a file's content where that is asked for; the name under which it is kept."""
        name = node["name"]
        if self._folder is None or not any(fnmatchcase(name, pattern) for pattern in self._patterns):
            return None
        if not is_safe(name):
            raise ServerError(f"{self._run.run_id} has a file whose name leads out of every folder: {name!r}")
        key = json.dumps([self._run.storage_id, name, node.get("md5"), node.get("updatedAt"), node.get("sizeBytes")])
        kept = hashlib.sha256(key.encode()).hexdigest()[:40]
        target = self._folder / kept[:2] / kept
        if not target.exists():
            size = node.get("sizeBytes")
            self._client.download(node["url"], target, md5=node.get("md5"), size=None if size is None else int(size))
        return f"{kept[:2]}/{kept}"


def is_safe(name: str) -> bool:
    """Whether a name stays below a folder that it is joined to, on any system."""
    paths = (PurePosixPath(name), PureWindowsPath(name))
    return bool(name) and not any(path.anchor or ".." in path.parts or not path.parts for path in paths)
