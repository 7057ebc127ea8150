"""Who called: so that warnings point at the user's line."""

from __future__ import annotations

import sys


def user_level() -> int:
    """The stack level of the first caller outside this package, for the `warnings.warn` of the function that asks."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("runframe."):
        level, frame = level + 1, frame.f_back
    return level
