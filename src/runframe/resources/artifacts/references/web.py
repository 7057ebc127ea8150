"""References to what web servers have: ``http://`` and ``https://``."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from urllib.parse import urlsplit

from runframe.errors import NotFoundError
from runframe.resources.artifacts.entry import ManifestEntry
from runframe.resources.artifacts.names import entry_path
from runframe.resources.artifacts.references.schemes import ChangedReferenceError, MissingReferenceError
from runframe.resources.client import USER_AGENT, Client
from runframe.wire.session import Session


class Web:
    """The web. A key is sent to its own server alone, never to another.

    Args:
        client: the connection to ask through; None to make one for each reference.
    """

    def __init__(self, client: Client | None) -> None:
        self._client = client

    def entries(self, uri: str, name: str | None, checksum: bool, max_objects: int) -> list[ManifestEntry]:
        """One entry; its digest is the ETag, where the server gives one."""
        target = name or entry_path(uri.rpartition("/")[2])
        if not checksum:
            return [ManifestEntry(target, uri, ref=uri)]
        with self._session(uri) as session:
            headers = session.headers(uri)
        etag, length = headers.get("etag"), headers.get("content-length", "")
        return [
            ManifestEntry(
                target,
                etag.strip('"') if etag else uri,
                ref=uri,
                size=int(length) if length.isdigit() and "content-encoding" not in headers else None,
                extra={"etag": etag} if etag else {},
            )
        ]

    def fetch(self, entry: ManifestEntry, target: Path) -> None:
        """Fetches it; its ETag must be the entry's, where the entry has one."""
        assert entry.ref is not None
        etag = entry.digest if entry.extra.get("etag") else None
        with self._session(entry.ref) as session:
            try:
                found = session.headers(entry.ref).get("etag", "").strip('"')
                if etag is not None and found != etag:
                    raise ChangedReferenceError(
                        f"{entry.path}: digest mismatch: {entry.ref} has the ETag {found!r}, not {etag!r} as when it "
                        "was added",
                        path=entry.path,
                    )
                session.download(entry.ref, target, size=entry.size, etag=etag)
            except NotFoundError as error:
                raise MissingReferenceError(
                    f"{entry.path}: {entry.ref} is not there any more", error, path=entry.path
                ) from error

    def _session(self, uri: str) -> AbstractContextManager[Session]:
        if self._client is not None:
            return nullcontext(self._client.session)
        parts = urlsplit(uri)
        return Session(f"{parts.scheme}://{parts.netloc}", api_key=None, user_agent=USER_AGENT)
