"""Media objects of an artifact: a small JSON document each, beside the file that it describes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runframe.errors import NotFoundError
from runframe.resources.artifacts.entry import ManifestEntry

if TYPE_CHECKING:
    from runframe.resources.artifacts.artifact import Artifact


class Media:
    """An image, sound, video, page, class list, … of an artifact, undecoded.

    Attributes:
        kind: such as ``image-file``, ``audio-file`` or ``classes``.
        fields: what the document says: `path` (of the file, in the artifact), `format`, `width`, `caption`, ….
        origin: the entry of the document.
    """

    def __init__(self, kind: str, fields: Mapping[str, Any], artifact: Artifact, origin: ManifestEntry) -> None:
        self.kind = kind
        self.fields = dict(fields)
        self.origin = origin
        self._artifact = artifact

    @property
    def path(self) -> str | None:
        """Where the file is in the artifact; None for objects without one."""
        return self.fields.get("path")

    def entry(self) -> ManifestEntry:
        """The entry of the file.

        Raises:
            NotFoundError: there is none.
        """
        found = self._artifact.manifest.entries.get(self.path or "")
        if found is None:
            raise NotFoundError(f"{self._artifact.qualified_name} has no file {self.path!r} of {self.origin.path!r}")
        return found

    def download(self, root: str | None = None) -> str:
        """Fetches the file to a folder (the artifact's own where it is None); returns where it is.

        Raises:
            NotFoundError: there is no file.
            CommError: it could not be fetched.
        """
        return self.entry().download(root)

    def to_json(self) -> dict[str, Any]:
        """The document."""
        return dict(self.fields)

    def __repr__(self) -> str:
        return f"<Media {self.kind} {self.path or self.origin.path}>"
