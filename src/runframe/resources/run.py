"""A run: its attributes and documents, loading and changing it; the rest of its methods is in `run_methods/`."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from runframe import extjson
from runframe.errors import RunNotFoundError
from runframe.resources.client import Client
from runframe.resources.config import join_config, parse_document, split_config
from runframe.resources.errors import as_comm_error
from runframe.resources.run_methods.artifacts import ArtifactMethods
from runframe.resources.run_methods.files import FileMethods
from runframe.resources.run_methods.frames import FrameMethods
from runframe.resources.run_methods.history import HistoryMethods
from runframe.resources.run_methods.life import LifeMethods
from runframe.resources.summary import HTTPSummary
from runframe.resources.users import User

if TYPE_CHECKING:
    from runframe.resources.sweeps import Sweep


class Run(LifeMethods, HistoryMethods, FrameMethods, FileMethods, ArtifactMethods):
    """One run.

    A run that comes from a listing has only its light fields; touching `config`, `summary`, `summary_metrics`,
    `system_metrics`, `rawconfig` or `history_keys` fetches the rest. Fields are attributes in two spellings
    (`created_at`, `createdAt`).

    Attributes:
        client: the connection.
        entity, project: where the run belongs (`project` as text).
        storage_id: the server's own id of the run.
        tags: list of text; change it or assign a new one, then `update()`.
        notes, description, group, job_type, commit: text or None.
        created_at, heartbeat_at: ISO 8601 text as the server sends it.
        read_only: whether it may be changed.
        history_line_count: how many rows the server counts.
    """

    tags: list[str]
    notes: str | None
    description: str | None
    group: str | None
    job_type: str | None
    commit: str | None
    created_at: str
    heartbeat_at: str | None
    read_only: bool | None
    history_line_count: int | None
    server_provides_internal_id_field: bool | None

    def __init__(
        self,
        client: Client,
        entity: str,
        project: str,
        run_id: str,
        attrs: Mapping[str, Any] | None = None,
        *,
        loader: Callable[[Run], None] | None = None,
        sweeps: dict[str, Sweep] | None = None,
    ) -> None:
        super().__init__(attrs or {})
        self.client = client
        self.project = project
        self._entity = entity
        self._id = run_id
        self._loader = loader
        self._sweeps = {} if sweeps is None else sweeps
        self.server_provides_internal_id_field = None
        self._parsed: dict[str, Any] = {}
        if attrs is None:
            self._state = "not found"
            self.load(force=True)
        else:
            self._state = self._attrs.get("state") or "not found"

    # What it is.

    @property
    def name(self) -> str | None:
        """The name that people see."""
        return cast("str | None", self._attrs.get("displayName"))

    @name.setter
    def name(self, name: str) -> None:
        self._attrs["displayName"] = name

    @property
    def username(self) -> str:
        """The entity, by its old name."""
        warnings.warn("Run.username is deprecated: it is the run's entity", DeprecationWarning, stacklevel=2)
        return self._entity

    @property
    def state(self) -> str:
        """`running`, `finished`, `failed`, `crashed`, `killed`, `pending`, `preempting` or `preempted`."""
        return self._state

    @property
    def storage_id(self) -> str | None:
        """The server's own id of the run, used where it is changed."""
        return cast("str | None", self._attrs.get("id"))

    @property
    def sweep_name(self) -> str | None:
        """The id of the sweep that it belongs to."""
        return cast("str | None", self._attrs.get("sweepName"))

    @property
    def user(self) -> User:
        """Who started it; has `name` and `username`.

        Raises:
            AttributeError: the server knows no user.
        """
        given = self._attrs.get("user")
        if not given:
            raise AttributeError(f"the server knows no user of {self!r}")
        return User(self.client, given)

    @property
    def sweep(self) -> Sweep | None:
        """The sweep that it belongs to, asked for once; None where there is none.

        Runs of one listing share the object.
        """
        from runframe.resources.sweeps import Sweep

        name = self._attrs.get("sweepName")
        if name and name not in self._sweeps:
            found = Sweep.get(self.client, self._entity, self.project, name)
            if found is None:
                return None
            self._sweeps[name] = found
        return self._sweeps[name] if name else None

    @property
    def dir(self) -> str:
        """A local folder of its own; not made before something is put there."""
        root = os.environ.get("WANDB_DIR") or tempfile.gettempdir()
        return str(Path(root, *self.path))

    def __repr__(self) -> str:
        return f"<Run {'/'.join(self.path)} ({self._state})>"

    # Its documents.

    @property
    def config(self) -> dict[str, Any]:
        """What the user put into the config. Change entries or assign a dict, then `update()`."""
        return self._document("config")

    @config.setter
    def config(self, config: dict[str, Any]) -> None:
        self._document("config")
        self._parsed["config"] = config

    @property
    def rawconfig(self) -> dict[str, Any]:
        """The config with the SDK's own entries (`_wandb`)."""
        return self._document("rawconfig")

    @property
    def json_config(self) -> str:
        """The config as the server stores it."""
        return join_config(self.config, self.rawconfig)

    @property
    def summary_metrics(self) -> dict[str, Any]:
        """The last value of each metric, as plain nested dicts."""
        return self._document("summaryMetrics")

    @property
    def summaryMetrics(self) -> dict[str, Any]:
        """The same as `summary_metrics`."""
        return self.summary_metrics

    @property
    def summary(self) -> HTTPSummary:
        """The same as something to read and write; `summary.update()` sends it."""
        if "summary" not in self._parsed:
            self._parsed["summary"] = HTTPSummary(self.summary_metrics, self._send_summary)
        return cast("HTTPSummary", self._parsed["summary"])

    @property
    def system_metrics(self) -> dict[str, Any]:
        """The last sample of the machine's metrics."""
        return self._document("systemMetrics")

    @property
    def systemMetrics(self) -> dict[str, Any]:
        """The same as `system_metrics`."""
        return self.system_metrics

    @property
    def history_keys(self) -> Any:
        """What the server knows of the history's keys: an object with `keys`, `lastStep` and more."""
        self._need_full()
        return self._attrs.get("historyKeys")

    @property
    def historyKeys(self) -> Any:
        """The same as `history_keys`."""
        return self.history_keys

    def _document(self, name: str) -> dict[str, Any]:
        if name not in self._parsed:
            self._need_full()
            if name in ("config", "rawconfig"):
                document = parse_document(self._attrs.get("config"), "config")
                config, raw = split_config(document)
                self._parsed.setdefault("config", config)
                self._parsed["rawconfig"] = raw
            else:
                self._parsed[name] = parse_document(self._attrs.get(name), name)
        return cast("dict[str, Any]", self._parsed[name])

    @property
    def _is_full(self) -> bool:
        return "config" in self._attrs

    def _need_full(self) -> None:
        if not self._is_full and self._loader is not None:
            self._loader(self)
        if not self._is_full:
            self.load(force=True)

    def _take(self, node: Mapping[str, Any]) -> None:
        """Takes heavy fields from a fuller node; what the user changed meanwhile stays."""
        self._attrs = {**node, **self._attrs}

    # Loading and changing.

    def load(self, force: bool = False) -> dict[str, Any]:
        """Fetches the run again (with `force`, or if it was never loaded) and returns its fields.

        Changes that were not sent are lost, but for attributes that were assigned.

        Raises:
            RunNotFoundError: the run isn't there.
        """
        if force or not self._attrs:
            variables = {"entity": self._entity, "project": self.project, "name": self._id}
            data = self.client.query("runs", "Run", variables)
            node = (data.get("project") or {}).get("run")
            if node is None:
                self._state = "not found"
                raise RunNotFoundError(f"Could not find run {self!r}", path=self._place)
            self._attrs = dict(node)
            self._parsed = {}
            self._state = self._attrs.get("state") or "not found"
        return self._fields()

    def _fields(self) -> dict[str, Any]:
        """All fields, the documents among them parsed."""
        if not self._is_full:
            return dict(self._attrs)
        documents = ("config", "rawconfig", "summaryMetrics", "systemMetrics")
        return {**self._attrs, **{name: self._document(name) for name in documents}}

    def load_full_data(self, force: bool = False) -> dict[str, Any]:
        """Fetches the fields that a listing leaves out, if they are not there yet (or with `force`)."""
        return self.load(force=force or not self._is_full)

    @as_comm_error
    def update(self) -> None:
        """Sends local changes of tags, notes, description, name, config, group, job type and summary.

        Config and summary are sent where they were read or assigned: then the server's are replaced as a whole.

        Raises:
            CommError: the server refused it, or a value has no JSON form.
        """
        config = self.json_config if "config" in self._parsed else None
        fields = {"displayName": "display_name", "groupName": "group", "jobType": "job_type"}
        fields |= {name: name for name in ("tags", "notes", "description")}
        changed = {name: getattr(self, attribute, None) for name, attribute in fields.items()}
        self.client.query("runs", "UpdateRun", {"id": self.storage_id, "config": config, **changed})
        if "summaryMetrics" in self._parsed:
            self.summary.update()

    def save(self) -> None:
        """The same as `update`."""
        self.update()

    def _send_summary(self) -> None:
        variables = {"id": self.storage_id, "summaryMetrics": extjson.dumps(self.summary_metrics)}
        self.client.query("runs", "UpdateRunSummary", variables)

    def __getstate__(self) -> dict[str, Any]:
        # The collection that it came from is not taken along, and a summary's way back is made anew.
        state = {**super().__getstate__(), "_loader": None, "_sweeps": {}}
        state["_parsed"] = {name: value for name, value in self._parsed.items() if name != "summary"}
        return state
