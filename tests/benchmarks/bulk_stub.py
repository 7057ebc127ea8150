"""A server that costs next to nothing: it answers both clients from bytes that were rendered before.

It knows what the benchmark asks: listings of runs (any size, cursor and bounds on `createdAt`), live histories by pages
of steps, exported ones as Parquet files with ranges. Every other operation is refused with its name. In a process of
its own: ``python bulk_stub.py --runs 10000 --latency 0.05`` prints its address, and ends when its input does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from bisect import bisect_left, bisect_right
from collections import Counter
from typing import Any

import orjson
from bulk_data import ENTITY, VARIANTS, History, Listing

_OPERATION = re.compile(r"(?:query|mutation)\s+(\w+)")
_COMPARE = {
    "$gte": (bisect_left, 0), "$gt": (bisect_right, 0), "$lt": (bisect_left, 1), "$lte": (bisect_right, 1),
}  # fmt: skip


class Stub:
    """The answers.

    Args:
        listing: the project's runs.
        history: what each run logged.
        exported: whether histories stand in Parquet files; else all of them are live.
        latency: seconds that every answer waits.
    """

    def __init__(self, listing: Listing, history: History | None, *, exported: bool, latency: float) -> None:
        self._listing = listing
        self._history = history
        self._exported = exported
        self._latency = latency
        self._pages: dict[tuple[Any, ...], bytes] = {}
        self.base = ""
        self.asked: Counter[str] = Counter()
        self.sent = 0
        if history is not None:
            _ = history.exported if exported else history.rows
        _ = listing.heavy, listing.light

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request after request."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.split("\r\n")
                method, path, _ = first.split(" ", 2)
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                content = await reader.readexactly(int(headers.get("content-length", 0)))
                status, extra, body = self._answer(method, path, headers, content)
                if self._latency and not path.startswith("/-/"):
                    await asyncio.sleep(self._latency)
                self.sent += len(body) if not path.startswith("/-/") else 0
                kind = "application/json" if path == "/graphql" else "application/octet-stream"
                answer = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
                writer.writelines([answer.encode(), body if method != "HEAD" else b""])
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, method: str, path: str, headers: dict[str, str], content: bytes) -> tuple[str, str, bytes]:
        if path == "/-/stats":
            counts = {"requests": sum(self.asked.values()), "bytes": self.sent, "asked": dict(self.asked)}
            self.asked, self.sent = Counter(), 0
            return "200 OK", "", orjson.dumps(counts)
        if path == "/graphql":
            asked = orjson.loads(content)
            operation = asked.get("operationName") or _OPERATION.search(asked["query"])[1]  # type: ignore[index]
            self.asked[operation] += 1
            data = self._data(operation, asked.get("variables") or {}, asked["query"])
            if data is None:
                sys.stderr.write(f"the stub does not know {operation}\n{asked['query']}\n")
                return "400 Bad Request", "", orjson.dumps({"errors": [{"message": f"unknown: {operation}"}]})
            return "200 OK", "", b'{"data":' + data + b"}"
        if path.startswith("/exported/") and self._history is not None:
            self.asked[method] += 1
            return self._file(self._history.exported[int(path.rsplit("/", 1)[1])], headers.get("range"))
        self.asked[path] += 1
        return "404 Not Found", "", b"{}"

    def _file(self, file: bytes, asked: str | None) -> tuple[str, str, bytes]:
        extra = 'Accept-Ranges: bytes\r\nETag: "whole"\r\n'
        found = re.fullmatch(r"bytes=(\d*)-(\d*)", asked or "")
        if found is None:
            return "200 OK", extra, file
        if not found[1]:
            start, stop = max(len(file) - int(found[2]), 0), len(file)
        else:
            start, stop = int(found[1]), min(int(found[2] or len(file)) + 1, len(file))
        return (
            "206 Partial Content",
            f"{extra}Content-Range: bytes {start}-{stop - 1}/{len(file)}\r\n",
            file[start:stop],
        )

    def _data(self, operation: str, variables: dict[str, Any], query: str) -> bytes | None:
        """The `data` of an answer; None for an operation that the stub does not know."""
        if operation == "ExportedHistories":
            runs = {name: value for name, value in variables.items() if re.fullmatch(r"r\d+", name)}
            nodes = [b'"%b":%b' % (name.encode(), self._exports({"name": run})) for name, run in runs.items()]
            return b'{"project":{' + b",".join(nodes) + b"}}"
        if "parquetHistory" in query:
            return self._run(self._exports(variables))
        if "history(minStep" in query:
            return self._run(b'{"history":[' + b",".join(self._rows(variables)) + b"]}")
        if "runs(" in query:
            return self._runs(variables, query)
        if "historyKeys" in query or "run(" in query:
            return self._run(self._listing.node(self._number(variables), True))
        if operation in (
            "Viewer",
            "GetViewer",
            "GetDefaultEntity",
            "ServerFeatures",
            "ServerInfo",
            "ServerFeaturesQuery",
        ):
            viewer = {"id": "VXNlcjox", "entity": ENTITY, "username": "ada", "name": "Ada", "email": "ada@example.org"}
            teams = {
                "teams": {"edges": [{"node": {"name": ENTITY}}]},
                "apiKeys": {"edges": []},
                "flags": "{}",
                "admin": False,
            }
            return orjson.dumps({"viewer": viewer | teams, "serverInfo": {"features": []}})
        return None

    def _exports(self, variables: dict[str, Any]) -> bytes:
        lines = self._listing.history_lines
        known = {"historyKeys": {"lastStep": lines - 1}, "historyLineCount": lines}
        return orjson.dumps(known)[:-1] + b',"parquetHistory":' + self._parquet(variables) + b"}"

    def _run(self, run: bytes) -> bytes:
        return b'{"project":{"run":' + run + b"}}"

    def _number(self, variables: dict[str, Any]) -> int:
        return int((variables.get("run") or variables.get("runName") or variables["name"]).removeprefix("run"))

    def _parquet(self, variables: dict[str, Any]) -> bytes:
        if not self._exported:
            return b'{"parquetUrls":[],"liveData":[]}'
        url = f"{self.base}/exported/{self._number(variables)}/{self._number(variables) % VARIANTS}"
        return orjson.dumps({"parquetUrls": [url], "liveData": []})

    def _rows(self, variables: dict[str, Any]) -> list[bytes]:
        assert self._history is not None
        rows = self._history.rows[self._number(variables) % VARIANTS]
        found = rows[variables["minStep"] : variables["maxStep"]]
        size = variables["pageSize"]
        return found if len(found) <= size else found[:: -(-len(found) // size)]

    def _runs(self, variables: dict[str, Any], query: str) -> bytes:
        size = min(int(variables.get("perPage") or variables.get("first") or 50), 1000)
        order, filters = variables.get("order") or "+created_at", variables.get("filters") or "{}"
        full = "summaryMetrics" in query
        start = int(variables.get("cursor") or 0)
        key = (size, start, order, filters, full)
        if key not in self._pages:
            self._pages[key] = self._page(size, start, order, json.loads(filters), full)
        return self._pages[key]

    def _page(self, size: int, start: int, order: str, filters: dict[str, Any], full: bool) -> bytes:
        first, last = self._bounds(filters)
        numbers = range(first, last) if order in ("+created_at", "created_at") else range(last - 1, first - 1, -1)
        if order.lstrip("+-") != "created_at":
            raise ValueError(f"the stub has no order {order!r}")
        shown = numbers[start : start + size]
        edges = b",".join(
            b'{"node":%b,"cursor":"%d"}' % (self._listing.node(number, full), start + position + 1)
            for position, number in enumerate(shown)
        )
        info = {"endCursor": str(start + len(shown)), "hasNextPage": start + len(shown) < len(numbers)}
        head = orjson.dumps({"internalId": "7", "runCount": len(numbers), "readOnly": False})[:-1]
        return b'{"project":%b,"runs":{"edges":[%b],"pageInfo":%b,"totalCount":%d}}}' % (
            head, edges, orjson.dumps(info), len(numbers),
        )  # fmt: skip

    def _bounds(self, filters: Any) -> tuple[int, int]:
        """The positions of the runs that bounds on `createdAt` leave."""
        bounds = [0, self._listing.runs]
        for key, value in filters.items():
            if key == "$and":
                inner = [self._bounds(each) for each in value]
                bounds = [max([bounds[0], *(low for low, _ in inner)]), min([bounds[1], *(high for _, high in inner)])]
            elif key in ("createdAt", "created_at"):
                for operator, moment in value.items():
                    find, side = _COMPARE[operator]
                    found = find(self._listing.created, moment[:19])
                    bounds[side] = max(bounds[0], found) if side == 0 else min(bounds[1], found)
            else:
                raise ValueError(f"the stub has no filter {key!r}")
        return bounds[0], max(bounds)


async def main(stub: Stub) -> None:
    """Listens on a free port, prints the address, and answers until the input ends."""
    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0, limit=2**22)
    host, port = server.sockets[0].getsockname()
    stub.base = f"http://{host}:{port}"
    print(stub.base, flush=True)  # noqa: T201
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--exported", action="store_true")
    parser.add_argument("--latency", type=float, default=0.0)
    given = parser.parse_args()
    asyncio.run(
        main(
            Stub(
                Listing(given.runs, given.steps),
                History(given.steps) if given.steps else None,
                exported=given.exported,
                latency=given.latency,
            )
        )
    )
