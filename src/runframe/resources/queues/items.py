"""What waits in a queue, as a collection and as a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runframe.errors import NotFoundError
from runframe.frames.schema import CATEGORY, INT, JSON, TEXT, TIME, Column, Schema
from runframe.resources.client import Client
from runframe.resources.collection import Collection
from runframe.resources.lists import FramedList
from runframe.resources.queues.item import LAUNCH_PROJECT, QueuedRun
from runframe.wire.pages import Connection

if TYPE_CHECKING:
    from runframe.frames.frame import Frame

SCHEMA = Schema(
    "queued runs",
    [
        Column("id", TEXT, "id", "Its id in the queue."),
        Column("entity", CATEGORY, "entity", "User or team that the queue belongs to."),
        Column("queue_name", CATEGORY, "queueName", "The queue."),
        Column(
            "state", CATEGORY, "state", "`pending`, `leased`, `claimed`, `finished` or `failed`.", convert=str.lower
        ),
        Column("run_id", TEXT, "associatedRunId", "Id of the run that came of it."),
        Column("priority", INT, "priority", "Its priority: less goes first.", "heavy"),
        Column("created_at", TIME, "createdAt", "When it was put there.", "heavy"),
        Column("updated_at", TIME, "updatedAt", "When it was last changed.", "heavy"),
        Column("run_spec", JSON, "runSpec", "What is to be run, with the queue's settings filled in.", "heavy"),
        Column("error", JSON, "error", "Why it could not be started: message, stage and files.", "heavy"),
        Column("warnings", JSON, "warnings", "What its agent warned of.", "heavy"),
    ],
)


class QueuedRuns(Collection[QueuedRun]):
    """What waits in a queue, or did, the oldest first. The server does not count it: there is no `len()`.

    Args:
        client: the connection.
        entity: who the queue belongs to.
        queue_name: the queue.
        per_page: how many are asked for at once; None means 50.
        project: the project that the queue is in.
    """

    SCHEMA = SCHEMA
    CONNECTION = Connection(("project", "runQueue", "runQueueItems"), cursor="end")

    def __init__(
        self,
        client: Client,
        entity: str,
        queue_name: str,
        per_page: int | None = None,
        *,
        project: str = LAUNCH_PROJECT,
    ) -> None:
        self.entity, self.queue_name, self.project = entity, queue_name, project
        super().__init__(client, {"projectName": project, "entityName": entity, "runQueue": queue_name}, per_page)

    @property
    def length(self) -> None:
        """None: the server doesn't count what is in a queue."""
        return None

    def nodes(self) -> Iterator[Mapping[str, Any]]:
        """Each as the server sends it: `id`, `state` and `associatedRunId`."""
        for nodes in self._stream(full=False):
            yield from nodes

    def _operation(self, full: bool) -> tuple[str, str]:
        return "queues", "GetRunQueueItemsFull" if full else "GetRunQueueItems"

    def _checked(self, data: dict[str, Any]) -> dict[str, Any]:
        if (data.get("project") or {}).get("runQueue") is None:
            raise NotFoundError(f"there is no queue {self._source()}", path=self._source())
        return data

    def _object(self, node: dict[str, Any]) -> QueuedRun:
        return QueuedRun(self.client, self.entity, self.project, self.queue_name, node["id"], self.project)

    def _context(self) -> dict[str, Any]:
        return {"entity": self.entity, "queue_name": self.queue_name}

    def _is_full(self, node: Mapping[str, Any]) -> bool:
        return "runSpec" in node

    def _is_live(self, node: Mapping[str, Any]) -> bool:
        return node["state"] not in ("FINISHED", "FAILED")

    def _source(self) -> str:
        return f"{self.entity}/{self.project}/{self.queue_name}"

    def _path_of(self, node: Mapping[str, Any]) -> str:
        return f"{self._source()}/{node['id']}"

    def __repr__(self) -> str:
        return f"<QueuedRuns {self._source()}>"


class QueueItems(FramedList[QueuedRun]):
    """The first hundred of what is in a queue, as a list; its columns are those of all that is in the queue."""

    SCHEMA = SCHEMA

    def __init__(self, items: Iterable[QueuedRun], everything: QueuedRuns) -> None:
        super().__init__(items)
        self.everything = everything

    def _frame(self, columns: Sequence[str] | None) -> Frame:
        return self.everything._table(columns)
