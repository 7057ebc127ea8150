"""The files of a version, as the server lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runframe.errors import NotFoundError
from runframe.resources.artifacts.columns import FILES
from runframe.resources.collection import SizedCollection
from runframe.resources.files import File
from runframe.wire.pages import Connection

if TYPE_CHECKING:
    from runframe.resources.artifacts.artifact import Artifact

FILE_PAGES = ("project", "artifactCollection", "artifactMembership", "files")


class ArtifactFiles(SizedCollection[File]):
    """The files of a version, references among them.

    Args:
        artifact: the version.
        names: exact paths; None or none at all for all files.
        per_page: files asked for at once; None means 50.
        start: the `cursor` of another listing, to go on where that one stopped.

    Attributes:
        artifact: as given.
    """

    SCHEMA = FILES
    CONNECTION = Connection(FILE_PAGES, cursor="end")

    def __init__(
        self,
        artifact: Artifact,
        names: Sequence[str] | None = None,
        per_page: int | None = None,
        start: str | None = None,
    ) -> None:
        self.artifact = artifact
        self._names = list(names or [])
        variables = {**place_of(artifact), "fileNames": self._names or None}
        super().__init__(artifact.connection(), variables, per_page)
        self._cursor = start

    @property
    def path(self) -> list[str]:
        """Entity, project and name of the version."""
        return [self.artifact.entity, self.artifact.project, self.artifact.name]

    @property
    def length(self) -> int:
        """How many there are. With names, they are all read to find out."""
        if not self._names:
            return self.artifact.file_count
        self._reach_end()
        return len(self.objects)

    def _operation(self, full: bool) -> tuple[str, str]:
        return "artifacts", "ArtifactMembershipFiles"

    def _checked(self, data: dict[str, Any]) -> dict[str, Any]:
        return checked_files(data, self.artifact)

    def _object(self, node: dict[str, Any]) -> File:
        return File(self.client, node)

    def _context(self) -> dict[str, Any]:
        return {"artifact": self.artifact.name}

    def _source(self) -> str:
        return self.artifact.qualified_name

    def __repr__(self) -> str:
        return f"<ArtifactFiles {'/'.join(self.path)} ({len(self)})>"


def place_of(artifact: Artifact) -> dict[str, Any]:
    """The variables that say in which collection a version is, and which one it is there."""
    return {
        "entity": artifact.entity,
        "project": artifact.project,
        "collection": artifact.name.partition(":")[0],
        "alias": artifact.version,
    }


def checked_files(data: dict[str, Any], artifact: Artifact) -> dict[str, Any]:
    """The answer that holds a page of a version's files.

    Raises:
        NotFoundError: the version isn't there any more.
    """
    found: Mapping[str, Any] | None = data
    for step in FILE_PAGES:
        found = None if found is None else found.get(step)
    if found is None:
        raise NotFoundError(
            f"Could not find the files of artifact {artifact.qualified_name}: it was deleted, or unlinked",
            path=artifact.qualified_name,
        )
    return data
