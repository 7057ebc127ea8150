"""The files of an offline run: what lies in its folder, and what an online run would have uploaded besides."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

FILES_FOLDER: Final = "files"

SUMMARY_FILE: Final = "wandb-summary.json"
METADATA_FILE: Final = "wandb-metadata.json"
CONFIG_FILE: Final = "config.yaml"
OUTPUT_FILE: Final = "output.log"


@dataclass(frozen=True, slots=True)
class OfflineFile:
    """A run file: a file in the run's folder, or bytes that were made from the log.

    Attributes:
        name: relative, with forward slashes, without ``..``: as the run's `files()` would name it.
        source: where it lies; None where `content` holds it.
        content: the bytes; None where `source` has them.
    """

    name: str
    source: Path | None = None
    content: bytes | None = None

    @property
    def size(self) -> int:
        """Bytes."""
        return self.source.stat().st_size if self.source is not None else len(self.content or b"")

    def read(self) -> bytes:
        """The whole content.

        Raises:
            OSError: the file went away, or cannot be read.
        """
        return self.source.read_bytes() if self.source is not None else self.content or b""


def collect(log: Path, named: Iterable[str], made: Mapping[str, bytes], remarks: list[str]) -> list[OfflineFile]:
    """The run's files, sorted by name.

    Everything below the folder ``files/`` beside the log is a run file. Links to files are followed where the log
    names them (``run.save`` makes such links), links to folders never.

    Args:
        log: the ``.wandb`` file.
        named: the names in the log's files records; used for the links, and to say what is missing.
        made: contents made from the log, taken where the folder has no file of that name.
        remarks: takes a sentence for everything that could not be had.
    """
    wanted = {name for name in dict.fromkeys(named) if _is_inside(name, remarks)}
    found: dict[str, OfflineFile] = {}
    root = log.parent / FILES_FOLDER
    for folder, folders, names in os.walk(root):
        folders.sort()
        for entry in sorted([*names, *(name for name in folders if (Path(folder) / name).is_symlink())]):
            path = Path(folder) / entry
            name = path.relative_to(root).as_posix()
            reason = _unusable(path, name in wanted)
            if reason:
                remarks.append(f"The file {name!r} is left out: {reason}.")
            else:
                found[name] = OfflineFile(name, source=path)
    for name, content in made.items():
        found.setdefault(name, OfflineFile(name, content=content))
    remarks.extend(
        f"The log names the file {name!r}, which is not in the run's folder."
        for name in sorted(wanted - found.keys())
        if not (root / name).is_symlink()
    )
    return [found[name] for name in sorted(found)]


def _is_inside(name: str, remarks: list[str]) -> bool:
    """Whether a name from the log stays inside the folder on every platform."""
    parts = PurePosixPath(name).parts
    windows = PureWindowsPath(name)
    inside = bool(parts) and ".." not in windows.parts and not windows.anchor and "\0" not in name
    if not inside:
        remarks.append(f"The log names the file {name!r}, which is no path inside the run's folder.")
    return inside


def _unusable(path: Path, named: bool) -> str:
    """Why a path cannot be a run file; empty where it can."""
    try:
        path.name.encode()
        linked = stat.S_ISLNK(path.lstat().st_mode)
        regular = stat.S_ISREG(path.stat().st_mode)
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    if not regular:
        return "it is no regular file"
    if linked and not named:
        return "it is a link that the log does not name"
    return ""
