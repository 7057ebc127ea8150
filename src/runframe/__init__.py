"""Weights & Biases data as columns: runs, configs, summaries, histories and files as Arrow, polars and pandas frames.

```python
import runframe

api = runframe.Api()
for run in api.runs("entity/project"):
    print(run.name, run.summary.get("loss"))
table = api.runs("entity/project").frame().to_polars()
```

Names are loaded when they are first used: importing this package loads nothing else.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runframe.api import Api
    from runframe.errors import (
        ArtifactFinalizedError,
        ArtifactNotLoggedError,
        ArtifactStatusError,
        AuthenticationError,
        CommError,
        Error,
        FrameError,
        IncompleteRunHistoryError,
        LaunchError,
        LogError,
        NotFoundError,
        PathError,
        QueueError,
        RunNotFoundError,
        ServerError,
        SettingsError,
        TransportError,
        UnsupportedError,
        UsageError,
        WaitTimeoutError,
        WandbApiFailedError,
        WandbCoreNotAvailableError,
    )
    from runframe.frames.aggregate import aggregate
    from runframe.frames.align import align
    from runframe.frames.flatten import flatten
    from runframe.frames.frame import Frame
    from runframe.frames.scan import Scan
    from runframe.resources.agents import Agent, AgentRuns, Agents
    from runframe.resources.artifacts.artifact import Artifact
    from runframe.resources.artifacts.collections import ArtifactCollection, ArtifactCollections
    from runframe.resources.artifacts.facts import ArtifactTTL
    from runframe.resources.artifacts.files import ArtifactFiles
    from runframe.resources.artifacts.tables.table import Table
    from runframe.resources.artifacts.types import ArtifactType, ArtifactTypes
    from runframe.resources.artifacts.versions import Artifacts, RunArtifacts
    from runframe.resources.errors import ArgumentError
    from runframe.resources.files import File, Files
    from runframe.resources.history.exports import DownloadHistoryResult
    from runframe.resources.history.scan import HistoryScan
    from runframe.resources.jobs.job import Job
    from runframe.resources.jobs.listing import Jobs
    from runframe.resources.logs import ConsoleLogLine, ConsoleLogs
    from runframe.resources.projects import Project, Projects
    from runframe.resources.query_generator import QueryGenerator
    from runframe.resources.queues.item import QueuedRun
    from runframe.resources.queues.items import QueuedRuns
    from runframe.resources.queues.queue import RunQueue
    from runframe.resources.reports import BetaReport, Reports
    from runframe.resources.run import Run
    from runframe.resources.runs import Runs
    from runframe.resources.sweeps import Sweep, Sweeps
    from runframe.resources.teams import Member, Members, Team
    from runframe.resources.users import User, Users

__version__ = "0.1.0"

__all__ = [
    "Agent",
    "AgentRuns",
    "Agents",
    "Api",
    "ArgumentError",
    "Artifact",
    "ArtifactCollection",
    "ArtifactCollections",
    "ArtifactFiles",
    "ArtifactFinalizedError",
    "ArtifactNotLoggedError",
    "ArtifactStatusError",
    "ArtifactTTL",
    "ArtifactType",
    "ArtifactTypes",
    "Artifacts",
    "AuthenticationError",
    "BetaReport",
    "CommError",
    "ConsoleLogLine",
    "ConsoleLogs",
    "DownloadHistoryResult",
    "Error",
    "File",
    "Files",
    "Frame",
    "FrameError",
    "HistoryScan",
    "IncompleteRunHistoryError",
    "Job",
    "Jobs",
    "LaunchError",
    "LogError",
    "Member",
    "Members",
    "NotFoundError",
    "PathError",
    "Project",
    "Projects",
    "QueryGenerator",
    "QueueError",
    "QueuedRun",
    "QueuedRuns",
    "Reports",
    "Run",
    "RunArtifacts",
    "RunNotFoundError",
    "RunQueue",
    "Runs",
    "Scan",
    "ServerError",
    "SettingsError",
    "Sweep",
    "Sweeps",
    "Table",
    "Team",
    "TransportError",
    "UnsupportedError",
    "UsageError",
    "User",
    "Users",
    "WaitTimeoutError",
    "WandbApiFailedError",
    "WandbCoreNotAvailableError",
    "aggregate",
    "align",
    "flatten",
]

_HOMES = {
    "Agent": "resources.agents",
    "AgentRuns": "resources.agents",
    "Agents": "resources.agents",
    "Api": "api",
    "ArgumentError": "resources.errors",
    "Artifact": "resources.artifacts.artifact",
    "ArtifactCollection": "resources.artifacts.collections",
    "ArtifactCollections": "resources.artifacts.collections",
    "ArtifactFiles": "resources.artifacts.files",
    "ArtifactTTL": "resources.artifacts.facts",
    "ArtifactType": "resources.artifacts.types",
    "ArtifactTypes": "resources.artifacts.types",
    "Artifacts": "resources.artifacts.versions",
    "BetaReport": "resources.reports",
    "ConsoleLogLine": "resources.logs",
    "ConsoleLogs": "resources.logs",
    "DownloadHistoryResult": "resources.history.exports",
    "File": "resources.files",
    "Files": "resources.files",
    "Frame": "frames.frame",
    "HistoryScan": "resources.history.scan",
    "Job": "resources.jobs.job",
    "Jobs": "resources.jobs.listing",
    "Member": "resources.teams",
    "Members": "resources.teams",
    "Project": "resources.projects",
    "Projects": "resources.projects",
    "QueryGenerator": "resources.query_generator",
    "Reports": "resources.reports",
    "QueuedRun": "resources.queues.item",
    "QueuedRuns": "resources.queues.items",
    "Run": "resources.run",
    "RunArtifacts": "resources.artifacts.versions",
    "RunQueue": "resources.queues.queue",
    "Runs": "resources.runs",
    "Scan": "frames.scan",
    "Sweep": "resources.sweeps",
    "Sweeps": "resources.sweeps",
    "Table": "resources.artifacts.tables.table",
    "Team": "resources.teams",
    "User": "resources.users",
    "Users": "resources.users",
    "aggregate": "frames.aggregate",
    "align": "frames.align",
    "flatten": "frames.flatten",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
