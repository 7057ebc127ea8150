"""Digests: of files, of manifests, and the forms they are written in.

A file's digest is the MD5 of its content in base64. An artifact's is the MD5, in hexadecimal, of a header and of one
line ``path:digest`` an entry. Newer servers also know XXH128 for both; such entries say so (``extra.alg``).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

from runframe.errors import UnsupportedError

XXH128 = "XXH128"

_HEADER = b"wandb-artifact-manifest-v1\n"
_CHUNK = 1 << 20


class Hash(Protocol):
    """What digests are computed with."""

    def update(self, data: bytes, /) -> object:
        """Takes more of the content."""

    def digest(self) -> bytes:
        """The digest of what was taken."""


def hash_of(algorithm: str | None) -> Callable[[], Hash]:
    """What makes a new hash; None and unknown names mean MD5.

    Raises:
        UnsupportedError: XXH128 is asked for, and the package `xxhash` isn't installed.
    """
    if algorithm != XXH128:
        return lambda: hashlib.md5(usedforsecurity=False)
    try:
        import xxhash
    except ImportError as error:
        raise UnsupportedError(
            "this artifact's files have XXH128 digests: install the package `xxhash` to check them"
        ) from error
    return cast("Callable[[], Hash]", xxhash.xxh3_128)


def algorithm_of(extra: Mapping[str, Any]) -> str | None:
    """The algorithm of an entry's digest, from what its `extra` says; None for MD5."""
    return XXH128 if extra.get("alg") == XXH128 else None


def file_digest(path: str | Path, algorithm: str | None = None) -> str:
    """The digest of a file's content, in base64."""
    found = hash_of(algorithm)()
    with Path(path).open("rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return base64.b64encode(found.digest()).decode()


def bytes_digest(content: bytes) -> str:
    """The MD5 of some bytes, in base64."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def text_digest(text: str) -> str:
    """The MD5 of a text, in base64."""
    return bytes_digest(text.encode())


def manifest_digest(entries: Iterable[tuple[str, str]]) -> str:
    """The digest of an artifact, in hexadecimal, from the path and digest of each entry.

    Sizes, references and metadata have no part in it.
    """
    found = hashlib.md5(_HEADER, usedforsecurity=False)
    for path, digest in sorted(entries):
        found.update(f"{path}:{digest}\n".encode())
    return found.hexdigest()


def to_hex(text: str) -> str:
    """The hexadecimal form of base64.

    Raises:
        ValueError: it is no base64.
    """
    return base64.b64decode(text, validate=True).hex()


def from_hex(text: str) -> str:
    """The base64 form of hexadecimal.

    Raises:
        ValueError: it is no hexadecimal.
    """
    return base64.b64encode(bytes.fromhex(text)).decode()


def is_md5(digest: str) -> bool:
    """Whether a text is 16 bytes in base64, as an MD5 (or an XXH128) is written."""
    try:
        return len(base64.b64decode(digest, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False
