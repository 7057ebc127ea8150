"""Linking versions to portfolios, and taking them out again."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from runframe.server.errors import Refusal
from runframe.server.store import projects, users
from runframe.server.store.artifacts import aliases, collections, memberships, names, types, versions
from runframe.server.store.artifacts.collections import Collection
from runframe.server.store.artifacts.memberships import Membership
from runframe.server.store.artifacts.versions import Artifact
from runframe.server.store.upsert import ensure_project


def link(
    connection: sqlite3.Connection,
    viewer: users.User,
    artifact: Artifact,
    portfolio: Collection | None,
    fields: Mapping[str, Any],
) -> Membership:
    """Put a committed version into a portfolio, which is made where there is none.

    A version that is there already keeps its index. Aliases move to it.

    Args:
        connection: the writer.
        viewer: who asks.
        artifact: the version.
        portfolio: where to; None for the one that `fields` name.
        fields: the fields of ``LinkArtifactInput``.

    Raises:
        Refusal: the version is not committed, or the name is another kind's or type's.
    """
    if artifact.state != versions.COMMITTED:
        raise Refusal(f"The artifact is {artifact.state}: only a committed version can be linked.")
    wanted = [names.check_alias(alias["alias"]) for alias in fields.get("aliases") or ()]
    sequence = collections.by_id(connection, artifact.sequence_id)
    held = None if sequence is None else types.by_id(connection, sequence.type_id)
    assert held is not None
    if portfolio is None:
        name = fields.get("artifactPortfolioName")
        if not name:
            raise Refusal("linkArtifact needs artifactPortfolioName or artifactPortfolioID.")
        project = ensure_project(connection, viewer, fields.get("entityName"), fields.get("projectName"))
    else:
        name, project = portfolio.name, _project_of(connection, portfolio)
    portfolio = collections.ensure(connection, project, collections.PORTFOLIO, held.name, name)
    membership = memberships.find(connection, portfolio.id, artifact.id)
    if membership is None:
        membership = memberships.add(connection, portfolio.id, artifact.id)
    aliases.put(connection, membership.id, portfolio.id, wanted)
    return membership


def unlink(connection: sqlite3.Connection, artifact: Artifact, portfolio: Collection) -> None:
    """Take a version out of a portfolio, with its aliases there.

    Raises:
        Refusal: the collection is a sequence, or the version is not in it.
    """
    if portfolio.kind != collections.PORTFOLIO:
        raise Refusal(f"Versions are logged to {portfolio.name!r}, not linked: delete the version instead.")
    membership = memberships.find(connection, portfolio.id, artifact.id)
    if membership is None:
        raise Refusal(f"The artifact is not linked to {portfolio.name!r}.", 404)
    memberships.remove(connection, membership)


def _project_of(connection: sqlite3.Connection, collection: Collection) -> projects.Project:
    project = projects.by_id(connection, collection.project_id)
    assert project is not None
    return project
