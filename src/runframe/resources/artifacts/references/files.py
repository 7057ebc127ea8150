"""References to files on this machine, or on a disk that several machines see: ``file://``."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote
from urllib.request import url2pathname

from runframe.cache import copy_file
from runframe.resources.artifacts.digests import file_digest, hash_of, text_digest
from runframe.resources.artifacts.entry import ManifestEntry
from runframe.resources.artifacts.references.schemes import ChangedReferenceError, MissingReferenceError
from runframe.resources.errors import ArgumentError

SCHEME = "file://"


class Files:
    """The file system."""

    def entries(self, uri: str, name: str | None, checksum: bool, max_objects: int) -> list[ManifestEntry]:
        """The file, or all files below the folder."""
        path = _path_of(uri)
        if path.is_file():
            return [self._entry(uri, path, name or path.name, checksum)]
        if not path.is_dir():
            raise ArgumentError(f"{uri!r} leads to no file and no folder")
        base, prefix = uri.rstrip("/"), f"{name}/" if name else ""
        entries: list[ManifestEntry] = []
        for file in _below(path):
            if len(entries) >= max_objects:
                raise ArgumentError(f"{uri!r} holds more than {max_objects} files; pass a larger max_objects")
            relative = file.relative_to(path).as_posix()
            entries.append(self._entry(f"{base}/{relative}", file, prefix + relative, checksum))
        return entries

    def fetch(self, entry: ManifestEntry, target: Path) -> None:
        """Copies the file; its digest must be the entry's, where the entry has one of the content."""
        assert entry.ref is not None
        path = _path_of(entry.ref)
        if not path.is_file():
            raise MissingReferenceError(f"{entry.path}: {entry.ref} is not there any more", path=entry.path)
        found = copy_file(path, target, hash_of(entry.algorithm))
        assert found is not None
        digest = base64.b64encode(found).decode()
        if digest != entry.digest and entry.digest not in (entry.ref, text_digest(entry.ref)):
            target.unlink()
            raise ChangedReferenceError(
                f"{entry.path}: digest mismatch: {entry.ref} has changed since it was added", path=entry.path
            )

    @staticmethod
    def _entry(uri: str, path: Path, name: str, checksum: bool) -> ManifestEntry:
        digest = file_digest(path) if checksum else text_digest(uri)
        return ManifestEntry(name, digest, ref=uri, size=path.stat().st_size)


def _path_of(uri: str) -> Path:
    """The path in a URI: as it is written, or else with its percent escapes resolved."""
    text = uri.removeprefix(SCHEME)
    if os.name == "nt":
        return Path(url2pathname(text))
    path = Path(text)
    return path if path.exists() or "%" not in text else Path(unquote(text))


def _below(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders.sort()
        yield from (Path(folder) / name for name in sorted(files))
