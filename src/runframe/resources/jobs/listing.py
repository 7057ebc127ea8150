"""The jobs of a project."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runframe.errors import CommError
from runframe.frames.schema import CATEGORY, TEXT, TEXTS, Column, Schema
from runframe.resources.client import Client
from runframe.resources.errors import ArgumentError
from runframe.resources.lists import FramedList

if TYPE_CHECKING:
    from runframe.frames.frame import Frame

JOB = "job"
"""The type of the artifacts that jobs are."""

PER_PAGE = 1000

logger = logging.getLogger(__name__)


class Jobs(FramedList[dict[str, Any]]):
    """The jobs of a project; as columns, a row a version.

    A job is ``{"edges": [{"node": {…}}, …]}`` with a node a version: `id`, `state`, `aliases` and `artifactSequence`
    (the job's name), as the official client gives them.

    Args:
        jobs: the jobs.
        entity, project: the project.
    """

    SCHEMA = Schema(
        "jobs",
        [
            Column("id", TEXT, "id", "The server's own id of the version."),
            Column("name", CATEGORY, "artifactSequence.name", "Name of the job."),
            Column("entity", CATEGORY, "entity", "User or team that it belongs to."),
            Column("project", CATEGORY, "project", "Project that it belongs to."),
            Column("state", CATEGORY, "state", "State of the artifact: `COMMITTED` when it is whole."),
            Column(
                "aliases", TEXTS, "aliases", "Its version (`v0`) and aliases.",
                convert=lambda aliases: [each["alias"] for each in aliases],
            ),
        ],
    )  # fmt: skip

    def __init__(self, jobs: Iterable[dict[str, Any]], entity: str, project: str) -> None:
        super().__init__(jobs)
        self.entity, self.project = entity, project

    def _frame(self, columns: Sequence[str] | None) -> Frame:
        from runframe.frames.batches import to_batch
        from runframe.frames.frame import Frame
        from runframe.frames.provenance import Provenance

        schema = self.SCHEMA if columns is None else self.SCHEMA.select(columns)
        nodes = [edge["node"] for job in self for edge in job["edges"]]
        batch = to_batch(schema, nodes, {"entity": self.entity, "project": self.project})
        provenance = Provenance("complete", source=f"{self.entity}/{self.project}")
        return Frame(schema.arrow, lambda: [batch], provenance, num_rows=len(nodes))


def list_jobs(client: Client, entity: str, project: str) -> Jobs:
    """The jobs of a project; see `Api.list_jobs`."""
    for name, value in (("entity", entity), ("project", project)):
        if value is None:
            raise ArgumentError(f"no {name} to list the jobs of: pass {name}=")
    place = {"entityName": entity, "projectName": project, "artifactTypeName": JOB}
    try:
        jobs = list(_jobs(client, place))
    except CommError as error:
        # The official client gives an empty list whatever goes wrong, and code relies on it.
        logger.warning("the jobs of %s/%s could not be listed: %s", entity, project, error.message)
        jobs = []
    return Jobs(jobs, entity, project)


def _jobs(client: Client, place: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        variables = {**place, "cursor": cursor, "perPage": PER_PAGE}
        found = client.query("jobs", "ArtifactOfType", variables).get("project")
        if found is None:
            logger.warning("there is no project %(entityName)s/%(projectName)s, or it isn't shown to you", place)
            return
        if found["artifactType"] is None:
            return
        page = found["artifactType"]["artifactCollections"]
        for edge in page["edges"]:
            yield {"edges": list(_versions(client, place, edge["node"]))}
        if not page["pageInfo"]["hasNextPage"]:
            return
        cursor = page["pageInfo"]["endCursor"]


def _versions(client: Client, place: Mapping[str, Any], job: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The versions of a job; further pages are asked for where it has many."""
    page = job["artifacts"]
    while True:
        yield from page["edges"]
        if not page["pageInfo"]["hasNextPage"]:
            return
        variables = {**place, "name": job["name"], "cursor": page["pageInfo"]["endCursor"], "perPage": PER_PAGE}
        found = client.query("jobs", "JobVersions", variables)["project"]["artifactType"]["artifactCollection"]
        page = found["artifacts"]
