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

from runframe.errors import AuthenticationError, CommError, Error, NotFoundError, ServerError, TransportError

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


class _SilentError(TransportError, AuthenticationError):
    """No answer came to whether the key holds."""


class _FailingError(ServerError, AuthenticationError):
    """The server failed where it was asked whether the key holds."""


class _NowhereError(NotFoundError, AuthenticationError):
    """There is no server of this kind at the address, so nobody can say whether the key holds."""


def key_unchecked(host: str, error: CommError) -> AuthenticationError:
    """What making an `Api` raises where nobody could say whether the key holds.

    The official client raises an `AuthenticationError` whatever went wrong; this one still tells what did.
    """
    if isinstance(error, TransportError):
        message = f"{host} could not be reached to check the API key: {error.message}"
        return _SilentError(message, error)
    message = f"{host} could not check the API key: {error.message}"
    kind = _NowhereError if isinstance(error, NotFoundError) else _FailingError
    return kind(message, error, status=error.status or 200)
