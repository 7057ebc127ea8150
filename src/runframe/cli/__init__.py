"""The `runframe` command."""

from __future__ import annotations

from runframe.cli.app import main

__all__ = ["main"]
