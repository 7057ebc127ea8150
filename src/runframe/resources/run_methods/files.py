"""A run's files."""

from __future__ import annotations

from typing import Any, cast

from runframe import extjson
from runframe.errors import NotFoundError
from runframe.resources.errors import as_comm_error
from runframe.resources.files import File, Files
from runframe.resources.run_methods.base import RunBase

METADATA_FILE = "wandb-metadata.json"


class FileMethods(RunBase):
    """What a run knows of its files."""

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
