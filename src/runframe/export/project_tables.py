"""The tables that are listed as a whole, each time anew: artifacts, sweeps, reports, the project itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from runframe.export.source import Source
from runframe.export.state import PartRecord, PartWriter
from runframe.export.tables import decoded_batch, decoded_schema
from runframe.frames.schema import Schema
from runframe.resources.artifacts.collections import ArtifactCollections
from runframe.resources.artifacts.columns import VERSIONS
from runframe.resources.artifacts.types import ArtifactTypes
from runframe.resources.artifacts.versions import Artifacts
from runframe.resources.projects import Project, Projects
from runframe.resources.reports import Reports
from runframe.resources.sweeps import Sweeps

COLLECTIONS_AT_ONCE = 8

OF_THE_PROJECT = ""
"""Stands for the run in the parts of these tables."""


@dataclass(frozen=True)
class ProjectTable:
    """A table that is listed as a whole.

    Attributes:
        name: the table's folder.
        columns: its columns as they are listed.
        documents: the JSON columns that are flattened; each stays as text too.
        rows: lists it.
    """

    name: str
    columns: Schema
    documents: tuple[str, ...]
    rows: Callable[[Source], Iterator[Any]]

    @property
    def schema(self) -> Any:
        """The schema of its part's batches."""
        return decoded_schema(self.columns.arrow)


def fetch_table(root: Path, source: Source, table: ProjectTable) -> PartRecord:
    """Lists a table into a part.

    Raises:
        CommError: the server refused, or could not be reached.
    """
    with PartWriter(root, table.name, OF_THE_PROJECT, "", table.schema) as writer:
        for batch in table.rows(source):
            writer.write(decoded_batch(batch))
        writer.commit()
    return PartRecord(
        OF_THE_PROJECT, table.name, "", writer.name, writer.rows, writer.bytes, writer.digest, writer.rows, None
    )


def _artifacts(source: Source) -> Iterator[Any]:
    """The versions of all collections, by type and collection; several collections are listed at once."""
    place = (source.client, source.entity, source.project)
    collections = [
        (collection.name, type_.name)
        for type_ in ArtifactTypes(*place)
        for collection in ArtifactCollections(*place, type_.name)
    ]
    with ThreadPoolExecutor(COLLECTIONS_AT_ONCE, thread_name_prefix="runframe-export") as pool:
        listings = pool.map(lambda named: list(Artifacts(*place, *named).to_batches()), sorted(collections))
        for batches in listings:
            yield from batches


def _sweeps(source: Source) -> Iterator[Any]:
    return Sweeps(source.client, source.entity, source.project).to_batches()


def _reports(source: Source) -> Iterator[Any]:
    return Reports(source.client, Project(source.client, source.entity, source.project)).to_batches()


def _project(source: Source) -> Iterator[Any]:
    """The project's own row."""
    for batch in Projects(source.client, source.entity).to_batches():
        yield batch.filter(pc.equal(batch.column("name"), source.project))


PROJECT_TABLES: dict[str, ProjectTable] = {
    table.name: table
    for table in (
        ProjectTable("artifacts", VERSIONS, ("metadata",), _artifacts),
        ProjectTable("sweeps", Sweeps.SCHEMA, ("config",), _sweeps),
        ProjectTable("reports", Reports.SCHEMA, (), _reports),
        ProjectTable("projects", Projects.SCHEMA, (), _project),
    )
}
