"""Runs: each is begun, filled and ended on the target; one that is there is compared and brought up to date."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from runframe import extjson
from runframe.errors import AuthenticationError, CommError, Error, ServerError, TransportError
from runframe.export.clone.ends import End, names_filter
from runframe.export.clone.equality import FINAL, Part, attribute_changes, differences, is_same_run
from runframe.export.clone.lines import OtherRunError, Rows, copy_console
from runframe.export.clone.names import ClientNames
from runframe.export.clone.report import Ledger
from runframe.export.clone.run_files import RunFiles
from runframe.progress import Task
from runframe.resources.streaming import RunStream

PAGE = 50
AT_ONCE = 6
"""How many runs are under way at once; the pace of their requests is the session's."""
_EXIT_CODES = {"finished": 0, "failed": 1, "preempted": 1, "killed": 255}
"""What a process says that ends so, where the source does not tell."""
LINES: frozenset[Part] = frozenset({"history", "events", "console", "files", "life"})

Node = dict[str, Any]
Finish = Callable[[], None]


@dataclass
class Runs:
    """The runs of a project on their way.

    Args:
        source: where they are.
        target: where they go.
        sweeps: the ids that sweeps have on the target, by those that they have on the source.
        ledger: takes what was done.
        names: takes what clients called artifacts.
        overwrite: replace runs of the target that are other runs with the same ids.

    Attributes:
        present: ids of the runs that the target has now.
        lineage: ids of the runs that logged or used artifacts other than the target knows.
        finishes: the ends of runs that wait for their artifacts, with the runs' ids.
    """

    source: End
    target: End
    sweeps: Mapping[str, str]
    ledger: Ledger
    names: ClientNames
    overwrite: bool
    present: set[str] = field(default_factory=set)
    lineage: list[str] = field(default_factory=list)
    finishes: list[tuple[str, Finish]] = field(default_factory=list)
    _origins: bool = True

    def copy(self, task: Task, only: str | None = None) -> None:
        """Brings all runs, or one; those that wait for their artifacts are ended by `finish`.

        Raises:
            AuthenticationError, TransportError: a server refused the key, or is away: nothing can go on.
        """
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="runframe-clone") as pool:
            waiting: deque[Future[None]] = deque()
            try:
                for node, there, origin in self._pairs(only):
                    waiting.append(pool.submit(self._copy_one, node, there, origin))
                    while len(waiting) > 2 * AT_ONCE or (waiting and waiting[0].done()):
                        waiting.popleft().result()
                        task.advance()
                for future in waiting:
                    future.result()
                    task.advance()
            except BaseException:
                for future in waiting:
                    future.cancel()
                raise

    def finish(self) -> None:
        """Ends the runs that waited for their artifacts."""
        for name, finish in self.finishes:
            self._guarded(name, finish)

    def _pairs(self, only: str | None) -> Iterator[tuple[Node, Node | None, Node]]:
        """Each run of the source, with the one of the target, and with what not every server tells."""
        filters = None if only is None else names_filter([only])
        page: list[Node] = []
        for node in self.source.nodes("CloneRuns", "runs", size=PAGE, filters=filters):
            page.append(node)
            if len(page) == PAGE:
                yield from self._paired(page)
                page = []
        yield from self._paired(page)

    def _paired(self, page: list[Node]) -> Iterator[tuple[Node, Node | None, Node]]:
        if not page:
            return
        filters = names_filter([node["name"] for node in page])
        there = {node["name"]: node for node in self.target.nodes("CloneRuns", "runs", size=2 * PAGE, filters=filters)}
        origins = self._origins_of(filters)
        for node in page:
            yield node, there.get(node["name"]), origins.get(node["name"], {})

    def _origins_of(self, filters: str) -> dict[str, Node]:
        if not self._origins:
            return {}
        operation = "CloneRunEnds" if self.source.replays else "CloneRunOrigins"
        try:
            found = self.source.ask(operation, filters=filters, perPage=2 * PAGE).get("project") or {}
        except ServerError:
            self._origins = False
            reason = "the source does not tell them"
            self.ledger.lose("project", "the host, program and repository of runs", reason, self.source.path)
            return {}
        return {edge["node"]["name"]: edge["node"] for edge in (found.get("runs") or {}).get("edges") or []}

    def _copy_one(self, node: Node, there: Node | None, origin: Node) -> None:
        name = str(node["name"])
        self._note(node)
        self._guarded(name, lambda: _RunCopy(self, node, origin).copy(there))

    def _guarded(self, name: str, work: Callable[[], None]) -> None:
        """Does the work on one run; what goes wrong with it alone is noted.

        Raises:
            AuthenticationError, TransportError: as `copy` does.
        """
        try:
            work()
        except (TransportError, AuthenticationError):
            raise
        except Error as error:
            self.ledger.fail("run", name, error.message)

    def _note(self, node: Node) -> None:
        """What never survives."""
        name = str(node["name"])
        author = (node.get("user") or {}).get("username")
        if author and author != self.target.username:
            reason = f"what is written with a key belongs to the key's owner ({self.target.username})"
            self.ledger.lose("run", "the author", reason, name)
        if not self.target.replays:
            reason = "the target tells times by its own clock; rows keep theirs"
            self.ledger.lose("run", "created_at and heartbeat_at", reason, name)
            if node.get("state") in ("killed", "crashed"):
                becomes = "failed" if node["state"] == "killed" else "running until the target misses its heartbeat"
                self.ledger.lose("run", f"the state {node['state']}", f"on the target it is {becomes}", name)
        if node.get("state") not in FINAL:
            self.ledger.live(name)
        if node.get("sweepName") and node["sweepName"] not in self.sweeps:
            self.ledger.lose("run", "its sweep", f"the sweep {node['sweepName']} is not on the target", name)


class _RunCopy:
    """One run on its way."""

    def __init__(self, runs: Runs, node: Node, origin: Node) -> None:
        self._runs, self._node, self._origin = runs, node, origin
        self._source, self._target, self._ledger = runs.source, runs.target, runs.ledger
        self._name = str(node["name"])
        self._sweep = runs.sweeps.get(node.get("sweepName") or "")
        self._stream = RunStream(self._target.client.session, self._target.entity, self._target.project, self._name)
        self._files = RunFiles(self._source, self._target, self._name, self._stream, self._ledger)
        self._rows = Rows(self._source, self._target, self._name, self._see)
        self._referring = False

    def copy(self, there: Node | None) -> None:
        """Brings the run to where it is on the source."""
        if there is not None and is_same_run(self._node, there) is False:
            self._make_room(there, f"it is another run than {self._source.path}/{self._name}")
            there = None
        try:
            self._bring(there)
        except OtherRunError as error:
            if there is None:
                raise
            self._make_room(there, error.message)
            # From the beginning: rows have been taken.
            _RunCopy(self._runs, self._node, self._origin).copy(None)

    def _make_room(self, there: Node, reason: str) -> None:
        """Makes room for the run where another one has its id.

        Raises:
            OtherRunError: that was not allowed.
        """
        if not self._runs.overwrite:
            raise OtherRunError(f"{reason.rstrip('.')}; --overwrite (overwrite=True) replaces it")
        self._target.client.query("runs", "DeleteRun", {"id": there["id"]})

    def _bring(self, there: Node | None) -> None:
        parts = None if there is None else differences(self._node, there, self._sweep, replays=self._target.replays)
        self._note_lineage(there)
        if parts is not None and not parts:
            self._runs.present.add(self._name)
            self._ledger.add("unchanged")
            return
        run_id, have = self._begin(there, parts)
        self._runs.present.add(self._name)
        if parts is None or parts & LINES:
            self._send(have, parts)
        if parts is None or parts & {"summary", "life"}:
            self._stream.summary(self._node.get("summaryMetrics") or "{}")
        self._see(self._node.get("summaryMetrics") or "")

        def finish() -> None:
            self._finish(run_id)
            self._ledger.add("runs" if there is None else "updated")

        # Its values name artifacts by what clients called them, which only a run that is read again tells.
        if self._referring:
            self._runs.finishes.append((self._name, finish))
        else:
            finish()

    def _see(self, text: str) -> None:
        self._referring |= self._runs.names.note(text)

    def _note_lineage(self, there: Node | None) -> None:
        def counts(node: Node) -> list[int]:
            return [int((node.get(name) or {}).get("totalCount") or 0) for name in ("inputs", "outputs")]

        wanted = counts(self._node)
        if any(wanted) and (there is None or counts(there) != wanted):
            self._runs.lineage.append(self._name)

    def _begin(self, there: Node | None, parts: set[Part] | None) -> tuple[str, tuple[int, int]]:
        """The run's own id on the target, and how many rows of history and system metrics it has there.

        Raises:
            OtherRunError: what is there is another run; it was not touched.
        """
        counted = int(self._node.get("eventsLineCount") or 0)
        if there is not None:
            have = (int(there.get("historyLineCount") or 0), int(there.get("eventsLineCount") or 0))
            # Rows are read again where that is needed to know the run, or what its values name.
            if is_same_run(self._node, there) is None or (parts or set()) & {"history", "events", "life"}:
                self._rows.check(*have, counted)
            changes = attribute_changes(self._node, there, self._sweep)
            if changes:
                self._upsert({"id": there["id"], **changes})
            return str(there["id"]), have
        node, origin, target = self._node, self._origin, self._target
        said = {key: node.get(key) for key in ("displayName", "notes", "description", "jobType", "commit")}
        came = {key: origin.get(key) for key in ("host", "jobProgram", "jobRepo")}
        fields = {"entityName": target.entity, "modelName": target.project, "name": self._name, **said, **came}
        fields |= {"config": node.get("config") or "{}", "tags": node.get("tags") or []}
        bucket = self._upsert({**fields, "groupName": node.get("group"), "sweep": self._sweep})
        if bucket.get("name") != self._name:
            raise CommError(f"{target.url} gave the run another id: {bucket.get('name')}")
        if target.replays:
            target.tell("ReplayRun", {"id": bucket["id"], "createdAt": node.get("createdAt")})
        # A fork begins with rows of its parent.
        have = (int(bucket.get("historyLineCount") or 0), 0)
        self._rows.check(*have, counted)
        return str(bucket["id"]), have

    def _upsert(self, fields: Node) -> Node:
        """Makes or changes the run; a server that takes strict JSON alone gets null for NaN, which is noted."""
        try:
            answer = self._target.tell("CloneUpsertRun", fields)
        except ServerError:
            text = strict(fields.get("config"))
            if text is None:
                raise
            answer = self._target.tell("CloneUpsertRun", {**fields, "config": text})
            self._ledger.lose(
                "run", "NaN and infinity in the config", "the target takes none; they are null", self._name
            )
        return dict(answer["upsertBucket"]["bucket"])

    def _send(self, have: tuple[int, int], parts: set[Part] | None) -> None:
        """Sends the lines and files that the target lacks."""
        ledger, node, rows = self._ledger, self._node, self._rows
        if rows.checked:
            if node.get("historyLineCount"):
                ledger.add("rows", rows.send_history(self._stream))
            self._count("history rows", rows.history, node.get("historyLineCount"))
            counted = int(node.get("eventsLineCount") or 0)
            if counted:
                ledger.add("events", rows.send_events(self._stream, have[1], counted))
            self._count("rows of system metrics", rows.events, counted)
        if node.get("logLineCount") and (parts is None or "console" in parts):
            read = copy_console(self._source, self._name, self._stream)
            ledger.add("console_lines", read)
            self._count("console lines", read, node.get("logLineCount"))
        self._files.copy(compare=parts is not None)

    def _count(self, what: str, read: int, counted: int | None) -> None:
        if counted is not None and read < counted:
            reason = f"the source counts {counted:,} and gave {read:,}"
            self._ledger.lose("run", what, reason, self._name)

    def _finish(self, run_id: str) -> None:
        """Says how the run ended, and when: the last thing that is said of it."""
        state, code = self._node.get("state"), self._origin.get("exitcode")
        if self._target.replays:
            times = {key: self._node.get(key) for key in ("createdAt", "heartbeatAt")}
            times["updatedAt"] = self._origin.get("updatedAt") or times["heartbeatAt"]
            files = [file for file in self._files.times if file["updatedAt"]]
            self._target.tell("ReplayRun", {"id": run_id, **times, "state": state, "exitcode": code, "files": files})
        elif state in _EXIT_CODES:
            self._stream.finish(_EXIT_CODES[state] if code is None else code, preempting=state == "preempted")


def strict(text: str | None) -> str | None:
    """The JSON text with null in the place of NaN and the infinities; None where it has none."""
    if text is None:
        return None

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, list):
            return [plain(item) for item in value]
        return None if isinstance(value, float) and (value != value or abs(value) == float("inf")) else value

    found = extjson.loads(text)
    made = plain(found)
    return None if json.dumps(made) == json.dumps(found) else extjson.dumps(made)
