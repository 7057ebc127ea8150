"""All rooms of artifacts, for the schema."""

from __future__ import annotations

from runframe.server.resolvers.artifacts import (
    collections,
    files,
    lineage,
    memberships,
    registries,
    types,
    versions,
    writing,
)

ROOMS = (types, collections, versions, memberships, lineage, files, writing, registries)
