"""Where a run is: what every group of its methods stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from runframe.resources.client import Client
from runframe.resources.showing import Shown

if TYPE_CHECKING:
    from runframe.resources.run import Run


class RunBase(Shown):
    """A run's place: its connection, entity, project and id."""

    client: Client
    project: str
    _entity: str
    _id: str
    _state: str
    _parsed: dict[str, Any]

    @property
    def id(self) -> str:
        """The run's id, as in its address."""
        return self._id

    @id.setter
    def id(self, run_id: str) -> None:
        self._id = run_id
        self._attrs["name"] = run_id

    @property
    def entity(self) -> str:
        """The user or team that the run belongs to."""
        return self._entity

    @property
    def path(self) -> list[str]:
        """Entity, project and id, each percent-encoded."""
        return [quote(part, safe="") for part in (self._entity, self.project, self._id)]

    @property
    def url(self) -> str:
        """The address of its page."""
        return self.client.link(self._entity, self.project, "runs", self._id)

    @property
    def _place(self) -> str:
        return f"{self._entity}/{self.project}/{self._id}"

    @property
    def _run(self) -> Run:
        """The same object: the groups of methods are only ever parts of a `Run`."""
        return cast("Run", self)
