"""One request and its answer: headers, redirects, status. No cookies, no state between requests.

httpx's own client would log every URL, signatures included, and keep cookies; a transport is all that is needed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from runframe.errors import UsageError

from .failures import bare, error_of_answer, error_of_exception
from .http import Origin, Timeouts, httpx, origin_of
from .transport import CALL, Call

__all__ = ["Exchange"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_FOLLOWED = frozenset({"GET", "HEAD", "PUT"})
# What a caller may have put on a request for one server, and another one must not see.
_PRIVATE = ("authorization", "cookie", "proxy-authorization")

Headers = Sequence[tuple[str, str]]


class Exchange:
    """Sends requests through a transport and turns everything but success into an error of ours.

    Args:
        transport: where requests go.
        root: URL that relative URLs are joined to.
        timeouts: of one attempt.
        user_agent: the client's name and version.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, root: str, timeouts: Timeouts, user_agent: str) -> None:
        self.root = httpx.URL(root.rstrip("/") + "/")
        self.own: Origin = origin_of(self.root)
        self._transport = transport
        self._timeouts = timeouts.as_extension()
        self._headers = [("Accept", "*/*"), ("Connection", "keep-alive"), ("User-Agent", user_agent)]

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()

    def url(self, url: httpx.URL | str) -> httpx.URL:
        """An absolute URL; a relative one belongs to our server.

        Raises:
            UsageError: it is malformed.
        """
        if isinstance(url, httpx.URL) and url.is_absolute_url:
            return url
        try:
            return self.root.join(url)
        except httpx.InvalidURL as error:
            raise UsageError(f"{str(url)!r} is not a URL: {error}") from error

    async def whole(
        self,
        method: str,
        url: httpx.URL | str,
        *,
        headers: Headers = (),
        content: bytes | httpx.AsyncByteStream | None = None,
        call: Call | None = None,
    ) -> httpx.Response:
        """Send a request and read the whole answer; its status is below 300.

        Raises:
            AuthenticationError, NotFoundError, ServerError: the server said no.
            TransportError: it did not answer.
        """
        call = call or Call()
        call.whole = True
        response = await self._follow(method, self.url(url), headers, content, call)
        if response.status_code >= 300:
            raise error_of_answer(response, attempts=call.attempts)
        return response

    @asynccontextmanager
    async def stream(
        self, method: str, url: httpx.URL | str, *, headers: Headers = (), call: Call | None = None
    ) -> AsyncIterator[httpx.Response]:
        """Send a request; its body is still to be read, and is closed at the end. The status is not looked at."""
        call = call or Call()
        call.whole = False
        response = await self._follow(method, self.url(url), headers, None, call)
        try:
            yield response
        finally:
            await response.aclose()

    async def _follow(
        self,
        method: str,
        url: httpx.URL,
        headers: Headers,
        content: bytes | httpx.AsyncByteStream | None,
        call: Call,
    ) -> httpx.Response:
        """Send, and follow redirects where the method lets that be done without asking."""
        call.with_secrets = True
        for _ in range(_MOST_REDIRECTS + 1):
            response = await self._send(method, url, headers, content, call)
            target = response.headers.get("location")
            if response.status_code not in _REDIRECTS or method not in _FOLLOWED or not target:
                return response
            await response.aclose()
            here, url = url, self.url(url.join(target))
            if origin_of(url) != origin_of(here):
                # Once we were sent elsewhere nothing secret goes along any more, not even back to our own server.
                call.with_secrets = False
                headers = [(name, value) for name, value in headers if name.lower() not in _PRIVATE]
        raise error_of_exception(httpx.TooManyRedirects(f"more than {_MOST_REDIRECTS}"), url, attempts=call.attempts)

    async def _send(
        self,
        method: str,
        url: httpx.URL,
        headers: Headers,
        content: bytes | httpx.AsyncByteStream | None,
        call: Call,
    ) -> httpx.Response:
        extensions: Mapping[str, object] = {"timeout": self._timeouts, CALL: call}
        request = httpx.Request(method, url, headers=[*self._headers, *headers], content=content, extensions=extensions)
        try:
            return await self._transport.handle_async_request(request)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise error_of_exception(error, url, attempts=call.attempts, seconds=call.seconds) from bare(error)
