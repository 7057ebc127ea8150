"""Putting a run into a queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runframe import extjson
from runframe.errors import LaunchError, NotFoundError, QueueError, ServerError
from runframe.resources.client import Client
from runframe.resources.queues.item import LAUNCH_PROJECT, QueuedRun
from runframe.resources.queues.queue import RunQueue

DEFAULT_QUEUE = "default"
"""The queue that is meant where none is named; it is made when it is first needed."""


def enqueue(
    client: Client,
    spec: Mapping[str, Any],
    queue_name: str | None = None,
    template_variables: Mapping[str, Any] | None = None,
    project_queue: str | None = None,
    priority: int | None = None,
) -> QueuedRun:
    """Puts a run into a queue.

    Args:
        client: the connection.
        spec: what is to be run, with `entity` and `project`; the queue is the entity's.
        queue_name: the queue; None for `default`.
        template_variables: values of the queue's template variables.
        project_queue: the project that the queue is in; None for ``model-registry``.
        priority: less goes first, where the queue has priorities.

    Raises:
        QueueError: (a ValueError) the values do not fit the queue's template variables.
        LaunchError: there is no such queue, or the server refused the run.
    """
    queue_name, project = queue_name or DEFAULT_QUEUE, project_queue or LAUNCH_PROJECT
    push = _Push(client, spec, queue_name, template_variables, project, priority)
    if template_variables:
        push.check_values()
    return QueuedRun(client, spec["entity"], spec["project"], queue_name, push.send(), project, priority)


class _Push:
    """One run on its way into a queue."""

    def __init__(
        self,
        client: Client,
        spec: Mapping[str, Any],
        queue_name: str,
        values: Mapping[str, Any] | None,
        project: str,
        priority: int | None,
    ) -> None:
        self.client = client
        self.project = project
        self.entity = str(spec["entity"])
        self.queue = RunQueue(client, queue_name, self.entity, project=project)
        self.values = values
        self.priority = priority
        self.texts = {
            "runSpec": extjson.dumps(spec),
            "templateVariableValues": None if values is None else extjson.dumps(values),
        }

    def check_values(self) -> None:
        """Holds the values against the queue's template variables.

        A queue that is not there, and a schema of a kind that is not known here, is left to the server.

        Raises:
            QueueError: they do not fit.
        """
        try:
            self.queue._variables()
        except (NotFoundError, QueueError):
            return
        self.queue.check_template_variables({} if self.values is None else self.values)

    def send(self) -> str:
        """The id of the item that it became.

        Raises:
            QueueError, LaunchError: see `enqueue`.
        """
        item, refusal = self._by_name()
        if item is None:
            queue_id = self._queue_id()
            if queue_id is None:
                self._make_default()
                item, refusal = self._by_name()
            elif refusal is not None:
                self.check_values()
            elif self.priority is None:
                item = self._by_id(queue_id)
        if item is None:
            reason = refusal.message if refusal else "the server does not say why"
            raise LaunchError(f"no run could be put into the queue {self._where}: {reason}", refusal, path=self._where)
        return item

    def _by_name(self) -> tuple[str | None, ServerError | None]:
        place = {"entityName": self.entity, "projectName": self.project, "queueName": self.queue.name}
        variables = {**place, "priority": self.priority, **self.texts}
        try:
            data = self.client.query("queues", "PushToRunQueueByName", variables)
        except ServerError as error:
            return None, error
        return (data.get("pushToRunQueueByName") or {}).get("runQueueItemId"), None

    def _by_id(self, queue_id: str) -> str | None:
        """As servers that don't look for names have it; they know no priorities."""
        data = self.client.query("queues", "PushToRunQueue", {"queueID": queue_id, **self.texts})
        item: str | None = (data.get("pushToRunQueue") or {}).get("runQueueItemId")
        return item

    def _queue_id(self) -> str | None:
        """The id of the queue; None where it is not there."""
        place = {"projectName": self.project, "entityName": self.entity}
        project = self.client.query("queues", "ProjectRunQueues", place).get("project") or {}
        found = {queue["name"]: queue["id"] for queue in project.get("runQueues") or []}
        if self.queue.name not in found and self.queue.name != DEFAULT_QUEUE:
            there = f"there is {', '.join(map(repr, found))}" if found else "there is none"
            raise LaunchError(
                f"there is no queue {self._where} ({there}): Api.create_run_queue makes one", path=self._where
            )
        return found.get(self.queue.name)

    def _make_default(self) -> None:
        fields = {"entityName": self.entity, "projectName": self.project, "queueName": self.queue.name}
        self.client.query("queues", "CreateRunQueue", {**fields, "access": "PROJECT"})

    @property
    def _where(self) -> str:
        return f"{self.entity}/{self.project}/{self.queue.name}"
