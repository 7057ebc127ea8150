"""Versions in portfolios: linking them there, finding them there, taking them out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from runframe.errors import CommError
from runframe.paths import parse_collection
from runframe.resources.artifacts.finding import at
from runframe.resources.artifacts.homes import Home
from runframe.resources.artifacts.names import check_aliases
from runframe.resources.artifacts.registries import registry_entity
from runframe.resources.errors import as_comm_error

if TYPE_CHECKING:
    from runframe.resources.artifacts.artifact import Artifact


def link(artifact: Artifact, target_path: str, aliases: Iterable[str]) -> Artifact:
    """Links a version to a portfolio; returns it as it is found there.

    Raises:
        PathError: the path is malformed.
        CommError: the server refused it.
    """
    from dataclasses import replace

    client = artifact.connection()
    target = parse_collection(
        target_path, entity=lambda: artifact.source_entity, project=client.settings.get("project")
    )
    if target.is_in_registry:
        target = replace(target, entity=registry_entity(client, target.entity))
    given = check_aliases(aliases)
    fields: dict[str, Any] = {
        "artifactID": artifact.id,
        "artifactPortfolioName": target.collection,
        "entityName": target.entity,
        "projectName": target.project,
        "aliases": [{"artifactCollectionName": target.collection, "alias": alias} for alias in given],
    }
    answer = client.query("artifacts_changes", "LinkArtifact", {"input": fields})["result"] or {}
    index = answer.get("versionIndex")
    if index is None:
        raise CommError(f"the server did not link {artifact.qualified_name} to {target}", path=str(target))
    return at(client, replace(target, alias=f"v{index}"))


@as_comm_error
def unlink(artifact: Artifact) -> None:
    """Takes a version out of the portfolio that it was found in.

    Raises:
        CommError: the server refused it.
    """
    fields = {"artifactID": artifact.id, "artifactPortfolioID": artifact.collection.id}
    answer = artifact.connection().query("artifacts_changes", "UnlinkArtifact", {"input": fields})["result"] or {}
    if not answer.get("success"):
        raise CommError(f"the server did not unlink {artifact.qualified_name}", path=artifact.qualified_name)


def linked(artifact: Artifact) -> list[Artifact]:
    """A version as it is found in each portfolio that it is linked to."""
    from runframe.resources.artifacts.artifact import Artifact

    client = artifact.connection()
    node = client.query("artifacts", "FetchLinkedArtifacts", {"id": artifact.id}).get("artifact") or {}
    edges = (node.get("artifactMemberships") or {}).get("edges") or []
    found = []
    for membership in [edge["node"] for edge in edges if edge.get("node")]:
        collection = membership.get("artifactCollection") or {}
        if collection.get("__typename") != "ArtifactPortfolio":
            continue
        aliases = [item["alias"] for item in membership.get("aliases") or []]
        link = Artifact._of_node(
            client,
            artifact._fields,
            Home.of_node(collection),
            aliases=aliases,
            index=membership.get("versionIndex"),
            linked_at=membership.get("createdAt"),
        )
        # Here, and nowhere else, the official client has the version's number among the aliases.
        link._aliases, link._saved_aliases = aliases, list(aliases)
        found.append(link)
    return found
