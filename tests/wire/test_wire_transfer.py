"""Files arrive whole and checked, or not at all."""

from __future__ import annotations

import base64
import gzip
import hashlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from wire_servers import answer, header, read_body, scripted, served

from runframe.errors import Error, NotFoundError, ServerError, TransportError, UsageError
from runframe.wire import Download, Limits, Session

Open = Callable[..., Session]
CONTENT = bytes(range(256)) * 12_000  # 3 MB: several pieces
MD5 = base64.b64encode(hashlib.md5(CONTENT).digest()).decode()


def http(head: str, body: bytes, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n".encode() + body


def offset_of(request: bytes) -> int:
    """Where the range that a request asks for begins; 0 without one."""
    for line in request.decode().split("\r\n"):
        if line.lower().startswith("range: bytes="):
            return int(line.split("=")[1].rstrip("-"))
    return 0


def breaks_after(count: int, head: str = '200 OK\r\nETag: "one"') -> Callable[[socket.socket, bytes], None]:
    return lambda connection, request: connection.sendall(http(head, CONTENT[:count], len(CONTENT)))


def resumes(connection: socket.socket, request: bytes) -> None:
    start = offset_of(request)
    assert start > 0, "a range was expected"
    head = f"206 Partial Content\r\nContent-Range: bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
    connection.sendall(http(head, CONTENT[start:]))


def whole(connection: socket.socket, request: bytes) -> None:
    connection.sendall(http("200 OK", CONTENT))


async def store(scope: Any, receive: Any, send: Any) -> None:
    """Serves the content, without ranges."""
    if scope["type"] == "http":
        if scope["path"] == "/missing":
            return await answer(send, {"error": "no such file"}, 404)
        await answer(send, CONTENT)


def fetch(session: Session, url: str, folder: Path, **options: Any) -> Path:
    return session.download(url, folder / "a" / "file.bin", **options)


def left_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_is_downloaded_into_a_folder_that_is_made(open_session: Open, tmp_path: Path) -> None:
    path = fetch(open_session(store), "/file", tmp_path, md5=MD5, size=len(CONTENT))
    assert path.read_bytes() == CONTENT
    assert left_in(tmp_path) == [path]


def test_a_file_that_is_there_is_replaced(open_session: Open, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file.bin").write_bytes(b"old")
    assert fetch(open_session(store), "/file", tmp_path).read_bytes() == CONTENT


def test_an_empty_file_is_a_file(open_session: Open, tmp_path: Path) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await answer(send, b"")

    assert fetch(open_session(app), "/file", tmp_path, size=0).read_bytes() == b""


@pytest.mark.parametrize("digest", [MD5, hashlib.md5(CONTENT).hexdigest()])
def test_a_digest_may_be_base64_or_hexadecimal(open_session: Open, tmp_path: Path, digest: str) -> None:
    assert fetch(open_session(store), "/file", tmp_path, md5=digest).exists()


def test_a_digest_that_is_none_is_refused_before_anything_is_sent(open_session: Open, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no md5 digest"):
        fetch(open_session(store), "/file", tmp_path, md5="nonsense")


@pytest.mark.parametrize("wrong", [{"md5": base64.b64encode(b"x" * 16).decode()}, {"size": 7}])
def test_a_file_that_is_not_what_was_expected_is_not_kept(
    open_session: Open, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    with pytest.raises(TransportError, match="expected") as caught:
        fetch(open_session(store), "/file", tmp_path, **wrong)
    assert caught.value.path == str(tmp_path / "a" / "file.bin")
    assert left_in(tmp_path) == []


def test_a_file_that_is_not_there_leaves_nothing_not_even_a_folder(open_session: Open, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such file"):
        fetch(open_session(store), "/missing", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_broken_download_goes_on_where_it_stopped(open_session: Open, tmp_path: Path) -> None:
    seen: list[bytes] = []

    def spy(connection: socket.socket, request: bytes) -> None:
        seen.append(request)
        resumes(connection, request)

    with scripted(breaks_after(2_000_000), spy) as url:
        path = fetch(open_session(url), f"{url}/file", tmp_path, md5=MD5)
    assert path.read_bytes() == CONTENT
    assert 0 < offset_of(seen[0]) <= 2_000_000
    assert b'if-range: "one"' in seen[0].lower()


def test_a_server_that_answers_a_range_with_the_whole_starts_over(open_session: Open, tmp_path: Path) -> None:
    with scripted(breaks_after(1_500_000), whole) as url:
        assert fetch(open_session(url), f"{url}/file", tmp_path).read_bytes() == CONTENT


def test_a_server_that_answers_with_another_range_starts_over(open_session: Open, tmp_path: Path) -> None:
    def other(connection: socket.socket, request: bytes) -> None:
        connection.sendall(http(f"206 Partial Content\r\nContent-Range: bytes 5-9/{len(CONTENT)}", CONTENT[5:10]))

    with scripted(breaks_after(1_500_000), other, whole) as url:
        assert fetch(open_session(url), f"{url}/file", tmp_path).read_bytes() == CONTENT


def test_a_file_that_became_shorter_starts_over(open_session: Open, tmp_path: Path) -> None:
    def beyond(connection: socket.socket, request: bytes) -> None:
        connection.sendall(http("416 Range Not Satisfiable", b""))

    with scripted(breaks_after(1_500_000), beyond, whole) as url:
        assert fetch(open_session(url), f"{url}/file", tmp_path).read_bytes() == CONTENT


def test_a_resume_that_mixed_two_files_is_found_by_the_digest_and_done_again(
    open_session: Open, tmp_path: Path
) -> None:
    def changed(connection: socket.socket, request: bytes) -> None:
        start = offset_of(request)
        head = f"206 Partial Content\r\nContent-Range: bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
        connection.sendall(http(head, b"z" * (len(CONTENT) - start)))

    with scripted(breaks_after(1_500_000), changed, whole) as url:
        assert fetch(open_session(url), f"{url}/file", tmp_path, md5=MD5).read_bytes() == CONTENT


def test_a_connection_that_always_breaks_is_given_up(open_session: Open, tmp_path: Path) -> None:
    nothing = breaks_after(0)
    with scripted(nothing) as url:
        session = open_session(url, limits=Limits(soft_deadline=0.2, first_wait=0.01))
        with pytest.raises(TransportError, match=r"broke off.*attempts"):
            fetch(session, f"{url}/file?X-Signature=hidden", tmp_path)
    assert left_in(tmp_path) == []


def test_a_download_that_makes_progress_outlasts_the_deadline(open_session: Open, tmp_path: Path) -> None:
    def some(connection: socket.socket, request: bytes) -> None:
        start = offset_of(request)
        time.sleep(0.1)
        head = f"206 Partial Content\r\nContent-Range: bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
        connection.sendall(http(head, CONTENT[start : start + 400_000], len(CONTENT) - start))

    with scripted(breaks_after(100_000), some) as url:
        session = open_session(url, limits=Limits(soft_deadline=0.3, first_wait=0.01))
        assert fetch(session, f"{url}/file", tmp_path, md5=MD5).read_bytes() == CONTENT


def test_a_compressed_file_is_stored_unpacked(open_session: Open, tmp_path: Path) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await answer(send, gzip.compress(CONTENT), content_encoding="gzip")

    assert fetch(open_session(app), "/file", tmp_path, md5=MD5).read_bytes() == CONTENT


def test_closing_in_the_middle_leaves_nothing(open_session: Open, tmp_path: Path) -> None:
    begun = threading.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": CONTENT, "more_body": True})
            await send({"type": "http.response.body", "body": CONTENT, "more_body": True})
            begun.set()
            await anyio.sleep_forever()

    session = open_session(app)

    def download() -> None:
        with pytest.raises(UsageError, match="closed during a request"):
            fetch(session, "/file", tmp_path)

    user = threading.Thread(target=download)
    user.start()
    assert begun.wait(5)
    session.close()
    user.join(5)
    assert left_in(tmp_path) == []


def test_a_disk_without_room_is_told_before_anything_is_written(open_session: Open, tmp_path: Path) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = [(b"content-length", str(1 << 60).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await anyio.sleep_forever()

    with pytest.raises(Error, match="are free on its disk"):
        fetch(open_session(app), "/file", tmp_path)
    assert left_in(tmp_path) == []


def test_many_files_come_with_a_bounded_number_at_once(open_session: Open, tmp_path: Path) -> None:
    now = most = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal now, most
        if scope["type"] == "http":
            now += 1
            most = max(most, now)
            await anyio.sleep(0.01)
            now -= 1
            await answer(send, scope["path"].encode(), 404 if scope["path"] == "/7" else 200)

    items = (Download(f"/{n}", tmp_path / f"{n}") for n in range(20))
    results = list(open_session(app).downloads(items, at_once=3))
    assert most <= 3
    assert len(results) == 20
    failed = [item.url for item, result in results if isinstance(result, Error)]
    assert failed == ["/7"]
    assert all(result.read_bytes() == item.url.encode() for item, result in results if isinstance(result, Path))


def test_many_downloads_that_are_dropped_are_cancelled(open_session: Open, tmp_path: Path) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            if scope["path"] != "/0":
                await anyio.sleep(30)
            await answer(send, b"x")

    session = open_session(app)
    results = session.downloads(Download(f"/{n}", tmp_path / f"{n}") for n in range(4))
    next(results)
    results.close()  # type: ignore[attr-defined]
    session.close()
    assert left_in(tmp_path) == [tmp_path / "0"]


class Shelf:
    """Takes uploads."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.taken: list[tuple[str, dict[str, str], bytes]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            self.taken.append((scope["method"], headers, await read_body(receive)))
            await answer(send, b"", self.statuses.pop(0) if self.statuses else 200)


def test_a_file_is_uploaded_with_its_length_and_the_headers_that_were_given(open_session: Open, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    shelf = Shelf()
    with served(shelf) as url:
        open_session(url).upload(f"{url}/file", tmp_path / "file", ["X-One: a:b", "Content-Type:image/png"])
    method, headers, body = shelf.taken[0]
    assert (method, body) == ("PUT", CONTENT)
    assert (headers["x-one"], headers["content-type"]) == ("a:b", "image/png")
    assert headers["content-length"] == str(len(CONTENT))
    assert "transfer-encoding" not in headers


def test_an_upload_is_sent_anew_with_each_attempt(open_session: Open, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    shelf = Shelf(503)
    open_session(shelf).upload("/file", tmp_path / "file")
    assert [body == CONTENT for _, _, body in shelf.taken] == [True, True]


def test_bytes_are_uploaded_without_a_content_type_of_ours(open_session: Open) -> None:
    shelf = Shelf()
    open_session(shelf).upload("/file", b"")
    _, headers, body = shelf.taken[0]
    assert body == b""
    assert headers["content-length"] == "0"
    assert "content-type" not in headers


def test_an_upload_that_is_refused_is_an_error(open_session: Open) -> None:
    with pytest.raises(ServerError) as caught:
        open_session(Shelf(403)).upload("/file", b"x")
    assert caught.value.status == 403


def test_a_header_without_a_colon_is_refused(open_session: Open) -> None:
    with pytest.raises(UsageError, match="no colon"):
        open_session(Shelf()).upload("/file", b"x", ["nonsense"])


def test_a_small_file_is_read_at_once(open_session: Open) -> None:
    assert open_session(store).read("/file") == CONTENT


def test_a_relative_address_belongs_to_the_server(open_session: Open) -> None:
    paths: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        paths.append(scope["path"])
        assert header(scope, "authorization")
        await answer(send, b"")

    with served(app) as url:
        open_session(url).read("/storage/file")
    assert paths == ["/storage/file"]


# Headers, ETags and JSON.


async def tagged(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == "/gone":
        await answer(send, b"gone", 404)
    else:
        await answer(send, CONTENT, etag='"one"')


def test_the_headers_of_an_answer_are_had_without_its_content(open_session: Open) -> None:
    session = open_session(tagged)
    headers = session.headers("/file")
    assert (headers["etag"], headers["content-length"]) == ('"one"', str(len(CONTENT)))
    with pytest.raises(NotFoundError):
        session.headers("/gone")


def test_a_download_may_insist_on_an_etag(open_session: Open, tmp_path: Path) -> None:
    session = open_session(tagged)
    assert session.download("/file", tmp_path / "file", etag="one").read_bytes() == CONTENT
    with pytest.raises(TransportError, match="'one' where 'two'"):
        session.download("/file", tmp_path / "other", etag="two")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_json_is_posted_and_tried_again(open_session: Open) -> None:
    shelf = Shelf(503)
    assert open_session(shelf).post("/files/e/p/r/file_stream", b'{"complete":true}') == b""
    assert [(method, body) for method, _, body in shelf.taken] == [("POST", b'{"complete":true}')] * 2
    assert shelf.taken[0][1]["content-type"] == "application/json"
