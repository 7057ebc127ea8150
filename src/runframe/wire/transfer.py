"""Files: fetched into a part file of its own name and then renamed, resumed after a broken connection, checked.

Correctness rests on no lock: every download writes a file that nobody else writes, and the rename is atomic. A
download that fails leaves nothing behind.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread

from runframe.errors import Error, TransportError, UsageError

from .exchange import Exchange
from .failures import bare, error_of_answer, error_of_exception, kind_of
from .http import Limits, httpx, shown
from .retry import Outcome, Retry
from .transport import Call

__all__ = ["Download", "fetch", "send"]

_CHUNK = 1 << 20
CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


@dataclass(frozen=True)
class Download:
    """A file to fetch.

    Attributes:
        url: where it is; relative to our server, or absolute.
        target: where it goes; its folder is made, a file that is there is replaced.
        md5: the digest that it must have, in base64 as W&B writes it, or in hexadecimal.
        size: the number of bytes that it must have.
        etag: the ETag that the server must name it by, without the quotes around it.
    """

    url: str
    target: Path
    md5: str | None = None
    size: int | None = None
    etag: str | None = None


async def fetch(exchange: Exchange, limits: Limits, item: Download) -> Path:
    """Download a file; returns its target.

    Raises:
        NotFoundError, AuthenticationError, ServerError: the server said no.
        TransportError: it broke off for good, or what it sent has another size or digest.
        Error: the disk has not enough room.
        OSError: the file cannot be written.
    """
    expected = None if item.md5 is None else _md5_bytes(item.md5)
    part = _Part(item.target, digested=expected is not None)
    try:
        problem = ""
        for _ in range(2):
            await _fill(exchange, limits, item, part)
            problem = part.problem(item.size, expected)
            if not problem:
                await anyio.to_thread.run_sync(part.finish)
                return item.target
            # Bytes may have been mixed by a resume: once more, from the start.
            part.reset()
        raise TransportError(
            f"{shown(exchange.url(item.url))} was downloaded twice and {problem}", path=str(item.target)
        )
    finally:
        part.discard()


async def send(
    exchange: Exchange, url: str, source: Path | bytes, headers: Sequence[str] | Mapping[str, str] = ()
) -> None:
    """Upload a file or bytes with PUT.

    Args:
        exchange: what sends.
        url: where to.
        source: a file's path, or the content itself.
        headers: as the server gave them, `"Name:value"` each, or a mapping.

    Raises:
        CommError: the server said no, or did not answer.
        UsageError: a header has no colon.
    """
    content: bytes | httpx.AsyncByteStream = source if isinstance(source, bytes) else _File(source)
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    given = [*_header_pairs(headers), ("Content-Length", str(size))]
    await exchange.whole("PUT", url, headers=given, content=content, call=Call(kind="PUT"))


def _header_pairs(headers: Sequence[str] | Mapping[str, str]) -> list[tuple[str, str]]:
    if isinstance(headers, Mapping):
        return list(headers.items())
    pairs = []
    for header in headers:
        name, colon, value = header.partition(":")
        if not colon:
            raise UsageError(f"the upload header {name!r} has no colon; 'Name:value' was expected")
        pairs.append((name.strip(), value.strip()))
    return pairs


class _File(httpx.AsyncByteStream):
    """A file's content, read anew for each attempt."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self._path.open("rb") as file:
            while chunk := await anyio.to_thread.run_sync(file.read, _CHUNK):
                yield chunk


class _Part:
    """The file that a download is written to until it is whole."""

    def __init__(self, target: Path, *, digested: bool) -> None:
        self.target = target
        self._digested = digested
        self.path = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}.part")
        self.etag: str | None = None
        self.resumable = True
        self.reset()

    def reset(self) -> None:
        """Forget everything that was received."""
        self.offset = 0
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._fresh = True

    def prepare(self, more: int) -> None:
        """Make the folder, and see that `more` bytes have room in it."""
        self.target.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.target.parent).free
        if more > free:
            raise Error(
                f"{self.target} needs {more:,} bytes, but {free:,} are free on its disk; make room or choose another",
                path=str(self.target),
            )

    async def take(self, chunk: bytes) -> None:
        """Receive bytes; they reach the disk in large pieces."""
        self._pending.append(chunk)
        self._pending_size += len(chunk)
        self.offset += len(chunk)
        if self._pending_size >= _CHUNK:
            await anyio.to_thread.run_sync(self._write)

    def finish(self) -> None:
        """Write what is left and put the file in its place."""
        self._write()
        self.path.replace(self.target)

    def problem(self, size: int | None, md5: bytes | None) -> str:
        """What is wrong with the content; empty where nothing is."""
        if size is not None and self.offset != size:
            return f"has {self.offset:,} bytes where {size:,} were expected"
        if md5 is not None and (digest := self._digest()) != md5:
            return f"has the md5 {_as_base64(digest)} where {_as_base64(md5)} was expected"
        return ""

    def discard(self) -> None:
        """Remove the part file, if it is there."""
        self._pending.clear()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _digest(self) -> bytes:
        whole = self._md5.copy()
        for chunk in self._pending:
            whole.update(chunk)
        return whole.digest()

    def _write(self) -> None:
        with self.path.open("wb" if self._fresh else "ab") as file:
            for chunk in self._pending:
                file.write(chunk)
                if self._digested:
                    self._md5.update(chunk)
        self._fresh = False
        self._pending.clear()
        self._pending_size = 0


async def _fill(exchange: Exchange, limits: Limits, item: Download, part: _Part) -> None:
    """Receive the content, going on after a broken connection where it stopped."""
    retry = Retry(limits, time.monotonic(), known=True)
    call = Call(kind="GET")
    while True:
        before = part.offset
        try:
            return await _receive(exchange, item, part, call)
        except httpx.RequestError as error:
            now = time.monotonic()
            if part.offset > before:
                retry.restart(now)
            if not part.resumable:
                part.reset()
            wait = retry.after(Outcome(kind_of(error)), now)
            if wait is None:
                url = exchange.url(item.url)
                raise error_of_exception(error, url, attempts=retry.attempts, path=str(item.target)) from bare(error)
        await anyio.sleep(wait)


async def _receive(exchange: Exchange, item: Download, part: _Part, call: Call) -> None:
    """One request for the content, or for what is left of it."""
    headers = [("Accept-Encoding", "identity")]
    if part.offset:
        headers.append(("Range", f"bytes={part.offset}-"))
        if part.etag:
            headers.append(("If-Range", part.etag))
    async with exchange.stream("GET", item.url, headers=headers, call=call) as response:
        if response.status_code == 416 and part.offset:
            # It became shorter than what we have: another file.
            part.reset()
            raise httpx.RemoteProtocolError("the file changed while it was downloaded")
        if response.status_code not in (200, 206):
            await response.aread()
            raise error_of_answer(response, attempts=call.attempts, path=str(item.target))
        if item.etag is not None and (found := response.headers.get("etag", "").strip('"')) != item.etag:
            where = shown(exchange.url(item.url))
            raise TransportError(
                f"{where} has the ETag {found!r} where {item.etag!r} was expected", path=str(part.target)
            )
        _align(response, part)
        encoded = response.headers.get("content-encoding", "identity") != "identity"
        part.resumable = not encoded
        await anyio.to_thread.run_sync(part.prepare, int(response.headers.get("content-length", 0)))
        async for chunk in response.aiter_bytes() if encoded else response.aiter_raw():
            await part.take(chunk)


def _align(response: httpx.Response, part: _Part) -> None:
    """Make the part file end where this answer begins."""
    if response.status_code == 200:
        # Also the answer of a server that does not know Range, or whose file changed: from the start.
        if part.offset:
            part.reset()
        etag = response.headers.get("etag", "")
        part.etag = etag if etag.startswith('"') else None
        return
    found = CONTENT_RANGE.match(response.headers.get("content-range", ""))
    if found is None or int(found[1]) != part.offset:
        part.reset()
        raise httpx.RemoteProtocolError("another range came than the one that was asked for")


def _md5_bytes(text: str) -> bytes:
    with contextlib.suppress(ValueError):
        digest = bytes.fromhex(text) if len(text) == 32 else base64.b64decode(text, validate=True)
        if len(digest) == 16:
            return digest
    raise UsageError(f"{text!r} is no md5 digest; 16 bytes in base64 or hexadecimal were expected")


def _as_base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
