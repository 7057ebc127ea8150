"""References to objects in buckets: ``s3://``, ``gs://``, and Azure's ``https://ACCOUNT.blob.core.windows.net/``.

Arrow's own file systems read them; credentials come from where the clouds' own tools look for them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from runframe.cache import written
from runframe.errors import CommError
from runframe.resources.artifacts.entry import ManifestEntry
from runframe.resources.artifacts.references.schemes import (
    AZURE_HOST,
    ChangedReferenceError,
    MissingReferenceError,
)
from runframe.resources.errors import ArgumentError

_CHUNK = 1 << 20
_ENDPOINTS = ("AWS_S3_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")


@dataclass(frozen=True)
class _Object:
    """What a URI says of an object.

    Attributes:
        scheme: `s3`, `gs` or `https`.
        root: what stands before the path in URIs of the same bucket.
        bucket: the bucket or container, and for Azure the account before it.
        key: the object's name, or the beginning of several.
        version: the version or generation that the URI names.
    """

    scheme: str
    root: str
    bucket: str
    key: str
    version: str | None

    @property
    def path(self) -> str:
        """The path in Arrow's file system."""
        return f"{self.bucket}/{self.key}".rstrip("/")

    def uri_of(self, path: str) -> str:
        """The URI of another path in the same bucket."""
        return f"{self.root}{path.partition('/')[2]}"


class Buckets:
    """Object stores."""

    def __init__(self) -> None:
        self._systems: dict[str, Any] = {}

    def entries(self, uri: str, name: str | None, checksum: bool, max_objects: int) -> list[ManifestEntry]:
        """The object, or all objects below the key that are not empty; their digests are their ETags."""
        found = _object(uri)
        if not checksum:
            return [ManifestEntry(name or found.key or found.bucket, uri, ref=uri)]
        system = self._system(found)
        facts = None if not found.key or found.key.endswith("/") else self._facts(system, found.path)
        if facts is not None and not _is_folder(facts):
            return [_entry(name or found.key.rpartition("/")[2], found.uri_of(found.path), facts)]
        prefix = f"{name}/" if name else ""
        entries: list[ManifestEntry] = []
        for path in self._below(system, found):
            facts = self._facts(system, path)
            if facts is None or not _size(facts):
                continue
            if len(entries) >= max_objects:
                raise ArgumentError(f"{uri!r} holds more than {max_objects} objects; pass a larger max_objects")
            entries.append(_entry(prefix + path.removeprefix(found.path).lstrip("/"), found.uri_of(path), facts))
        if not entries:
            raise ArgumentError(f"{uri!r} leads to no object")
        return entries

    def fetch(self, entry: ManifestEntry, target: Path) -> None:
        """Fetches the object; its ETag must be the entry's, where the entry has one."""
        assert entry.ref is not None
        found = _object(entry.ref)
        system = self._system(found)
        try:
            stream = system.open_input_stream(found.path)
        except FileNotFoundError as error:
            raise MissingReferenceError(
                f"{entry.path}: {entry.ref} is not there any more", error, path=entry.path
            ) from error
        except OSError as error:
            raise CommError(f"{entry.path}: {entry.ref} could not be read: {error}", error, path=entry.path) from error
        with stream:
            etag = _etag(stream.metadata())
            if entry.digest not in (entry.ref, etag):
                raise ChangedReferenceError(
                    f"{entry.path}: digest mismatch: {entry.ref} has the ETag {etag!r}, not {entry.digest!r} as when "
                    "it was added; older versions of an object can't be fetched",
                    path=entry.path,
                )
            with written(target) as file:
                while chunk := stream.read(_CHUNK):
                    file.write(chunk)

    def _below(self, system: Any, found: _Object) -> list[str]:
        from pyarrow import fs

        try:
            infos = system.get_file_info(fs.FileSelector(found.path, recursive=True))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise CommError(f"{found.uri_of(found.path)} could not be listed: {error}", error) from error
        return sorted(info.path for info in infos if info.type == fs.FileType.File and info.size != 0)

    def _facts(self, system: Any, path: str) -> dict[str, str] | None:
        """What the store says of an object; None where there is none."""
        try:
            with system.open_input_stream(path) as stream:
                given = {**stream.metadata()}
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CommError(f"{path} could not be looked at: {error}", error) from error
        return {name: value.decode() for name, value in given.items()}

    def _system(self, found: _Object) -> Any:
        key = f"{found.scheme}:{found.bucket}"
        if key not in self._systems:
            makers = {"s3": _s3, "gs": _gcs, "https": _azure}
            try:
                self._systems[key] = makers[found.scheme](found)
            except OSError as error:
                raise CommError(f"{found.root} could not be opened: {error}", error) from error
        return self._systems[key]


def _object(uri: str) -> _Object:
    parts = urlsplit(uri)
    host, key = parts.netloc, parts.path.lstrip("/")
    version = next(iter(parse_qs(parts.query).get("versionId", [])), None)
    if parts.scheme == "gs":
        return _Object("gs", f"gs://{host}/", host, key, parts.fragment or None)
    if parts.scheme == "s3":
        return _Object("s3", f"s3://{host}/", host, key, version)
    container, _, blob = unquote(key).partition("/")
    return _Object("https", f"https://{host}/{container}/", container, blob, version)


def _s3(found: _Object) -> Any:
    from pyarrow import fs

    endpoint = _first(_ENDPOINTS)
    region = _first(_REGIONS)
    if region is None and endpoint is None:
        region = fs.resolve_s3_region(found.bucket)
    parts = urlsplit(endpoint) if endpoint else None
    return fs.S3FileSystem(
        region=region,
        endpoint_override=None if parts is None else (parts.netloc or parts.path),
        scheme=None if parts is None or not parts.netloc else parts.scheme,
    )


def _gcs(found: _Object) -> Any:
    from pyarrow import fs

    emulator = os.environ.get("STORAGE_EMULATOR_HOST")
    if not emulator:
        return fs.GcsFileSystem()
    parts = urlsplit(emulator if "://" in emulator else f"http://{emulator}")
    return fs.GcsFileSystem(anonymous=True, scheme=parts.scheme, endpoint_override=parts.netloc)


def _azure(found: _Object) -> Any:
    from pyarrow import fs

    account = (urlsplit(found.root).hostname or "").removesuffix(AZURE_HOST)
    return fs.AzureFileSystem(account, account_key=os.environ.get("AZURE_STORAGE_KEY"))


def _first(names: tuple[str, ...]) -> str | None:
    return next((os.environ[name] for name in names if os.environ.get(name)), None)


def _entry(name: str, uri: str, facts: dict[str, str]) -> ManifestEntry:
    etag = _etag(facts)
    version = facts.get("VersionId") or facts.get("generation")
    extra = {"etag": etag, **({"versionID": version} if version else {})}
    return ManifestEntry(name, etag, ref=uri, size=_size(facts), extra=extra)


def _etag(facts: Any) -> str:
    value = facts.get("ETag") or facts.get("etag") or ""
    return (value.decode() if isinstance(value, bytes) else str(value)).strip('"')


def _size(facts: dict[str, str]) -> int:
    return int(facts.get("Content-Length") or facts.get("size") or 0)


def _is_folder(facts: dict[str, str]) -> bool:
    return facts.get("Content-Type", "").startswith("application/x-directory")
