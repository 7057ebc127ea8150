"""Reading request bodies: bounded, gzip or plain, JSON."""

from __future__ import annotations

import zlib
from typing import Any

import orjson
from starlette.requests import Request

from runframe.server.errors import Refusal

#: The largest body that is read into memory, unpacked.
MAX_BODY = 64 << 20


async def read_json(request: Request, limit: int = MAX_BODY) -> Any:
    """The JSON value of a request's body.

    Raises:
        Refusal: (413) it is too large, (415) its encoding is not known, (400) it is not JSON.
    """
    data = await read(request, limit)
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Refusal(f"The body is not JSON: {error}.") from error


async def read(request: Request, limit: int = MAX_BODY) -> bytes:
    """A request's body, unpacked where it is gzip.

    Raises:
        Refusal: (413) it is too large, (415) its encoding is not known, (400) it cannot be unpacked.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip"):
        raise Refusal(f"Content-Encoding {encoding!r} is not known, expected gzip or none.", 415)
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise _too_large(limit)
    unpack = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        part = chunk if unpack is None else _unpacked(unpack, chunk, limit - size)
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
    if unpack is not None and not unpack.eof:
        raise Refusal("The gzip body is cut off.")
    return b"".join(parts)


def _unpacked(unpack: Any, chunk: bytes, room: int) -> bytes:
    try:
        part: bytes = unpack.decompress(chunk, room + 1)
    except zlib.error as error:
        raise Refusal(f"The gzip body cannot be unpacked: {error}.") from error
    return part


def _too_large(limit: int) -> Refusal:
    return Refusal(f"The body is larger than {limit:,} bytes.", 413)
