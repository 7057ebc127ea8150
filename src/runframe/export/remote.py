"""Datasets in object stores: made in a folder of this machine, then carried over, the manifest last.

A store has no folders that could be renamed, and no lock. So the dataset and its state (`_runframe/`) have a copy in
the cache, which an export works on as on any folder. Then the store gets what it lacks: data files, whose names never
stand for other content than before, then the manifest in one piece, and only then what no manifest names any more is
removed. Whoever goes by the manifest sees the dataset of before or the new one.

`_runframe/pushed.json` is put last of all. Where the store's differs from that of the copy, another machine has written
since, and the copy is made anew from the store.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from typing import Any

from runframe.cache import cache_folder
from runframe.errors import UsageError
from runframe.export.assembling import CONTENTS
from runframe.export.engine import run_export
from runframe.export.options import TABLES, Options
from runframe.export.report import ExportReport
from runframe.export.source import Source
from runframe.export.state.folder import CATALOG, STATE, has_state, locked
from runframe.export.stores import Store, open_store
from runframe.export.target import MANIFEST, parse_manifest
from runframe.progress import Report

PUSHED = f"{STATE}/pushed.json"

_DATA = re.compile(rf"({'|'.join(TABLES)})/\1-\d{{5}}-[0-9a-f]{{8}}\.parquet")
_OWN_ALONE = re.compile(rf"{STATE}/(lock|new/.*|pushed\.json|.*-wal|.*-shm|.*\.part)")


def run_remote_export(
    source: Source, url: str, options: Options, progress: bool | Report | None = None
) -> ExportReport:
    """Brings the dataset at a URL up to what the server has; see `run_export`.

    Raises:
        UsageError: the place holds something else, or what it takes to reach it is not installed.
        OSError: the store cannot be read or written.
    """
    with local_copy(url, source.path) as (folder, store):
        report = run_export(source, folder, options, progress)
        _push(folder, store, written=report.changed or bool(report.fetched))
    return replace(report, target=url)


def remote_manifest(url: str) -> dict[str, Any] | None:
    """The manifest of the dataset at a URL; None where there is none."""
    return parse_manifest(open_store(url).read(MANIFEST))


@contextmanager
def local_copy(url: str, path: str) -> Iterator[tuple[Path, Store]]:
    """The copy of the dataset at a URL, as new as the store's; only one process of this machine has it at a time.

    Args:
        url: where the dataset is, or is to be.
        path: `entity/project` of what is to be written there.

    Raises:
        UsageError: the place holds something else, or what it takes to reach it is not installed.
        OSError: the store cannot be read.
    """
    store = open_store(url)
    folder = cache_folder() / "exports" / hashlib.sha256(url.rstrip("/").encode()).hexdigest()[:24]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _named(folder, url), locked(folder.with_suffix(".lock"), folder):
        there = store.sizes()
        manifest = parse_manifest(store.read(MANIFEST)) if MANIFEST in there else None
        _check(there, manifest, url, path)
        marker = store.read(PUSHED) if PUSHED in there else None
        own = (folder / PUSHED).read_bytes() if (folder / PUSHED).is_file() else None
        if marker != own or (f"{STATE}/{CATALOG}" in there and not has_state(folder)):
            _pull(folder, store, there, manifest, marker)
        yield folder, store


@contextmanager
def _named(folder: Path, url: str) -> Iterator[None]:
    """What is said of the copy is said of the dataset."""
    try:
        yield
    except UsageError as error:
        if str(folder) not in error.message:
            raise
        raise UsageError(error.message.replace(str(folder), url), path=error.path) from error


def _check(there: Iterable[str], manifest: dict[str, Any] | None, url: str, path: str) -> None:
    """Refuses a place that holds anything but an earlier export of the same project, finished or not."""
    names = set(there)
    if manifest is None and names and f"{STATE}/{CATALOG}" not in names:
        raise UsageError(f"{url} already holds something that is no export; give a new or empty folder", path=path)
    if manifest is not None and (owner := manifest["source"]["path"]) != path:
        raise UsageError(f"{url} holds the export of {owner}; give {path} a folder of its own", path=path)
    if foreign := sorted(name for name in names if not _is_ours(name)):
        raise UsageError(
            f"{url} holds files that the export did not write ({', '.join(foreign[:3])}); move them elsewhere",
            path=path,
        )


def _is_ours(name: str) -> bool:
    if ".." in name.split("/"):
        return False
    return name == MANIFEST or name.startswith((f"{STATE}/", f"{CONTENTS}/")) or _DATA.fullmatch(name) is not None


def _pull(
    folder: Path, store: Store, there: Iterable[str], manifest: dict[str, Any] | None, marker: bytes | None
) -> None:
    """Makes the copy anew from the store; the state's catalog, without which it is no copy, comes last."""
    shutil.rmtree(folder, ignore_errors=True)
    wanted = {name for name in there if name.startswith(f"{STATE}/") and not _OWN_ALONE.fullmatch(name)}
    if manifest is not None:
        wanted |= {MANIFEST} | {file["path"] for table in manifest["tables"].values() for file in table["files"]}
        wanted |= {name for name in there if manifest.get("contents") and name.startswith(f"{CONTENTS}/")}
    for name in sorted(wanted & set(there), key=lambda name: (name == f"{STATE}/{CATALOG}", name)):
        store.fetch(name, folder / name)
    if marker is not None:
        (folder / PUSHED).parent.mkdir(parents=True, exist_ok=True)
        (folder / PUSHED).write_bytes(marker)


def _push(folder: Path, store: Store, *, written: bool) -> None:
    """Carries over what the store lacks: state and data, then the manifest, then away with what is old."""
    here = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _OWN_ALONE.fullmatch(path.relative_to(folder).as_posix())
    }
    there = store.sizes()
    before = _pushed(folder)
    times = {name: path.stat().st_mtime_ns for name, path in here.items() if name.startswith(f"{CONTENTS}/")}
    lacking = [
        name
        for name, path in here.items()
        if there.get(name) != path.stat().st_size or (name in times and before.get(name) != times[name])
    ]
    catalog = f"{STATE}/{CATALOG}"
    old = [name for name in there if name not in here and name != PUSHED and _is_ours(name)]
    if not (written or lacking or old) and PUSHED in there:
        return
    # The state first: a place that has it is known as ours, wherever this is stopped.
    for name in sorted({*lacking, catalog} - {MANIFEST}, key=lambda name: (name != catalog, name)):
        store.put(here[name], name)
    store.put(here[MANIFEST], MANIFEST)
    for name in old:
        store.remove(name)
    part = folder / f"{PUSHED}.part"
    part.write_text(json.dumps({"token": token_hex(8), "contents": times}), encoding="utf-8")
    store.put(part, PUSHED)
    part.replace(folder / PUSHED)


def _pushed(folder: Path) -> dict[str, int]:
    """When each content that is in the store was written here."""
    try:
        found: dict[str, int] = json.loads((folder / PUSHED).read_bytes())["contents"]
    except (OSError, ValueError, KeyError):
        return {}
    return found
