"""Changing and deleting versions."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from runframe.server.errors import Refusal
from runframe.server.store import projects
from runframe.server.store.accounts import permissions
from runframe.server.store.artifacts import aliases, collections, lineage, memberships, names, tags, versions
from runframe.server.store.artifacts.create import check_ttl, stored_metadata
from runframe.server.store.artifacts.memberships import Membership
from runframe.server.store.artifacts.versions import Artifact
from runframe.server.store.users import User


def update(connection: sqlite3.Connection, artifact: Artifact, fields: Mapping[str, Any]) -> None:
    """Set what is not None.

    Args:
        connection: the writer.
        artifact: the version.
        fields: the fields of ``UpdateArtifactInput``.

    Raises:
        Refusal: metadata, tags, aliases or the time to live cannot be so.
    """
    values: dict[str, Any] = {}
    if fields.get("description") is not None:
        values["description"] = fields["description"]
    if fields.get("metadata") is not None:
        values["metadata"] = stored_metadata(fields["metadata"])
    if fields.get("ttlDurationSeconds") is not None:
        values["ttl_seconds"] = check_ttl(fields["ttlDurationSeconds"])
    versions.change(connection, artifact.id, values)
    sequence = collections.by_id(connection, artifact.sequence_id)
    assert sequence is not None
    added = names.check_tags(tag["tagName"] for tag in fields.get("tagsToAdd") or ())
    tags.VERSIONS.add(connection, artifact.id, sequence.project_id, added)
    tags.VERSIONS.remove(connection, artifact.id, [tag["tagName"] for tag in fields.get("tagsToDelete") or ()])
    if fields.get("aliases") is not None:
        _replace_aliases(connection, artifact, sequence.name, fields["aliases"])


def _replace_aliases(
    connection: sqlite3.Connection, artifact: Artifact, collection: str, given: Sequence[Mapping[str, str]]
) -> None:
    """Make these the aliases of a version in its sequence."""
    membership = memberships.find(connection, artifact.sequence_id, artifact.id)
    if membership is None:
        raise Refusal(f"The artifact is {artifact.state}: only a committed version has aliases.")
    wanted = [alias["alias"] for alias in given if alias["artifactCollectionName"] == collection]
    wanted = [names.check_alias(alias) for alias in wanted if not names.is_version(alias)]
    held = aliases.given_by_users(aliases.of_membership(connection, membership.id))
    aliases.remove(connection, membership.id, set(held) - set(wanted))
    aliases.put(connection, membership.id, artifact.sequence_id, wanted)


def change_aliases(
    connection: sqlite3.Connection, viewer: User, artifact: Artifact, given: Sequence[Mapping[str, str]], *, add: bool
) -> None:
    """Give a version aliases in the collections that it stands in, or take them from it.

    Raises:
        Refusal: the version is not in a collection, users cannot give such an alias, or (403) the viewer may not change
            the collection.
    """
    for alias in given:
        membership = _membership(connection, viewer, artifact, alias)
        if not add:
            aliases.remove(connection, membership.id, [names.check_alias(alias["alias"])])
        elif alias["alias"] != f"v{membership.version_index}":
            aliases.put(connection, membership.id, membership.collection_id, [names.check_alias(alias["alias"])])


def _membership(
    connection: sqlite3.Connection, viewer: User, artifact: Artifact, alias: Mapping[str, str]
) -> Membership:
    path = f"{alias['entityName']}/{alias['projectName']}/{alias['artifactCollectionName']}"
    project = projects.find(connection, alias["entityName"], alias["projectName"])
    collection = None if project is None else collections.find(connection, project.id, alias["artifactCollectionName"])
    membership = None if collection is None else memberships.find(connection, collection.id, artifact.id)
    if membership is None:
        raise Refusal(f"The artifact is not in {path}: it cannot have the alias {alias['alias']!r} there.", 404)
    assert project is not None
    permissions.check_project(connection, viewer, project.id)
    return membership


def delete(connection: sqlite3.Connection, artifact: Artifact, *, with_aliases: bool) -> None:
    """Delete a version: it leaves its sequence and all portfolios, and its content.

    Raises:
        Refusal: it has aliases and they are not to go with it.
    """
    held = aliases.given_by_users(aliases.of_artifact(connection, artifact.id))
    if held and not with_aliases:
        shown = ", ".join(map(repr, dict.fromkeys(held)))
        raise Refusal(f"The artifact has the aliases {shown}. Delete them with it (deleteAliases), or before.")
    versions.empty(connection, artifact.id)


def delete_logged(connection: sqlite3.Connection, run_id: int) -> None:
    """Delete the versions that a run made, whatever their aliases."""
    for number in lineage.logged_by(connection, run_id):
        versions.empty(connection, number)
