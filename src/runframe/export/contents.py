"""The contents of files: kept once in the state, and linked into each dataset."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from runframe.errors import UsageError
from runframe.export.assembling import CONTENTS
from runframe.export.state import State


def link_contents(kept: Path, new: Path, contents: Iterable[tuple[str, str]]) -> dict[str, Any] | None:
    """Gives the next dataset the contents of files.

    Args:
        kept: the folder in which they are kept.
        new: the folder of the next dataset.
        contents: where each is kept, and where it is to be.

    Returns:
        What the manifest tells of them; None where there are none.

    Raises:
        UsageError: two files cannot both be there, as one has the name of the other's folder.
    """
    files = size = 0
    for source, place in contents:
        target = new / place
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _link(kept / source, target)
        except (FileExistsError, NotADirectoryError) as error:
            raise UsageError(f"{place} cannot be written beside another file: ask for fewer with --files") from error
        files += 1
        size += target.stat().st_size
    return {"folder": CONTENTS, "files": files, "bytes": size} if files else None


def drop_incomplete(state: State) -> None:
    """Forgets the lists of files whose contents were fetched and are gone: they are fetched again."""
    parts = [entry.part for entry in state.catalog.entries("files") if entry.part is not None]
    for part in parts:
        kept = [each for batch in state.read(part) for each in batch.column("content").to_pylist() if each is not None]
        if not all((state.contents / each).is_file() for each in kept):
            state.catalog.drop_part(part.storage_id, "files")


def tidy_contents(kept: Path, contents: Iterable[tuple[str, str]]) -> None:
    """Removes what no run has any more."""
    if not kept.is_dir():
        return
    known = {source for source, _ in contents}
    for path in kept.rglob("*"):
        if path.is_file() and path.relative_to(kept).as_posix() not in known:
            path.unlink(missing_ok=True)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        shutil.copy2(source, target)
