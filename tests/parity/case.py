"""A case of the parity suite: what is called, and what of the answer is compared.

A *read* is called with each client, and both results are compared. A *write* is made by one client, in a project of
its own, and looked at with the other one; then the other way round.

What comes back is compared as `shown` gives it: objects by their attributes (`ATTRIBUTES`), listings by their
elements, errors by their kinds, everything else as it is.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from documented import MEMBERS

KINDS = {
    "CommError", "UsageError", "UnsupportedError", "ArtifactStatusError", "ArtifactNotLoggedError",
    "ArtifactFinalizedError", "WaitTimeoutError", "ValueError", "KeyError", "IndexError", "TypeError",
    "AttributeError", "FileNotFoundError", "NotImplementedError", "StopIteration",
    "IncompleteRunHistoryError",
}  # fmt: skip
"""Kinds of errors that code catches by name: what the official error is of these, ours is too."""

RAW = {"WandbApiFailedError": "CommError"}
"""An error of the official client's inner works, and what ours is in its place."""

ATTRIBUTES: dict[str, list[str]] = {
    "Run": [
        "id", "name", "entity", "project", "state", "tags", "notes", "description", "group", "job_type", "commit",
        "sweep_name", "created_at", "heartbeat_at", "read_only", "history_line_count", "storage_id", "config",
        "rawconfig", "json_config", "summary_metrics", "system_metrics", "metadata", "user", "path", "url",
        "lastHistoryStep", "history_keys",
    ],
    "Runs": ["entity", "project", "filters", "order", "per_page"],
    "Project": ["id", "name", "entity", "created_at", "is_benchmark", "owner", "path", "url"],
    "Projects": ["entity", "per_page"],
    "File": ["id", "name", "mimetype", "updated_at", "md5", "size", "size_bytes"],
    "User": ["id", "name", "username", "email", "admin", "teams", "api_keys"],
    "Team": [
        "id", "name", "members", "available", "photo_url", "read_only", "read_only_admin", "is_team", "entity_type",
        "private_only", "storage_bytes", "code_saving_enabled", "default_access", "is_paid",
    ],
    "Member": [
        "id", "name", "username", "email", "admin", "pending", "account_type", "api_key", "team", "photo_url",
    ],
    "Job": ["name"],
    "RunQueue": [
        "id", "name", "entity", "access", "prioritization_mode", "external_links", "type", "default_resource_config",
        "template_variables", "items",
    ],
    "QueuedRun": ["id", "entity", "project", "queue_name", "project_queue", "priority", "sweep", "state"],
    "ArtifactType": ["id", "name", "type", "entity", "project"],
    "ArtifactCollection": [
        "id", "name", "type", "entity", "project", "organization", "description", "tags", "aliases", "created_at",
        "updated_at", "project_id", "project_internal_id",
    ],
    "Artifact": [
        "id", "name", "entity", "project", "version", "qualified_name", "source_entity", "source_project",
        "source_version", "source_name", "source_qualified_name", "type", "description", "metadata", "ttl", "aliases",
        "tags", "distributed_id", "incremental", "use_as", "state", "digest", "size", "commit_hash", "file_count",
        "created_at", "updated_at", "url", "is_link", "history_step", "linked_at",
    ],
    "Sweep": [
        "id", "name", "display_name", "entity", "project", "state", "method", "description", "best_loss", "run_count",
        "expected_run_count", "created_at", "updated_at", "order", "config", "path", "url",
    ],
    "Agent": ["id", "name", "host", "state", "total_runs", "created_at", "heartbeat_at"],
    "BetaReport": [
        "id", "name", "display_name", "description", "user", "created_at", "updated_at", "spec", "url", "entity",
        "project",
    ],
    "ArtifactManifestEntry": ["path", "digest", "ref", "birth_artifact_id", "size", "extra"],
}  # fmt: skip
"""What is compared of an object: attributes by the name of its class, which both clients share."""

ALSO_CALLED = {"ManifestEntry": "ArtifactManifestEntry"}
"""Classes that have another name with us."""

LISTINGS = {
    "Runs", "Files", "Projects", "ArtifactTypes", "ArtifactCollections", "ProjectArtifactCollections", "Artifacts",
    "RunArtifacts", "ArtifactFiles", "HistoryScan", "Reports", "Sweeps", "AgentRuns", "ConsoleLogs",
}  # fmt: skip
"""Classes that are shown by their elements."""


@dataclass(frozen=True)
class Read:
    """A call that changes nothing.

    Attributes:
        call: what is called, with our client and with the official one.
        theirs: what is called with the official one instead, where only ours has the method.
        fit: brings both results to one form, where they differ on purpose.
    """

    call: Callable[[Any], Any]
    theirs: Callable[[Any], Any] | None = None
    fit: Callable[[Any], Any] | None = None

    def by(self, api: Any) -> Any:
        """What a client gives."""
        return self.theirs if self.theirs and package(api).__name__ == "wandb" else self.call


@dataclass(frozen=True)
class Write:
    """A change by one client, that the other one sees.

    Attributes:
        do: makes the change, with a client, in a project.
        see: looks at it, with the other client.
        expect: what is seen then.
    """

    do: Callable[[Any, str], Any]
    see: Callable[[Any, str], Any]
    expect: Any


Cases = dict[str, dict[str, Read | Write]]
"""Cases by the member that they show (``Api.run``, ``Run.history``), then by what they are about."""


@dataclass(frozen=True)
class Raised:
    """An error, by the kinds that code can catch it by."""

    kinds: frozenset[str]
    text: str = dataclasses.field(compare=False)


def package(api: Any) -> ModuleType:
    """The package of a client: `wandb` or `runframe`."""
    return sys.modules[type(api).__module__.partition(".")[0]]


def attempt(call: Callable[[], Any]) -> Any:
    """What a call gives, or what it raises."""
    try:
        return call()
    except Exception as error:
        names = {kind.__name__ for kind in type(error).__mro__}
        names |= {RAW[name] for name in names & RAW.keys()}
        return Raised(frozenset(names & KINDS), f"{type(error).__name__}: {error}")


def refused(call: Callable[[], Any]) -> bool:
    """Whether a call raises anything: for what the official client refuses with an error of no kind."""
    return isinstance(attempt(call), Raised)


def kind(api: Any, name: str) -> Any:
    """A class of a client's package."""
    return getattr(package(api).apis.public if package(api).__name__ == "wandb" else package(api), name)


class Shower:
    """Turns results into plain data, and notes which members it looked at.

    Attributes:
        seen: ``Class.attribute`` of everything that was shown.
    """

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def show(self, value: Any, depth: int = 0) -> Any:
        kind = ALSO_CALLED.get(type(value).__name__, type(value).__name__)
        if kind in ATTRIBUTES and kind not in LISTINGS:
            # The official client's runs in queues are shown without their last bracket.
            return self._object(value, kind) if depth == 0 else f"{repr(value).removesuffix('>')}>"
        if kind in LISTINGS:
            self.seen.add(f"{kind}.__iter__")
            facts = self._object(value, kind) if kind in ATTRIBUTES else {}
            return [facts, [self.show(element) for element in value]]
        if isinstance(value, Mapping):
            return {key: self.show(item, depth) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.show(item, depth) for item in value]
        if dataclasses.is_dataclass(value) and not isinstance(value, type | Raised):
            return {field.name: self.show(getattr(value, field.name), 1) for field in dataclasses.fields(value)}
        if kind == "DataFrame":
            return [list(value.columns), [str(each) for each in value.dtypes], value.values.tolist()]
        return str(value) if isinstance(value, Path | str) else value

    def _object(self, value: Any, kind: str) -> dict[str, Any]:
        self.seen |= {f"{kind}.{name}" for name in ATTRIBUTES[kind]}
        shown = {name: self.show(attempt(lambda name=name: getattr(value, name)), 1) for name in ATTRIBUTES[kind]}
        return {"class": kind, **shown}


def differences(mine: Any, theirs: Any, where: str = "") -> Iterator[str]:
    """Where two shown results differ; NaN equals NaN, an int is no float, and our errors may be of more kinds."""
    if isinstance(theirs, Raised):
        if not isinstance(mine, Raised) or not theirs.kinds <= mine.kinds:
            yield f"{where}: we {mine!r}, they {theirs!r}"
    elif isinstance(mine, dict) and isinstance(theirs, dict):
        for key in dict.fromkeys([*theirs, *mine]):
            if key in mine and key in theirs:
                yield from differences(mine[key], theirs[key], f"{where}.{key}")
            else:
                yield f"{where}.{key}: only {'we have' if key in mine else 'they have'} it: {(mine | theirs)[key]!r}"
    elif isinstance(mine, list) and isinstance(theirs, list):
        if len(mine) != len(theirs):
            yield f"{where}: we have {len(mine)}, they {len(theirs)}: {mine!r} and {theirs!r}"
        for number, pair in enumerate(zip(mine, theirs, strict=False)):
            yield from differences(*pair, f"{where}[{number}]")
    elif not _same(mine, theirs):
        yield f"{where}: we {mine!r}, they {theirs!r}"


def _same(mine: Any, theirs: Any) -> bool:
    if isinstance(mine, float) and isinstance(theirs, float) and math.isnan(mine):
        return math.isnan(theirs)
    if isinstance(mine, dt.datetime) and isinstance(theirs, dt.datetime):
        return mine == theirs
    return type(mine) is type(theirs) and bool(mine == theirs)


def documented_members() -> set[str]:
    """All that has to have a case."""
    return {f"{kind}.{name}" for kind, names in MEMBERS.items() for name in names}
