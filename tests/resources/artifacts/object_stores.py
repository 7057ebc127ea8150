"""Servers that references lead to: a web server, and as much of S3 and Google Cloud Storage as reading takes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


class Objects(dict[str, bytes]):
    """What a server has: path (with the bucket) to content."""

    def etag(self, path: str) -> str:
        """The ETag of an object."""
        return hashlib.md5(self[path]).hexdigest()


@contextmanager
def serving(handler: type[Handler], objects: Objects) -> Iterator[str]:
    """The address of a server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.objects = objects  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    """What the servers share."""

    protocol_version = "HTTP/1.1"

    @property
    def objects(self) -> Objects:
        found: Objects = self.server.objects  # type: ignore[attr-defined]
        return found

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def reply(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        raise NotImplementedError


class Web(Handler):
    """A web server whose files have ETags, but for those below ``/plain``."""

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path not in self.objects:
            self.reply(404, b"no such page")
        elif path.startswith("/plain"):
            self.reply(200, self.objects[path])
        else:
            self.reply(200, self.objects[path], {"ETag": f'"{self.objects.etag(path)}"'})


class S3(Handler):
    """Objects of S3: to look at, to read, and to list."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path, query = unquote(parts.path).lstrip("/"), dict(parse_qsl(parts.query))
        if "list-type" in query:
            self.reply(200, self.listing(path.rstrip("/"), query), {"Content-Type": "application/xml"})
        elif path not in self.objects:
            self.reply(404)
        else:
            self.content(path)

    def content(self, path: str) -> None:
        body = self.objects[path]
        headers = {
            "ETag": f'"{self.objects.etag(path)}"',
            "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT",
            "x-amz-version-id": "version1",
            "Content-Length": str(len(body)),
        }
        wanted = self.headers.get("Range")
        if wanted and self.command == "GET":
            first, last = wanted.removeprefix("bytes=").split("-")
            part = body[int(first) : int(last) + 1]
            headers |= {"Content-Range": f"bytes {first}-{last}/{len(body)}", "Content-Length": str(len(part))}
            self.reply(206, part, headers)
        else:
            self.reply(200, body if self.command == "GET" else b"", headers)

    def listing(self, bucket: str, query: dict[str, str]) -> bytes:
        prefix = query.get("prefix", "")
        keys = [path.partition("/")[2] for path in sorted(self.objects) if path.startswith(f"{bucket}/{prefix}")]
        items = "".join(
            f"<Contents><Key>{key}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>&quot;{self.objects.etag(f'{bucket}/{key}')}&quot;</ETag>"
            f"<Size>{len(self.objects[f'{bucket}/{key}'])}</Size></Contents>"
            for key in keys
        )
        return (
            '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{bucket}</Name><Prefix>{prefix}</Prefix><KeyCount>{len(keys)}</KeyCount><MaxKeys>1000</MaxKeys>"
            f"<IsTruncated>false</IsTruncated>{items}</ListBucketResult>"
        ).encode()


class GCS(Handler):
    """Objects of Google Cloud Storage: their facts, their content, and lists of them."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        if parts.path.startswith("/storage/v1/b/"):
            bucket, _, name = parts.path.removeprefix("/storage/v1/b/").partition("/o")
            path = f"{bucket}/{unquote(name.lstrip('/'))}"
            if not name.lstrip("/"):
                prefix = f"{bucket}/{query.get('prefix', '')}"
                items = [self.facts(found) for found in sorted(self.objects) if found.startswith(prefix)]
                self.reply(200, json.dumps({"kind": "storage#objects", "items": items}).encode())
            elif path not in self.objects:
                self.reply(404, b"{}")
            elif query.get("alt") == "media":
                self.reply(200, self.objects[path], {"x-goog-generation": "17"})
            else:
                self.reply(200, json.dumps(self.facts(path)).encode())
            return
        path = unquote(parts.path.lstrip("/"))
        if path in self.objects:
            self.reply(200, self.objects[path], {"x-goog-generation": "17"})
        else:
            self.reply(404, b"{}")

    def facts(self, path: str) -> dict[str, Any]:
        bucket, _, name = path.partition("/")
        times = dict.fromkeys(("timeCreated", "updated"), "2024-01-01T00:00:00Z")
        size = str(len(self.objects[path]))
        etag = self.objects.etag(path)
        return {"kind": "storage#object", "id": f"{path}/17", "name": name, "bucket": bucket, "size": size} | {
            "etag": etag,
            "generation": "17",
            **times,
        }
