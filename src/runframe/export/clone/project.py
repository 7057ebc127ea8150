"""A project, or one run, from one server to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runframe.errors import NotFoundError, UsageError
from runframe.export.clone.collections import Collections
from runframe.export.clone.ends import End, names_filter
from runframe.export.clone.equality import same_time
from runframe.export.clone.lineage import copy_lineage, versions_of
from runframe.export.clone.names import ClientNames
from runframe.export.clone.report import CloneReport, Ledger
from runframe.export.clone.runs import Runs
from runframe.export.clone.sweeps import copy_sweeps
from runframe.export.clone.versions import Versions
from runframe.export.clone.views import copy_views
from runframe.paths import ProjectPath
from runframe.progress import Report, track

if TYPE_CHECKING:
    from runframe.resources.client import Connected


def clone_between(
    source: Connected,
    here: ProjectPath,
    target: Connected,
    there: ProjectPath,
    *,
    run: str | None = None,
    overwrite: bool = False,
    progress: bool | Report | None = None,
) -> CloneReport:
    """`clone`, between the servers of two `Api`s, which may be the same one."""
    ends = [
        End(api.client, str(api.client.session.base_url), path.entity, path.project)
        for api, path in ((source, here), (target, there))
    ]
    return clone(*ends, run=run, overwrite=overwrite, progress=progress)


def clone(
    source: End,
    target: End,
    *,
    run: str | None = None,
    overwrite: bool = False,
    progress: bool | Report | None = None,
) -> CloneReport:
    """Replays a project, or one run with its artifacts and its sweep, into another project.

    Nothing comes twice: what is there and equal stays, what went on is brought up to date. Stopped anywhere, the next
    start goes on. A version of an artifact counts when all of its files are there; a run ends when all of it is.

    Args:
        source: where it is.
        target: where it goes; the project is made where there is none.
        run: the id of the one run that is wanted; None for all.
        overwrite: replace runs of the target that are other runs with the same ids.
        progress: what shows how far it is; see `runframe.progress`.

    Raises:
        NotFoundError: there is no such project, or run.
        UsageError: source and target are the same.
        CommError: a server refused the key, or could not be reached.
    """
    if (source.url, source.path) == (target.url, target.path):
        raise UsageError(f"{source.path} cannot be cloned into itself: name another project, or another server")
    found = source.ask("CloneProject").get("project")
    if found is None:
        raise NotFoundError(f"could not find {source.path} on {source.url}", path=source.path)
    sweep = None if run is None else _sweep_of(source, run)
    ledger, names = Ledger(), ClientNames()
    there = _project(source, target, found if run is None else {})
    sweeps = copy_sweeps(source, target, ledger, only=sweep) if run is None or sweep else {}
    runs = Runs(source, target, sweeps, ledger, names, overwrite)
    total = found.get("runCount") if run is None else 1
    with track(f"Cloning {source.path}", total, "runs", progress=progress) as task:
        runs.copy(task, only=run)
        names.resolve(source)
        task.update(description=f"Cloning {source.path}: artifacts")
        versions = Versions(source, target, runs.present, ledger, names)
        Collections(source, target, versions, ledger).copy(None if run is None else versions_of(source, run))
        copy_lineage(source, target, runs.lineage, versions, ledger)
        runs.finish()
    if run is None:
        copy_views(source, target, ledger)
        _project_times(source, target, found, there, ledger)
    return ledger.report(source.path if run is None else f"{source.path}/{run}", target.path)


def _sweep_of(source: End, run: str) -> str | None:
    """The sweep that a run belongs to.

    Raises:
        NotFoundError: there is no such run.
    """
    for node in source.nodes("CloneRuns", "runs", size=1, filters=names_filter([run])):
        return node.get("sweepName")
    raise NotFoundError(f"could not find run {source.path}/{run} on {source.url}", path=f"{source.path}/{run}")


def _project(source: End, target: End, found: dict[str, object]) -> dict[str, object]:
    """The project on the target, made and described."""
    there = target.ask("CloneProject").get("project")
    description = found.get("description")
    if there is None or (description and description != there.get("description")):
        fields = {"entityName": target.entity, "name": target.project, "description": description or None}
        target.tell("CloneUpsertProject", fields)
    return dict(there or {})


def _project_times(
    source: End, target: End, found: dict[str, object], there: dict[str, object], ledger: Ledger
) -> None:
    created, other = str(found.get("createdAt")), str(there.get("createdAt"))
    if not target.replays:
        ledger.lose("project", "created_at", "the target tells times by its own clock", source.path)
    elif not there or (not same_time(created, other) and created < other):
        # A project is at least as old as the oldest of what is in it.
        target.tell("ReplayProject", {**target.place, "createdAt": created})
