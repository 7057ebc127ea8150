"""Files: signed links, ranges, digests; names never become paths."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_client import Client

from runframe.server.errors import Refusal
from runframe.server.storage import parse_range
from runframe.server.urls import Signer, allowed

DATA = bytes(range(256)) * 40
CREATE = """mutation CreateRunFiles($files: [String!]!) { createRunFiles(input: {entityName: "local", projectName: "p",
    runName: "r", files: $files}) { runID uploadHeaders files { name uploadUrl } } }"""
LIST = """query RunFiles($names: [String] = [], $pattern: String, $after: String, $first: Int = 50) {
    project(name: "p") {
    internalId run(name: "r") { fileCount
    files(names: $names, pattern: $pattern, after: $after, first: $first) {
    edges { node { id name url(upload: false) directUrl sizeBytes mimetype updatedAt md5 } cursor }
    pageInfo { endCursor hasNextPage } } } } }"""


def put(client: Client, **contents: bytes) -> list[str]:
    files = client.graphql(CREATE, files=list(contents))["createRunFiles"]["files"]
    for file in files:
        answer = client.request("PUT", file["uploadUrl"], auth=None, content=contents[file["name"]])
        assert answer.status_code == 200
    return [file["uploadUrl"] for file in files]


def nodes(client: Client, **variables: Any) -> list[dict[str, Any]]:
    edges = client.graphql(LIST, **variables)["project"]["run"]["files"]["edges"]
    return [edge["node"] for edge in edges]


def test_a_file_comes_back_as_it_was_sent(client: Client) -> None:
    put(client, **{"media/images/a b%.png": DATA, "empty.txt": b""})
    empty, image = nodes(client)
    assert (image["name"], image["sizeBytes"], image["mimetype"]) == ("media/images/a b%.png", len(DATA), "image/png")
    assert image["md5"] == base64.b64encode(hashlib.md5(DATA).digest()).decode()
    answer = client.request("GET", image["url"], auth=None)
    assert answer.content == DATA
    assert (answer.headers["content-type"], answer.headers["accept-ranges"]) == ("image/png", "bytes")
    assert client.request("GET", empty["directUrl"], auth=None).content == b""


def test_announced_files_are_answered_in_their_order_and_counted_when_their_bytes_have_come(client: Client) -> None:
    names = ["b", "a", "b"]
    answer = client.graphql(CREATE, files=names)["createRunFiles"]
    assert [file["name"] for file in answer["files"]] == names
    assert answer["uploadHeaders"] == [] and answer["runID"]
    assert client.graphql(LIST)["project"]["run"]["fileCount"] == 0 and nodes(client) == []


def test_sending_a_file_again_replaces_it_and_the_same_bytes_are_kept_once(client: Client) -> None:
    put(client, a=b"old", b=DATA, c=DATA)
    put(client, a=DATA)
    assert [node["sizeBytes"] for node in nodes(client)] == [len(DATA)] * 3
    blobs = list((client.local.store.directory / "blobs").glob("??/*"))
    assert {blob.name for blob in blobs} == {hashlib.sha256(content).hexdigest() for content in (b"old", DATA)}


NAMES = ["../../escape", "/etc/passwd", "a/../../b", "C:\\x", "nul\x00", "ünïcode/…", "." * 300, "a?b=c#d"]


@pytest.mark.parametrize("name", NAMES)
def test_names_from_outside_never_become_paths(client: Client, name: str) -> None:
    before = {path for path in client.local.store.directory.parent.rglob("*") if path.is_dir()}
    put(client, **{name: DATA})
    (node,) = nodes(client, names=[name])
    assert node["name"] == name
    assert client.request("GET", node["url"], auth=None).content == DATA
    made = {path for path in client.local.store.directory.parent.rglob("*") if path.is_dir()} - before
    assert {path.parent.name for path in made} <= {"blobs"}


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [("bytes=0-0", 0, 1), ("bytes=5-9", 5, 10), ("bytes=10000-", 10000, 10240), ("bytes=-7", 10233, 10240),
     ("bytes=0-99999", 0, 10240), ("bytes=-99999", 0, 10240)],
)  # fmt: skip
def test_a_range_is_honoured(client: Client, header: str, start: int, stop: int) -> None:
    put(client, a=DATA)
    answer = client.request("GET", nodes(client)[0]["url"], headers={"range": header})
    assert (answer.status_code, answer.content) == (206, DATA[start:stop])
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(DATA)}"
    assert answer.headers["content-length"] == str(stop - start)


@pytest.mark.parametrize("header", ["bytes=-0", "bytes=10240-", "bytes=99999-100000"])
def test_a_range_of_nothing_is_refused_with_the_size(client: Client, header: str) -> None:
    put(client, a=DATA)
    answer = client.request("GET", nodes(client)[0]["url"], headers={"range": header})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(DATA)}")


@pytest.mark.parametrize("header", ["bytes=5-2", "bytes=0-1,4-5", "lines=0-1", "bytes=x-", "bytes=-"])
def test_a_range_of_another_form_gives_the_whole(client: Client, header: str) -> None:
    put(client, a=DATA)
    answer = client.request("GET", nodes(client)[0]["url"], headers={"range": header})
    assert (answer.status_code, len(answer.content)) == (200, len(DATA))


def test_going_on_with_a_download_is_safe_when_the_file_changed(client: Client) -> None:
    put(client, a=DATA)
    url = nodes(client)[0]["url"]
    etag = client.request("GET", url).headers["etag"]
    resumed = client.request("GET", url, headers={"range": "bytes=5-", "if-range": etag})
    assert (resumed.status_code, resumed.content) == (206, DATA[5:])
    assert client.request("GET", url, headers={"if-none-match": etag}).status_code == 304
    put(client, a=DATA[::-1])
    changed = client.request("GET", url, headers={"range": "bytes=5-", "if-range": etag})
    assert (changed.status_code, changed.content) == (200, DATA[::-1])


def test_head_says_the_size_and_sends_nothing(client: Client) -> None:
    put(client, a=DATA)
    answer = client.request("HEAD", nodes(client)[0]["url"], auth=None)
    assert (answer.status_code, answer.headers["content-length"], answer.content) == (200, str(len(DATA)), b"")


@given(st.integers(0, 50), st.integers(0, 60), st.integers(0, 60))
def test_a_parsed_range_lies_in_the_file(size: int, start: int, stop: int) -> None:
    try:
        found = parse_range(f"bytes={start}-{stop}", size)
    except Refusal as refusal:
        assert refusal.status == 416 and start >= size
        return
    assert (found is None) == (stop < start)
    assert found is None or found == (start, min(stop + 1, size))


def test_files_are_found_by_name_and_by_pattern_and_paged(client: Client) -> None:
    names = [f"media/{number}.png" for number in range(5)] + ["a_b.json", "axb.json"]
    put(client, **dict.fromkeys(names, b"x"))
    assert [node["name"] for node in nodes(client, names=["axb.json", "none"])] == ["axb.json"]
    assert [node["name"] for node in nodes(client, names=["./axb.json", "a.json"])] == ["axb.json"]
    assert len(nodes(client, pattern="media/%")) == 5
    assert [node["name"] for node in nodes(client, pattern="a\\_b.%")] == ["a_b.json"]
    found: list[str] = []
    after, more = None, True
    while more:
        page = client.graphql(LIST, after=after, first=2)["project"]["run"]["files"]
        found += [edge["node"]["name"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert found == sorted(names)


def test_deleted_files_are_gone(client: Client) -> None:
    put(client, a=b"1", b=b"2")
    url, identity = nodes(client)[0]["url"], nodes(client)[0]["id"]
    delete = """mutation deleteFiles($files: [ID!]!, $p: Int) {
        deleteFiles(input: {files: $files, projectId: $p}) { success } }"""
    assert client.graphql(delete, files=[identity], p=1)["deleteFiles"] == {"success": True}
    assert [node["name"] for node in nodes(client)] == ["b"]
    assert client.request("GET", url).status_code == 404


def test_what_file_stream_says_is_uploaded_is_noted(client: Client) -> None:
    put(client, a=b"1", b=b"2")
    client.stream(uploaded=["a", "unknown"])
    with client.local.store.read() as connection:
        rows = connection.execute("SELECT name, committed FROM files ORDER BY name").fetchall()
    assert [tuple(row) for row in rows] == [("a", 1), ("b", 0)]


SECRET = b"s" * 32


def parts(url: str) -> tuple[str, str, str]:
    query = parse_qs(urlsplit(url).query)
    return urlsplit(url).path, query["expires"][0], query["token"][0]


def test_a_link_allows_its_method_on_its_path_until_it_expires() -> None:
    path, expires, token = parts(Signer(SECRET, "http://x").url("GET", "/a"))
    assert allowed(SECRET, "GET", path, expires, token) and allowed(SECRET, "HEAD", path, expires, token)
    assert not allowed(SECRET, "PUT", path, expires, token)
    assert not allowed(SECRET, "GET", path + "b", expires, token)
    assert not allowed(SECRET, "GET", path, str(int(expires) + 1), token)
    assert not allowed(b"t" * 32, "GET", path, expires, token)
    for bad in (None, "", "x", "²", "-1", "9" * 40):
        assert not allowed(SECRET, "GET", path, bad, token)
        assert not allowed(SECRET, "GET", path, expires, bad)
    assert not allowed(SECRET, "GET", *parts(Signer(SECRET, "http://x").url("GET", "/a", lifetime=-5)))


def test_links_last_for_a_day_and_survive_a_restart(make_client: Callable[..., Client]) -> None:
    (url,) = put(make_client(), a=b"1")
    assert 86000 < int(parts(url)[1]) - time.time() < 87000
    assert make_client().request("PUT", url, auth=None, content=b"2").status_code == 200


def test_links_begin_as_the_request_did(client: Client) -> None:
    headers = {"host": "frames.example:8443"}
    body = {"query": CREATE, "variables": {"files": ["a"]}}
    answer = client.request("POST", "/graphql", json=body, headers=headers)
    assert answer.json()["data"]["createRunFiles"]["files"][0]["uploadUrl"].startswith(
        "http://frames.example:8443/storage/"
    )


def test_an_upload_that_breaks_off_leaves_nothing(client: Client) -> None:
    url = client.graphql(CREATE, files=["a"])["createRunFiles"]["files"][0]["uploadUrl"]
    messages = [{"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"}]
    scope = {"type": "http", "method": "PUT", "path": urlsplit(url).path, "headers": [], "http_version": "1.1",
             "query_string": urlsplit(url).query.encode(), "scheme": "http", "server": ("server", 80)}  # fmt: skip

    async def receive() -> Any:
        return messages.pop(0)

    async def send(_: Any) -> None:
        pass

    asyncio.run(client.local.app(scope, receive, send))
    assert nodes(client) == []
    assert not [path for path in (client.local.store.directory / "blobs").rglob("*") if path.is_file()]


def test_metadata_is_a_file_that_can_be_read(client: Client) -> None:
    put(client, **{"wandb-metadata.json": b'{"os": "x"}'})
    (node,) = nodes(client, names=["wandb-metadata.json"])
    assert json.loads(client.request("GET", node["url"]).content) == {"os": "x"}
