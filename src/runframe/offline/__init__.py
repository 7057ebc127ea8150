"""Offline runs: the `.wandb` logs that the official SDK writes, read without it."""

from runframe.offline.artifacts import OfflineArtifact, OfflineEntry, UsedArtifact
from runframe.offline.files import OfflineFile
from runframe.offline.fold import read_run
from runframe.offline.folders import find_logs
from runframe.offline.framing import Tear
from runframe.offline.records import Alert, BranchPoint
from runframe.offline.rows import Shift
from runframe.offline.run import OfflineRun

__all__ = [
    "Alert",
    "BranchPoint",
    "OfflineArtifact",
    "OfflineEntry",
    "OfflineFile",
    "OfflineRun",
    "Shift",
    "Tear",
    "UsedArtifact",
    "find_logs",
    "read_run",
]
