"""A run's files and its console."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

from runframe import extjson
from runframe.errors import NotFoundError
from runframe.resources.errors import as_comm_error
from runframe.resources.files import File, Files
from runframe.resources.logs import ConsoleLogs
from runframe.resources.run_methods.base import RunBase
from runframe.resources.uploads import stored_name, upload_files

METADATA_FILE = "wandb-metadata.json"


class FileMethods(RunBase):
    """What a run knows of its files and of what it printed."""

    @as_comm_error
    def files(
        self, names: list[str] | None = None, pattern: str | int | None = None, per_page: int | None = 50
    ) -> Files:
        """The files of the run.

        Args:
            names: exact names, with slashes; None for all files.
            pattern: a pattern of names instead, with ``%`` for any text and ``_`` for one character. (A number in this
                place is taken as `per_page`: that is where older code has it.)
            per_page: files asked for at once.

        Raises:
            CommError: both names and a pattern are given.
        """
        if isinstance(pattern, int):
            pattern, per_page = None, pattern
        return Files(self.client, self._run, names, per_page, pattern=pattern)

    @as_comm_error
    def file(self, name: str) -> File:
        """One file by its exact name.

        Raises:
            NotFoundError: the run has no such file.
        """
        return self._file(name)

    def _file(self, name: str) -> File:
        for found in Files(self.client, self._run, [name], 1):
            return found
        raise NotFoundError(f"run {self._place} has no file {name!r}; run.files() lists what it has", path=self._place)

    @as_comm_error
    def upload_file(self, path: str | os.PathLike[str], root: str | os.PathLike[str] = ".") -> File:
        """Uploads a file into the run's files. One of the same name is replaced.

        Args:
            path: the file.
            root: the folder that its name in the run is relative to: with ``root=".."``, ``file.txt`` in the folder
                ``here`` becomes ``here/file.txt``. In a path that leads out of `root`, each ``..`` becomes ``__``.

        Returns:
            The file, as the server has it.

        Raises:
            CommError: there is no such file, or the server refused it.
        """
        source = Path(path)
        name = stored_name(source, Path(root))
        upload_files(self._run, {name: source})
        return self._file(name)

    def console_logs(self, *, per_page: int = 1000, last: int | None = None) -> ConsoleLogs:
        """What the run printed, line by line; nothing is asked before the first line is wanted.

        Args:
            per_page: lines asked for at once.
            last: only so many lines at the end, in one request; None for all lines.

        Returns:
            Lines with `number`, `timestamp`, `level`, `label` and `content`; or a frame (`to_polars()`, …).
        """
        return ConsoleLogs(self.client, self._run, per_page, last)

    @property
    def metadata(self) -> dict[str, Any] | None:
        """What the SDK noted of the machine and the program; None where it can't be read.

        Costs two requests at each access until it succeeds.
        """
        if "metadata" not in self._parsed:
            try:
                found = self._file(METADATA_FILE)
                self._parsed["metadata"] = extjson.loads(self.client.read(found.url))
            except Exception:  # as the official client: whatever fails, there is no metadata
                return None
        return cast("dict[str, Any]", self._parsed["metadata"])
