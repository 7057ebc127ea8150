"""What the operation CreateArtifact does: a pending version, or the committed one that has this content already."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from runframe import extjson
from runframe.server.errors import Refusal
from runframe.server.store import documents, projects, runs, users
from runframe.server.store.artifacts import aliases, collections, lineage, memberships, names, tags, versions
from runframe.server.store.artifacts.collections import Collection
from runframe.server.store.artifacts.versions import Artifact
from runframe.server.store.states import Grace
from runframe.server.store.upsert import ensure_project


def create(connection: sqlite3.Connection, viewer: users.User, fields: Mapping[str, Any], grace: Grace) -> int:
    """Begin a version; its row.

    The same request again gives the same version, as does any writer's that has the version's distributed id. Where the
    collection has a committed version of the same digest, that one gets the aliases and tags, and is answered.

    Args:
        connection: the writer.
        viewer: who asks.
        fields: the fields of ``CreateArtifactInput``.
        grace: how long a run may be silent.

    Raises:
        Refusal: there is no such run, a name cannot be one, or the collection holds another type.
    """
    if fields.get("digestAlgorithm") not in (None, "MANIFEST_MD5"):
        raise Refusal(f"digestAlgorithm {fields['digestAlgorithm']} is not known here, expected MANIFEST_MD5.")
    name = _collection_name(fields)
    wanted = _wanted(fields.get("aliases") or (), name)
    given_tags = names.check_tags(tag["tagName"] for tag in fields.get("tags") or ())
    project = ensure_project(connection, viewer, fields.get("entityName"), fields.get("projectName"))
    run = lineage.run_of(connection, project, fields["runName"], grace) if fields.get("runName") else None
    sequence = collections.ensure(connection, project, collections.SEQUENCE, fields["artifactTypeName"], name)
    client_id = fields.get("clientID")
    known = versions.find_client(connection, sequence.id, client_id) if client_id else None
    artifact = known or _existing(connection, sequence, fields)
    if artifact is None:
        number = versions.insert(connection, sequence.id, fields["digest"], _columns(fields, run, viewer))
        artifact = versions.by_id(connection, number)
        assert artifact is not None
    if known is None:  # a request that comes again must not move the aliases again
        _note(connection, artifact, project, wanted, given_tags)
    if client_id:
        versions.name_for_client(connection, artifact.id, client_id, fields.get("sequenceClientID"))
    if run is not None:
        lineage.add_output(connection, run.id, artifact.id)
    return artifact.id


def _collection_name(fields: Mapping[str, Any]) -> str:
    given = [fields.get("artifactCollectionName"), *(fields.get("artifactCollectionNames") or ())]
    found = list(dict.fromkeys(name for name in given if name))
    if len(found) != 1:
        raise Refusal(f"A version is logged to one collection, got {len(found)} names: {found}.")
    return str(found[0])


def _wanted(given: Any, collection: str) -> list[str]:
    for alias in given:
        if alias["artifactCollectionName"] != collection:
            raise Refusal(
                f"The alias {alias['alias']!r} is for the collection {alias['artifactCollectionName']!r}, "
                f"but the version is logged to {collection!r}."
            )
    return [names.check_alias(alias["alias"]) for alias in given]


def _existing(connection: sqlite3.Connection, sequence: Collection, fields: Mapping[str, Any]) -> Artifact | None:
    """The version that this request means, of those that other requests began."""
    if fields.get("distributedID"):
        # Writers to come may add to it, so the content so far says nothing of the whole.
        return versions.find_distributed(connection, sequence.id, fields["distributedID"])
    if fields.get("enableDigestDeduplication"):
        return versions.find_digest(connection, sequence.id, fields["digest"])
    return None


def _columns(fields: Mapping[str, Any], run: runs.Run | None, viewer: users.User) -> dict[str, Any]:
    ttl = fields.get("ttlDurationSeconds")
    return {
        "ttl_seconds": versions.INHERITED_TTL if ttl is None else check_ttl(ttl),
        "history_step": fields.get("historyStep"),
        "run_id": None if run is None else run.id,
        "user_id": viewer.id,
        "distributed_id": fields.get("distributedID"),
        "description": fields.get("description"),
        "metadata": None if fields.get("metadata") is None else stored_metadata(fields["metadata"]),
    }


def check_ttl(seconds: int) -> int:
    """A number of seconds, or one of the two that mean something else.

    Raises:
        Refusal: it is neither.
    """
    if seconds < 1 and seconds not in (versions.INHERITED_TTL, versions.NO_TTL):
        raise Refusal(f"ttlDurationSeconds is {seconds}, expected seconds, -1 to inherit or -2 for none.")
    return seconds


def stored_metadata(text: str) -> str:
    """The stored document of a metadata text.

    Raises:
        Refusal: it is no JSON object.
    """
    try:
        value = extjson.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refusal(f"metadata is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise Refusal(f"metadata is {type(value).__name__}, expected a JSON object.")
    return documents.to_stored(value)


def _note(
    connection: sqlite3.Connection, artifact: Artifact, project: projects.Project, wanted: list[str], given: list[str]
) -> None:
    """Aliases now for a committed version, at the commit for one to come; tags now."""
    tags.VERSIONS.add(connection, artifact.id, project.id, given)
    if artifact.state == versions.COMMITTED:
        membership = memberships.find(connection, artifact.sequence_id, artifact.id)
        assert membership is not None
        aliases.put(connection, membership.id, artifact.sequence_id, wanted)
    elif wanted:
        both = dict.fromkeys([*extjson.loads(artifact.wanted_aliases), *wanted])
        versions.change(connection, artifact.id, {"wanted_aliases": extjson.dumps(list(both))})
