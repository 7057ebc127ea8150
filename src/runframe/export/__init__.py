"""Whole projects as datasets on disk."""

from __future__ import annotations

from runframe.export.doors import KnownDataset, export_project, export_runs, known_dataset, plan_export
from runframe.export.planning import ExportPlan
from runframe.export.report import ExportReport, Gap

__all__ = [
    "ExportPlan",
    "ExportReport",
    "Gap",
    "KnownDataset",
    "export_project",
    "export_runs",
    "known_dataset",
    "plan_export",
]
