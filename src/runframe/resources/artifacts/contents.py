"""What is in a logged artifact: its entries, its files on this machine, and the objects in them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from runframe.progress import Report
from runframe.resources.artifacts.digests import file_digest
from runframe.resources.artifacts.download import Fetch, default_root, safe_path, unversioned_root
from runframe.resources.artifacts.entry import ManifestEntry
from runframe.resources.artifacts.facts import Facts
from runframe.resources.artifacts.files import ArtifactFiles
from runframe.resources.artifacts.notices import warn
from runframe.resources.artifacts.objects import SUFFIXES, read_object
from runframe.resources.artifacts.phases import when_logged
from runframe.resources.errors import ArgumentError

if TYPE_CHECKING:
    from runframe.frames.frame import Frame
    from runframe.resources.artifacts.media import Media
    from runframe.resources.artifacts.tables.table import JoinedTable, PartitionedTable, Table


class Contents(Facts):
    """The part of an `Artifact` that gives what is in it."""

    @when_logged
    def get_entry(self, name: str | os.PathLike[str]) -> ManifestEntry:
        """The entry at a path; for tables and media the ending may be left out.

        Raises:
            KeyError: there is none.
        """
        entry = self._find_entry(str(PurePosixPath(os.fspath(name))))
        if entry is None:
            raise KeyError(f"{self._label} has no entry {os.fspath(name)!r}; its manifest lists what it has")
        return entry

    @when_logged
    def get_path(self, name: str | os.PathLike[str]) -> ManifestEntry:
        """Deprecated: the same as `get_entry`."""
        warnings.warn("Artifact.get_path is deprecated: use get_entry", DeprecationWarning, stacklevel=3)
        return self.get_entry(name)

    def _find_entry(self, path: str) -> ManifestEntry | None:
        names = [path, *(f"{path}.{suffix}" for suffix in SUFFIXES)]
        return next((self.manifest.entries[name] for name in names if name in self.manifest.entries), None)

    @when_logged
    def get(self, name: str) -> Table | PartitionedTable | JoinedTable | Media | None:
        """The table or media object of a name; None where there is none.

        Only what it consists of is fetched.

        Args:
            name: with or without the ending that tells the kind (``.table.json``).

        Raises:
            CommError: it could not be fetched.
            FrameError: it is malformed.
        """
        entry = self._find_entry(str(PurePosixPath(name)))
        return None if entry is None else read_object(self._as_parent(), entry)

    def __getitem__(self, name: str) -> Table | PartitionedTable | JoinedTable | Media | None:
        return self.get(name)

    @when_logged
    def table(self, name: str) -> Frame:
        """A table in the artifact as a frame, with typed columns.

        Args:
            name: with or without its ending.

        Raises:
            KeyError: there is no such entry.
            ArgumentError: (a ValueError) the entry is no table.
            CommError: it could not be fetched.
            FrameError: it is malformed.
        """
        from runframe.resources.artifacts.tables.table import PartitionedTable, Table

        entry = self.get_entry(name)
        found = read_object(self._as_parent(), entry)
        if not isinstance(found, (Table, PartitionedTable)):
            raise ArgumentError(f"{entry.path!r} in {self._label} is no table")
        return found.frame()

    @when_logged
    def files(
        self, names: list[str] | None = None, per_page: int | None = 50, *, start: str | None = None
    ) -> ArtifactFiles:
        """The files as the server lists them, references among them.

        Args:
            names: exact paths; None for all.
            per_page: files asked for at once.
            start: the `cursor` of another listing, to go on where that one stopped.
        """
        return ArtifactFiles(self._as_parent(), names, per_page, start)

    @when_logged
    def file(self, root: str | None = None) -> str:
        """Fetches the only file of the artifact; returns where it is.

        Args:
            root: a folder; None for ``./artifacts/NAME``.

        Raises:
            ArgumentError: (a ValueError) there are several files, or none.
            CommError: it could not be fetched.
        """
        if len(self.manifest) != 1:
            raise ArgumentError(f"{self._label} has {len(self.manifest)} files: use download(), or get_entry(name)")
        entry = next(iter(self.manifest.entries.values()))
        return entry.download(f"./artifacts/{self._name}" if root is None else root)

    @when_logged
    def download(
        self,
        root: str | os.PathLike[str] | None = None,
        allow_missing_references: bool = False,
        skip_cache: bool | None = None,
        path_prefix: str | os.PathLike[str] | None = None,
        *,
        multipart: bool | None = None,
        progress: bool | Report | None = None,
    ) -> str:
        """Fetches everything; returns the folder.

        Files that are there already with the right content stay, others of the same names are replaced, and whatever
        else is in the folder is left alone.

        Args:
            root: a folder; None for ``./artifacts/NAME:vN``, or the same below `WANDB_ARTIFACT_DIR`.
            allow_missing_references: warn where what a reference leads to is gone, instead of failing.
            skip_cache: don't look into the cache, and don't fill it.
            path_prefix: only entries whose path begins so.
            multipart: accepted for code written against the official client; interrupted downloads go on where they
                stopped in any case.
            progress: who is shown how far it is: None for a bar on terminals and notebooks where it takes long,
                False for nobody, True for a bar, or a function.

        Raises:
            CommError: something could not be fetched, or is not what the manifest says; all else was brought.
        """
        prefix = "" if path_prefix is None else os.fspath(path_prefix)
        entries = [entry for path, entry in self.manifest.entries.items() if path.startswith(prefix)]
        folder = default_root(self._as_parent()) if root is None else Path(os.fspath(root))
        fetch = Fetch(
            self._as_parent(),
            folder,
            skip_cache=bool(skip_cache),
            allow_missing_references=allow_missing_references,
            progress=progress,
        )
        fetch.all(entries)
        return str(folder)

    @when_logged
    def checkout(self, root: str | None = None) -> str:
        """Makes a folder hold what is in the artifact and nothing else: other files in it are deleted.

        Args:
            root: a folder; None for ``./artifacts/NAME`` without a version.

        Raises:
            CommError: something could not be fetched.
        """
        folder = unversioned_root(self._as_parent()) if root is None else Path(root)
        for extra in self._extra_files(folder):
            extra.unlink()
        return self.download(root=str(folder))

    @when_logged
    def verify(self, root: str | None = None) -> None:
        """Checks that a folder holds what is in the artifact, and nothing else. Nothing is fetched.

        References can't be checked: there is a warning for each.

        Args:
            root: a folder; None for the one that `download` uses.

        Raises:
            ArgumentError: (a ValueError) a file has other content, or does not belong there.
            FileNotFoundError: a file is missing.
        """
        folder = default_root(self._as_parent()) if root is None else Path(root)
        for extra in self._extra_files(folder):
            raise ArgumentError(f"{extra} is no file of {self._label}")
        references = [path for path, entry in self.manifest.entries.items() if entry.ref is not None]
        for path in references:
            warn(f"{path!r} is a reference: it can't be checked")
        for entry in self.manifest.entries.values():
            if entry.ref is None:
                found = file_digest(folder / safe_path(entry.path), entry.algorithm)
                if found != entry.digest:
                    raise ArgumentError(
                        f"digest mismatch: {entry.path!r} in {folder} has {found}, {entry.digest} was expected"
                    )

    def _extra_files(self, folder: Path) -> Sequence[Path]:
        found = (path for path in sorted(folder.rglob("*")) if path.is_file() or path.is_symlink())
        return [path for path in found if path.relative_to(folder).as_posix() not in self.manifest]
