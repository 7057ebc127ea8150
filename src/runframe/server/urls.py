"""Signed URLs for uploads and downloads: they carry their own token, and expire.

The SDK sends no credentials to the URLs that it is given (protocol, section 2). The token is an HMAC over the method,
the path and the expiry, with a secret of the store's own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from dataclasses import dataclass
from urllib.parse import quote

#: How long a URL works, in seconds. An upload may wait in the SDK's queue for long.
LIFETIME = 24 * 3600


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes signed URLs below one base.

    Attributes:
        secret: the store's secret.
        base: scheme, host and path prefix, without a slash at its end.
    """

    secret: bytes
    base: str

    def url(self, method: str, path: str, *, lifetime: float = LIFETIME) -> str:
        """An absolute URL that allows one method on one path.

        Args:
            method: GET (which allows HEAD too) or PUT.
            path: the path below the base, unquoted, with its leading slash.
            lifetime: in seconds.
        """
        expires = int(time.time() + lifetime)
        return f"{self.base}{quote(path)}?expires={expires}&token={token(self.secret, method, path, expires)}"


def token(secret: bytes, method: str, path: str, expires: int) -> str:
    """The token for a method on a path until a time."""
    digest = hmac.new(secret, f"{method}\n{path}\n{expires}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def allowed(secret: bytes, method: str, path: str, expires: str | None, given: str | None) -> bool:
    """Whether a request carries a token that is right and not expired."""
    if expires is None or given is None or not expires.isascii() or not expires.isdigit() or len(expires) > 12:
        return False
    method = "GET" if method == "HEAD" else method
    expected = token(secret, method, path, int(expires))
    return hmac.compare_digest(expected.encode(), given.encode()) and int(expires) >= time.time()
