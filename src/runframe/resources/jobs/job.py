"""A job: a program with what it needs, kept as an artifact."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from runframe import extjson
from runframe.errors import CommError, NotFoundError
from runframe.resources.artifacts.artifact import Artifact
from runframe.resources.artifacts.finding import by_name
from runframe.resources.client import Client
from runframe.resources.errors import ArgumentError
from runframe.resources.jobs.inputs import Type, assigned, explain
from runframe.resources.jobs.listing import JOB
from runframe.resources.queues.enqueue import enqueue
from runframe.resources.queues.item import QueuedRun

JOB_FILE = "wandb-job.json"

logger = logging.getLogger(__name__)


class Door(Protocol):
    """What a job needs of an `Api`."""

    @property
    def client(self) -> Client:
        """The connection."""
        ...

    @property
    def default_entity(self) -> str | None:
        """The entity of whoever the key belongs to."""
        ...


class Job:
    """One version of a job, downloaded.

    Args:
        api: the `Api`.
        name: ``entity/project/name:alias``.
        path: the folder that its files are put into; None for ``./artifacts/NAME:vN``.

    Raises:
        NotFoundError: there is no such artifact of type ``job``.
        CommError: its files could not be fetched, or don't describe a job.
    """

    def __init__(self, api: Door, name: str, path: str | None = None) -> None:
        try:
            self._job_artifact = by_name(api.client, name, lambda: api.default_entity, JOB)
        except (NotFoundError, ArgumentError) as error:
            raise NotFoundError(f"Job artifact {name} not found: {error.message}", error, path=name) from error
        self.client = api.client
        self._name = name
        self._entity = api.default_entity
        self._project = name.split("/")[1]
        self._fpath = self._job_artifact.download(root=path or None)
        self._job_info = _described(Path(self._fpath, JOB_FILE), name)
        source = self._job_info.get("source") or {}
        self._entrypoint: list[str] | None = source.get("entrypoint")
        self._has_own_entrypoint = False

    @property
    def name(self) -> str:
        """The name that it was asked for by."""
        return self._name

    @property
    def artifact(self) -> Artifact:
        """The artifact that it is."""
        return self._job_artifact

    @property
    def info(self) -> dict[str, Any]:
        """What describes it: the content of its ``wandb-job.json``."""
        return self._job_info

    @property
    def entrypoint(self) -> list[str] | None:
        """The command that starts it; None where that is for its image to say."""
        return self._entrypoint

    @property
    def input_types(self) -> Type:
        """The type that a config must have, as ``{"wb_type": …, "params": …}``."""
        return self._type("input_types")

    @property
    def output_types(self) -> Type:
        """The type of the summary of its runs, in the same form."""
        return self._type("output_types")

    @property
    def is_partial(self) -> bool:
        """Whether it was made by hand: then what it takes is not known yet."""
        return bool(self._job_info.get("_partial"))

    def set_entrypoint(self, entrypoint: Sequence[str]) -> None:
        """Sets the command that starts it, for the runs that `call` queues from now on.

        Args:
            entrypoint: the command and its arguments.

        Raises:
            TypeError: it is no list of text.
        """
        if isinstance(entrypoint, str) or not all(isinstance(word, str) for word in entrypoint):
            raise TypeError(f"an entrypoint is a list of text, such as ['python', 'train.py'], not {entrypoint!r}")
        self._entrypoint = list(entrypoint)
        self._has_own_entrypoint = True

    def call(
        self,
        config: Mapping[str, Any],
        project: str | None = None,
        entity: str | None = None,
        queue: str | None = None,
        resource: str | None = "local-container",
        resource_args: Mapping[str, Any] | None = None,
        template_variables: Mapping[str, Any] | None = None,
        project_queue: str | None = None,
        priority: int | None = None,
    ) -> QueuedRun:
        """Puts a run of the job into a queue.

        Args:
            config: its config. Values may be logged artifacts.
            project: the project that it is to be logged to; None for the job's.
            entity: the user or team that it, and the queue, belong to; None for the default one.
            queue: the queue; None for ``default``, which is made where it is not there.
            resource: what it is to be started on; a queue with settings of its own knows better.
            resource_args: what it is to be started with, over the queue's settings.
            template_variables: values of the queue's template variables.
            project_queue: the project that the queue is in; None for ``model-registry``.
            priority: 1 for the most urgent, where the queue has priorities.

        Raises:
            TypeError: the config is no dict, or does not fit `input_types`; the message says where.
            ValueError: an artifact in the config is a draft, or a value does not fit its template variable.
            LaunchError: there is no such queue, or the server refused the run.
        """
        run_config = {key: _encoded(key, value) for key, value in _items(config)}
        self._check(run_config)
        overrides: dict[str, Any] = {"run_config": run_config}
        if self._has_own_entrypoint:
            overrides["entry_point"] = self._entrypoint
        spec: dict[str, Any] = {
            "overrides": overrides,
            "job": self._name,
            "entity": entity or self._entity,
            "project": project or self._project,
            "docker": {},
            "resource": resource or None,
            "git": {},
        }
        if resource_args:
            spec["resource_args"] = resource_args
        return enqueue(self.client, spec, queue, template_variables, project_queue, priority)

    def _check(self, config: Mapping[str, Any]) -> None:
        if self.is_partial:
            logger.warning("%s was made by hand: whether the config fits it can't be said", self._name)
        elif assigned(self.input_types, config) is None:
            problems = "; ".join(explain(self.input_types, config))
            raise TypeError(f"the config does not fit {self._name}: {problems}")

    def _type(self, name: str) -> Type:
        found: Type = self._job_info[name]
        return found

    def __repr__(self) -> str:
        return f"<Job {self._name}>"


def _described(path: Path, name: str) -> dict[str, Any]:
    """The content of a job's ``wandb-job.json``."""
    try:
        info = extjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise CommError(f"the artifact {name} has no file {JOB_FILE}: it describes no job", path=name) from None
    except ValueError as error:
        raise CommError(f"{JOB_FILE} of {name} is not JSON: {error}", error, path=name) from error
    if not isinstance(info, dict):
        raise CommError(f"{JOB_FILE} of {name} holds {type(info).__name__}, expected an object", path=name)
    for key in ("input_types", "output_types"):
        if not isinstance(info.get(key), Mapping) or not isinstance(info[key].get("wb_type"), str):
            raise CommError(f"{JOB_FILE} of {name} has {key} {info.get(key)!r}, expected {{'wb_type': …}}", path=name)
    return info


def _items(config: Any) -> Sequence[tuple[str, Any]]:
    if not isinstance(config, Mapping):
        raise TypeError(f"the config of a job's run is {config!r}, expected a dict")
    return list(config.items())


def _encoded(key: str, value: Any) -> Any:
    """A config value; artifacts become what stands for them."""
    if not isinstance(value, Artifact):
        return value
    if value.is_draft():
        raise ArgumentError(f"config[{key!r}] is an artifact that was not logged: save it first")
    return value.json_encode()
