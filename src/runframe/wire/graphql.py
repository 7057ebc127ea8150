"""GraphQL as gql sees it: a gql transport over our own, with documents that are printed once.

gql's httpx transport keeps the headers of the last answer in an attribute that all requests share, prints a document
for each request and decodes with the standard library; this one does none of that.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import orjson
from gql import Client, GraphQLRequest
from gql.transport import AsyncTransport
from gql.transport import exceptions as gql
from graphql import ExecutionResult

from runframe import extjson
from runframe.errors import ServerError, UsageError

from .documents import Document
from .exchange import Exchange
from .failures import error_of_exception, server_text
from .http import httpx, shown
from .transport import Call

__all__ = ["GraphQL"]

_ACCEPTED = ("Accept-Encoding", "gzip, deflate")


class _Request(GraphQLRequest):
    """A request for a document that is parsed and printed already."""

    def __init__(self, document: Document, variables: Mapping[str, Any] | None) -> None:
        super().__init__(document.node, variable_values=dict(variables) if variables else None)
        self.source = document


class _Transport(AsyncTransport):
    """gql's requests, sent through an exchange."""

    def __init__(self, exchange: Exchange, headers: Mapping[str, str]) -> None:
        self._exchange = exchange
        self._url = exchange.url("graphql")
        self._headers = [("Content-Type", "application/json"), _ACCEPTED, *headers.items()]

    async def connect(self) -> None:
        """Nothing to do: connections are made when they are needed."""

    async def close(self) -> None:
        """Nothing to do: the exchange is closed by its owner."""

    async def execute(self, request: GraphQLRequest, *, call: Call | None = None) -> ExecutionResult:
        """Send one request; errors inside the answer are left to gql."""
        if not isinstance(request, _Request):
            raise TypeError(f"a document of ours was expected, not {type(request).__name__}")
        try:
            body = request.source.body(request.variable_values)
        except (TypeError, ValueError) as error:
            raise UsageError(f"the variables of {request.source.name} cannot be sent as JSON: {error}") from error
        response = await self._exchange.whole("POST", self._url, headers=self._headers, content=body, call=call)
        result = _decode(response)
        return ExecutionResult(data=result.get("data"), errors=result.get("errors"))

    def subscribe(self, request: GraphQLRequest) -> AsyncGenerator[ExecutionResult, None]:
        """Not part of the protocol."""
        raise NotImplementedError("W&B's protocol has no subscriptions")


class GraphQL:
    """Documents executed against one server.

    Args:
        exchange: what sends.
        headers: put on every GraphQL request.
    """

    def __init__(self, exchange: Exchange, headers: Mapping[str, str]) -> None:
        self._url = exchange.url("graphql")
        transport = _Transport(exchange, headers)
        # No schema, so nothing is validated or parsed by type here; deadlines are the transport's affair.
        self._client = Client(transport=transport, fetch_schema_from_transport=False, execute_timeout=None)

    async def connect(self) -> None:
        """Open gql's session."""
        self._session = await self._client.connect_async()  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        """Close gql's session."""
        await self._client.close_async()  # type: ignore[no-untyped-call]

    async def execute(
        self, document: Document, variables: Mapping[str, Any] | None = None, *, retry_timeouts: bool = True
    ) -> dict[str, Any]:
        """The `data` of the answer.

        Raises:
            ServerError: the answer holds errors (even beside data).
            CommError: any other failure, as its own kind.
        """
        call = Call(kind=document.name, retry_timeouts=retry_timeouts, bounded=True)
        try:
            data: dict[str, Any] = await self._session.execute(_Request(document, variables), call=call)
        except gql.TransportError as error:
            raise error_of_exception(error, self._url, attempts=call.attempts, seconds=call.seconds) from error
        return data


def _decode(response: httpx.Response) -> dict[str, Any]:
    try:
        result = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        # Some servers let NaN into their answers, which strict JSON has no token for.
        try:
            result = extjson.loads(response.content)
        except ValueError:
            result = None
    if isinstance(result, dict) and ("data" in result or "errors" in result):
        return result
    said = server_text(response)
    raise ServerError(
        f"{shown(response.request.url)} answered with something that is not GraphQL"
        f"{f': {said}' if said else ''}; is base_url (WANDB_BASE_URL) the address of a W&B server?",
        status=response.status_code,
    )
