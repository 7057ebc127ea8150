"""Manifests: what is in an artifact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from runframe.errors import NotFoundError
from runframe.resources.artifacts.digests import manifest_digest
from runframe.resources.artifacts.entry import ManifestEntry
from runframe.resources.errors import ArgumentError

if TYPE_CHECKING:
    from runframe.frames.frame import Frame

VERSION = 1
POLICY = "wandb-storage-policy-v1"


@dataclass(frozen=True)
class StoragePolicy:
    """How the files of an artifact are stored.

    Attributes:
        name: of the policy; there is one.
        config: `storageLayout` (`V1` where it isn't there) and `storageRegion`.
    """

    name: str = POLICY
    config: Mapping[str, Any] = field(default_factory=lambda: {"storageLayout": "V2"})

    @property
    def layout(self) -> str:
        """`V1` or `V2`."""
        return str(self.config.get("storageLayout") or "V1")

    @property
    def region(self) -> str:
        """Where the files lie, as the server's addresses name it."""
        return str(self.config.get("storageRegion") or "default")


class Manifest:
    """The entries of an artifact, by path.

    Attributes:
        entries: path to `ManifestEntry`, in the manifest's order.
        storage_policy: how the files are stored.
    """

    def __init__(self, storage_policy: StoragePolicy | None = None) -> None:
        self.entries: dict[str, ManifestEntry] = {}
        self.storage_policy = storage_policy or StoragePolicy()

    @staticmethod
    def version() -> int:
        """The version of the format."""
        return VERSION

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, path: object) -> bool:
        return path in self.entries

    def __repr__(self) -> str:
        return f"<Manifest of {len(self)} entries>"

    def digest(self) -> str:
        """The artifact's digest: hexadecimal MD5 over the paths and digests of all entries."""
        return manifest_digest((entry.path, entry.digest) for entry in self.entries.values())

    def size(self) -> int:
        """Bytes in all, references included where their size is known."""
        return sum(entry.size or 0 for entry in self.entries.values())

    def add_entry(self, entry: ManifestEntry, overwrite: bool = False) -> None:
        """Adds an entry; one of the same path and digest is replaced.

        Raises:
            ArgumentError: (a ValueError) the path has other content already, and `overwrite` is not set.
        """
        there = self.entries.get(entry.path)
        if there is not None and there.digest != entry.digest and not overwrite:
            raise ArgumentError(
                f"the artifact has another file at {entry.path!r} already; choose another name, or overwrite it"
            )
        self.entries[entry.path] = entry

    def remove_entry(self, entry: ManifestEntry) -> None:
        """Removes an entry.

        Raises:
            FileNotFoundError: there is none at its path.
        """
        if entry.path not in self.entries:
            raise FileNotFoundError(f"the artifact has no entry {entry.path!r} to remove")
        del self.entries[entry.path]

    def get_entry_by_path(self, path: str) -> ManifestEntry | None:
        """The entry at a path; None where there is none."""
        return self.entries.get(path)

    def get_entries_in_directory(self, directory: str) -> list[ManifestEntry]:
        """The entries below a folder, at any depth."""
        prefix = f"{str(PurePosixPath(directory)).rstrip('/')}/"
        return [entry for path, entry in self.entries.items() if path.startswith(prefix)]

    def to_manifest_json(self) -> dict[str, Any]:
        """The manifest as the JSON object that is stored."""
        return {
            "version": VERSION,
            "storagePolicy": self.storage_policy.name,
            "storagePolicyConfig": dict(self.storage_policy.config),
            "contents": {path: entry.to_manifest_json() for path, entry in self.entries.items()},
        }

    @classmethod
    def from_manifest_json(cls, manifest_json: Mapping[str, Any]) -> Manifest:
        """The manifest in a JSON object.

        Raises:
            ArgumentError: (a ValueError) it is of another version, or malformed.
        """
        version = manifest_json.get("version") if isinstance(manifest_json, Mapping) else None
        if version != VERSION:
            raise ArgumentError(f"the manifest has version {version!r}; {VERSION} is the one that is known")
        contents = manifest_json.get("contents")
        if not isinstance(contents, Mapping):
            raise ArgumentError("the manifest has no object 'contents'")
        policy = StoragePolicy(
            str(manifest_json.get("storagePolicy") or POLICY), dict(manifest_json.get("storagePolicyConfig") or {})
        )
        manifest = cls(policy)
        for path, given in contents.items():
            manifest.entries[path] = ManifestEntry.from_manifest_json(path, given)
        return manifest

    def entry(self, path: str) -> ManifestEntry:
        """The entry at a path.

        Raises:
            NotFoundError: there is none.
        """
        found = self.entries.get(path)
        if found is None:
            raise NotFoundError(f"the artifact has no entry {path!r}", path=path)
        return found

    def frame(self) -> Frame:
        """The entries as a frame: path, digest, size (bytes), ref, birth_artifact_id, extra (JSON)."""
        from runframe.resources.artifacts.columns import manifest_frame

        return manifest_frame(self)
