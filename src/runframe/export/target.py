"""The folder that a dataset is written to: made in hiding, swapped in whole, never over something else."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

from runframe.errors import UsageError

MANIFEST = "manifest.json"
FORMAT = "runframe.dataset"


def read_manifest(target: Path) -> dict[str, Any] | None:
    """The manifest of the dataset in a folder; None where the folder holds no dataset of ours."""
    try:
        manifest = json.loads((target / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and manifest.get("format") == FORMAT else None


def check_target(target: Path, path: str) -> None:
    """Refuse a target that holds anything but an earlier export of the same project.

    Args:
        target: the folder that the dataset is to become.
        path: `entity/project` of what is to be written.

    Raises:
        UsageError: the target is a file, or holds files that such an export did not write.
    """
    if not target.exists():
        return
    if not target.is_dir():
        raise UsageError(f"{target} is a file; --to expects a folder that is new or empty", path=path)
    there = {str(file.relative_to(target)) for file in target.rglob("*") if not file.is_dir()}
    folders = {str(file.relative_to(target)) for file in target.iterdir() if file.is_dir()}
    if not there and not folders:
        return
    manifest = read_manifest(target)
    if manifest is None:
        raise UsageError(f"{target} already holds something that is no export; give a new or empty folder", path=path)
    if (owner := manifest["source"]["path"]) != path:
        raise UsageError(f"{target} holds the export of {owner}; give {path} a folder of its own", path=path)
    ours = {MANIFEST} | {file["path"] for table in manifest["tables"].values() for file in table["files"]}
    if foreign := sorted(there - ours):
        raise UsageError(
            f"{target} holds files that the export did not write ({', '.join(foreign[:3])}); move them elsewhere",
            path=path,
        )


@contextmanager
def new_dataset(target: Path, path: str) -> Iterator[Path]:
    """A hidden folder beside the target that takes its place when the block ends well.

    Whatever ends the block otherwise (an error, Ctrl-C), the hidden folder is removed and the target stays as it was.

    Args:
        target: the folder that the dataset is to become.
        path: `entity/project` of what is to be written.

    Raises:
        UsageError: the target holds something else, see `check_target`.
        OSError: the folder cannot be made there.
    """
    target = target.resolve()
    check_target(target, path)
    made = _make_folders(target.parent)
    part = target.parent / f".{target.name}.{token_hex(4)}.part"
    try:
        part.mkdir()
        yield part
        # Again: a long export leaves time for something else to arrive there.
        check_target(target, path)
        _sync(part)
        _swap(part, target)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        with suppress(OSError):  # a folder that got another tenant meanwhile stays
            for folder in reversed(made):
                folder.rmdir()
        raise


def _make_folders(folder: Path) -> list[Path]:
    """Make a folder and those above it; returns the ones that were not there, outermost first."""
    missing = [each for each in [folder, *folder.parents] if not each.exists()]
    missing.reverse()
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _sync(folder: Path) -> None:
    """Wait until every file of the folder is on disk: a rename must not overtake what it names."""
    for file in folder.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _swap(part: Path, target: Path) -> None:
    """Put the part where the target is; the target comes back if that fails."""
    old = part.with_suffix(".old")
    try:
        if target.exists():
            target.rename(old)
        part.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)
