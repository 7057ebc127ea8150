"""Whole projects as datasets on disk."""

from __future__ import annotations

from runframe.export.report import ExportReport, Gap
from runframe.export.runner import export_project

__all__ = ["ExportReport", "Gap", "export_project"]
