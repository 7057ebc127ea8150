"""What waits in a queue: a run that an agent is to start."""

from __future__ import annotations

import logging
import time
from typing import Any

from runframe import extjson
from runframe.errors import CommError, LaunchError, NotFoundError
from runframe.resources.client import Client
from runframe.resources.errors import as_comm_error
from runframe.resources.run import Run

LAUNCH_PROJECT = "model-registry"
"""The project of an entity in which its queues are."""

POLL_SECONDS = 5.0

logger = logging.getLogger(__name__)


class QueuedRun:
    """A run that was put into a launch queue. Nothing is asked before something of it is read.

    Args:
        client: the connection.
        entity: who the queue and the run belong to.
        project: the project that the run is to be logged to.
        queue_name: the queue.
        run_queue_item_id: its id in the queue.
        project_queue: the project that the queue is in; None for ``model-registry``.
        priority: the priority that it was put there with.

    Attributes:
        project_queue, priority: as given.
        sweep: None; runs of sweeps are not queued here.
    """

    def __init__(
        self,
        client: Client,
        entity: str,
        project: str,
        queue_name: str,
        run_queue_item_id: str,
        project_queue: str | None = LAUNCH_PROJECT,
        priority: int | None = None,
    ) -> None:
        self.client = client
        self._entity = entity
        self._project = project
        self._queue_name = queue_name
        self._run_queue_item_id = run_queue_item_id
        self.project_queue = project_queue or LAUNCH_PROJECT
        self.priority = priority
        self.sweep = None
        self._run: Run | None = None

    @property
    def queue_name(self) -> str:
        """The name of the queue."""
        return self._queue_name

    @property
    def id(self) -> str:
        """Its id in the queue."""
        return self._run_queue_item_id

    @property
    def project(self) -> str:
        """The project that the run is to be logged to; ``model-registry`` where it comes from a queue's `items`."""
        return self._project

    @property
    def entity(self) -> str:
        """Who the queue and the run belong to."""
        return self._entity

    @property
    def state(self) -> str:
        """Where it is on its way; asked each time.

        `pending`, `leased` (an agent took it), `claimed` (its run is known), `finished` or `failed`.

        Raises:
            NotFoundError: (also a ValueError) it is no longer in the queue.
            LaunchError: the queue is not there, or the server could not be asked.
        """
        return str(self._present()["state"]).lower()

    @as_comm_error
    def delete(self, delete_artifacts: bool = False) -> None:
        """Takes it out of the queue; a run that was started goes on.

        Args:
            delete_artifacts: of no effect, as with the official client: what waits has logged nothing.

        Raises:
            NotFoundError: there is no such queue.
            CommError: the server refused it: it is not in the queue, for instance.
        """
        data = self.client.query("queues", "GetRunQueueMetadata", self._place())
        queue = (data.get("project") or {}).get("runQueue")
        if queue is None:
            raise NotFoundError(f"there is no queue {self._where}", path=self._where)
        variables = {"queueID": queue["id"], "runQueueItemId": self.id}
        done = self.client.query("queues", "DeleteFromRunQueue", variables).get("deleteFromRunQueue")
        if not done or not done["success"]:
            raise CommError(f"{self!r} could not be taken out of its queue", path=self._where)

    @as_comm_error
    def wait_until_running(self) -> Run:
        """Waits until an agent has started the run, and returns it. It asks every five seconds.

        Raises:
            LaunchError: it could not be started, or the queue is not there.
            NotFoundError: it is no longer in the queue.
        """
        while self._run is None:
            self._run = self._started()
            if self._run is None:
                time.sleep(POLL_SECONDS)
        return self._run

    @as_comm_error
    def wait_until_finished(self) -> Run:
        """Waits until the run has ended in whatever way, and returns it as it is then.

        Raises:
            LaunchError: it could not be started, or the queue is not there.
            NotFoundError: it is no longer in the queue, or its run is gone.
        """
        run = self.wait_until_running()
        run.wait_until_finished()
        run.load(force=True)
        return run

    def _started(self) -> Run | None:
        """The run, if an agent has said which it is and it has begun to log."""
        item = self._present()
        run_id = item["associatedRunId"]
        if run_id is None:
            if item["state"] == "FAILED":
                raise LaunchError(f"{self!r} could not be started{self._reason()}", path=self._where)
            return None
        entity, project = self._home()
        try:
            return Run(self.client, entity, project, run_id)
        except NotFoundError:
            logger.info("%r was taken; its run %s/%s/%s has not begun yet", self, entity, project, run_id)
            return None

    def _home(self) -> tuple[str, str]:
        """Where the run is logged to: what comes from a listing does not know it, what was queued says it."""
        if self._project != self.project_queue:
            return self._entity, self._project
        spec = extjson.loads(self._details().get("runSpec") or "{}")
        return spec.get("entity") or self._entity, spec.get("project") or self._project

    def _reason(self) -> str:
        error = self._details().get("error")
        return f": {error['message']} ({error['stage']})" if error else ""

    def _details(self) -> dict[str, Any]:
        """What only newer servers tell of it."""
        try:
            return self._asked("GetRunQueueItemFull") or {}
        except LaunchError:
            return {}

    def _present(self) -> dict[str, Any]:
        item = self._asked("GetRunQueueItem")
        if item is None:
            raise NotFoundError(
                f"there is no item {self.id!r} in the queue {self._where}: it was deleted, or never there",
                path=self._where,
            )
        return item

    def _asked(self, operation: str) -> dict[str, Any] | None:
        """What the server knows of it; None where it is not in the queue."""
        try:
            data = self.client.query("queues", operation, {**self._place(), "itemId": self.id})
        except CommError as error:
            if "Cannot query field" in error.message and operation == "GetRunQueueItem":
                return self._listed()
            raise LaunchError(f"{self!r} could not be looked up: {error.message}", error, path=self._where) from error
        found: dict[str, Any] | None = self._queue(data).get("runQueueItem")
        return found

    def _listed(self) -> dict[str, Any] | None:
        """The same from a server that cannot give a single item: it lists them."""
        from runframe.resources.queues.items import QueuedRuns

        everything = QueuedRuns(self.client, self._entity, self._queue_name, project=self.project_queue)
        return next((dict(node) for node in everything.nodes() if node["id"] == self.id), None)

    def _queue(self, data: dict[str, Any]) -> dict[str, Any]:
        queue: dict[str, Any] | None = (data.get("project") or {}).get("runQueue")
        if queue is None:
            raise LaunchError(f"there is no queue {self._where}", path=self._where)
        return queue

    def _place(self) -> dict[str, Any]:
        return {"projectName": self.project_queue, "entityName": self._entity, "runQueue": self._queue_name}

    @property
    def _where(self) -> str:
        return f"{self._entity}/{self.project_queue}/{self._queue_name}"

    def __repr__(self) -> str:
        return f"<QueuedRun {self._queue_name} ({self.id})>"
