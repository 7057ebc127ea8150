"""The folder of a dataset: the next one is made in hiding and takes its place at once, never over something else.

A process may be killed at any moment. Then the folder holds the old dataset or the new one, whole; what lies beside it
(under a hidden name that ends in `.part` or `.old`) is put right by `recover` at the next start.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from typing import Any

from runframe.errors import UsageError
from runframe.export.state.folder import STATE, has_state

MANIFEST = "manifest.json"
FORMAT = "runframe.dataset"

_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
_AT_FDCWD = -100


def read_manifest(target: Path) -> dict[str, Any] | None:
    """The manifest of the dataset in a folder; None where the folder holds no dataset of ours."""
    try:
        return parse_manifest((target / MANIFEST).read_bytes())
    except OSError:
        return None


def parse_manifest(content: bytes | None) -> dict[str, Any] | None:
    """The manifest that a file holds; None where it is no manifest of ours."""
    try:
        manifest = json.loads(content or b"")
    except ValueError:
        return None
    return manifest if isinstance(manifest, dict) and manifest.get("format") == FORMAT else None


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Writes the manifest of the dataset in a folder."""
    part = folder / f".{MANIFEST}.{token_hex(4)}.part"
    part.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(folder / MANIFEST)


def check_target(target: Path, path: str) -> None:
    """Refuse a target that holds anything but an earlier export of the same project, finished or not.

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
    there = {
        file.relative_to(target).as_posix()
        for each in target.iterdir()
        if each.name != STATE
        for file in ([each] if not each.is_dir() else each.rglob("*"))
        if not file.is_dir()
    }
    folders = [each for each in target.iterdir() if each.is_dir() and each.name != STATE]
    manifest = read_manifest(target)
    if manifest is None:
        if there or folders or ((target / STATE).exists() and not has_state(target)):
            raise UsageError(
                f"{target} already holds something that is no export; give a new or empty folder", path=path
            )
        return
    if (owner := manifest["source"]["path"]) != path:
        raise UsageError(f"{target} holds the export of {owner}; give {path} a folder of its own", path=path)
    ours = {MANIFEST} | {file["path"] for table in manifest["tables"].values() for file in table["files"]}
    contents = (manifest.get("contents") or {}).get("folder")
    if contents is not None:
        ours |= {file for file in there if file.startswith(f"{contents}/")}
    if foreign := sorted(there - ours):
        raise UsageError(
            f"{target} holds files that the export did not write ({', '.join(foreign[:3])}); move them elsewhere",
            path=path,
        )


def recover(target: Path) -> None:
    """Puts right what a process that was killed in `publish` left beside a target."""
    if not target.parent.is_dir():
        return
    mine = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{8}}\.(part|old)")
    beside = [each for each in target.parent.iterdir() if mine.fullmatch(each.name) and each.is_dir()]
    for each in beside:
        if each.suffix == ".old" and not target.exists():
            each.rename(target)  # the new dataset was about to take its place
    for each in beside:
        if has_state(each) and target.is_dir() and not (target / STATE).exists():
            (each / STATE).rename(target / STATE)  # the new dataset is there, and its state was about to follow
        if each.exists() and not has_state(each):
            shutil.rmtree(each, ignore_errors=True)


def publish(new: Path, target: Path, path: str) -> None:
    """Puts the dataset in `target/_runframe/…/new` where the target is; its state goes along.

    Args:
        new: the next dataset, a folder below the target's state.
        target: the folder of the dataset before, or of the state alone.
        path: `entity/project` of what is written.

    Raises:
        UsageError: something else has arrived in the target meanwhile.
        OSError: the folders cannot be renamed.
    """
    check_target(target, path)
    _sync(new)
    token = token_hex(4)
    part = target.parent / f".{target.name}.{token}.part"
    new.rename(part)
    if _exchange(part, target):
        old = part
    else:
        old = target.parent / f".{target.name}.{token}.old"
        target.rename(old)
        try:
            part.rename(target)
        except BaseException:
            old.rename(target)
            raise
    (old / STATE).rename(target / STATE)
    shutil.rmtree(old, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Wait until every file of the folder is on disk: a rename must not overtake what it names."""
    for file in folder.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _exchange(one: Path, other: Path) -> bool:
    """Gives two folders each other's names at once, where the system can do that."""
    renameat2 = _renameat2()
    if renameat2 is None:
        return False
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL, errno.EPERM):  # an older kernel, or a file system that has no exchange
        return False
    raise OSError(number, os.strerror(number), str(other))


def _renameat2() -> Callable[..., int] | None:
    try:
        found: Callable[..., int] = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):
        return None
    return found
