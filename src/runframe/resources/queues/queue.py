"""A launch queue: what runs in it are started with, and what waits in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from runframe import extjson, templates
from runframe.errors import CommError, NotFoundError, QueueError
from runframe.resources.client import Client, connect_from_environment
from runframe.resources.errors import as_comm_error
from runframe.resources.queues.item import LAUNCH_PROJECT
from runframe.resources.queues.items import QueuedRuns, QueueItems

if TYPE_CHECKING:
    from runframe.templates import Variable

LISTED = 100
"""How many of a queue's items its `items` holds: as many as with the official client."""

RunQueueResourceType = Literal["local-container", "local-process", "kubernetes", "sagemaker", "gcp-vertex"]
RunQueueAccessType = Literal["PROJECT", "USER"]
RunQueuePrioritizationMode = Literal["DISABLED", "V0"]


class RunQueue:
    """One launch queue. Nothing is asked before one of its properties is read; what was read stays.

    Args:
        client: the connection.
        name: its name.
        entity: the user or team that it belongs to.
        prioritization_mode: its mode, where that is known.
        project: the project that it is in.
    """

    def __init__(
        self,
        client: Client,
        name: str,
        entity: str,
        prioritization_mode: str | None = None,
        _access: str | None = None,
        _default_resource_config_id: str | None = None,
        _default_resource_config: dict[str, Any] | None = None,
        *,
        project: str = LAUNCH_PROJECT,
    ) -> None:
        self.client = client
        self._name = name
        self._entity = entity
        self._project = project
        self._prioritization_mode = prioritization_mode
        self._access = _access
        self._default_resource_config_id = _default_resource_config_id
        self._default_resource_config = _default_resource_config
        self._external_links: Any = None
        self._template_variables: Any = None
        self._type: str | None = None
        self._items: QueueItems | None = None
        self._id: str | None = None

    @property
    def name(self) -> str:
        """Its name."""
        return self._name

    @property
    def entity(self) -> str:
        """The user or team that it belongs to."""
        return self._entity

    @property
    def id(self) -> str:
        """The server's own id.

        Raises:
            NotFoundError: there is no such queue. (So do the other properties that have to ask.)
        """
        if self._id is None:
            self._get_metadata()
        assert self._id is not None
        return self._id

    @property
    def prioritization_mode(self) -> str:
        """`V0`: what has a smaller priority number goes first. `DISABLED`: the oldest does."""
        if self._prioritization_mode is None:
            self._get_metadata()
        assert self._prioritization_mode is not None
        return self._prioritization_mode

    @property
    def access(self) -> str:
        """Who may put something into it: `PROJECT` or `USER`."""
        if self._access is None:
            self._get_metadata()
        assert self._access is not None
        return self._access

    @property
    def external_links(self) -> dict[str, Any]:
        """Links for people, as the server keeps them: ``{"links": [{"label": …, "url": …}]}``."""
        if self._external_links is None:
            self._get_metadata()
        return dict(self._external_links or {})

    @property
    def type(self) -> str:
        """What runs are started on: `local-container`, `local-process`, `kubernetes`, `sagemaker` or `gcp-vertex`.

        Raises:
            NotFoundError: there is no such queue, or it has no settings.
        """
        if self._type is None:
            self._get_default_resource_config()
        assert self._type is not None
        return self._type

    @property
    def default_resource_config(self) -> dict[str, Any]:
        """What runs are started with: ``{"resource_args": {type: {…}}}``; empty where the queue has no settings.

        A queue that `create_run_queue` returns has the config that it was made with, until more of it is read.
        """
        if self._default_resource_config is None:
            if self._default_resource_config_id is None:
                self._get_metadata()
            if self._default_resource_config_id is not None:
                self._get_default_resource_config()
        assert self._default_resource_config is not None
        return self._default_resource_config

    @property
    def template_variables(self) -> list[dict[str, Any]]:
        """The variables that the settings name as ``{{name}}``: `name`, and `schema` as JSON text.

        Raises:
            NotFoundError: there is no such queue, or it has no settings.
        """
        if self._template_variables is None:
            self._get_default_resource_config()
        variables: list[dict[str, Any]] = self._template_variables
        return variables

    @property
    def items(self) -> QueueItems:
        """Up to a hundred of what is in the queue, the oldest first, read once: a list of `QueuedRun`.

        As columns (``queue.items.to_polars()``) it is all that is in the queue. `queued_runs()` is that as objects.
        """
        if self._items is None:
            everything = QueuedRuns(self.client, self._entity, self._name, LISTED, project=self._project)
            self._items = QueueItems(everything[:LISTED], everything)
        return self._items

    def queued_runs(self, per_page: int | None = 50) -> QueuedRuns:
        """All that is in the queue, the oldest first. Nothing is asked before the first one is wanted.

        Args:
            per_page: how many are asked for at once; None means 50.
        """
        return QueuedRuns(self.client, self._entity, self._name, per_page, project=self._project)

    def check_template_variables(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The value that each template variable would have for a run: the one given, else its default.

        Args:
            values: the values, by the variables' names.

        Raises:
            QueueError: (also a ValueError) a value is for no variable or against its schema, or one is missing.
            NotFoundError: there is no such queue.
        """
        if not isinstance(values, Mapping):
            raise QueueError(f"the values of template variables are {values!r}, expected a dict {{name: value}}")
        return templates.values_of(self._variables(), values)

    def _variables(self) -> dict[str, Variable]:
        if not self.default_resource_config:
            return {}
        return templates.read_variables(
            {each["name"]: {"schema": _decoded(each["schema"])} for each in self.template_variables}
        )

    @as_comm_error
    def delete(self) -> None:
        """Deletes the queue, with all that waits in it.

        Raises:
            NotFoundError: there is no such queue.
            CommError: the server refused it.
        """
        done = self.client.query("queues", "DeleteRunQueue", {"id": self.id}).get("deleteRunQueues")
        if not done or not done["success"]:
            raise CommError(f"the queue {self._where} could not be deleted", path=self._where)
        self._id = self._access = self._default_resource_config_id = None
        self._default_resource_config = self._items = None

    @classmethod
    def create(
        cls,
        name: str,
        resource: RunQueueResourceType,
        entity: str | None = None,
        prioritization_mode: RunQueuePrioritizationMode | None = None,
        config: dict[str, Any] | None = None,
        template_variables: dict[str, Any] | None = None,
        *,
        api: Any = None,
    ) -> RunQueue:
        """Makes a queue: the same as `Api.create_run_queue`.

        Args:
            name: up to 64 characters.
            resource: what runs are started on: its `type`.
            entity: the user or team; None for the default one.
            prioritization_mode: ``V0`` for a queue with priorities.
            config: what runs are started with.
            template_variables: the variables in it, with their schemas.
            api: the `Api` to make it through; None for one made from the environment.
        """
        from runframe.resources.queues.making import create

        client = connect_from_environment() if api is None else api.client
        return create(client, name, resource, entity, prioritization_mode, config, template_variables)

    @as_comm_error
    def _get_metadata(self) -> None:
        variables = {"projectName": self._project, "entityName": self._entity, "runQueue": self._name}
        data = self.client.query("queues", "GetRunQueueMetadata", variables)
        queue = (data.get("project") or {}).get("runQueue")
        if queue is None:
            raise NotFoundError(f"there is no queue {self._where}: Api.create_run_queue makes one", path=self._where)
        self._id, self._access = queue["id"], queue["access"]
        self._prioritization_mode = queue["prioritizationMode"]
        self._external_links = queue["externalLinks"]
        self._default_resource_config_id = queue["defaultResourceConfigID"]
        if self._default_resource_config_id is None:
            self._default_resource_config = {}

    @as_comm_error
    def _get_default_resource_config(self) -> None:
        if self._default_resource_config_id is None:
            self._get_metadata()
        variables = {"entityName": self._entity, "id": self._default_resource_config_id}
        found = None
        if self._default_resource_config_id is not None:
            data = self.client.query("queues", "GetDefaultResourceConfig", variables)
            found = (data.get("entity") or {}).get("defaultResourceConfig")
        if found is None:
            raise NotFoundError(
                f"the queue {self._where} has no settings: Api.upsert_run_queue gives it some", path=self._where
            )
        self._type, self._template_variables = found["resource"], found["templateVariables"]
        self._default_resource_config = found["config"]

    @property
    def _where(self) -> str:
        return f"{self._entity}/{self._project}/{self._name}"

    def __repr__(self) -> str:
        return f"<RunQueue {self._entity}/{self._name}>"


def _decoded(schema: Any) -> Any:
    """A variable's schema; servers send it as an object or as JSON text."""
    return extjson.loads(schema) if isinstance(schema, str) else schema
