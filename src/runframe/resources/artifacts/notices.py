"""Warnings that point at the line of the user's program, however deep in the package they arise."""

from __future__ import annotations

import sys
import warnings


def warn(message: str) -> None:
    """Warns of something, at the first caller outside the package."""
    warnings.warn(message, UserWarning, stacklevel=_level_of_caller())


def _level_of_caller() -> int:
    # Level 1 is `warn`, so that of the caller's frame is one more than its distance from there.
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("runframe."):
        level, frame = level + 1, frame.f_back
    return level
