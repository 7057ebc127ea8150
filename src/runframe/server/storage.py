"""Uploads and downloads behind signed URLs: whole files or a range of their bytes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from email.utils import formatdate
from typing import BinaryIO
from urllib.parse import quote

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from runframe.server.errors import Refusal
from runframe.server.store import exports, files
from runframe.server.store.blobs import Blob, BlobWriter, path_of
from runframe.server.store.store import Store
from runframe.server.urls import allowed

_CHUNK = 1 << 18
_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


class Storage:
    """The endpoints behind signed URLs.

    Args:
        store: the store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def upload(self, request: Request) -> Response:
        """PUT: the bytes of a run's file; they count when all of them are on the disk."""
        check_signature(self._store, request)
        file = await to_thread.run_sync(self._file, request.path_params["number"])
        return await receive(self._store, request, lambda writer: self._keep(writer, file.id))

    async def download(self, request: Request) -> Response:
        """GET or HEAD: the bytes of a run's file."""
        check_signature(self._store, request)
        file = await to_thread.run_sync(self._file, request.path_params["number"])
        if file.sha256 is None or file.size is None:
            raise Refusal("The file was announced, but its bytes have not come.", 404)
        media_type = file.mimetype or "application/octet-stream"
        headers = attachment(file.name, file.updated_at)
        return await send(self._store, request, file.sha256, file.size, media_type, headers)

    async def download_export(self, request: Request) -> Response:
        """GET or HEAD: a run's history as Parquet. The path names the content, which so never changes under it."""
        check_signature(self._store, request)
        number, digest = request.path_params["number"], request.path_params["digest"]
        export = await to_thread.run_sync(self._export, number)
        if export is None or export.sha256 != digest:
            raise Refusal("There is no such export of a history.", 404)
        return await send(self._store, request, digest, export.size, "application/vnd.apache.parquet", {})

    def _export(self, number: int) -> exports.HistoryExport | None:
        with self._store.read() as connection:
            return exports.find(connection, number)

    def _file(self, number: int) -> files.RunFile:
        with self._store.read() as connection:
            file = files.by_id(connection, number)
        if file is None:
            raise Refusal("There is no such file.", 404)
        return file

    def _keep(self, writer: BlobWriter, number: int) -> Blob:
        blob = writer.finish()
        with self._store.write() as connection:
            if not files.fill(connection, number, blob):
                raise Refusal("The file was deleted while it was sent.", 404)
        return blob


def export_path(export: exports.HistoryExport) -> str:
    """Where a run's exported history is, below the server's base."""
    return f"/storage/history/{export.run_id}/{export.sha256}.parquet"


def check_signature(store: Store, request: Request) -> None:
    """Let a request pass whose URL carries the right token.

    Raises:
        Refusal: (403) it does not, or no longer.
    """
    query = request.query_params
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    if not allowed(store.url_secret, request.method, path, query.get("expires"), query.get("token")):
        raise Refusal("The link is not signed for this, or has expired. Ask for a new one.", 403)


async def receive(store: Store, request: Request, keep: Callable[[BlobWriter], Blob]) -> Response:
    """Take a request's body; `keep` finishes the writer when all of it is there."""
    writer = await to_thread.run_sync(store.blobs.writer)
    with writer:
        async for chunk in request.stream():
            if chunk:
                await to_thread.run_sync(writer.write, chunk)
        blob = await to_thread.run_sync(keep, writer)
    return Response(status_code=200, headers={"ETag": f'"{blob.sha256}"'})


def attachment(name: str, updated_at: str) -> dict[str, str]:
    """The headers of a download with a file's name and time."""
    shown = quote(name.rpartition("/")[2], safe="")
    return {
        "Last-Modified": formatdate(datetime.fromisoformat(updated_at).timestamp(), usegmt=True),
        "Content-Disposition": f"attachment; filename*=UTF-8''{shown}",
    }


async def send(
    store: Store, request: Request, sha256: str, size: int, media_type: str, headers: dict[str, str]
) -> Response:
    """A blob as a response, whole or the range that was asked for."""
    etag = f'"{sha256}"'
    headers |= {"ETag": etag, "Accept-Ranges": "bytes", "Cache-Control": "private", "X-Content-Type-Options": "nosniff"}
    if etag in [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    condition = request.headers.get("if-range")
    wanted = None
    if condition is None or condition in (etag, headers.get("Last-Modified")):
        wanted = parse_range(request.headers.get("range"), size)
    start, stop = wanted or (0, size)
    status = 200
    if wanted is not None:
        status = 206
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    headers["Content-Length"] = str(stop - start)
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=media_type)
    try:
        file = await to_thread.run_sync(path_of(store.blobs.root, sha256).open, "rb")
    except FileNotFoundError as error:
        raise Refusal(f"The bytes of this file ({sha256}) are missing from the store.", 410) from error
    return StreamingResponse(_chunks(file, start, stop), status, headers, media_type)


async def _chunks(file: BinaryIO, start: int, stop: int) -> AsyncIterator[bytes]:
    with file:
        await to_thread.run_sync(file.seek, start)
        while start < stop and (chunk := await to_thread.run_sync(file.read, min(_CHUNK, stop - start))):
            start += len(chunk)
            yield chunk


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """The bytes ``[start, stop)`` of a Range header; None for the whole file.

    A header of another form, or with several ranges, is passed over, as HTTP allows.

    Raises:
        Refusal: (416) it begins behind the end of the file.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        length = min(int(match[2]), size)
        if length == 0:
            raise _unsatisfiable(header, size)
        return size - length, size
    start, stop = int(match[1]), min(int(match[2]) + 1, size) if match[2] else size
    if match[2] and int(match[2]) < start:
        return None
    if start >= size:
        raise _unsatisfiable(header, size)
    return start, stop


def _unsatisfiable(header: str | None, size: int) -> Refusal:
    message = f"Range {header!r} holds nothing of the file's {size} bytes."
    return Refusal(message, 416, {"Content-Range": f"bytes */{size}"})
