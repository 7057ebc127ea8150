"""One rule for what callers of a noun's methods see: every failure there is a `CommError`.

Code written against `wandb` catches `CommError` around the methods of a run, file or project, whatever went wrong
inside; code that follows the documentation catches `ValueError` for a bad argument. `as_comm_error` serves both: a
`ValueError` becomes an `ArgumentError`, which is both, anything else foreign a plain `CommError`; `.exc` is what was
raised. The package's own errors pass unchanged. With ``WANDB_DEBUG`` set to true the original gets out, for debugging.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from runframe.errors import CommError, Error

P = ParamSpec("P")
R = TypeVar("R")


class ArgumentError(CommError, ValueError):
    """An argument that a method of a run, file or project cannot work with."""


def as_comm_error(method: Callable[P, R]) -> Callable[P, R]:
    """Wrap a method so that all it raises is a `CommError` (see the module's text)."""

    @wraps(method)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except Error:
            raise
        except Exception as exc:
            if os.environ.get("WANDB_DEBUG", "").lower() in ("1", "true"):
                raise
            kind = ArgumentError if isinstance(exc, ValueError) else CommError
            raise kind(str(exc), exc) from exc

    return wrapped
