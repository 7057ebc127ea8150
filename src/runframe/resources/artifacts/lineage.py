"""Which runs logged and used a version, and making a run use or log one."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from runframe.resources.artifacts.names import check_aliases, check_tags
from runframe.resources.errors import ArgumentError

if TYPE_CHECKING:
    from runframe.resources.artifacts.artifact import Artifact
    from runframe.resources.run import Run


def creator_of(artifact: Artifact) -> Run | None:
    """The run that logged a version; None where that was no run, or isn't shown."""
    node = artifact.connection().query("artifacts", "ArtifactCreatedBy", {"id": artifact.id}).get("artifact") or {}
    creator = node.get("createdBy") or {}
    return _run(artifact, creator) if creator.get("__typename") == "Run" and creator.get("project") else None


def users_of(artifact: Artifact) -> list[Run]:
    """The runs that used a version, but for those that aren't shown."""
    node = artifact.connection().query("artifacts", "ArtifactUsedBy", {"id": artifact.id}).get("artifact") or {}
    nodes = [edge["node"] for edge in (node.get("usedBy") or {}).get("edges") or []]
    return [_run(artifact, found) for found in nodes if found.get("project")]


def _run(artifact: Artifact, node: dict[str, Any]) -> Run:
    from runframe.resources.run import Run

    home = node["project"]
    attrs = {name: value for name, value in node.items() if name not in ("__typename", "project")}
    return Run(artifact.connection(), home["entity"]["name"], home["name"], node["name"], attrs)


def use(run: Run, artifact: Any, use_as: str | None) -> Artifact:
    """Notes that a run used a version; returns the version.

    Raises:
        ArgumentError: (a ValueError) it is no artifact, or a draft.
    """
    checked = _logged(artifact, "used")
    fields = {
        "entityName": run.entity,
        "projectName": run.project,
        "runName": run.id,
        "artifactID": checked.id,
        "usedAs": use_as or checked.name,
    }
    run.client.query("artifacts_changes", "UseArtifact", {"input": fields})
    if use_as is not None:
        checked._use_as = use_as
    return checked


def log(run: Run, artifact: Any, aliases: Collection[str] | None, tags: Collection[str] | None) -> Artifact:
    """Notes that a run logged a version that is there already, and gives it aliases and tags; returns the version.

    Raises:
        ArgumentError: (a ValueError) it is no artifact, a draft, or of another project.
    """
    checked = _logged(artifact, "logged")
    if (checked.source_entity, checked.source_project) != (run.entity, run.project):
        raise ArgumentError(
            f"{checked.source_qualified_name} can't be logged by a run of {run.entity}/{run.project}: it must be of "
            "the same project"
        )
    collection = checked.source_name.partition(":")[0]
    given, given_tags = check_aliases(aliases or []), check_tags(tags or [])
    fields: dict[str, Any] = {
        "entityName": run.entity,
        "projectName": run.project,
        "runName": run.id,
        "artifactTypeName": checked.type,
        "artifactCollectionNames": [collection],
        "digest": checked.digest,
        "enableDigestDeduplication": True,
        "aliases": [{"artifactCollectionName": collection, "alias": alias} for alias in given],
    }
    if given_tags:
        fields["tags"] = [{"tagName": tag} for tag in given_tags]
    run.client.query("artifacts_changes", "CreateArtifact", {"input": fields})
    return checked


def _logged(artifact: Any, done: str) -> Artifact:
    from runframe.resources.artifacts.artifact import Artifact

    if not isinstance(artifact, Artifact):
        raise ArgumentError(f"a {type(artifact).__name__} can't be {done}: an Artifact of Api.artifact was expected")
    if artifact.is_draft():
        raise ArgumentError(
            f"{artifact.name} is a draft: artifact.save(run=run) logs it; only what was logged can be {done} so"
        )
    return artifact
