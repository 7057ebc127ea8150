"""A run's life: made, waited for, stopped, requeued, deleted."""

from __future__ import annotations

import secrets
import string
import time
from typing import TYPE_CHECKING, Any, Literal

from runframe import extjson
from runframe.errors import RunNotFoundError
from runframe.paths import UNCATEGORIZED
from runframe.resources.errors import as_comm_error
from runframe.resources.run_methods.base import RunBase

if TYPE_CHECKING:
    from runframe.resources.client import Connected
    from runframe.resources.run import Run

FINAL_STATES = frozenset({"finished", "crashed", "failed", "killed"})
POLL_SECONDS = 5.0
RUN_ID_LETTERS = string.ascii_lowercase + string.digits


def new_run_id() -> str:
    """Eight random letters and digits."""
    return "".join(secrets.choice(RUN_ID_LETTERS) for _ in range(8))


class LifeMethods(RunBase):
    """What becomes of a run."""

    @classmethod
    def create(
        cls,
        api: Connected,
        run_id: str | None = None,
        project: str | None = None,
        entity: str | None = None,
        state: Literal["running", "pending"] = "running",
    ) -> Run:
        """Makes a run that logs nothing yet.

        Args:
            api: the `Api` to make it through.
            run_id: its id; None for a random one.
            project: its project; None for the one that is set, else ``uncategorized``.
            entity: its entity; None for the one that is set, else the default one.
            state: ``"running"``, or ``"pending"`` for a run that somebody will resume.

        Raises:
            CommError: the server refused it.
        """
        from runframe.resources.run import Run

        client = api.client
        variables = {
            "entity": entity or client.default_entity(),
            "project": project or client.settings.get("project") or UNCATEGORIZED,
            "name": run_id or new_run_id(),
            "state": state,
        }
        bucket = client.query("runs", "CreateRun", variables)["upsertBucket"]["bucket"]
        empty = extjson.dumps({})
        attrs = {
            "id": bucket["id"],
            "name": bucket["name"],
            "state": state,
            "tags": [],
            "description": None,
            "notes": None,
            "config": empty,
            "summaryMetrics": empty,
            "systemMetrics": empty,
        }
        home = bucket["project"]
        return Run(client, home["entity"]["name"], home["name"], bucket["name"], attrs)

    @as_comm_error
    def delete(self, delete_artifacts: bool = False) -> None:
        """Deletes the run on the server; with `delete_artifacts`, what it logged as artifacts too."""
        variables: dict[str, Any] = {"id": self.storage_id}
        if delete_artifacts:
            self.client.query("runs", "DeleteRunAndArtifacts", {**variables, "deleteArtifacts": True})
        else:
            self.client.query("runs", "DeleteRun", variables)

    @as_comm_error
    def wait_until_finished(self) -> None:
        """Waits until the run has ended in whatever way, asking every five seconds."""
        variables = {"entity": self._entity, "project": self.project, "name": self._id}
        while True:
            data = self.client.query("runs", "RunState", variables)
            run = (data.get("project") or {}).get("run")
            if run is None:
                raise RunNotFoundError(f"Could not find run {self!r}", path=self._place)
            self._state = run["state"]
            if self._state in FINAL_STATES:
                return
            time.sleep(POLL_SECONDS)

    @as_comm_error
    def stop(self) -> None:
        """Asks the process that logs to the run to stop.

        It hears of it with its next heartbeat, within some seconds, and ends in its own way; `wait_until_finished`
        waits for that. A run that has ended is left as it is.

        Raises:
            CommError: the server refused it.
        """
        self.client.query("runs", "StopRun", {"id": self._attrs.get("id")})

    @as_comm_error
    def update_state(self, state: str) -> bool:
        """Moves the run to another state, where that is allowed.

        Args:
            state: ``"pending"``, from running, failed, crashed or preempted; or ``"failed"``, from pending or running.

        Returns:
            Whether the server did it.

        Raises:
            CommError: the move is not allowed, or the server cannot do it.
        """
        answer = self.client.query("runs", "UpdateRunState", {"input": {"id": self._attrs.get("id"), "state": state}})
        done = bool((answer.get("updateRunState") or {}).get("success"))
        if done:
            self._attrs["state"] = self._state = state
        return done
