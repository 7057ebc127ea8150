"""The error tree.

```
Error                        everything that runframe raises on purpose
├── UsageError               a call, setting or command that cannot work as it was given
│   ├── SettingsError        a setting that is missing or malformed (also a ValueError)
│   ├── UnsupportedError     the server lacks the feature that the call needs
│   ├── ArtifactStatusError  an artifact in the wrong phase of its life (also an AttributeError)
│   │   ├── ArtifactNotLoggedError  it is still a draft
│   │   └── ArtifactFinalizedError  it can no longer be changed
│   ├── PathError            a path that names nothing (also a CommError and a ValueError)
│   └── QueueError           settings of a queue, or values for them, that cannot be (also a CommError and a ValueError)
├── CommError                the server said no, or could not be reached
│   ├── AuthenticationError  the key is missing, malformed or refused
│   ├── NotFoundError        no such project, run, file, … (also a ValueError)
│   │   └── RunNotFoundError  no such run
│   ├── LaunchError          a run could not be put into a launch queue, or what waits there could not start
│   ├── ServerError          the server answered with an error (status, message)
│   └── TransportError       no answer: refused, timed out, broken off
├── IncompleteRunHistoryError  a history that is still being written, where a whole one was asked for
├── WaitTimeoutError         what was waited for did not happen in time (also a TimeoutError)
├── LogError                 an offline log that cannot be read (also a ValueError)
└── FrameError               data that does not fit the schema asked for (also a ValueError)
```

Code written against `wandb` finds every name here that it catches, wherever the official client has it: `Error`,
`CommError`, `UsageError`, `UnsupportedError` and `AuthenticationError` (in `wandb.errors`), `RunNotFoundError` and
`IncompleteRunHistoryError` (in `wandb.apis.public`), those of artifacts (in `wandb.sdk.artifacts.exceptions`), and
`WandbApiFailedError`, which is another name of `CommError`: what the official client lets out as the one in some places
and as the other in others is the same here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class Error(Exception):
    """The root: catch it to catch everything that runframe raises on purpose.

    Attributes:
        message: what happened, what was expected, how to mend it.
        context: what code that raises it itself wants to pass on; else empty.
        path: the run, artifact, project or file that the error is about, where there is one.
    """

    def __init__(self, message: str, context: Mapping[str, Any] | None = None, *, path: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.context = dict(context or {})
        self.path = path


class UsageError(Error):
    """A call, setting or command that cannot work as it was given."""


class SettingsError(UsageError, ValueError):
    """A setting that is missing or malformed."""


class UnsupportedError(UsageError):
    """The server lacks the feature that the call needs."""


class ArtifactStatusError(UsageError, AttributeError):
    """An artifact is in the wrong phase of its life for what was asked of it.

    It is an `AttributeError`, so `hasattr(draft, "version")` is False and a default given to `getattr` is taken.

    Attributes:
        name: what was asked for, such as ``Artifact.version``.
        obj: the artifact.
    """

    def __init__(self, message: str, name: str | None = None, obj: object = None) -> None:
        super().__init__(message)
        self.name = name or ""
        self.obj = obj


class ArtifactNotLoggedError(ArtifactStatusError):
    """The artifact is a draft: only the server can know what was asked for."""


class ArtifactFinalizedError(ArtifactStatusError):
    """The artifact was logged, or finalized: it can no longer be changed."""


@dataclass(frozen=True)
class ErrorResponse:
    """What a server answered where it refused, as the official client shows it.

    Attributes:
        message: its words.
        http_status: the HTTP status; 200 for errors inside a GraphQL answer.
        error_type: 0, for errors of no special kind.
    """

    message: str
    http_status: int
    error_type: int = 0


class CommError(Error):
    """The server said no, or could not be reached.

    Attributes:
        exc: the exception underneath, where there is one.
        status: the HTTP status of the server's answer, 200 for errors inside a GraphQL answer; None where no answer
            is behind it.
    """

    status: int | None

    def __init__(
        self,
        message: str,
        exc: BaseException | None = None,
        *,
        status: int | None = None,
        path: str | None = None,
    ) -> None:
        super().__init__(message, path=path)
        self.exc = exc
        self.status = status

    @property
    def response(self) -> ErrorResponse | None:
        """The server's answer; None where no answer is behind the error."""
        return None if self.status is None else ErrorResponse(self.message, self.status)


WandbApiFailedError = CommError
"""The name under which the official client lets failed requests out where it does not turn them into `CommError`."""


class PathError(UsageError, CommError, ValueError):
    """A path that has none of the accepted forms, or lacks a part.

    Code written against `wandb` catches it as `CommError` in some places and as `ValueError` in others.
    """


class QueueError(UsageError, CommError, ValueError):
    """Settings of a launch queue, or values for its template variables, that cannot be."""


class AuthenticationError(CommError):
    """The API key is missing, malformed or refused."""


class NotFoundError(CommError, ValueError):
    """No such project, run, file or other object."""


class RunNotFoundError(NotFoundError):
    """No such run."""


class LaunchError(CommError):
    """A run could not be put into a launch queue, or what waits there could not be looked up or started."""


class ServerError(CommError):
    """The server answered with an error.

    Attributes:
        status: the HTTP status; 200 for errors inside a GraphQL answer.
    """

    status: int

    def __init__(
        self, message: str, exc: BaseException | None = None, *, status: int = 200, path: str | None = None
    ) -> None:
        super().__init__(message, exc, status=status, path=path)


class TransportError(CommError):
    """No answer came: the connection was refused, timed out or broke off."""


class IncompleteRunHistoryError(Error):
    """A run's history is still being written, and a whole one was asked for."""


class WaitTimeoutError(Error, TimeoutError):
    """What was waited for did not happen within the time allowed."""


class LogError(Error, ValueError):
    """An offline log that cannot be read."""


class FrameError(Error, ValueError):
    """Data that does not fit the schema that was asked for."""


class WandbCoreNotAvailableError(Error):
    """Never raised: the official client needs a helper program, this one does not. Code that catches it finds it."""
