"""One entry of a manifest: a file in an artifact, or a reference to something elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runframe.errors import NotFoundError
from runframe.resources.artifacts.digests import algorithm_of, to_hex
from runframe.resources.errors import ArgumentError

if TYPE_CHECKING:
    from runframe.resources.artifacts.artifact import Artifact

ARTIFACT_SCHEME = "wandb-artifact://"
CLIENT_SCHEME = "wandb-client-artifact://"


@dataclass
class ManifestEntry:
    """A file or a reference.

    Attributes:
        path: its name in the artifact, with slashes.
        digest: base64 MD5 of a file; of a reference its checksum, or the URI itself.
        ref: a reference's URI; None for a file.
        birth_artifact_id: the artifact that a file's content first came with.
        size: bytes; None where it isn't known.
        extra: what else is known, such as `etag`, `versionID`, or the digest's algorithm `alg`.
        local_path: where a draft's file is.
        skip_cache: whether a draft's file is kept out of the cache.
    """

    path: str
    digest: str
    ref: str | None = None
    birth_artifact_id: str | None = None
    size: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    local_path: str | None = None
    skip_cache: bool = False
    _parent: Artifact | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The path, by its old name."""
        return self.path

    @property
    def algorithm(self) -> str | None:
        """The algorithm of the digest; None for MD5."""
        return algorithm_of(self.extra)

    def parent_artifact(self) -> Artifact:
        """The logged artifact that the entry is in.

        Raises:
            NotImplementedError: it is in none: it was made by hand, or belongs to a draft.
        """
        if self._parent is None:
            raise NotImplementedError(f"the entry {self.path!r} belongs to no logged artifact")
        return self._parent

    def download(self, root: str | None = None, skip_cache: bool | None = None) -> str:
        """Fetches the entry to `root`, under its path; returns where it is.

        Args:
            root: a folder; None for the artifact's own (see `Artifact.download`).
            skip_cache: don't look into the cache, and don't fill it.

        Raises:
            CommError: it could not be fetched, or is not what the manifest says.
        """
        from runframe.resources.artifacts.download import Fetch, default_root

        artifact = self.parent_artifact()
        folder = str(default_root(artifact)) if root is None else os.fspath(root)
        Fetch(artifact, folder, skip_cache=bool(skip_cache)).all([self])
        return os.path.join(folder, self.path)  # noqa: PTH118 - a root as it was given stays as it was

    def ref_target(self) -> str:
        """Where a reference leads in the end: references to other artifacts are followed.

        Raises:
            ValueError: the entry is no reference.
        """
        if self.ref is None:
            raise ArgumentError(f"the entry {self.path!r} is a file, no reference")
        if self._parent is None or not self.ref.startswith(ARTIFACT_SCHEME):
            return self.ref
        from runframe.resources.artifacts.references.artifacts import resolve

        target = resolve(self.ref, self._parent.connection())
        return target.ref or target.ref_url()

    def ref_url(self) -> str:
        """The URI by which other artifacts refer to this entry: ``wandb-artifact://…``.

        Raises:
            NotImplementedError: the entry belongs to no logged artifact.
        """
        artifact = self.parent_artifact()
        if artifact.id is None:
            raise NotFoundError(f"the artifact of the entry {self.path!r} has no id on the server")
        return f"{ARTIFACT_SCHEME}{to_hex(artifact.id)}/{self.path}"

    def to_json(self) -> dict[str, Any]:
        """The entry with its path, as plain values; what is None is left out."""
        values = {
            "path": self.path,
            "digest": self.digest,
            "ref": self.ref,
            "birthArtifactID": self.birth_artifact_id,
            "size": self.size,
            "extra": self.extra,
            "local_path": self.local_path,
            "skip_cache": self.skip_cache,
        }
        return {name: value for name, value in values.items() if value is not None}

    def to_manifest_json(self) -> dict[str, Any]:
        """The entry as a manifest holds it: without its path, and without what concerns this machine alone."""
        values = {
            "digest": self.digest,
            "ref": self.ref,
            "birthArtifactID": self.birth_artifact_id,
            "size": self.size,
            "extra": self.extra or None,
        }
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_manifest_json(cls, path: str, given: Mapping[str, Any]) -> ManifestEntry:
        """The entry that a manifest holds under a path; keys that aren't known are passed over.

        Raises:
            ValueError: it has no digest.
        """
        if not isinstance(given, Mapping) or not isinstance(given.get("digest"), str):
            raise ArgumentError(f"the manifest's entry {path!r} has no digest")
        return cls(
            path=path,
            digest=given["digest"],
            ref=given.get("ref"),
            birth_artifact_id=given.get("birthArtifactID"),
            size=given.get("size"),
            extra=dict(given.get("extra") or {}),
            local_path=given.get("local_path"),
            skip_cache=bool(given.get("skip_cache")),
        )
