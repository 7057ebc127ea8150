"""References: entries of an artifact whose content lies elsewhere."""

from __future__ import annotations

from runframe.resources.artifacts.references.schemes import (
    ChangedReferenceError,
    MissingReferenceError,
    References,
)

__all__ = ["ChangedReferenceError", "MissingReferenceError", "References"]
