"""Artifacts, sweeps, reports, jobs and queues, as a user's program has them."""

from __future__ import annotations

from typing import assert_type

from runframe import (
    Agent,
    AgentRuns,
    Agents,
    Api,
    Artifact,
    ArtifactCollection,
    ArtifactCollections,
    ArtifactFiles,
    ArtifactFinalizedError,
    ArtifactNotLoggedError,
    Artifacts,
    ArtifactStatusError,
    ArtifactTTL,
    ArtifactType,
    ArtifactTypes,
    BetaReport,
    File,
    Frame,
    Job,
    Jobs,
    LaunchError,
    QueryGenerator,
    QueuedRun,
    QueuedRuns,
    QueueError,
    Reports,
    Run,
    RunArtifacts,
    RunQueue,
    Sweep,
    Sweeps,
    Table,
)


def artifacts(api: Api) -> None:
    artifact = api.artifact("entity/project/name:v0")
    assert_type(artifact, Artifact)
    assert_type(artifact.files(), ArtifactFiles)
    assert_type(artifact.files()[0], File)
    assert_type(api.artifacts("model", "name"), Artifacts)
    assert_type([found.version for found in api.artifacts("model", "name")], list[str])
    assert_type(api.artifact_exists("name"), bool)
    assert_type(api.artifact_types("project"), ArtifactTypes)
    assert_type(api.artifact_type("model"), ArtifactType)
    assert_type(api.artifact_collections("project", "model"), ArtifactCollections)
    assert_type(api.artifact_collection("model", "name"), ArtifactCollection)
    assert_type(api.run("e/p/r").logged_artifacts(), RunArtifacts)
    assert_type(Artifact("name", "dataset").name, str)
    assert_type(Table(columns=["a"], data=[[1]]).frame(), Frame)
    artifact.ttl = ArtifactTTL.INHERIT


def sweeps(api: Api) -> None:
    sweep = api.sweep("entity/project/id")
    assert_type(sweep, Sweep)
    assert_type(sweep.best_run(), Run | None)
    assert_type(api.project("name").sweeps(), Sweeps)
    assert_type(sweep.agents(), Agents)
    assert_type(sweep.frame(), Frame)
    for agent in sweep.agents():
        assert_type(agent, Agent)
        assert_type(agent.runs(), AgentRuns)


def reports(api: Api) -> None:
    assert_type(api.reports("entity/project"), Reports)
    for report in api.reports("entity/project"):
        assert_type(report, BetaReport)
    assert_type(QueryGenerator(), QueryGenerator)


def launch(api: Api) -> list[type[Exception]]:
    assert_type(api.job("entity/project/job:v0"), Job)
    assert_type(api.list_jobs("entity", "project"), Jobs)
    queue = api.run_queue("entity", "queue")
    assert_type(queue, RunQueue)
    assert_type(queue.items.everything, QueuedRuns)
    assert_type([item.id for item in queue.items], list[str])
    assert_type(api.queued_run("entity", "project", "queue", "id"), QueuedRun)
    return [ArtifactFinalizedError, ArtifactNotLoggedError, ArtifactStatusError, LaunchError, QueueError]
