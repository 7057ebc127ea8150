"""The one place that imports httpx, and what is said about HTTP in values: limits, timeouts, origins.

gql takes `httpx2` wherever that is installed and `httpx` otherwise; whatever it took is taken here too, so that one
process never holds two stacks. No httpx type is part of the public surface.
"""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import httpx
else:
    from gql.transport.httpx import httpx

__all__ = ["Limits", "Network", "Origin", "Timeouts", "httpx", "origin_of", "shown"]

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Limits:
    """How patient a session is, and how much it does at once. Seconds, counts and bytes.

    Attributes:
        soft_deadline: a request is tried again until this long after its first attempt; each wait that the server
            asks for (`Retry-After`, `RateLimit-Reset`) is added on top.
        hard_deadline: nothing extends this one.
        unreachable_deadline: the same for a server that refuses the connection and has never answered: it is down,
            or the address is wrong, and a person is waiting.
        restart_deadline: the same for a server that answered before and now refuses: it may be restarting.
        first_wait: the first wait lies between 0 and this; each next one may be twice as long.
        longest_wait: no computed wait is longer.
        connect_timeout: for one attempt to connect (the session's timeout where that is shorter).
        first_concurrency: requests in flight to one origin at the start.
        concurrency: requests in flight to one origin at most.
        page_size: nodes asked for in one page; 1,000 is what W&B's server gives at most.
        downloads: files transferred at once.
    """

    soft_deadline: float = 60.0
    hard_deadline: float = 600.0
    unreachable_deadline: float = 2.0
    restart_deadline: float = 30.0
    first_wait: float = 0.5
    longest_wait: float = 20.0
    connect_timeout: float = 10.0
    first_concurrency: int = 4
    concurrency: int = 32
    page_size: int = 1000
    downloads: int = 8

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value <= 0:
                raise ValueError(f"Limits.{name} is {value!r}; a number above 0 was expected")
        if self.first_concurrency > self.concurrency:
            raise ValueError(
                f"Limits.first_concurrency is {self.first_concurrency}, above concurrency {self.concurrency}"
            )


@dataclass(frozen=True)
class Timeouts:
    """What one attempt may wait for, in seconds: to connect, for the next bytes to come, for bytes to leave."""

    connect: float
    read: float
    write: float

    @classmethod
    def of(cls, timeout: float, limits: Limits) -> Timeouts:
        """The timeouts of one attempt of a session with this `timeout`."""
        return cls(connect=min(timeout, limits.connect_timeout), read=timeout, write=timeout)

    def as_extension(self) -> dict[str, float | None]:
        """The form that an httpx transport reads from a request; connections are counted by us, not by its pool."""
        return {"connect": self.connect, "read": self.read, "write": self.write, "pool": None}


class Origin(NamedTuple):
    """Scheme, host and port: what a secret belongs to."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        tail = "" if self.port == _DEFAULT_PORTS.get(self.scheme) else f":{self.port}"
        return f"{self.scheme}://{host}{tail}"


def origin_of(url: httpx.URL) -> Origin:
    """The origin of a URL; the port is the scheme's own where none is written."""
    return Origin(url.scheme, url.host, url.port or _DEFAULT_PORTS.get(url.scheme, 0))


def shown(url: httpx.URL | str) -> str:
    """A URL as it may be shown: without query, fragment and credentials, which may hold a signature or a key."""
    try:
        url = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        return "a malformed URL"
    return f"{origin_of(url)}{url.path}"


class Network(httpx.AsyncBaseTransport):
    """The sockets: one pool of connections for each of plain HTTP, TLS and every proxy in use, opened when needed.

    Args:
        proxies: URL of the proxy for each scheme (`http`, `https`); None reads the environment (`HTTP_PROXY`, …),
            whose `NO_PROXY` is obeyed.
    """

    def __init__(self, proxies: Mapping[str, str] | None = None) -> None:
        self._bypass = proxies is None
        self._proxies = dict(urllib.request.getproxies() if proxies is None else proxies)
        self._pools: dict[tuple[bool, str | None], httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request through the pool that it belongs to."""
        key = (request.url.scheme == "https", self._proxy_for(request.url))
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools[key] = _open_pool(*key)
        return await pool.handle_async_request(request)

    async def aclose(self) -> None:
        """Close every connection."""
        pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            await pool.aclose()

    def _proxy_for(self, url: httpx.URL) -> str | None:
        proxy = self._proxies.get(url.scheme) or self._proxies.get("all")
        if proxy is None or (self._bypass and urllib.request.proxy_bypass(f"{url.host}:{url.port or ''}".rstrip(":"))):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"


def _open_pool(secure: bool, proxy: str | None) -> httpx.AsyncHTTPTransport:
    # Reading the certificates takes 20 ms, so plain HTTP gets a context without any: it would refuse every TLS peer.
    verify: ssl.SSLContext | bool = True if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    pool = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=20.0)
    return httpx.AsyncHTTPTransport(verify=verify, proxy=proxy, limits=pool)
