"""The two phases of an artifact's life, draft and logged, and what each lets pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from runframe.errors import ArtifactFinalizedError, ArtifactNotLoggedError

PENDING = "PENDING"
COMMITTED = "COMMITTED"


class Phased(Protocol):
    """What has phases."""

    _label: str
    _final: bool

    def is_draft(self) -> bool:
        """Whether it has not been logged yet."""


P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound=Phased)


def when_logged(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Let a method or property work on logged artifacts alone."""

    @wraps(method)
    def wrapped(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if self.is_draft():
            raise ArtifactNotLoggedError(
                f"Artifact.{method.__name__}: {self._label} is a draft; save it first",
                name=f"Artifact.{method.__name__}",
                obj=self,
            )
        return method(self, *args, **kwargs)

    return wrapped


def while_draft(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Let a method work on drafts alone that were not finalized."""

    @wraps(method)
    def wrapped(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if self._final:
            raise ArtifactFinalizedError(
                f"Artifact.{method.__name__}: {self._label} can no longer be changed; new_draft() makes one that can",
                name=f"Artifact.{method.__name__}",
                obj=self,
            )
        return method(self, *args, **kwargs)

    return wrapped
