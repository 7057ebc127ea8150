"""What the server says no with. Every answer that is an error has one shape: ``{"errors": [{"message": …}]}``."""

from __future__ import annotations

from collections.abc import Mapping


class Refusal(Exception):
    """A request that is answered with an error.

    Attributes:
        message: what is wrong, for the person at the other end.
        status: the HTTP status where the request is not GraphQL. Inside a GraphQL answer it is 200: the official
            SDK does not repeat such a request (protocol, section 14.1).
        headers: to go with the answer.
    """

    def __init__(self, message: str, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.headers = headers


class Gone(Refusal):
    """What the request is about is not there any more: the whole answer has the status 404, in GraphQL too.

    An agent leaves when it is answered so (protocol, section 10).
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, 404)
