"""`Api`: the one door to a server, with the names and arguments of the official client."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from runframe.errors import AuthenticationError, CommError, NotFoundError, UsageError
from runframe.paths import (
    UNCATEGORIZED,
    ProjectPath,
    RunPath,
    SweepPath,
    parse_any,
    parse_project,
    parse_reports,
    parse_run,
    parse_sweep,
)
from runframe.resources.artifacts import finding, notices
from runframe.resources.artifacts.artifact import Artifact
from runframe.resources.artifacts.collections import ArtifactCollection, ArtifactCollections
from runframe.resources.artifacts.types import ArtifactType, ArtifactTypes
from runframe.resources.artifacts.versions import Artifacts
from runframe.resources.client import USER_AGENT, Client, connect
from runframe.resources.errors import ArgumentError, as_comm_error, key_unchecked
from runframe.resources.jobs.job import Job
from runframe.resources.jobs.listing import Jobs, list_jobs
from runframe.resources.projects import Project, Projects
from runframe.resources.queues import making
from runframe.resources.queues.item import QueuedRun
from runframe.resources.queues.queue import RunQueue, RunQueuePrioritizationMode, RunQueueResourceType
from runframe.resources.reports import BetaReport, Reports
from runframe.resources.run import Run
from runframe.resources.run_methods.life import new_run_id
from runframe.resources.runs import Runs
from runframe.resources.sweeps import Sweep
from runframe.resources.teams import Team
from runframe.resources.users import User, Users, search
from runframe.settings import Settings

if TYPE_CHECKING:
    from runframe.export import ExportReport
    from runframe.export.clone import CloneReport
    from runframe.frames.frame import Frame
    from runframe.progress import Report
    from runframe.server import LocalServer


class Api:
    """Reads and changes what a W&B server holds.

    It finds settings as the official client does: arguments, then the environment (`WANDB_BASE_URL`, `WANDB_API_KEY`,
    `WANDB_ENTITY`, `WANDB_PROJECT`), then the settings files, then netrc for the key. A real server is asked once,
    when the `Api` is made, whether the key holds.

    Close it with `close()` or use it in a `with` block; otherwise it ends with the program. It can be pickled (for
    workers on other machines): the pickle holds the settings and the key, so keep it as safe as the key.

    Args:
        overrides: `base_url`, `entity`, `project` and other settings; or just the address as text. An address
            ``local:DIR`` opens the store in the folder DIR in this process, without a server.
        timeout: seconds for each attempt of a request; None for `WANDB_HTTP_TIMEOUT`, else 19.
        api_key: the key; None to look for one.

    Attributes:
        settings: a plain dict, read at each call: ``api.settings["entity"] = "team"`` works later on.

    Raises:
        UsageError: there is no key, or no store at ``local:DIR``.
        AuthenticationError: the key cannot be one, the server refuses it, or nobody could say: the server can't be
            reached (also a TransportError), fails (also a ServerError), or is none (also a NotFoundError).
    """

    def __init__(
        self, overrides: Mapping[str, Any] | str | None = None, timeout: int | None = None, api_key: str | None = None
    ) -> None:
        self._settings = Settings.resolve(overrides, timeout=timeout, api_key=api_key)
        self.settings: dict[str, Any] = dict(self._settings.options)
        self._connect()
        if self._local is None:
            self._check_key()

    def _connect(self) -> None:
        settings = self._settings
        directory = settings.local_directory
        self._local = None if directory is None else _LocalStore(directory)
        self._client = connect(settings, self.settings, self._local)
        self._client.open_api = partial(_another, type(self), self._settings, self.settings)
        self._session = self._client.session
        self._default_entity: str | None = None
        self._viewer: User | None = None
        self._projects: dict[str, Projects] = {}
        self._sweeps: dict[str, Sweep] = {}
        self._reports: dict[tuple[ProjectPath, str | None], Reports] = {}
        self.flush()

    def _check_key(self) -> None:
        host = self._settings.base_url
        try:
            viewer = self._client.query("account", "Viewer", {}).get("viewer")
        except AuthenticationError as error:
            raise AuthenticationError(
                f"{host} refused the API key: {error.message}", error, status=error.status
            ) from error
        except CommError as error:
            raise key_unchecked(host, error) from error
        if viewer is None:
            raise AuthenticationError(f"{host} does not know the API key; log in again or set WANDB_API_KEY")
        self._default_entity = viewer.get("entity")

    # Who and where.

    @property
    def api_key(self) -> str | None:
        """The key in use."""
        if self._local is not None and self._settings.api_key is None:
            return self._local.api_key or self._opened_key()
        return self._settings.api_key

    def _opened_key(self) -> str | None:
        assert self._local is not None
        self._client.query("account", "Viewer", {})
        return self._local.api_key

    @property
    def client(self) -> Client:
        """The connection: `execute(document, variable_values)` sends a GraphQL document, `app_url` begins links."""
        return self._client

    @property
    def default_entity(self) -> str | None:
        """The entity of whoever the key belongs to; asked for once."""
        if self._default_entity is None:
            viewer = self._client.query("account", "Viewer", {}).get("viewer") or {}
            self._default_entity = viewer.get("entity")
        return self._default_entity

    @property
    def user_agent(self) -> str:
        """What requests say of the client."""
        return USER_AGENT

    @property
    def viewer(self) -> User:
        """Whoever the key belongs to; asked for once.

        Raises:
            NotFoundError: the server doesn't say.
        """
        if self._viewer is None:
            found = self._client.query("account", "GetViewer", {}).get("viewer")
            if found is None:
                raise NotFoundError(f"{self._settings.base_url} does not say who the API key belongs to; check the key")
            self._viewer = User(self._client, found, self._client.open_api)
            self._default_entity = found.get("entity") or self._default_entity
        return self._viewer

    # Runs.

    @as_comm_error
    def run(self, path: str = "") -> Run:
        """One run.

        Args:
            path: ``entity/project/run_id``, ``entity/project/runs/run_id``, ``project/run_id``, or ``run_id`` where a
                project is set. The id is the one in the run's address, not its name.

        Returns:
            The run with all its fields; the same object for the same path until `flush()`.

        Raises:
            PathError: the path is malformed, or lacks a part that no setting gives.
            NotFoundError: there is no such run.
        """
        found = self._runs.get(path)
        if not isinstance(found, Run):
            parsed = parse_run(path, entity=self._entity, project=self.settings.get("project"))
            found = self._runs[path] = Run(self._client, parsed.entity, parsed.project, parsed.run)
        return found

    def runs(
        self,
        path: str | None = None,
        filters: Mapping[str, Any] | None = None,
        order: str = "+created_at",
        per_page: int | None = 50,
        include_sweeps: bool = True,
        *,
        lazy: bool = True,
    ) -> Runs:
        """The runs of a project that match a filter. Nothing is asked before the first one is wanted.

        Args:
            path: ``entity/project`` or ``project``; None for the project that is set.
            filters: a MongoDB-style filter on `state`, `name` (the id), `display_name`, `tags`, `group`, `jobType`,
                `createdAt`, `duration`, `username`, `host`, ``config.…``, ``summary_metrics.…``, with `$and`, `$or`,
                `$nor`, `$eq`, `$ne`, `$gt`, `$gte`, `$lt`, `$lte`, `$in`, `$nin`, `$exists`, `$regex`.
            order: `created_at`, `heartbeat_at`, ``config.KEY.value`` or ``summary_metrics.KEY``, with ``+``
                (ascending) or ``-`` before it.
            per_page: runs asked for at once when they are read as objects; None means 50.
            include_sweeps: has no effect: runs of sweeps are always listed, and `run.sweep` is asked for when it is
                first read, once for each sweep.
            lazy: False fetches config and summary with the listing; else they come when they are touched.

        Returns:
            The collection; the same object for the same path, filter and order until `flush()`.

        Raises:
            PathError: the path is malformed.
            TypeError: the filter has no JSON form.
        """
        key = (path or "") + str(filters) + str(order)
        found = self._runs.get(key)
        # An empty result is looked up again: runs may have come.
        if not isinstance(found, Runs) or (not found.more and not found.length):
            parsed = parse_project(path, entity=self._entity, project=self.settings.get("project"))
            found = Runs(
                self._client, parsed.entity, parsed.project, filters, order, per_page, include_sweeps, lazy=lazy
            )
            self._runs[key] = found
        elif not lazy:
            found.upgrade_to_full()
        return found

    def create_run(self, run_id: str | None = None, project: str | None = None, entity: str | None = None) -> Run:
        """Makes a run that logs nothing yet.

        Args:
            run_id: its id; None for a random one.
            project: its project; None for the one that is set, else ``uncategorized``.
            entity: its entity; None for the one that is set, else the default one.

        Raises:
            CommError: the server refused it.
        """
        return Run.create(self, run_id, project, entity)

    def sync_tensorboard(
        self,
        root_dir: str | os.PathLike[str],
        run_id: str | None = None,
        project: str | None = None,
        entity: str | None = None,
    ) -> Run:
        """Sends TensorBoard's event files as a run.

        Scalars, histograms, text, images, sounds, curves and tensors become rows of its history, one for each step;
        `global_step` is the step that was logged. What lies in a folder below `root_dir` has its path before its key
        (``train/loss``). Hyperparameters become its config. The event files themselves become files of the run.

        Needs ``pip install "runframe[tensorboard]"``; TensorFlow is not needed.

        Args:
            root_dir: a folder with event files in it or below it, or one event file.
            run_id: the run's id; None for a random one. A run of this id is written anew.
            project: its project; None for the one that is set, else ``uncategorized``.
            entity: its entity; None for the one that is set, else the default one.

        Returns:
            The run, finished.

        Raises:
            UsageError: (also a ValueError) there are no event files, or nothing is in them; or the library is missing.
            CommError: the server refused it.
        """
        from runframe.resources.tensorboard.sync import sync

        project = project or self.settings.get("project") or UNCATEGORIZED
        run = sync(self._client, root_dir, run_id or new_run_id(), project, self._entity_or(entity))
        self._runs[f"{run.entity}/{run.project}/{run.id}"] = run
        return run

    def sql(self, query: str, *, project: str | None = None) -> Frame:
        """The answer to an SQL query on a project's tables, by DuckDB.

        The tables are `runs`, `configs`, `summaries`, `history`, `artifacts`, `files` and `sweeps`; only those that
        the query names are read, and of these the columns and rows that it needs. What lies in a run's config or
        summary is a column with its path for a name, in quotes: ``select id from runs where "config.lr" < 0.1``.
        In `configs`, `summaries` and `history` all keys are columns; `id`, and `run_id` in `history` and `files`, say
        which run a row belongs to.

        Args:
            query: a SELECT, in DuckDB's SQL.
            project: ``entity/project`` or ``project``; None for the project that is set.

        Returns:
            The rows, read. Times are in UTC.

        Raises:
            UnsupportedError: DuckDB is not installed.
            UsageError: the query cannot be run.
            NotFoundError: there is no such project.
        """
        from runframe.resources.sql import query as run_query

        parsed = parse_project(project, entity=self._entity, project=self.settings.get("project"))
        return run_query(self._client, parsed.entity, parsed.project, query)

    # Projects.

    def project(self, name: str, entity: str | None = None) -> Project:
        """One project, by name. Nothing is asked before one of its fields is read.

        Args:
            name: the project's name.
            entity: its entity; None for the one that is set, else the default one.
        """
        return Project(self._client, entity or self._entity(), name)

    def projects(self, entity: str | None = None, per_page: int | None = 200) -> Projects:
        """The projects of an entity. Nothing is asked before the first one is wanted.

        Args:
            entity: the user or team; None for the one that is set, else the default one.
            per_page: projects asked for at once; None means 50.

        Returns:
            The collection; the same object for the same entity.

        Raises:
            UsageError: (also a ValueError) no entity is given, set or known.
        """
        entity = entity or self._entity()
        if not entity:
            raise _NoEntityError("no entity: pass entity=, or set WANDB_ENTITY")
        if entity not in self._projects:
            self._projects[entity] = Projects(self._client, entity, per_page)
        return self._projects[entity]

    def create_project(self, name: str, entity: str) -> None:
        """Makes a project; one that is there stays as it is.

        Raises:
            CommError: the server refused it.
        """
        self._client.query("projects", "CreateProject", {"input": {"name": name, "entityName": entity}})

    # Artifacts.

    @as_comm_error
    def artifact(self, name: str, type: str | None = None) -> Artifact:
        """One version of an artifact.

        Args:
            name: ``entity/project/name:alias``, ``project/name:alias`` or ``name:alias``; the alias may be a version
                (``v3``), and is ``latest`` where there is none.
            type: the type that it must have.

        Raises:
            PathError: (also a ValueError) the name is malformed, or lacks a part that no setting gives.
            NotFoundError: (also a ValueError) there is no such version.
            ArgumentError: (also a ValueError) it has another type.
        """
        return finding.by_name(self._client, name, self._entity, type)

    @as_comm_error
    def artifacts(
        self,
        type_name: str,
        name: str,
        per_page: int | None = 50,
        tags: str | list[str] | None = None,
        *,
        order: str | None = None,
        start: str | None = None,
    ) -> Artifacts:
        """The versions of a collection, the newest first. Nothing is asked before the first one is wanted.

        Args:
            type_name: the collection's type.
            name: the collection: ``entity/project/name`` or less of it.
            per_page: versions asked for at once; None means 50.
            tags: only versions that have all of these tags.
            order: a field's name, such as `created_at`, with ``+`` or ``-`` before it.
            start: the `cursor` of another listing, to go on where that one stopped.

        Raises:
            PathError: the name is malformed.
            ArgumentError: (also a ValueError) `order` is no field's name.
        """
        path = finding.collection_path(self._client, name, self._entity)
        return Artifacts(
            self._client, path.entity, path.project, path.collection, type_name, None, order, per_page, tags, start
        )

    def artifact_versions(self, type_name: str, name: str, per_page: int | None = 50) -> Artifacts:
        """Deprecated: the same as `artifacts`."""
        warnings.warn("artifact_versions is deprecated: use artifacts", DeprecationWarning, stacklevel=2)
        return self.artifacts(type_name, name, per_page)

    @as_comm_error
    def artifact_exists(self, name: str, type: str | None = None) -> bool:
        """Whether there is a version of this name, and of this type where one is given.

        Raises:
            CommError: the server could not be asked.
        """
        return finding.exists(lambda: finding.by_name(self._client, name, self._entity, type))

    @as_comm_error
    def artifact_collection(self, type_name: str, name: str) -> ArtifactCollection:
        """One collection of versions.

        Args:
            type_name: its type.
            name: ``entity/project/name`` or less of it.

        Raises:
            PathError: the name is malformed.
            NotFoundError: there is no such collection of this type.
        """
        path = finding.collection_path(self._client, name, self._entity)
        return ArtifactCollection(self._client, path.entity, path.project, path.collection, type_name)

    @as_comm_error
    def artifact_collections(
        self,
        project_name: str,
        type_name: str,
        per_page: int | None = 50,
        *,
        order: str | None = None,
        start: str | None = None,
    ) -> ArtifactCollections:
        """The collections of a type in a project. Nothing is asked before the first one is wanted.

        Args:
            project_name: ``entity/project`` or ``project``.
            type_name: the type.
            per_page: collections asked for at once; None means 50.
            order: `name`, `created_at` or `updated_at`, with ``+`` or ``-`` before it.
            start: the `cursor` of another listing, to go on where that one stopped.

        Raises:
            PathError: the path is malformed.
            ArgumentError: (also a ValueError) `order` is no field's name.
        """
        path = finding.project_path(self._client, project_name, self._entity)
        return ArtifactCollections(
            self._client, path.entity, path.project, type_name, per_page, order=order, start=start
        )

    @as_comm_error
    def artifact_collection_exists(self, name: str, type: str) -> bool:
        """Whether there is a collection of this name and type.

        Raises:
            CommError: the server could not be asked.
        """
        return finding.exists(lambda: self.artifact_collection(type, name))

    @as_comm_error
    def artifact_type(self, type_name: str, project: str | None = None) -> ArtifactType:
        """One type of artifact in a project.

        Args:
            type_name: its name.
            project: ``entity/project`` or ``project``; None for the one that is set, else ``uncategorized``.

        Raises:
            PathError: the path is malformed.
            NotFoundError: there is no such type.
        """
        path = finding.project_path(self._client, project, self._entity)
        return ArtifactType(self._client, path.entity, path.project, type_name)

    @as_comm_error
    def artifact_types(self, project: str | None = None, *, start: str | None = None) -> ArtifactTypes:
        """The types of artifacts in a project. Nothing is asked before the first one is wanted.

        Args:
            project: ``entity/project`` or ``project``; None for the one that is set, else ``uncategorized``.
            start: the `cursor` of another listing, to go on where that one stopped.

        Raises:
            PathError: the path is malformed.
        """
        path = finding.project_path(self._client, project, self._entity)
        return ArtifactTypes(self._client, path.entity, path.project, start=start)

    # Jobs and launch queues.

    @as_comm_error
    def job(self, name: str | None, path: str | None = None) -> Job:
        """One version of a job, with its files downloaded.

        Args:
            name: ``entity/project/name:alias``.
            path: the folder that the files are put into; None for ``./artifacts/NAME:vN``.

        Raises:
            ArgumentError: (also a ValueError) the name has another form.
            NotFoundError: there is no such artifact of type ``job``.
        """
        if not isinstance(name, str) or name.count("/") != 2 or ":" not in name:
            raise ArgumentError(f"{name!r} names no job: expected entity/project/name:alias")
        return Job(self, name, path)

    @as_comm_error
    def list_jobs(self, entity: str, project: str) -> Jobs:
        """The jobs of a project, with their versions.

        Args:
            entity: the user or team.
            project: the project.

        Returns:
            A list of jobs, each ``{"edges": [{"node": {…}}]}`` with a node a version; it is also columns
            (`to_polars()`, …). Empty where the project isn't there or could not be read; a warning is logged then.

        Raises:
            ArgumentError: (also a ValueError) one of them is None.
        """
        return list_jobs(self._client, entity, project)

    def run_queue(self, entity: str, name: str) -> RunQueue:
        """One launch queue. Nothing is asked before one of its properties is read.

        Args:
            entity: the user or team that it belongs to.
            name: its name.
        """
        return RunQueue(self._client, name, entity)

    def create_run_queue(
        self,
        name: str,
        type: RunQueueResourceType,
        entity: str | None = None,
        prioritization_mode: RunQueuePrioritizationMode | None = None,
        config: dict[str, Any] | None = None,
        template_variables: dict[str, Any] | None = None,
    ) -> RunQueue:
        """Makes a launch queue.

        Args:
            name: up to 64 characters.
            type: what runs are started on: ``local-container``, ``local-process``, ``kubernetes``, ``sagemaker`` or
                ``gcp-vertex``.
            entity: the user or team; None for the one that is set, else the default one.
            prioritization_mode: ``V0`` for a queue with priorities; None for one without.
            config: what runs are started with; ``{{name}}`` stands for the value of a template variable.
            template_variables: ``{name: {"schema": {"type": "string"|"number"|"integer", …}}}``, where the schema may
                have a `default`, `minimum`, `maximum` and `enum`.

        Raises:
            QueueError: (also a ValueError) one of these cannot be; nothing is sent then.
            CommError: the server refused it: there is such a queue, for instance.
        """
        return making.create(
            self._client, name, type, self._entity_or(entity), prioritization_mode, config, template_variables
        )

    def upsert_run_queue(
        self,
        name: str,
        resource_config: dict[str, Any],
        resource_type: RunQueueResourceType,
        entity: str | None = None,
        template_variables: dict[str, Any] | None = None,
        external_links: dict[str, str] | None = None,
        prioritization_mode: RunQueuePrioritizationMode | None = None,
    ) -> RunQueue:
        """Gives a launch queue other settings, and makes it if it isn't there. What waits in it keeps its own.

        Args:
            name: up to 64 characters.
            resource_config: what runs are started with; ``{{name}}`` stands for the value of a template variable.
            resource_type: what runs are started on; see `create_run_queue`.
            entity: the user or team; None for the one that is set, else the default one.
            template_variables: see `create_run_queue`.
            external_links: ``{name: url}``, for people.
            prioritization_mode: ``V0`` or ``DISABLED``; None for ``DISABLED``.

        Raises:
            QueueError: (also a ValueError) one of these cannot be; nothing is sent then.
            CommError: the server refused it.
        """
        return making.upsert(
            self._client, name, resource_config, resource_type, self._entity_or(entity), template_variables,
            external_links, prioritization_mode,
        )  # fmt: skip

    def queued_run(
        self,
        entity: str,
        project: str,
        queue_name: str,
        run_queue_item_id: str,
        project_queue: str | None = None,
        priority: int | None = None,
    ) -> QueuedRun:
        """A run that was put into a launch queue. Nothing is asked before something of it is read.

        Args:
            entity: the user or team.
            project: the project that the run is to be logged to.
            queue_name: the queue.
            run_queue_item_id: its id in the queue.
            project_queue: the project that the queue is in; None for ``model-registry``.
            priority: the priority that it was put there with.
        """
        return QueuedRun(self._client, entity, project, queue_name, run_queue_item_id, project_queue, priority)

    # Sweeps and reports.

    @as_comm_error
    def sweep(self, path: str = "") -> Sweep:
        """One sweep.

        Args:
            path: ``entity/project/sweep_id``, ``entity/project/sweeps/sweep_id``, ``project/sweep_id``, or
                ``sweep_id`` where a project is set.

        Returns:
            The sweep; the same object for the same path.

        Raises:
            PathError: the path is malformed, or lacks a part that no setting gives.
            NotFoundError: there is no such sweep.
        """
        if path not in self._sweeps:
            parsed = parse_sweep(path, entity=self._entity, project=self.settings.get("project"))
            self._sweeps[path] = Sweep(self._client, parsed.entity, parsed.project, parsed.sweep)
        return self._sweeps[path]

    def reports(self, path: str = "", name: str | None = None, per_page: int | None = 50) -> Reports:
        """The reports of a project, the newest first. Nothing is asked before the first one is wanted.

        Args:
            path: ``entity/project`` or ``project``; "" for the project that is set.
            name: only the report of this name (`BetaReport.name`, not the title); percent escapes are resolved.
            per_page: reports asked for at once; None means 50.

        Returns:
            The collection; the same object for the same project and name.

        Raises:
            PathError: (also a ValueError) the path is malformed, or empty where no project is set.
        """
        parsed = parse_reports(path, entity=self._entity, project=self.settings.get("project"))
        name = unquote(name) if name else None
        if (parsed, name) not in self._reports:
            project = Project(self._client, parsed.entity, parsed.project)
            self._reports[parsed, name] = Reports(self._client, project, name, per_page=per_page)
        return self._reports[parsed, name]

    # People and teams.

    def user(self, username_or_email: str) -> User | None:
        """One user, by name or address. Servers answer that to their admins alone; `viewer` is always there.

        Args:
            username_or_email: the name or the address. Where it fits several users there is a warning, and the first
                that the server named is given.

        Returns:
            The user; None where there is none.

        Raises:
            CommError: the server refused it.
        """
        found = search(self._client, username_or_email)
        if len(found) > 1:
            notices.warn(f"{username_or_email!r} fits {len(found)} users, the first of them is given: {found[0]!r}")
        return found[0] if found else None

    def users(self, username_or_email: str) -> Users:
        """The users whose name or address holds a text. Servers answer that to their admins alone.

        Args:
            username_or_email: part of a name or of an address.

        Returns:
            A list, empty where there is none; also a table (`to_polars()`, the Arrow stream, …).

        Raises:
            CommError: the server refused it.
        """
        return search(self._client, username_or_email)

    def create_user(self, email: str, admin: bool | None = False) -> User:
        """Makes a user.

        Args:
            email: the address.
            admin: whether the user becomes an admin of the server.

        Raises:
            CommError: the server refused it: whoever asks is no admin, or the address is taken or is none.
        """
        return User.create(self, email, admin)

    def team(self, team: str) -> Team:
        """One team, with its members.

        Args:
            team: its name.

        Raises:
            NotFoundError: (also a ValueError) there is no such team.
        """
        return Team(self._client, team)

    def create_team(self, team: str, admin_username: str | None = None) -> Team:
        """Makes a team, and gives the one of this name where there is one.

        Args:
            team: its name.
            admin_username: its admin; None for whoever asks. A team that was there keeps its own.

        Raises:
            CommError: the server refused it, and there is no team of this name.
        """
        return Team.create(self, team, admin_username)

    def from_path(self, path: str) -> Project | Run | Sweep | BetaReport:
        """The object that a path names.

        Args:
            path: ``project``, ``entity/project``, ``entity/project/run_id``, ``entity/project/runs/run_id``,
                ``entity/project/sweeps/sweep_id``, ``entity/project/reports/Its-title--report_id``, or the same
                without the title.

        Returns:
            The object. Projects and reports are not looked for before they are used: the report has the id and title
            of the path, and `BetaReport.load` fetches the rest.

        Raises:
            PathError: the path has another form.
            NotFoundError: there is no such run or sweep.
        """
        parsed = parse_any(path, entity=self._entity, project=self.settings.get("project"))
        if isinstance(parsed, ProjectPath):
            return self.project(parsed.project, parsed.entity)
        if isinstance(parsed, RunPath):
            return self.run(path)
        if isinstance(parsed, SweepPath):
            return self.sweep(path)
        attrs = {"id": parsed.report, "displayName": parsed.title, "spec": "{}"}
        return BetaReport(self._client, attrs, parsed.entity, parsed.project)

    # Export.

    def export(
        self,
        path: str,
        *,
        to: str | Path,
        tables: Iterable[str] | str | None = None,
        layout: str = "wide",
        files: Iterable[str] | str = (),
        memory: int | str | None = None,
        compare_all: bool = False,
        progress: bool | Report | None = None,
    ) -> ExportReport:
        """Writes a project as a dataset, or brings the one that is there up to date; see `runframe.export`.

        Args:
            path: ``entity/project``, or ``project`` of the default entity.
            to: the dataset's folder: new, empty, or an earlier export of the same project, finished or not. Or the
                URL of such a place in an object store: ``s3://``, ``gs://``, ``az://``, or what else fsspec knows.
            tables: the tables to write, of ``runs``, ``history``, ``system``, ``console``, ``artifacts``, ``files``,
                ``sweeps``, ``reports`` and ``projects``; None for ``runs`` and ``history``, "all" for all.
            layout: "wide" for a history with a column a metric, "long" for one with a row a value.
            files: names of files whose content is fetched too, with ``*`` for any text.
            memory: how much memory it may use for what it holds, as in ``512MB``.
            compare_all: list every run again and compare it, not only those that gave a sign since.
            progress: False shows nothing, True a bar; a function gets every change.

        Returns:
            What was written, and what was noticed: `complete`, `gaps`, `live`, `deleted`, `changed`.

        Raises:
            UsageError: the folder holds something else, or an argument is malformed.
            NotFoundError: there is no such project.
            CommError: the server refused, or could not be reached.
        """
        from runframe.export import export_project

        asked: dict[str, Any] = {"tables": tables, "layout": layout, "files": files, "memory": memory}
        return export_project(self, path, to=to, **asked, compare_all=compare_all, progress=progress)

    # To other servers.

    def clone(
        self,
        path: str,
        *,
        to: Api | None = None,
        project: str | None = None,
        entity: str | None = None,
        overwrite: bool = False,
        progress: bool | Report | None = None,
    ) -> CloneReport:
        """Replays a project, or one run, into another server, as far as its protocol takes it.

        Nothing comes twice: what is there and equal stays, what went on is brought up to date. Stopped anywhere, the
        next call goes on where it was. A run on the other server that is another run with the same id stays as it is,
        and is named in the report.

        Args:
            path: ``entity/project``, or ``entity/project/run_id`` for one run with its artifacts and its sweep.
            to: the `Api` of the other server; None for another project of the same one.
            project: the project there; None for one of the same name. It is made where there is none.
            entity: its entity; None for one of the same name.
            overwrite: delete runs there that are other runs with the same ids.
            progress: what shows how far it is; see `runframe.progress`.

        Returns:
            What was cloned, and what did not survive: see `CloneReport.complete`.

        Raises:
            PathError: the path is malformed.
            UsageError: the project would be cloned into itself.
            NotFoundError: there is no such project or run.
            CommError: a server refused the key, or could not be reached.
        """
        from runframe.export.clone import clone_between

        parsed = parse_any(path, entity=self._entity, project=self.settings.get("project"))
        if not isinstance(parsed, ProjectPath | RunPath):
            raise ArgumentError(f"{path!r} names no project or run: entity/project or entity/project/run was expected")
        run = parsed.run if isinstance(parsed, RunPath) else None
        there = ProjectPath(entity or parsed.entity, project or parsed.project)
        here = ProjectPath(parsed.entity, parsed.project)
        return clone_between(self, here, to or self, there, run=run, overwrite=overwrite, progress=progress)

    # Its life.

    def flush(self) -> None:
        """Forgets the runs that were read: the next call asks the server again."""
        self._runs: dict[str, Run | Runs] = {}

    def close(self) -> None:
        """Ends the connection. A closed `Api` cannot be used again."""
        self._session.close()

    def __enter__(self) -> Api:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _entity(self) -> str | None:
        return cast("str | None", self.settings.get("entity")) or self.default_entity

    def _entity_or(self, entity: str | None) -> str | None:
        return self._entity() if entity is None else entity

    def __getstate__(self) -> dict[str, Any]:
        return {"_settings": self._settings, "settings": self.settings}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._connect()

    def __repr__(self) -> str:
        return f"<Api {self._settings.base_url}>"


def _another(kind: type[Api], settings: Settings, options: Mapping[str, Any]) -> Api:
    """An `Api` with the settings and the key of another one. Nothing is asked."""
    made = kind.__new__(kind)
    made.__setstate__({"_settings": settings, "settings": dict(options)})
    return made


class _NoEntityError(UsageError, ValueError):
    """No entity is known."""


class _LocalStore:
    """Opens the store of a folder, on the session's loop; pickles as the folder."""

    def __init__(self, directory: Path) -> None:
        if not directory.is_dir():
            raise UsageError(
                f"there is no folder {directory}: `runframe import PATH… --dir {directory}` makes a store of offline "
                f"runs, `runframe serve --dir {directory}` an empty one"
            )
        self.directory = directory
        self.api_key: str | None = None

    def __call__(self) -> LocalServer:
        # The one place where the client meets the server.
        from runframe.server import open_local

        local = open_local(self.directory)
        self.api_key = local.api_key
        return local

    def __getstate__(self) -> dict[str, Any]:
        return {"directory": self.directory, "api_key": None}
