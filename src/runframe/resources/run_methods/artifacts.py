"""The artifacts that a run logged and used."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from runframe.resources.artifacts import lineage
from runframe.resources.artifacts.versions import RunArtifacts
from runframe.resources.errors import as_comm_error
from runframe.resources.run_methods.base import RunBase

if TYPE_CHECKING:
    from runframe.resources.artifacts.artifact import Artifact


class ArtifactMethods(RunBase):
    """What a run has to do with artifacts."""

    @as_comm_error
    def logged_artifacts(self, per_page: int | None = 100, *, start: str | None = None) -> RunArtifacts:
        """The artifact versions that the run logged.

        Args:
            per_page: versions asked for at once.
            start: the `cursor` of another listing, to go on where that one stopped.
        """
        return RunArtifacts(self.client, self._run, "logged", per_page, start)

    @as_comm_error
    def used_artifacts(self, per_page: int | None = 100, *, start: str | None = None) -> RunArtifacts:
        """The artifact versions that the run used; the arguments are those of `logged_artifacts`."""
        return RunArtifacts(self.client, self._run, "used", per_page, start)

    @as_comm_error
    def use_artifact(self, artifact: Artifact, use_as: str | None = None) -> Artifact:
        """Notes that the run used a version, and returns it.

        Args:
            artifact: a logged version.
            use_as: what it was used as.

        Raises:
            ArgumentError: (a CommError and a ValueError) it is no artifact, or a draft.
            CommError: the server refused it.
        """
        return lineage.use(self._run, artifact, use_as)

    @as_comm_error
    def log_artifact(
        self, artifact: Artifact, aliases: Collection[str] | None = None, tags: Collection[str] | None = None
    ) -> Artifact:
        """Notes that the run logged a version that is there already, and returns it; `Artifact.save` logs a draft.

        Args:
            artifact: a logged version of the run's own project.
            aliases: aliases that it gets.
            tags: tags that it gets.

        Raises:
            ArgumentError: (a CommError and a ValueError) it is no artifact, a draft, or of another project.
            CommError: the server refused it.
        """
        return lineage.log(self._run, artifact, aliases, tags)
