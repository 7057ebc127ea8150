"""Which event files there are below a folder, and what their keys begin with."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from runframe.errors import UsageError

MARK = "tfevents"
"""What the name of an event file holds."""


class NoEventFilesError(UsageError, ValueError):
    """There is nothing to read."""


@dataclass(frozen=True)
class EventFile:
    """One event file.

    Attributes:
        path: where it is.
        name: its name among the run's files: its path from the root, with slashes.
    """

    path: Path
    name: str

    @property
    def namespace(self) -> str:
        """The folder that it lies in, seen from the root, with slashes; "" in the root itself."""
        return self.name.rpartition("/")[0]

    def key(self, tag: str) -> str:
        """The key of a tag: below the root, the folder comes first, as in ``train/loss``."""
        return f"{self.namespace}/{tag}" if self.namespace else tag


def find_event_files(root: Path) -> list[EventFile]:
    """All event files in a folder and below it, by folder and then by name (which begins with the time); or one file.

    Raises:
        NoEventFilesError: there are none, or there is no such folder.
    """
    if root.is_file():
        if MARK not in root.name:
            raise NoEventFilesError(f"{root} is no event file: the name of one holds {MARK!r}")
        return [EventFile(root, root.name)]
    if not root.is_dir():
        raise NoEventFilesError(f"there is no folder {root}")
    found = [Path(folder, name) for folder, _, names in os.walk(root) for name in names if MARK in name]
    if not found:
        raise NoEventFilesError(f"{root} and its folders hold no event files (files with {MARK!r} in their names)")
    files = [EventFile(path, path.relative_to(root).as_posix()) for path in found]
    return sorted(files, key=lambda file: (file.namespace, file.name))
