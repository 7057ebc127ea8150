"""The files of a run: each is fetched to a temporary file, checked, and sent on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runframe.errors import CommError, Error
from runframe.export.clone.ends import End
from runframe.export.clone.report import Ledger
from runframe.resources.streaming import RunStream

BATCH_FILES = 50
BATCH_BYTES = 64_000_000
"""So many files, or so many bytes, lie in the temporary folder of one run at once; a larger file lies there alone."""


class RunFiles:
    """The files of one run on their way.

    Args:
        source: where the run is.
        target: where it goes.
        run: its id.
        stream: its lines there.
        ledger: takes what was done.
    """

    def __init__(self, source: End, target: End, run: str, stream: RunStream, ledger: Ledger) -> None:
        self._source, self._target, self._run = source, target, run
        self._stream, self._ledger = stream, ledger
        self.times: list[dict[str, Any]] = []

    def copy(self, *, compare: bool) -> None:
        """Sends the files that the target lacks, or has with another content. `times` then has those of all.

        Args:
            compare: the target may have files of the run already.

        Raises:
            CommError: the target refused.
            OSError: the temporary folder cannot be written.
        """
        there = {node["name"]: node for node in _files(self._target, self._run)} if compare else {}
        batch: list[dict[str, Any]] = []
        same: list[str] = []
        size = 0
        for node in _files(self._source, self._run):
            self.times.append({"name": node["name"], "updatedAt": node.get("updatedAt")})
            if _same(node, there.get(node["name"])):
                same.append(node["name"])
                continue
            bytes_ = int(node.get("sizeBytes") or 0)
            if batch and (len(batch) == BATCH_FILES or size + bytes_ > BATCH_BYTES):
                self._send(batch)
                batch, size = [], 0
            batch.append(node)
            size += bytes_
        if batch:
            self._send(batch)
        if same:
            # An earlier start may have ended before it said so.
            self._stream.uploaded(same)

    def _send(self, batch: list[dict[str, Any]]) -> None:
        with tempfile.TemporaryDirectory(prefix="runframe-clone-") as folder:
            brought = {node["name"]: path for node in batch if (path := self._fetch(node, Path(folder))) is not None}
            if not brought:
                return
            made = self._announce(list(brought))
            urls = {file["name"]: file.get("uploadUrl") for file in made.get("files") or []}
            for name, path in brought.items():
                if not urls.get(name):
                    raise CommError(f"{self._target.url} gave no address to upload {name!r} to", path=name)
                self._target.client.session.upload(urls[name], path, made.get("uploadHeaders") or ())
                self._ledger.add("files")
                self._ledger.add("bytes", path.stat().st_size)
            self._stream.uploaded(list(brought))

    def _announce(self, names: list[str]) -> dict[str, Any]:
        fields = {**self._target.place, "runName": self._run, "files": names}
        return self._target.tell("CloneRunFiles", fields).get("createRunFiles") or {}

    def _fetch(self, node: Mapping[str, Any], folder: Path) -> Path | None:
        """The file on this machine, checked; None, with a note, where the source does not give it."""
        target = folder / str(len(list(folder.iterdir())))
        size = node.get("sizeBytes")
        try:
            return self._source.client.session.download(
                node.get("directUrl") or node["url"],
                target,
                md5=node.get("md5"),
                size=None if size is None else int(size),
            )
        except Error as error:
            reason = f"the source does not give it ({error.message})"
            self._ledger.lose("run", f"file {node['name']}", reason, self._run)
            return None


def _files(end: End, run: str) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        variables = {"entity": end.entity, "project": end.project, "name": run, "fileCursor": cursor, "fileLimit": 200}
        found = (end.client.query("files", "RunFiles", variables).get("project") or {}).get("run") or {}
        page = found.get("files") or {}
        edges = [edge for edge in page.get("edges") or [] if edge and edge.get("node")]
        yield from (edge["node"] for edge in edges)
        after = edges[-1].get("cursor") if edges else None
        if not (page.get("pageInfo") or {}).get("hasNextPage") or not after or after == cursor:
            return
        cursor = after


def _same(node: Mapping[str, Any], there: Mapping[str, Any] | None) -> bool:
    if there is None or int(node.get("sizeBytes") or 0) != int(there.get("sizeBytes") or 0):
        return False
    return not node.get("md5") or node.get("md5") == there.get("md5")
