"""The download cache: content that was fetched once is copied the next time.

Its layout is that of the official client, and so is its place (`WANDB_CACHE_DIR`, else the user's cache folder), so
what one of them fetched the other finds: ``artifacts/obj/md5/ab/cdef…`` for content of known MD5, ``…/etag/ab/cdef…``
for references of known ETag. Files appear there whole or not at all. Nothing depends on the cache: where it can't be
written it isn't used.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

__all__ = ["Cache", "cache_folder", "copy_file", "data_folder", "written"]

_CHUNK = 1 << 20
_LONGEST_STEM = 100


class _Hash(Protocol):
    def update(self, data: bytes, /) -> object: ...
    def digest(self) -> bytes: ...


@dataclass(frozen=True)
class Cache:
    """A folder of content, known by its digest.

    Attributes:
        root: the folder; it and all below are made when something is put there.
    """

    root: Path

    @classmethod
    def of_user(cls) -> Cache:
        """The cache that the environment names."""
        return cls(cache_folder() / "artifacts")

    def by_digest(self, digest: str, algorithm: str = "md5") -> Path:
        """Where content with a digest (16 bytes in base64) is, or goes."""
        text = base64.b64decode(digest).hex()
        return self.root / "obj" / algorithm / text[:2] / text[2:]

    def by_etag(self, url: str, etag: str) -> Path:
        """Where the content of a URL with an ETag is, or goes."""
        both = hashlib.sha256(url.encode()).digest() + hashlib.sha256(etag.encode()).digest()
        text = hashlib.sha256(both).hexdigest()
        return self.root / "obj" / "etag" / text[:2] / text[2:]

    def has(self, path: Path, size: int | None) -> bool:
        """Whether there is something at a path of the cache, of the right size where that is known."""
        try:
            found = path.stat()
        except OSError:
            return False
        return size is None or found.st_size == size

    def usable(self) -> bool:
        """Whether the cache can be written."""
        try:
            (self.root / "obj").mkdir(parents=True, exist_ok=True)
        except OSError:
            return False
        return os.access(self.root / "obj", os.W_OK | os.X_OK)

    def drop(self, path: Path) -> None:
        """Removes what is at a path of the cache."""
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def written(target: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name when the block ends well, and not at all otherwise.

    Raises:
        OSError: it can't be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name[:_LONGEST_STEM]}.{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            yield file
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def copy_file(source: Path, target: Path, new_hash: Callable[[], _Hash] | None = None) -> bytes | None:
    """Copies a file whole, or not at all; one that is there is replaced.

    Args:
        source: the file.
        target: where it goes; its folder is made.
        new_hash: makes what the digest is computed with, on the way.

    Returns:
        The digest of the content, where one was asked for.

    Raises:
        OSError: it can't be read or written.
    """
    running = new_hash() if new_hash is not None else None
    with source.open("rb") as reader, written(target) as writer:
        while chunk := reader.read(_CHUNK):
            writer.write(chunk)
            if running is not None:
                running.update(chunk)
    return None if running is None else running.digest()


def cache_folder() -> Path:
    """The folder of everything that can be fetched again: `WANDB_CACHE_DIR`, else the user's cache folder."""
    if given := os.environ.get("WANDB_CACHE_DIR"):
        return Path(given).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "wandb"
    if os.name == "nt":
        return _windows_folder() / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wandb"


def data_folder() -> Path:
    """The folder of what can't be fetched again, yet: `WANDB_DATA_DIR`, else the user's data folder."""
    if given := os.environ.get("WANDB_DATA_DIR"):
        return Path(given).expanduser().absolute()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "wandb"
    if os.name == "nt":
        return _windows_folder()
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "wandb"


def _windows_folder() -> Path:
    return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "wandb" / "wandb"
