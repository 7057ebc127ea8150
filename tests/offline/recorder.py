"""A server that says yes and writes down what it is sent: the counterpart for `wandb sync`."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "0123456789" * 4


class Recorder:
    """Use as a context manager; `url` is where it listens."""

    def __init__(self) -> None:
        self.bucket: dict[str, Any] = {}
        self.config = ""
        self.lines: dict[str, dict[int, str]] = {}
        self.files: dict[str, bytes] = {}
        self.operations: list[str] = []
        self.exit_code: int | None = None
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self._body()
                if self.path.endswith("/file_stream"):
                    self._answer(recorder._stream(json.loads(body)))
                elif self.path == "/graphql":
                    self._answer(recorder._graphql(json.loads(body), f"http://{self.headers['Host']}/put/"))
                else:
                    self._answer({}, 404)

            def do_PUT(self) -> None:
                recorder.files[self.path.removeprefix("/put/")] = self._body()
                self._answer({})

            def _body(self) -> bytes:
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))

            def _answer(self, answer: dict[str, Any], status: int = 200) -> None:
                data = json.dumps(answer).encode()
                self.send_response(400 if "errors" in answer else status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # the SDK closes its connections as it likes

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def stream(self, name: str) -> list[str]:
        """The lines of a streamed file, in their order."""
        lines = self.lines.get(name, {})
        return [lines[number] for number in sorted(lines)]

    def _stream(self, body: dict[str, Any]) -> dict[str, Any]:
        for name, chunk in (body.get("files") or {}).items():
            for number, line in enumerate(chunk["content"], chunk["offset"]):
                self.lines.setdefault(name, {})[number] = line
        if body.get("complete"):
            self.exit_code = body["exitcode"]
        return {}

    def _graphql(self, body: dict[str, Any], upload: str) -> dict[str, Any]:
        named = re.search(r"(?:query|mutation)\s+(\w+)", body["query"])
        operation = named[1] if named else ""
        variables = body.get("variables") or {}
        self.operations.append(operation)
        if operation == "UpsertBucket":
            self.bucket.update({key: value for key, value in variables.items() if value is not None})
            project = {"id": "UA==", "name": variables["project"], "entity": {"id": "RQ==", "name": "local"}}
            bucket = {
                "id": "UnVu",
                "name": variables["name"],
                "displayName": "n",
                "sweepName": None,
                "project": project,
            }
            return {"data": {"upsertBucket": {"bucket": {**bucket, "historyLineCount": 0}, "inserted": True}}}
        if operation == "CreateRunFiles":
            files = [{"name": name, "uploadUrl": upload + name} for name in variables["files"]]
            return {"data": {"createRunFiles": {"runID": "UnVu", "uploadHeaders": [], "files": files}}}
        if operation == "ServerFeaturesQuery":
            return {"data": {"serverInfo": {"features": []}}}
        return {"errors": [{"message": f"no {operation} here"}]}
