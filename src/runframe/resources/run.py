"""A run: its attributes, documents, history and files."""

from __future__ import annotations

import os
import tempfile
import time
import warnings
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from runframe import extjson
from runframe.errors import NotFoundError
from runframe.resources.artifacts import lineage
from runframe.resources.artifacts.versions import RunArtifacts
from runframe.resources.client import Client
from runframe.resources.config import join_config, parse_document, split_config
from runframe.resources.errors import as_comm_error
from runframe.resources.files import File, Files
from runframe.resources.history.live import HistoryBatches, history_batches
from runframe.resources.history.pages import PAGE_SIZE, RunHistory
from runframe.resources.history.sampled import history_misuse, sampled_rows
from runframe.resources.history.scan import HistoryScan, check_keys
from runframe.resources.node import Node
from runframe.resources.summary import HTTPSummary
from runframe.resources.users import User

if TYPE_CHECKING:
    import pandas as pd

    from runframe.resources.artifacts.artifact import Artifact

METADATA_FILE = "wandb-metadata.json"
FINAL_STATES = frozenset({"finished", "crashed", "failed", "killed"})
POLL_SECONDS = 5.0


class Run(Node):
    """One run.

    A run that comes from a listing has only its light fields; touching `config`, `summary`, `summary_metrics`,
    `system_metrics`, `rawconfig` or `history_keys` fetches the rest. Fields are attributes in two spellings
    (`created_at`, `createdAt`).

    Attributes:
        client: the connection.
        entity, project: where the run belongs (`project` as text).
        storage_id: the server's own id of the run.
        tags: list of text; change it or assign a new one, then `update()`.
        notes, description, group, job_type, commit, sweep_name: text or None.
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
    sweep_name: str | None
    created_at: str
    heartbeat_at: str | None
    read_only: bool | None
    history_line_count: int | None

    def __init__(
        self,
        client: Client,
        entity: str,
        project: str,
        run_id: str,
        attrs: Mapping[str, Any] | None = None,
        *,
        loader: Callable[[Run], None] | None = None,
    ) -> None:
        super().__init__(attrs or {})
        self.client = client
        self.project = project
        self._entity = entity
        self._id = run_id
        self._loader = loader
        self._parsed: dict[str, Any] = {}
        if attrs is None:
            self._state = "not found"
            self.load(force=True)
        else:
            self._state = self._attrs.get("state") or "not found"

    # What it is.

    @property
    def id(self) -> str:
        """The run's id, as in its address."""
        return self._id

    @id.setter
    def id(self, run_id: str) -> None:
        self._id = run_id
        self._attrs["name"] = run_id

    @property
    def name(self) -> str | None:
        """The name that people see."""
        return cast("str | None", self._attrs.get("displayName"))

    @name.setter
    def name(self, name: str) -> None:
        self._attrs["displayName"] = name

    @property
    def entity(self) -> str:
        """The user or team that the run belongs to."""
        return self._entity

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
    def path(self) -> list[str]:
        """Entity, project and id, each percent-encoded."""
        return [quote(part, safe="") for part in (self._entity, self.project, self._id)]

    @property
    def url(self) -> str:
        """The address of its page."""
        return self.client.link(self._entity, self.project, "runs", self._id)

    @property
    def dir(self) -> str:
        """A local folder of its own; not made before something is put there."""
        root = os.environ.get("WANDB_DIR") or tempfile.gettempdir()
        return str(Path(root, self._entity, self.project, self._id))

    def __repr__(self) -> str:
        return f"<Run {self._place} ({self._state})>"

    @property
    def _place(self) -> str:
        return f"{self._entity}/{self.project}/{self._id}"

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

    @property
    def metadata(self) -> dict[str, Any] | None:
        """What the SDK noted of the machine and the program; None where it can't be read.

        Costs two requests at each access until it succeeds.
        """
        if "metadata" not in self._parsed:
            try:
                found = self._file(METADATA_FILE)
                self._parsed["metadata"] = extjson.loads(self.client.read(found.url))
            except Exception:  # as the official client: whatever fails, there is no metadata
                return None
        return cast("dict[str, Any]", self._parsed["metadata"])

    @property
    def lastHistoryStep(self) -> int:
        """The last step that was logged, asked for at each access; -1 for an empty history."""
        return self.live_history.extent().last_step

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
            NotFoundError: the run isn't there.
        """
        if force or not self._attrs:
            variables = {"entity": self._entity, "project": self.project, "name": self._id}
            data = self.client.query("runs", "Run", variables)
            node = (data.get("project") or {}).get("run")
            if node is None:
                self._state = "not found"
                raise NotFoundError(f"Could not find run {self!r}", path=self._place)
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
                raise NotFoundError(f"Could not find run {self!r}", path=self._place)
            self._state = run["state"]
            if self._state in FINAL_STATES:
                return
            time.sleep(POLL_SECONDS)

    # Its history.

    @as_comm_error
    def history(
        self,
        samples: int = 500,
        keys: list[str] | None = None,
        x_axis: str = "_step",
        pandas: bool = True,
        stream: str = "default",
    ) -> list[dict[str, Any]] | pd.DataFrame:
        """At most about `samples` rows, which the server chooses over the whole run. For all rows: `scan_history`.

        Args:
            samples: how many rows.
            keys: only rows that have all of these keys, reduced to them and `x_axis`.
            x_axis: the key of the x axis, for `keys`.
            pandas: a pandas frame, rows in step order and columns as they first appear; else a list of dicts.
            stream: ``"default"`` for what was logged, ``"system"`` for the machine's metrics.

        Raises:
            CommError: the run isn't there, or the server could not be asked.
        """
        if problem := history_misuse(keys, stream):
            # The official client says so and goes on with nothing; code relies on the empty list.
            warnings.warn(f"history: {problem}; no rows are given", UserWarning, stacklevel=3)
            return []
        rows = sampled_rows(self.live_history, samples, keys, x_axis, stream)
        if not pandas:
            return rows
        import pandas as pd

        return pd.DataFrame.from_records(rows)

    @as_comm_error
    def scan_history(
        self,
        keys: list[str] | None = None,
        page_size: int = PAGE_SIZE,
        min_step: int | None = 0,
        max_step: int | None = None,
        use_cache: bool = True,
    ) -> HistoryScan:
        """All rows of the history, one after the other.

        Args:
            keys: only rows that have all of these keys, reduced to `_step` and them; None for whole rows.
            page_size: rows asked for at once.
            min_step: the first step.
            max_step: the step after the last one; None for all that is logged now.
            use_cache: accepted for code written against the official client; nothing is cached.

        Raises:
            CommError: `keys` is not a list of text, or the server could not be asked.
        """
        checked = check_keys(keys)
        history = self.live_history
        extent = history.extent()
        return HistoryScan(
            self, history, extent, min_step=min_step or 0, max_step=max_step, keys=checked, page_size=page_size
        )

    def history_batches(self, *, min_step: int = 0, max_step: int | None = None) -> HistoryBatches:
        """All rows of the history as Arrow record batches: run_id, step, and the row as JSON text.

        Args:
            min_step: the first step.
            max_step: the step after the last one; None for all that is logged now.
        """
        return history_batches(self, min_step=min_step, max_step=max_step)

    @property
    def live_history(self) -> RunHistory:
        """Where the run's history is, for whoever reads it page by page."""
        return RunHistory(self.client, self._entity, self.project, self._id)

    # Its files.

    @as_comm_error
    def files(
        self, names: list[str] | None = None, pattern: str | int | None = None, per_page: int | None = 50
    ) -> Files:
        """The files of the run.

        Args:
            names: exact names, with slashes; None for all files.
            pattern: a pattern of names instead, with ``%`` for any text and ``_`` for one character. (A number in this
                place is taken as `per_page`: that is where older code has it.)
            per_page: files asked for at once.

        Raises:
            CommError: both names and a pattern are given.
        """
        if isinstance(pattern, int):
            pattern, per_page = None, pattern
        return Files(self.client, self, names, per_page, pattern=pattern)

    @as_comm_error
    def file(self, name: str) -> File:
        """One file by its exact name.

        Raises:
            NotFoundError: the run has no such file.
        """
        return self._file(name)

    def _file(self, name: str) -> File:
        for found in Files(self.client, self, [name], 1):
            return found
        raise NotFoundError(f"run {self._place} has no file {name!r}; run.files() lists what it has", path=self._place)

    # Its artifacts.

    @as_comm_error
    def logged_artifacts(self, per_page: int | None = 100, *, start: str | None = None) -> RunArtifacts:
        """The artifact versions that the run logged.

        Args:
            per_page: versions asked for at once.
            start: the `cursor` of another listing, to go on where that one stopped.
        """
        return RunArtifacts(self.client, self, "logged", per_page, start)

    @as_comm_error
    def used_artifacts(self, per_page: int | None = 100, *, start: str | None = None) -> RunArtifacts:
        """The artifact versions that the run used; the arguments are those of `logged_artifacts`."""
        return RunArtifacts(self.client, self, "used", per_page, start)

    @as_comm_error
    def use_artifact(self, artifact: Artifact, use_as: str | None = None) -> Artifact:
        """Notes that the run used a version, and returns it.

        Args:
            artifact: a logged version.
            use_as: what it was used as.

        Raises:
            ArgumentError: (a CommError and a ValueError) it is no artifact, or a draft.
            CommError: the server refused it.
        """
        return lineage.use(self, artifact, use_as)

    @as_comm_error
    def log_artifact(
        self, artifact: Artifact, aliases: Collection[str] | None = None, tags: Collection[str] | None = None
    ) -> Artifact:
        """Notes that the run logged a version that is there already, and returns it; `Artifact.save` logs a draft.

        Args:
            artifact: a logged version of the run's own project.
            aliases: aliases that it gets.
            tags: tags that it gets.

        Raises:
            ArgumentError: (a CommError and a ValueError) it is no artifact, a draft, or of another project.
            CommError: the server refused it.
        """
        return lineage.log(self, artifact, aliases, tags)

    def __getstate__(self) -> dict[str, Any]:
        # The collection that it came from is not taken along, and a summary's way back is made anew.
        state = {**super().__getstate__(), "_loader": None}
        state["_parsed"] = {name: value for name, value in self._parsed.items() if name != "summary"}
        return state
