"""Which kind of place a URI leads to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from runframe.errors import CommError
from runframe.resources.artifacts.entry import ARTIFACT_SCHEME, CLIENT_SCHEME, ManifestEntry
from runframe.resources.artifacts.notices import warn
from runframe.resources.client import Client
from runframe.resources.errors import ArgumentError

AZURE_HOST = ".blob.core.windows.net"


class MissingReferenceError(CommError, ValueError, FileNotFoundError):
    """What a reference leads to is not there any more."""


class ChangedReferenceError(CommError, ValueError):
    """What a reference leads to is not what it was when it was added."""


class Place(Protocol):
    """A kind of place that references lead to."""

    def entries(self, uri: str, name: str | None, checksum: bool, max_objects: int) -> list[ManifestEntry]:
        """The entries that a URI stands for, with digests of what is there, or with the URI as the digest.

        Raises:
            ArgumentError: nothing is there, or too much.
        """

    def fetch(self, entry: ManifestEntry, target: Path) -> None:
        """Brings what an entry refers to to a file, checked.

        Raises:
            MissingReferenceError: it isn't there any more.
            ChangedReferenceError: it has changed since.
        """


class References:
    """All kinds of places, for a series of references.

    Args:
        client: the connection, for the web and for other artifacts; None to make one where it is needed.
    """

    def __init__(self, client: Client | None = None) -> None:
        self._client = client
        self._places: dict[str, Place] = {}

    def entries(self, uri: str, name: str | None, *, checksum: bool, max_objects: int) -> list[ManifestEntry]:
        """The entries that a reference comes to.

        Args:
            uri: where it leads.
            name: the path of the entry, or the folder of several; None for the last part of the URI.
            checksum: look at what is there.
            max_objects: the most entries.

        Raises:
            ArgumentError: (a ValueError) the URI can't be referred to.
        """
        scheme = _scheme_of(uri)
        place = self._place(uri, scheme)
        if place is not None:
            return place.entries(uri, name, checksum, max_objects)
        if name is None:
            raise ArgumentError(f"{uri!r}: references with the scheme {scheme!r} need a name")
        if checksum:
            warn(f"{uri!r}: nothing is known of the scheme {scheme!r}; the reference is kept unchecked")
        return [ManifestEntry(name, uri, ref=uri)]

    def fetch(self, entry: ManifestEntry, target: Path) -> None:
        """Brings what an entry refers to to a file; nothing is left there when that fails.

        Raises:
            ArgumentError: (a ValueError) nothing is known of its scheme.
            MissingReferenceError: it isn't there any more (a FileNotFoundError).
            ChangedReferenceError: it has changed (a ValueError).
        """
        assert entry.ref is not None
        scheme = _scheme_of(entry.ref)
        place = self._place(entry.ref, scheme)
        if place is None:
            raise ArgumentError(f"{entry.path}: nothing is known of the scheme of {entry.ref!r}; it can't be fetched")
        place.fetch(entry, target)

    def _place(self, uri: str, scheme: str) -> Place | None:
        maker = _PLACES.get(scheme)
        if scheme == "https" and (urlsplit(uri).hostname or "").endswith(AZURE_HOST):
            maker = _bucket
        if maker is None:
            return None
        name = maker.__name__
        if name not in self._places:
            self._places[name] = maker(self._client)
        return self._places[name]


def _scheme_of(uri: str) -> str:
    scheme = urlsplit(uri).scheme if isinstance(uri, str) else ""
    if not scheme:
        raise ArgumentError(f"{uri!r} is no URI; a file is referred to as file:///folder/name")
    return scheme


def _files(client: Client | None) -> Place:
    from runframe.resources.artifacts.references.files import Files

    return Files()


def _web(client: Client | None) -> Place:
    from runframe.resources.artifacts.references.web import Web

    return Web(client)


def _bucket(client: Client | None) -> Place:
    from runframe.resources.artifacts.references.buckets import Buckets

    return Buckets()


def _artifacts(client: Client | None) -> Place:
    from runframe.resources.artifacts.references.artifacts import Artifacts

    return Artifacts(client)


_PLACES: dict[str, Callable[[Client | None], Place]] = {
    "file": _files,
    "http": _web,
    "https": _web,
    "s3": _bucket,
    "gs": _bucket,
    ARTIFACT_SCHEME.partition(":")[0]: _artifacts,
    CLIENT_SCHEME.partition(":")[0]: _artifacts,
}
