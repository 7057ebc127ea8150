"""Putting things into a draft, and taking them out again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal

from runframe.resources.artifacts.digests import file_digest, to_hex
from runframe.resources.artifacts.entry import ManifestEntry
from runframe.resources.artifacts.facts import Facts
from runframe.resources.artifacts.manifest import Manifest
from runframe.resources.artifacts.names import entry_path
from runframe.resources.artifacts.phases import while_draft
from runframe.resources.artifacts.staging import Staging
from runframe.resources.errors import ArgumentError

Policy = Literal["mutable", "immutable"]

HASHING_THREADS = 8
MOST_OBJECTS = 10_000_000


class Drafting(Facts):
    """The part of an `Artifact` that changes what is in a draft."""

    def __init__(self, name: str, type_name: str) -> None:
        super().__init__(name, type_name)
        self._manifest = Manifest()
        self._staging = Staging()
        self._local_names: dict[str, str] = {}
        self._added: dict[int, tuple[Any, ManifestEntry]] = {}
        self._base_id: str | None = None

    def finalize(self) -> None:
        """Forbids further changes of what is in it. Saving it does so too."""
        self._final = True

    @while_draft
    def add_file(
        self,
        local_path: str,
        name: str | None = None,
        is_tmp: bool | None = False,
        skip_cache: bool | None = False,
        policy: Policy | None = "mutable",
        overwrite: bool = False,
    ) -> ManifestEntry:
        """Adds a file.

        Args:
            local_path: the file.
            name: its path in the artifact; None for its own name.
            is_tmp: name it by its content instead: what comes before the first dot becomes part of its digest.
            skip_cache: keep it out of the cache.
            policy: ``"mutable"`` copies it now, so that it may change before the artifact is saved; ``"immutable"``
                leaves it where it is.
            overwrite: replace another file of that name.

        Returns:
            The entry.

        Raises:
            ArgumentError: (a ValueError) there is no such file, the name leads out of the artifact, or is taken by
                other content.
            ArtifactFinalizedError: the artifact was logged or finalized.
        """
        path = Path(local_path)
        if not path.is_file():
            raise ArgumentError(f"{os.fspath(local_path)!r} is not a file; add_dir adds a folder")
        staged, digest = self._staged(path, policy)
        target = entry_path(name or path.name)
        if is_tmp:
            target = _named_by_content(target, digest)
        entry = self._add_local(target, staged, digest, skip_cache=bool(skip_cache), overwrite=overwrite)
        self._local_names[os.fspath(local_path)] = target
        return entry

    @while_draft
    def add_dir(
        self,
        local_path: str,
        name: str | None = None,
        skip_cache: bool | None = False,
        policy: Policy | None = "mutable",
        merge: bool = False,
    ) -> None:
        """Adds all files of a folder and of those below it; links to folders are followed.

        Args:
            local_path: the folder.
            name: the folder in the artifact; None for its root.
            skip_cache: keep them out of the cache.
            policy: as for `add_file`.
            merge: replace other files of the same names.

        Raises:
            ArgumentError: (a ValueError) there is no such folder, or a name is taken by other content.
            ArtifactFinalizedError: the artifact was logged or finalized.
        """
        root = Path(local_path)
        if not root.is_dir():
            raise ArgumentError(f"{os.fspath(local_path)!r} is not a folder; add_file adds a file")
        prefix = "" if not name else f"{entry_path(name)}/"
        files = list(_files_below(root))
        with ThreadPoolExecutor(HASHING_THREADS) as pool:
            staged = pool.map(lambda path: self._staged(path, policy), files)
            for path, (kept, digest) in zip(files, staged, strict=True):
                target = entry_path(prefix + path.relative_to(root).as_posix())
                self._add_local(target, kept, digest, skip_cache=bool(skip_cache), overwrite=merge)
                self._local_names[str(Path(local_path) / path.relative_to(root))] = target

    @contextmanager
    def new_file(
        self, name: str, mode: str = "x", encoding: str | None = None, policy: Policy = "mutable"
    ) -> Iterator[IO[Any]]:
        """Opens a new file to write to; it is in the artifact when the block ends well.

        Args:
            name: its path in the artifact.
            mode: as for `open`: ``"x"`` refuses to replace a file made so before, ``"w"`` replaces it; with ``"b"``
                for bytes.
            encoding: of text; None for UTF-8.
            policy: as for `add_file`; the file is the artifact's own in either case.

        Raises:
            ArgumentError: (a ValueError) the name is taken, or leads out of the artifact.
            ArtifactFinalizedError: the artifact was logged or finalized.
        """
        self._check_new(policy)
        target = entry_path(name)
        if "x" in mode and target in self.manifest:
            raise ArgumentError(f"the artifact has {target!r} already; mode 'w' replaces it")
        path = self._staging.new_path(target)
        path.parent.mkdir(parents=True)
        text = "b" not in mode
        with path.open(mode, encoding=encoding or ("utf-8" if text else None)) as file:
            yield file
        self._add_local(target, path, file_digest(path), skip_cache=True, overwrite="x" not in mode)

    @while_draft
    def _check_new(self, policy: str | None) -> None:
        _check_policy(policy)

    @while_draft
    def add_reference(
        self,
        uri: ManifestEntry | str,
        name: str | os.PathLike[str] | None = None,
        checksum: bool = True,
        max_objects: int | None = None,
    ) -> Sequence[ManifestEntry]:
        """Adds a reference: what it leads to stays where it is.

        Args:
            uri: ``file://``, ``http(s)://``, ``s3://``, ``gs://``, an address in Azure, ``wandb-artifact://``, any
                other URI (then with a `name`), or an entry of a logged artifact.
            name: its path in the artifact, or the folder of several; None for the last part of the URI.
            checksum: look at what is there, so that a change of it can be noticed; else the URI is all that is
                known. Folders and prefixes of buckets are then one entry, but for ``file://``.
            max_objects: how many entries may come of a folder or prefix; None for ten million.

        Returns:
            The entries.

        Raises:
            ArgumentError: (a ValueError) the URI has no scheme, nothing is there, a name is missing or taken, or there
                are too many objects.
            CommError: what it leads to could not be looked at.
            ArtifactFinalizedError: the artifact was logged or finalized.
        """
        from runframe.resources.artifacts.references import References

        if isinstance(uri, ManifestEntry):
            # A reference works on the entry's own server alone, so that is where the draft is going to be saved.
            self._client = self._client or uri.parent_artifact().connection()
            uri = uri.ref_url()
        target = None if name is None else entry_path(name)
        most = MOST_OBJECTS if max_objects is None else max_objects
        entries = References(self._client).entries(uri, target, checksum=checksum, max_objects=most)
        for entry in entries:
            self.manifest.add_entry(entry)
        return entries

    @while_draft
    def add(self, obj: Any, name: str | os.PathLike[str], overwrite: bool = False) -> ManifestEntry:
        """Adds a table, or a table or media object of another artifact.

        Args:
            obj: a `Table`; anything that speaks Arrow (a pandas, polars or Arrow table, a `Frame`), which becomes
                one; or what `get` gave, which becomes a reference to where it came from.
            name: its path in the artifact, without the ending, which tells its kind: ``.table.json``.
            overwrite: replace another object of that name; else the one that is there is returned.

        Returns:
            The entry. The same object added again gives the first one.

        Raises:
            TypeError: it is none of these.
            ArgumentError: (a ValueError) the name leads out of the artifact, or is taken by other content.
            ArtifactFinalizedError: the artifact was logged or finalized.
        """
        from runframe.resources.artifacts.objects import as_object, with_suffix

        known = self._added.get(id(obj))
        if known is not None and known[0] is obj:
            return known[1]
        made = as_object(obj)
        target = entry_path(with_suffix(entry_path(name), made.kind))
        there = self.manifest.get_entry_by_path(target)
        if there is not None and not overwrite:
            return there
        if made.origin is not None:
            entry = self.add_reference(made.origin, target)[0]
        else:
            path = self._staging.new_path(target)
            path.parent.mkdir(parents=True)
            path.write_bytes(made.to_bytes())
            digest = file_digest(path)
            if target.startswith("media/tables"):
                target = _named_by_content(target, digest)
            entry = self._add_local(target, path, digest, skip_cache=False, overwrite=overwrite)
        self._added[id(obj)] = (obj, entry)
        return entry

    def __setitem__(self, name: str, obj: Any) -> None:
        self.add(obj, name)

    @while_draft
    def remove(self, item: str | os.PathLike[str] | ManifestEntry) -> None:
        """Removes an entry, or all entries below a folder.

        Raises:
            FileNotFoundError: there is none.
            ArtifactFinalizedError: the artifact was logged or finalized.
        """
        if isinstance(item, ManifestEntry):
            self.manifest.remove_entry(item)
            return
        path = str(PurePosixPath(os.fspath(item)))
        entry = self.manifest.get_entry_by_path(path)
        found = [entry] if entry is not None else self.manifest.get_entries_in_directory(path)
        if not found:
            raise FileNotFoundError(f"the artifact has no file or folder {path!r} to remove")
        for each in found:
            self.manifest.remove_entry(each)

    def get_added_local_path_name(self, local_path: str) -> str | None:
        """The path in the artifact of a file that was added from exactly this path; None where there is none."""
        return self._local_names.get(os.fspath(local_path))

    def _staged(self, path: Path, policy: str | None) -> tuple[Path, str]:
        """Where a file's content is until it is saved, and its digest."""
        if _check_policy(policy) == "mutable":
            return self._staging.keep(path)
        return path.absolute(), file_digest(path)

    def _add_local(self, target: str, path: Path, digest: str, *, skip_cache: bool, overwrite: bool) -> ManifestEntry:
        entry = ManifestEntry(target, digest, size=path.stat().st_size, local_path=str(path), skip_cache=skip_cache)
        self.manifest.add_entry(entry, overwrite=overwrite)
        return entry


def _check_policy(policy: str | None) -> str:
    if policy not in ("mutable", "immutable", None):
        raise ArgumentError(f"policy is {policy!r}; 'mutable' or 'immutable' was expected")
    return policy or "mutable"


def _named_by_content(target: str, digest: str) -> str:
    """The path with the first part of its last name replaced by the beginning of a digest."""
    folder, slash, last = target.rpartition("/")
    _, dot, ending = last.partition(".")
    return f"{folder}{slash}{to_hex(digest)[:20]}{dot}{ending}"


def _files_below(folder: Path, above: frozenset[tuple[int, int]] = frozenset()) -> Iterator[Path]:
    """All files below a folder, sorted; a link that leads back up is not followed."""
    found = folder.stat()
    identity = (found.st_dev, found.st_ino)
    if identity in above:
        return
    for item in sorted(folder.iterdir()):
        if item.is_dir():
            yield from _files_below(item, above | {identity})
        elif item.is_file():
            yield item
