"""Changing and deleting logged versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runframe.errors import CommError
from runframe.resources.artifacts.names import check_aliases, check_tags, metadata_text, to_metadata
from runframe.resources.errors import as_comm_error

if TYPE_CHECKING:
    from runframe.resources.artifacts.artifact import Artifact


@as_comm_error
def save_changes(artifact: Artifact) -> None:
    """Sends what was changed; then the artifact is what the server answers.

    Raises:
        CommError: the server refused it.
    """
    artifact._aliases, artifact._tags = check_aliases(artifact._aliases), check_tags(artifact._tags)
    _send_aliases(artifact, "AddAliases", artifact._aliases, artifact._saved_aliases)
    _send_aliases(artifact, "DeleteAliases", artifact._saved_aliases, artifact._aliases)
    added = [tag for tag in artifact._tags if tag not in artifact._saved_tags]
    removed = [tag for tag in artifact._saved_tags if tag not in artifact._tags]
    fields: dict[str, Any] = {
        "artifactID": artifact.id,
        "description": artifact._description,
        "metadata": metadata_text(to_metadata(artifact._metadata)),
        "ttlDurationSeconds": artifact._ttl_to_send(),
        "tagsToAdd": [{"tagName": tag} for tag in added] or None,
        "tagsToDelete": [{"tagName": tag} for tag in removed] or None,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    answer = artifact.connection().query("artifacts", "UpdateArtifact", {"input": given})["result"] or {}
    if not answer.get("artifact"):
        raise CommError(f"the server did not change {artifact.qualified_name}", path=artifact.qualified_name)
    asked = artifact.name.partition(":")[2]
    index = artifact.version.removeprefix("v")
    artifact._take(
        answer["artifact"],
        artifact._home,
        asked=asked,
        index=int(index) if index.isdigit() else None,
        linked_at=artifact._linked_at,
    )


def _send_aliases(artifact: Artifact, operation: str, wanted: list[str], others: list[str]) -> None:
    """Sends the aliases that are wanted and not among the others."""
    aliases = [alias for alias in wanted if alias not in others]
    if not aliases:
        return
    home = artifact._home
    fields = {
        "artifactID": artifact.id,
        "aliases": [
            {
                "entityName": home.entity,
                "projectName": home.project,
                "artifactCollectionName": home.collection,
                "alias": alias,
            }
            for alias in aliases
        ],
    }
    try:
        artifact.connection().query("artifacts_changes", operation, {"input": fields})
    except CommError as error:
        named = ", ".join(map(repr, aliases))
        raise CommError(
            f"the aliases {named} of {artifact.qualified_name} could not be changed: {error.message}",
            error,
            path=artifact.qualified_name,
        ) from error


@as_comm_error
def delete_version(artifact: Artifact, delete_aliases: bool) -> None:
    """Deletes a version where it was logged.

    Raises:
        CommError: the server refused it, as where it has aliases that are not to go with it.
    """
    fields = {"artifactID": artifact.id, "deleteAliases": delete_aliases}
    artifact.connection().query("artifacts_changes", "DeleteArtifact", {"input": fields})
