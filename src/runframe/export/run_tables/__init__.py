"""The tables that are fetched run by run, and where their rows come from."""

from __future__ import annotations

from runframe.export.run_tables.base import Reading, RunTable
from runframe.export.run_tables.history import HistoryTable
from runframe.export.run_tables.listings import ConsoleTable, FilesTable, is_safe
from runframe.export.run_tables.system import EVENTS, SystemTable

__all__ = ["EVENTS", "ConsoleTable", "FilesTable", "HistoryTable", "Reading", "RunTable", "SystemTable", "is_safe"]
