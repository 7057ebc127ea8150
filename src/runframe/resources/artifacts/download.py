"""Bringing entries of an artifact to this machine.

What is there already, with the right digest, stays. What the cache has is copied, and checked on the way. The rest is
fetched, each content once, many at a time. Files appear whole and right, or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from runframe.cache import Cache, copy_file
from runframe.errors import AuthenticationError, Error, NotFoundError, ServerError, TransportError
from runframe.progress import Report, track
from runframe.resources.artifacts.digests import file_digest, from_hex, hash_of, is_md5, to_hex
from runframe.resources.artifacts.entry import ManifestEntry
from runframe.resources.artifacts.files import FILE_PAGES, checked_files, place_of
from runframe.resources.artifacts.notices import warn
from runframe.resources.artifacts.references import MissingReferenceError, References
from runframe.resources.errors import ArgumentError
from runframe.wire import Connection, Download

if TYPE_CHECKING:
    from runframe.resources.artifacts.artifact import Artifact

THREADS = 8
"""How many files are hashed and copied at once."""

FEW = 50
"""So many files are asked for by name; for more, all are listed."""

MANY_FILES = 5000
MANY_BYTES = 50_000_000

_PAGES = Connection(FILE_PAGES, cursor="end", key="name")
_SAID_NO = (AuthenticationError, NotFoundError, ServerError)
_FORBIDDEN = ':"*<>?|'


def default_root(artifact: Artifact) -> Path:
    """Where an artifact is downloaded to: ``./artifacts/NAME:vN``, or below `WANDB_ARTIFACT_DIR`.

    The name is that of the collection that it was logged to, however it was found.
    """
    return _folder(artifact.source_name)


def unversioned_root(artifact: Artifact) -> Path:
    """The same without the version: where it is checked out to."""
    return _folder(artifact.source_name.partition(":")[0])


def _folder(name: str) -> Path:
    parent = Path(os.environ.get("WANDB_ARTIFACT_DIR") or "artifacts").expanduser().absolute()
    plain = name.translate(dict.fromkeys(map(ord, _FORBIDDEN), "-"))
    # Disks that were written by other systems hold the name without a colon.
    return parent / (plain if os.name == "nt" or (not (parent / name).exists() and (parent / plain).exists()) else name)


@dataclass
class Fetch:
    """Entries of one artifact on their way to one folder.

    Attributes:
        artifact: the version.
        root: the folder.
        skip_cache: don't look into the cache, and don't fill it.
        allow_missing_references: what a reference leads to may be gone: then there is a warning.
        progress: who is shown how far a long download has come; see `runframe.progress`.
    """

    artifact: Artifact
    root: Path | str
    skip_cache: bool = False
    allow_missing_references: bool = False
    progress: bool | Report | None = None
    _targets: dict[str, Path] = field(default_factory=dict, repr=False)
    _failures: list[Exception] = field(default_factory=list, repr=False)
    _advance: Callable[[int], None] = field(default=lambda amount: None, repr=False)

    @cached_property
    def _cache(self) -> Cache | None:
        cache = Cache.of_user()
        return None if self.skip_cache or not cache.usable() else cache

    @cached_property
    def _references(self) -> References:
        return References(self.artifact.connection())

    def all(self, entries: Sequence[ManifestEntry]) -> Path:
        """Brings entries to the folder; returns it.

        Raises:
            Error: one of them could not be fetched, or is not what the manifest says. All others were brought.
        """
        root = Path(self.root).absolute()
        root.mkdir(parents=True, exist_ok=True)
        entries = _without_clashes(entries)
        many = len(entries) > MANY_FILES or sum(entry.size or 0 for entry in entries) > MANY_BYTES
        with (
            ThreadPoolExecutor(THREADS) as pool,
            track(f"Downloading {self.artifact.name}", len(entries), "files", progress=self._shown(many)) as task,
        ):
            self._advance = task.advance
            settled = list(pool.map(self._settled, entries))
            needed = [entry for entry, done in zip(entries, settled, strict=True) if not done]
            task.advance(len(entries) - len(needed))
            referred = [pool.submit(self._bring_reference, entry) for entry in needed if entry.ref is not None]
            self._bring_files([entry for entry in needed if entry.ref is None])
            self._failures += [error for future in referred if (error := future.result()) is not None]
        self._report()
        return root

    def into(self, entry: ManifestEntry, target: Path) -> None:
        """Brings one entry to a file of another name.

        Raises:
            Error: it could not be fetched, or is not what the manifest says.
        """
        self._targets = {entry.path: target}
        self.all([entry])

    def _target(self, entry: ManifestEntry) -> Path:
        """Where an entry goes."""
        return self._targets.get(entry.path) or Path(self.root).absolute() / safe_path(entry.path)

    def _shown(self, many: bool) -> bool | Report | None:
        return self.progress if self.progress is not None else (None if many else False)

    def _settled(self, entry: ManifestEntry) -> bool:
        """Whether an entry is where it should be, be it by way of the cache."""
        target = self._target(entry)
        if is_right(entry, target):
            return True
        kept = self._kept_at(entry)
        if self._cache is None or kept is None or not self._cache.has(kept, entry.size):
            return False
        return self._copied(entry, kept, target)

    def _kept_at(self, entry: ManifestEntry) -> Path | None:
        """Where the cache has an entry, or would have it."""
        if self._cache is None:
            return None
        if entry.ref is None and not is_md5(entry.digest):
            return None
        if entry.ref is None:
            return self._cache.by_digest(entry.digest, "xxh128" if entry.algorithm else "md5")
        return self._cache.by_etag(entry.ref, entry.digest) if entry.extra.get("etag") else None

    def _copied(self, entry: ManifestEntry, kept: Path, target: Path) -> bool:
        """Copies from the cache; False where what it had was wrong."""
        checked = entry.ref is None
        try:
            found = copy_file(kept, target, hash_of(entry.algorithm) if checked else None)
        except FileNotFoundError:
            return False  # it was evicted meanwhile
        if not checked or found is None or from_hex(found.hex()) == entry.digest:
            return True
        target.unlink()
        if self._cache is not None:
            self._cache.drop(kept)
        return False

    # Files.

    def _bring_files(self, entries: Sequence[ManifestEntry]) -> None:
        """Fetches files, each content once."""
        groups: dict[tuple[str, str | None], list[ManifestEntry]] = {}
        for entry in entries:
            groups.setdefault((entry.digest, entry.algorithm), []).append(entry)
        wanted = {group[0].path: group for group in groups.values()}
        failed = self._download_all(self._direct(dict(wanted)), wanted)
        # An address that does not work may have expired: the server itself hands the file to whoever has a key.
        again = {path: wanted[path] for path, error in failed.items() if isinstance(error, _SAID_NO)}
        still = self._download_all(self._handled(group[0] for group in again.values()), again)
        self._failures += [error for path, error in failed.items() if path not in again or path in still]

    def _download_all(
        self, items: Iterator[Download], wanted: Mapping[str, list[ManifestEntry]]
    ) -> dict[str, Exception]:
        """Runs downloads; gives what went wrong, by path."""
        paths = {str(self._destination(group[0])): path for path, group in wanted.items()}
        failed: dict[str, Exception] = {}
        placed: dict[str, Future[None]] = {}
        with ThreadPoolExecutor(THREADS) as pool:
            for item, outcome in self.artifact.connection().session.downloads(items):
                path = paths[str(item.target)]
                if isinstance(outcome, Error):
                    failed[path] = outcome
                else:
                    placed[path] = pool.submit(self._place, wanted[path], outcome)
        for path, future in placed.items():
            if (error := future.exception()) is not None:
                failed[path] = error if isinstance(error, Exception) else Error(str(error))
        return failed

    def _direct(self, wanted: dict[str, list[ManifestEntry]]) -> Iterator[Download]:
        """The downloads by the addresses that the server lists, then by its handler for what it doesn't list."""
        if not wanted:
            return
        try:
            for name, url in self._urls(list(wanted)):
                group = wanted.pop(name, None) if url else None
                if group is not None:
                    yield self._download(group[0], url)
        except (NotFoundError, ServerError):
            pass  # an older server can't list them, but hands them out
        yield from self._handled(group[0] for group in wanted.values())

    def _urls(self, paths: list[str]) -> Iterator[tuple[str, str]]:
        variables = {**place_of(self.artifact), "fileNames": paths if len(paths) <= FEW else None}
        client = self.artifact.connection()
        for page in client.pages("artifacts", "GetArtifactMembershipFileUrls", variables, _PAGES):
            checked_files(page.answer, self.artifact)
            for node in page.nodes:
                yield node["name"], node.get("directUrl") or ""

    def _handled(self, entries: Iterable[ManifestEntry]) -> Iterator[Download]:
        for entry in entries:
            yield self._download(entry, handler_url(self.artifact, entry))

    def _download(self, entry: ManifestEntry, url: str) -> Download:
        md5 = entry.digest if entry.algorithm is None and is_md5(entry.digest) else None
        return Download(url, self._destination(entry), md5=md5, size=entry.size)

    def _destination(self, entry: ManifestEntry) -> Path:
        """Where an entry's content is received."""
        return self._kept_at(entry) or self._target(entry)

    def _place(self, group: list[ManifestEntry], received: Path) -> None:
        """Copies content that was received to all entries that have it.

        Raises:
            TransportError: it is not what the manifest says.
        """
        first = group[0]
        if first.algorithm is not None and file_digest(received, first.algorithm) != first.digest:
            received.unlink()
            raise TransportError(
                f"{first.path}: its content has another digest than the manifest says", path=first.path
            )
        for entry in group:
            target = self._target(entry)
            if target != received:
                copy_file(received, target)
        self._advance(len(group))

    # References.

    def _bring_reference(self, entry: ManifestEntry) -> Exception | None:
        """Brings what an entry refers to; what went wrong, if something did."""
        target, kept = self._target(entry), self._kept_at(entry)
        try:
            self._references.fetch(entry, kept or target)
            if kept is not None:
                copy_file(kept, target)
        except (Error, OSError) as error:
            return error
        self._advance(1)
        return None

    def _report(self) -> None:
        """Raises the first failure that may not be; warns of the others.

        Raises:
            Error: see there.
        """
        failures, self._failures = self._failures, []
        serious = [
            error
            for error in failures
            if not (self.allow_missing_references and isinstance(error, MissingReferenceError))
        ]
        for error in failures:
            if error not in serious:
                warn(str(error))
        if serious:
            raise serious[0]


def is_right(entry: ManifestEntry, path: Path) -> bool:
    """Whether a file is the content of an entry. A reference whose digest is no MD5 is never taken for right."""
    try:
        found = path.stat()
    except OSError:
        return False
    if not path.is_file() or (entry.size is not None and entry.ref is None and found.st_size != entry.size):
        return False
    return is_md5(entry.digest) and file_digest(path, entry.algorithm) == entry.digest


def safe_path(path: str) -> PurePath:
    """The path of an entry, as one below a folder.

    Raises:
        ArgumentError: it leads out of the folder.
    """
    for kind in (PurePosixPath(path), PurePath(path)):
        if kind.anchor or ".." in kind.parts or not kind.parts:
            raise ArgumentError(f"the artifact has an entry {path!r}, which leads out of the folder: it is not written")
    return PurePath(path)


def handler_url(artifact: Artifact, entry: ManifestEntry) -> str:
    """The address, relative to the server's, at which it hands out a file to whoever has a key."""
    policy, digest = artifact.manifest.storage_policy, entry.digest
    digest = to_hex(digest) if is_md5(digest) else digest
    if policy.layout == "V1":
        parts = ["artifacts", artifact.entity, digest]
    else:
        birth, name = entry.birth_artifact_id or "", entry.path.rpartition("/")[2]
        collection = artifact.name.partition(":")[0]
        parts = ["artifactsV2", policy.region, artifact.entity, artifact.project, collection, birth, digest, name]
    return "/".join(quote(part, safe="") for part in parts)


def _without_clashes(entries: Sequence[ManifestEntry]) -> list[ManifestEntry]:
    """The entries, but for those whose path is also a folder of another entry: there can't be both on a disk."""
    folders = {str(parent) for entry in entries for parent in PurePosixPath(entry.path).parents}
    kept = [entry for entry in entries if entry.path not in folders]
    for entry in entries:
        if entry.path in folders:
            warn(f"{entry.path!r} is a file and a folder in the artifact; the file is left out")
    return kept
