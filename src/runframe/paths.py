"""Every accepted form of a path, parsed here alone.

A path names something on the server: `entity/project`, `entity/project/run`. Parts that are left out come from the
settings: the entity is given as a function, because finding the default one may take a request, and is only called
where the path has none. Percent escapes stay as they are; a browser's address is not a path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from .errors import PathError

__all__ = [
    "ArtifactPath",
    "ProjectPath",
    "ReportPath",
    "RunPath",
    "SweepPath",
    "parse_any",
    "parse_artifact",
    "parse_collection",
    "parse_project",
    "parse_reports",
    "parse_run",
    "parse_sweep",
]

# The project of runs that were logged without one.
UNCATEGORIZED = "uncategorized"

Entity = Callable[[], str | None]


@dataclass(frozen=True, slots=True)
class ProjectPath:
    """A project: `entity/project`."""

    entity: str
    project: str

    def __str__(self) -> str:
        return f"{self.entity}/{self.project}"


@dataclass(frozen=True, slots=True)
class RunPath:
    """A run: `entity/project/run`; the last part is its id, not its display name."""

    entity: str
    project: str
    run: str

    def __str__(self) -> str:
        return f"{self.entity}/{self.project}/{self.run}"


@dataclass(frozen=True, slots=True)
class SweepPath:
    """A sweep: `entity/project/sweep`."""

    entity: str
    project: str
    sweep: str

    def __str__(self) -> str:
        return f"{self.entity}/{self.project}/{self.sweep}"


@dataclass(frozen=True, slots=True)
class ReportPath:
    """A report: `entity/project/reports/Title-of-it--id`; the title is empty where the path holds only the id."""

    entity: str
    project: str
    report: str
    title: str

    def __str__(self) -> str:
        return f"{self.entity}/{self.project}/reports/{self.report}"


@dataclass(frozen=True, slots=True)
class ArtifactPath:
    """An artifact version: `entity/project/collection:alias`, or a collection, which has no alias.

    Attributes:
        entity: the user or team; for a registry the organisation, or empty where the path names none.
        project: the project.
        collection: the collection's name.
        alias: a version (`v3`) or an alias (`latest`, `best`); None where the path has none.
    """

    entity: str
    project: str
    collection: str
    alias: str | None = None

    @property
    def name(self) -> str:
        """What the server is asked for: `collection:alias`."""
        return self.collection if self.alias is None else f"{self.collection}:{self.alias}"

    @property
    def is_in_registry(self) -> bool:
        """Whether the project is a registry."""
        return is_registry(self.project)

    def __str__(self) -> str:
        return f"{self.entity}/{self.project}/{self.name}"


REGISTRY_PREFIX = "wandb-registry-"


def is_registry(project: str) -> bool:
    """Whether a project is a registry: its name begins with `wandb-registry-`, and goes on."""
    return project.startswith(REGISTRY_PREFIX) and len(project) > len(REGISTRY_PREFIX)


def parse_artifact(name: str, *, entity: Entity, project: str | None = None) -> ArtifactPath:
    """The artifact version that a name stands for.

    Accepted: `entity/project/collection:alias`, `project/collection:alias`, `collection:alias`, and the same without
    an alias. What follows the first colon is the alias as it is, slashes and colons included.

    Args:
        name: the name.
        entity: gives the entity where the name has none; called only then, and not for a registry.
        project: the project where the name has none; `uncategorized` where it is None.

    Raises:
        PathError: another form, or a part is missing.
    """
    text = _text(name, "artifact").strip("/ ")
    path, colon, alias = text.partition(":")
    parts = [part.strip() for part in path.split("/")]
    if len(parts) > 3 or not all(parts) or (colon and not alias):
        raise _refused(name, "artifact")
    where = parts[-2] if len(parts) > 1 else project or UNCATEGORIZED
    given = parts[0] if len(parts) == 3 else ""
    owner = given if is_registry(where) else _entity(name, "artifact", given, entity)
    return ArtifactPath(owner, where, parts[-1], alias if colon else None)


def parse_collection(name: str, *, entity: Entity, project: str | None = None) -> ArtifactPath:
    """The artifact collection that a name stands for; the forms are those of `parse_artifact`, without an alias.

    Raises:
        PathError: another form, or a part is missing.
    """
    found = parse_artifact(name, entity=entity, project=project)
    if found.alias is not None:
        raise _refused(name, "artifact collection")
    return found


def parse_run(path: str, *, entity: Entity, project: str | None = None) -> RunPath:
    """The run that a path names.

    Accepted: `entity/project/run`, `entity/project/runs/run`, `entity/project:run`, `project/run`, `project:run`, and
    `run` alone where a project is set; slashes and blanks around it do not matter.

    Args:
        path: the path.
        entity: gives the entity where the path has none; called only then.
        project: the project where the path has none.

    Raises:
        PathError: another form, or a part is missing; the message names the path in repr form.
    """
    return RunPath(*_three(path, "run", entity, project))


def parse_sweep(path: str, *, entity: Entity, project: str | None = None) -> SweepPath:
    """The sweep that a path names; the forms are those of `parse_run`, with `sweeps` in place of `runs`.

    Raises:
        PathError: another form, or a part is missing.
    """
    return SweepPath(*_three(path, "sweep", entity, project))


def parse_project(path: str | None, *, entity: Entity, project: str | None = None) -> ProjectPath:
    """The project that a path names: `entity/project` or `project`.

    Args:
        path: the path; None stands for the project of the settings, or `uncategorized`.
        entity: gives the entity where the path has none; called only then.
        project: the project of the settings.

    Raises:
        PathError: another form, or a part is missing.
    """
    if path is None:
        return ProjectPath(_entity(path, "project", "", entity), project or UNCATEGORIZED)
    owner, slash, name = _text(path, "project").strip("/ ").partition("/")
    if not slash:
        owner, name = "", owner
    owner, name = owner.strip(), name.strip()
    if not name or "/" in name:
        raise _refused(path, "project")
    return ProjectPath(_entity(path, "project", owner, entity), name)


def parse_reports(path: str, *, entity: Entity, project: str | None = None) -> ProjectPath:
    """The project whose reports a path names: `entity/project`, `project`, or "" where a project is set.

    Raises:
        PathError: another form, or a part is missing.
    """
    if _text(path, "project").strip("/ "):
        return parse_project(path, entity=entity)
    if not project:
        raise _refused(path, "project", "the project")
    return parse_project(project, entity=entity)


def parse_any(
    path: str, *, entity: Entity, project: str | None = None
) -> ProjectPath | RunPath | SweepPath | ReportPath:
    """The project, run, sweep or report that a path names.

    One or two parts are a project, three are a run; four say what they are in the third: `runs`, `sweeps`, `reports`.

    Raises:
        PathError: another form, or a part is missing.
    """
    parts = _text(path, "object").strip("/ ").split("/")
    if len(parts) <= 2:
        return parse_project(path, entity=entity)
    if len(parts) == 3:
        return parse_run(path, entity=entity, project=project)
    if len(parts) == 4 and all(map(str.strip, parts)):
        owner, name, kind, last = map(str.strip, parts)
        if kind.startswith("run"):
            return RunPath(owner, name, last)
        if kind.startswith("sweep"):
            return SweepPath(owner, name, last)
        if kind.startswith("report"):
            return ReportPath(owner, name, *_report(last))
    raise PathError(
        f"Invalid path {path!r}: expected entity/project, entity/project/run, or one of entity/project/runs/run, "
        "entity/project/sweeps/sweep, entity/project/reports/title--id",
        path=path,
    )


def _three(path: str, kind: str, entity: Entity, project: str | None) -> tuple[str, str, str]:
    """Entity, project and id."""
    text = _text(path, kind).replace("/runs/", "/").replace("/sweeps/", "/").strip("/ ")
    parts = text.split("/")
    if len(parts) > 3:
        raise _refused(path, kind)
    if len(parts) < 3 and ":" in parts[-1]:
        parts[-1:] = parts[-1].split(":", 1)
        if len(parts) == 2 and not parts[0].strip():
            raise _refused(path, kind, "the project")
    *rest, last = (part.strip() for part in parts)
    if not last:
        raise _refused(path, kind)
    name = rest[-1] if rest else project
    if not name:
        raise _refused(path, kind, "the project")
    if len(rest) == 2 and not rest[0]:
        raise _refused(path, kind, "the entity")
    return _entity(path, kind, rest[0] if len(rest) == 2 else "", entity), name, last


def _report(last: str) -> tuple[str, str]:
    """Id and title in the last part of a report's path: `Title-of-it--id`, `Title-of-it-id` or the id alone."""
    title, dashes, report = last.rpartition("--")
    if not dashes:
        title, _, report = last.rpartition("-")
    if not report:
        raise PathError(f"Invalid report path: {last!r} ends where its id should be", path=last)
    return report, unquote(title.replace("-", " "))


def _entity(path: str | None, kind: str, given: str, default: Entity) -> str:
    entity = given or default()
    if not entity:
        raise _refused(path, kind, "the entity")
    return entity


def _text(path: object, kind: str) -> str:
    if not isinstance(path, str):
        raise PathError(f"Invalid {kind} path {path!r}: text was expected, not {type(path).__name__}")
    if "://" in path:
        raise PathError(
            f"Invalid {kind} path {path!r}: this is an address in a browser; write only its entity/project/… part",
            path=path,
        )
    return path


_FORMS = {
    "artifact": "entity/project/name:alias, project/name:alias or name:alias",
    "artifact collection": "entity/project/name, project/name or name, without an alias",
    "project": "entity/project or project",
    "run": "entity/project/run, project/run, or run where a project is set",
    "sweep": "entity/project/sweep, project/sweep, or sweep where a project is set",
}


def _refused(path: str | None, kind: str, missing: str = "") -> PathError:
    lacking = f" ({missing} is missing)" if missing else ""
    return PathError(f"Invalid {kind} path {path!r}{lacking}: expected {_FORMS[kind]}", path=path)
