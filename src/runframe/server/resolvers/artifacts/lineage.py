"""Which runs logged and used which versions."""

from __future__ import annotations

from typing import Any

from ariadne import MutationType, ObjectType, UnionType

from runframe.server import cursors
from runframe.server.context import Info
from runframe.server.errors import Refusal
from runframe.server.resolvers.artifacts.finding import artifact_of
from runframe.server.resolvers.connections import connection_of
from runframe.server.store import projects, runs, users
from runframe.server.store.accounts import permissions
from runframe.server.store.artifacts import lineage, versions
from runframe.server.store.artifacts.lineage import Direction
from runframe.server.store.artifacts.versions import Artifact

mutation = MutationType()
run_type = ObjectType("Run")
artifact_type = ObjectType("Artifact")
creator_type = UnionType("ArtifactCreator", lambda creator, *_: "Run" if isinstance(creator, runs.Run) else "User")


@artifact_type.field("createdBy")
def _resolve_created_by(artifact: Artifact, info: Info) -> runs.Run | users.User | None:
    context = info.context
    if artifact.run_id is None:
        return context.user(artifact.user_id)
    return runs.by_id(context.connection, artifact.run_id, context.store.grace, documents=False)


@artifact_type.field("usedBy")
def _resolve_used_by(artifact: Artifact, info: Info) -> dict[str, Any]:
    context = info.context
    found = lineage.users_of(context.connection, artifact.id, context.store.grace)
    edges = [{"node": run, "cursor": cursors.encode(run.id)} for run in found]
    end = edges[-1]["cursor"] if edges else None
    return {"edges": edges, "pageInfo": {"endCursor": end, "hasNextPage": False}, "totalCount": len(edges)}


@run_type.field("inputArtifacts")
def _resolve_inputs(run: runs.Run, info: Info, after: str | None = None, first: int | None = None) -> dict[str, Any]:
    return _connection(run, info, "inputs", after, first)


@run_type.field("outputArtifacts")
def _resolve_outputs(run: runs.Run, info: Info, after: str | None = None, first: int | None = None) -> dict[str, Any]:
    return _connection(run, info, "outputs", after, first)


def _connection(
    run: runs.Run, info: Info, direction: Direction, after: str | None, first: int | None
) -> dict[str, Any]:
    connection = info.context.connection

    def fetch(cursor: str | None, limit: int) -> tuple[list[tuple[Artifact, int]], bool]:
        point = cursors.decode(cursor, int)
        return lineage.page(connection, direction, run.id, point[0] if point else None, limit)

    page = connection_of(fetch, lambda found: cursors.encode(found[1]), after, first, node_of=lambda found: found[0])
    for edge in page["edges"]:
        edge["version"] = f"v{edge['node'].version_index}"
    return page | {"totalCount": lineage.count(connection, direction, run.id)}


@mutation.field("useArtifact")
def _resolve_use(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        artifact = artifact_of(connection, input["artifactID"])
        if artifact.state != versions.COMMITTED:
            raise Refusal(f"The artifact is {artifact.state}: only a committed version can be used.")
        project = projects.find(connection, input["entityName"], input["projectName"])
        if project is None:
            raise Refusal(f"There is no project {input['entityName']}/{input['projectName']}.", 404)
        permissions.check_project(connection, context.viewer, project.id)
        run = lineage.run_of(connection, project, input["runName"], context.store.grace)
        lineage.add_input(connection, run.id, artifact.id, input.get("usedAs"))
    return {"artifact": artifact}


BINDABLES = (mutation, run_type, artifact_type, creator_type)
