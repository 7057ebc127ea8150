"""Files by their content: ``blobs/ab/abcdef…``, named by SHA-256. Names from outside never become paths here."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

_STALE_SECONDS = 2 * 86400.0
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Blob:
    """What a file's bytes are.

    Attributes:
        sha256: hex digest; also the name of the blob.
        md5: base64 digest, as W&B gives it.
        size: in bytes.
    """

    sha256: str
    md5: str
    size: int


class BlobWriter:
    """A part file of its own name; `finish` makes it a blob, leaving the block without that removes it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        parts = root / "parts"
        parts.mkdir(exist_ok=True)
        self._part = parts / secrets.token_hex(16)
        self._file: BinaryIO = self._part.open("xb")
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._file.write(data)
        self._sha256.update(data)
        self._md5.update(data)
        self.size += len(data)

    @property
    def md5(self) -> str:
        """The base64 MD5 of what was written so far."""
        return base64.b64encode(self._md5.digest()).decode()

    def finish(self) -> Blob:
        """Bring the bytes to the disk under their digest."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        blob = Blob(self._sha256.hexdigest(), self.md5, self.size)
        target = path_of(self._root, blob.sha256)
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            self._part.replace(target)
            _sync_folder(target.parent)
            _sync_folder(self._root)
        return blob


class Blobs:
    """The blobs in one folder.

    Args:
        root: the folder; it is made where there is none.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        self._sweep_parts()

    def _sweep_parts(self) -> None:
        """Remove what writers left behind that were killed. Young parts may be another process's."""
        oldest = time.time() - _STALE_SECONDS
        for part in self.root.glob("parts/*"):
            try:
                if part.stat().st_mtime < oldest:
                    part.unlink()
            except FileNotFoundError:
                continue

    def writer(self) -> BlobWriter:
        """A writer of one new blob, as a context manager."""
        return BlobWriter(self.root)

    def add(self, source: BinaryIO) -> Blob:
        """Copy an open file into the blobs."""
        with self.writer() as writer:
            while chunk := source.read(_CHUNK):
                writer.write(chunk)
            return writer.finish()

    @contextmanager
    def open(self, sha256: str) -> Iterator[BinaryIO]:
        """A blob's bytes.

        Raises:
            FileNotFoundError: there is no such blob.
        """
        with path_of(self.root, sha256).open("rb") as file:
            yield file


def path_of(root: Path, sha256: str) -> Path:
    """Where a blob lies."""
    if len(sha256) != 64 or not all(character in "0123456789abcdef" for character in sha256):
        raise ValueError(f"{sha256!r} is not a hex SHA-256.")
    return root / sha256[:2] / sha256


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder to flush it
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
