"""From names and ids to artifacts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from runframe.errors import AuthenticationError, CommError, NotFoundError, ServerError, TransportError
from runframe.paths import (
    ArtifactPath,
    ProjectPath,
    is_registry,
    parse_artifact,
    parse_collection,
    parse_project,
)
from runframe.resources.artifacts.homes import Home
from runframe.resources.artifacts.names import LATEST
from runframe.resources.artifacts.registries import registry_entity
from runframe.resources.client import Client
from runframe.resources.errors import ArgumentError

if TYPE_CHECKING:
    from runframe.resources.artifacts.artifact import Artifact

Entity = Callable[[], str | None]


def by_name(client: Client, name: str, entity: Entity, type_name: str | None = None) -> Artifact:
    """The version that a name stands for; without an alias the latest.

    Args:
        client: the connection.
        name: ``entity/project/collection:alias``, or less of it.
        entity: gives the entity where the name has none.
        type_name: the type that it must have.

    Raises:
        PathError: the name is malformed.
        NotFoundError: there is none.
        ArgumentError: (a ValueError) it has another type.
    """
    path = _at_home(client, parse_artifact(name, entity=entity, project=client.settings.get("project")))
    artifact = at(client, path)
    if type_name is not None and artifact.type != type_name:
        raise ArgumentError(f"{path} is an artifact of type {artifact.type!r}, not of type {type_name!r}")
    return artifact


def collection_path(client: Client, name: str, entity: Entity) -> ArtifactPath:
    """Where the collection of a name is.

    Raises:
        PathError: the name is malformed.
    """
    return _at_home(client, parse_collection(name, entity=entity, project=client.settings.get("project")))


def project_path(client: Client, path: str | None, entity: Entity) -> ProjectPath:
    """Where the project of a path is; None stands for the one that is set.

    Raises:
        PathError: the path is malformed.
    """
    found = parse_project(path, entity=entity, project=client.settings.get("project"))
    if not is_registry(found.project):
        return found
    organization = found.entity if path is not None and "/" in path else ""
    return replace(found, entity=registry_entity(client, organization))


def exists(find: Callable[[], object]) -> bool:
    """Whether something is found.

    Raises:
        TransportError: the server could not be reached, which says nothing of what it has.
        AuthenticationError: it refused the key.
        ServerError: it failed, or did not answer in time.
    """
    try:
        find()
    except (AuthenticationError, TransportError):
        raise
    except ServerError as error:
        if error.status >= 500 or error.status in (408, 429):
            raise
        return False
    except CommError:
        return False
    return True


def at(client: Client, path: ArtifactPath) -> Artifact:
    """The version at a path.

    Raises:
        NotFoundError: there is none.
    """
    wanted = replace(path, alias=path.alias or LATEST)
    variables = {"entity": path.entity, "project": path.project, "name": wanted.name}
    try:
        project = client.query("artifacts", "ArtifactMembershipByName", variables).get("project")
    except ServerError as error:
        if "artifactCollectionMembership" not in error.message:
            raise
        return _at_older_server(client, path, variables)
    membership = (_project(project, path)).get("artifactCollectionMembership")
    if not membership or not membership.get("artifact"):
        raise _missing(path)
    home = Home(path.entity, path.project, path.collection)
    return from_membership(client, membership, home, path.alias)


def from_membership(client: Client, membership: Mapping[str, Any], home: Home, asked: str | None) -> Artifact:
    """The version of a membership's node.

    Args:
        client: the connection.
        membership: the node.
        home: where it was looked for; where the server says it was, is taken instead.
        asked: the version or alias that was asked for.
    """
    from runframe.resources.artifacts.artifact import Artifact

    return Artifact._of_node(
        client,
        membership["artifact"],
        Home.of_node(membership["artifactCollection"]) if membership.get("artifactCollection") else home,
        asked=asked,
        aliases=[item["alias"] for item in membership.get("aliases") or []],
        index=membership.get("versionIndex"),
        linked_at=membership.get("createdAt"),
    )


def by_id(client: Client, node_id: str) -> Artifact:
    """The version with an id of the server's, in the collection that it was logged to.

    Raises:
        NotFoundError: there is none.
    """
    from runframe.resources.artifacts.artifact import Artifact

    node = client.query("artifacts", "ArtifactByID", {"id": node_id}).get("artifact")
    if node is None:
        raise NotFoundError(f"Could not find an artifact with the id {node_id!r}")
    return Artifact._of_node(client, node)


def _at_older_server(client: Client, path: ArtifactPath, variables: Mapping[str, Any]) -> Artifact:
    from runframe.resources.artifacts.artifact import Artifact

    project = client.query("artifacts", "ArtifactByName", variables).get("project")
    node = _project(project, path).get("artifact")
    if not node:
        raise _missing(path)
    home = Home(path.entity, path.project, path.collection)
    return Artifact._of_node(client, node, home, asked=path.alias)


def _at_home(client: Client, path: ArtifactPath) -> ArtifactPath:
    """The path with the entity that its registry belongs to, where it is in one."""
    return replace(path, entity=registry_entity(client, path.entity)) if path.is_in_registry else path


def _project(project: Mapping[str, Any] | None, path: ArtifactPath) -> Mapping[str, Any]:
    if project is None:
        place = f"{path.entity}/{path.project}"
        raise NotFoundError(f"Could not find project {place}, in which the artifact {path.name} should be", path=place)
    return project


def _missing(path: ArtifactPath) -> NotFoundError:
    return NotFoundError(f"Could not find artifact {path}", path=str(path))
