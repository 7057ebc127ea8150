"""What cannot be in a queue's settings is refused in the server's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runframe.errors import QueueError
from runframe.server.errors import Refusal


@contextmanager
def refused() -> Iterator[None]:
    """Within it, settings or values that cannot be are a `Refusal`."""
    try:
        yield
    except QueueError as error:
        raise Refusal(f"{error.message[:1].upper()}{error.message[1:]}.") from error
