"""A project, or one run, replayed into another server."""

from __future__ import annotations

from runframe.export.clone.project import clone, clone_between
from runframe.export.clone.report import CloneReport, Failure, Loss

__all__ = ["CloneReport", "Failure", "Loss", "clone", "clone_between"]
