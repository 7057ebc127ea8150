"""Every error has one shape, whichever way it comes about."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from store_client import STREAM, Client

from runframe.server import LocalServer
from runframe.server.store import projects

Ask = Callable[[Client], httpx.Response]
JSON = {"content-type": "application/json"}


def post(url: str, **arguments: Any) -> Ask:
    return lambda client: client.request("POST", url, **arguments)


def graphql(query: Any, variables: Any = None, **more: Any) -> Ask:
    return post("/graphql", json={"query": query, "variables": variables, **more})


def get(url: str, method: str = "GET", **arguments: Any) -> Ask:
    return lambda client: client.request(method, url, **arguments)


def upload_url(client: Client, name: str = "a.bin") -> str:
    query = """mutation Create($files: [String!]!) { createRunFiles(input: {
        entityName: "local", projectName: "p", runName: "r", files: $files}) { files { uploadUrl directUrl } } }"""
    files = client.graphql(query, files=[name])["createRunFiles"]["files"]
    return str(files[0]["uploadUrl"])


def download_url(client: Client) -> str:
    client.request("PUT", upload_url(client), content=b"0123456789")
    query = '{ project(name: "p") { run(name: "r") { files { edges { node { directUrl } } } } } }'
    edges = client.graphql(query)["project"]["run"]["files"]["edges"]
    return str(edges[0]["node"]["directUrl"])


def lines(file: str, offset: Any, content: Any) -> Ask:
    return post(STREAM, json={"files": {file: {"offset": offset, "content": content}}})


DEEP = "{ " + "project { " * 3000 + "id" + " }" * 3000 + " }"
COUNT = 'query Q($f: JSONString) { project(name: "p") { runCount(filters: $f) } }'
RUN = 'project(name: "p") { run(name: "r") { %s } }'

# what is wrong: (the request, its status, a word of the message)
WAYS: dict[str, tuple[Ask, int, str]] = {
    "no key": (post("/graphql", json={"query": "{ viewer { id } }"}, auth=None), 401, "API key"),
    "unknown key": (post("/graphql", json={}, auth=("api", "x" * 40)), 401, "not one of"),
    "malformed Authorization": (post("/graphql", auth=None, headers={"authorization": "Basic %"}), 401, "malformed"),
    "another scheme": (post("/graphql", auth=None, headers={"authorization": "Digest a=b"}), 401, "malformed"),
    "no key on file_stream": (post(STREAM, json={}, auth=None), 401, "API key"),
    "unknown path": (get("/nothing/here"), 404, "/nothing/here"),
    "OTLP probe": (post("/sdk/otel/v1/metrics"), 404, "/sdk/otel"),
    "other method": (get("/graphql"), 405, "GET /graphql"),
    "other method on a file": (get("/storage/files/1", "DELETE"), 405, "DELETE"),
    "body is not JSON": (post("/graphql", content=b"{", headers=JSON), 400, "not JSON"),
    "body is not UTF-8": (post("/graphql", content=b'{"query": "\xff"}', headers=JSON), 400, "not JSON"),
    "body is empty": (post("/graphql", content=b""), 400, "not JSON"),
    "body is no object": (post("/graphql", json=[1]), 400, "no GraphQL request"),
    "query is no text": (graphql(3), 400, "no GraphQL request"),
    "variables are no object": (graphql("{ viewer { id } }", [1]), 400, "variables"),
    "operation name is no text": (graphql("{ viewer { id } }", operationName=3), 400, "operationName"),
    "body is too large": (post(STREAM, headers={"content-length": str(1 << 40)}, content=b""), 413, "larger"),
    "unpacked body is too large": (
        post(STREAM, content=gzip.compress(bytes(65 << 20)), headers={"content-encoding": "gzip"}),
        413,
        "larger",
    ),
    "body is no gzip": (post(STREAM, content=b"{}", headers={"content-encoding": "gzip"}), 400, "gzip"),
    "gzip body is cut off": (
        post(STREAM, content=gzip.compress(b'{"complete": true}')[:-9], headers={"content-encoding": "gzip"}),
        400,
        "cut off",
    ),
    "unknown encoding": (post(STREAM, content=b"{}", headers={"content-encoding": "br"}), 415, "br"),
    "no GraphQL": (graphql("viewer {"), 400, "not GraphQL"),
    "GraphQL nested too deep": (graphql(DEEP), 400, "deep"),
    "GraphQL of too many tokens": (graphql("{" + " viewer { id }" * 20000 + "}"), 400, "token"),
    "unknown operation": (graphql("mutation { inventSomething(input: {}) { id } }"), 400, "inventSomething"),
    "unknown field": (graphql("{ viewer { shoeSize } }"), 400, "shoeSize"),
    "unknown argument": (graphql('{ project(colour: "red") { id } }'), 400, "colour"),
    "undefined variable": (graphql("{ project(name: $n) { id } }"), 400, "$n"),
    "variable missing": (graphql("query Q($n: String!) { project(name: $n) { id } }"), 400, "$n"),
    "variable of another type": (
        graphql("query Q($n: Int) { models(first: $n) { edges { cursor } } }", {"n": "x"}),
        400,
        "$n",
    ),
    "operation not in the document": (graphql("query A { viewer { id } }", operationName="B"), 400, "B"),
    "several operations, none named": (
        graphql("query A { viewer { id } } query B { viewer { id } }"),
        400,
        "operation",
    ),
    "no operation": (graphql("fragment F on User { id }"), 400, "F"),
    "a resolver refuses": (graphql('mutation { stopRun(input: {id: "x"}) { success } }'), 200, "no run's"),
    "unknown filter": (graphql(COUNT, {"f": '{"shoe": 1}'}), 200, "shoe"),
    "filter is not JSON": (graphql('{ project(name: "p") { runCount(filters: "{") } }'), 200, "not JSON"),
    "unknown order": (graphql('{ project(name: "p") { runs(order: "shoe") { totalCount } } }'), 200, "shoe"),
    "no cursor": (graphql('{ project(name: "p") { runs(after: "shoe") { totalCount } } }'), 200, "shoe"),
    "no cursor of files": (graphql("{" + RUN % 'files(after: "shoe") { totalCount }' + "}"), 200, "shoe"),
    "negative page": (graphql('{ project(name: "p") { runs(first: -1) { totalCount } } }'), 200, "-1"),
    "spec is not JSON": (graphql("{" + RUN % 'sampledHistory(specs: ["x"])' + "}"), 200, "spec"),
    "config is not JSON": (
        graphql('mutation { upsertBucket(input: {name: "q", config: "x"}) { inserted } }'),
        200,
        "config",
    ),
    "name cannot be one": (graphql('mutation { upsertBucket(input: {name: "a/b"}) { inserted } }'), 200, "a/b"),
    "stream is no object": (post(STREAM, json=[1]), 400, "object"),
    "stream's files are no object": (post(STREAM, json={"files": [1]}), 400, "files"),
    "stream's lines are no texts": (lines("output.log", 0, [1]), 400, "output.log"),
    "stream's offset is no number": (lines("output.log", "0", []), 400, "offset"),
    "stream's offset is negative": (lines("output.log", -1, ["a"]), 400, "offset"),
    "history line is not JSON": (lines("wandb-history.jsonl", 0, ["{"]), 400, "not JSON"),
    "summary is no object": (lines("wandb-summary.json", 0, ["[]"]), 400, "object"),
    "no run of this name can be": (post("/files/local/p/%01/file_stream", json={}), 400, "run"),
    "link is not signed": (get("/storage/files/1"), 403, "signed"),
    "link is signed for another method": (lambda client: client.request("GET", upload_url(client)), 403, "signed"),
    "upload link of a deleted file": (
        lambda client: client.request("PUT", _deleted(client), content=b"x"),
        404,
        "no such file",
    ),
    "range behind the end": (
        lambda client: client.request("GET", download_url(client), headers={"range": "bytes=10-"}),
        416,
        "10 bytes",
    ),
}


def _deleted(client: Client) -> str:
    url = upload_url(client)
    identity = client.graphql('mutation { createRunFiles(input: {entityName: "local", projectName: "p", runName: "r",'
                              ' files: ["a.bin"]}) { files { id } } }')["createRunFiles"]["files"][0]["id"]  # fmt: skip
    client.graphql("mutation D($f: [ID!]!) { deleteFiles(input: {files: $f}) { success } }", f=[identity])
    return url


@pytest.mark.parametrize("way", WAYS)
def test_an_error_says_what_is_wrong_in_the_one_shape(client: Client, way: str) -> None:
    ask, status, word = WAYS[way]
    client.begin()
    answer = ask(client)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    errors = json.loads(answer.content)["errors"]
    assert errors and all(isinstance(error["message"], str) and error["message"] for error in errors)
    assert word in errors[0]["message"]


def test_a_missing_key_is_asked_for(client: Client) -> None:
    answer = client.request("POST", "/graphql", json={}, auth=None)
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_a_refused_method_names_all_that_are_taken(client: Client) -> None:
    allowed = client.request("DELETE", "/storage/files/1").headers["allow"]
    assert {name.strip() for name in allowed.split(",")} == {"GET", "HEAD", "PUT"}


def test_an_error_of_the_head_method_has_its_status(client: Client) -> None:
    assert client.request("HEAD", "/nothing").status_code == 404


@pytest.mark.filterwarnings("error")
def test_a_failing_resolver_is_an_error_in_the_answer_and_no_status_of_500(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(projects, "find", fail)
    answer = client.request("POST", "/graphql", json={"query": '{ viewer { id } project(name: "p") { id } }'})
    assert answer.status_code == 200
    assert answer.json()["data"]["viewer"]["id"]
    assert "ZeroDivisionError: by zero" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("path", ["/graphql", STREAM])
def test_a_store_that_cannot_answer_now_asks_the_client_to_come_again(
    client: Client, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(projects, "find", fail)
    body = {"query": '{ project(name: "p") { id } }'} if path == "/graphql" else {}
    answer = client.request("POST", path, json=body)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
    assert "locked" in answer.json()["errors"][0]["message"]


def test_a_bug_in_a_rest_endpoint_is_told_in_the_one_shape(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("runframe.server.stream.take", fail)
    answer = client.request("POST", STREAM, json={})
    assert (answer.status_code, list(answer.json())) == (500, ["errors"])


def test_a_blob_that_is_gone_from_the_store_is_said(client: Client, local: LocalServer) -> None:
    url = download_url(client)
    for blob in (local.store.directory / "blobs").glob("??/*"):
        blob.unlink()
    answer = client.request("GET", url)
    assert (answer.status_code, "missing" in answer.json()["errors"][0]["message"]) == (410, True)
