"""The error tree.

```
Error                        everything that runframe raises on purpose
├── UsageError               a call, setting or command that cannot work as it was given
│   ├── SettingsError        a setting that is missing or malformed (also a ValueError)
│   ├── QueueError           settings of a launch queue, or values for them, that cannot be (also a ValueError)
│   ├── UnsupportedError     the server lacks the feature that the call needs
│   ├── ArtifactStatusError  an artifact in the wrong phase of its life (also an AttributeError)
│   │   ├── ArtifactNotLoggedError  it is still a draft
│   │   └── ArtifactFinalizedError  it can no longer be changed
│   └── PathError            a path that names nothing (also a CommError and a ValueError)
├── CommError                the server said no, or could not be reached
│   ├── AuthenticationError  the key is missing, malformed or refused
│   ├── NotFoundError        no such project, run, file, … (also a ValueError)
│   ├── LaunchError          a run could not be put into a launch queue, or what waits there could not start
│   ├── ServerError          the server answered with an error (status, message)
│   └── TransportError       no answer: refused, timed out, broken off
├── WaitTimeoutError         what was waited for did not happen in time (also a TimeoutError)
├── LogError                 an offline log that cannot be read (also a ValueError)
└── FrameError               data that does not fit the schema asked for (also a ValueError)
```

`Error` and `CommError` have the names that code written against `wandb` catches.
"""

from __future__ import annotations


class Error(Exception):
    """The root: catch it to catch everything that runframe raises on purpose.

    Attributes:
        message: what happened, what was expected, how to mend it.
        path: the run, artifact, project or file that the error is about, where there is one.
    """

    def __init__(self, message: str, *, path: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = path


class UsageError(Error):
    """A call, setting or command that cannot work as it was given."""


class SettingsError(UsageError, ValueError):
    """A setting that is missing or malformed."""


class QueueError(UsageError, ValueError):
    """Settings of a launch queue, or values for its template variables, that cannot be."""


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


class CommError(Error):
    """The server said no, or could not be reached.

    Attributes:
        exc: the exception underneath, where there is one.
    """

    def __init__(self, message: str, exc: BaseException | None = None, *, path: str | None = None) -> None:
        super().__init__(message, path=path)
        self.exc = exc


class PathError(UsageError, CommError, ValueError):
    """A path that has none of the accepted forms, or lacks a part.

    Code written against `wandb` catches it as `CommError` in some places and as `ValueError` in others.
    """


class AuthenticationError(CommError):
    """The API key is missing, malformed or refused."""


class NotFoundError(CommError, ValueError):
    """No such project, run, file or other object."""


class LaunchError(CommError):
    """A run could not be put into a launch queue, or what waits there could not be looked up or started."""


class ServerError(CommError):
    """The server answered with an error.

    Attributes:
        status: the HTTP status; 200 for errors inside a GraphQL answer.
    """

    def __init__(
        self, message: str, exc: BaseException | None = None, *, status: int = 200, path: str | None = None
    ) -> None:
        super().__init__(message, exc, path=path)
        self.status = status


class TransportError(CommError):
    """No answer came: the connection was refused, timed out or broke off."""


class WaitTimeoutError(Error, TimeoutError):
    """What was waited for did not happen within the time allowed."""


class LogError(Error, ValueError):
    """An offline log that cannot be read."""


class FrameError(Error, ValueError):
    """Data that does not fit the schema that was asked for."""
