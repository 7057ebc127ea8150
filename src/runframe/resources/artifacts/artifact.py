"""An artifact: a draft that is being put together, or a version that was logged."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from runframe.errors import ArtifactNotLoggedError, NotFoundError, UsageError, WaitTimeoutError
from runframe.paths import UNCATEGORIZED
from runframe.resources.artifacts.contents import Contents
from runframe.resources.artifacts.draft import Drafting
from runframe.resources.artifacts.edits import delete_version, save_changes
from runframe.resources.artifacts.homes import Home
from runframe.resources.artifacts.links import link, linked, unlink
from runframe.resources.artifacts.manifest import Manifest, StoragePolicy
from runframe.resources.artifacts.names import check_name, check_type, to_metadata
from runframe.resources.artifacts.notices import warn
from runframe.resources.artifacts.phases import when_logged
from runframe.resources.artifacts.references.artifacts import DRAFTS
from runframe.resources.artifacts.upload import Writer, auto_run, fill_cache, new_client_id, save_draft
from runframe.resources.client import Client, connect_from_environment
from runframe.resources.errors import ArgumentError, as_comm_error

if TYPE_CHECKING:
    from runframe.resources.run import Run

POLL_SECONDS = 1.0


class Artifact(Drafting, Contents):
    """Files and references under one name, in versions that never change.

    A draft is made by hand, filled (`add_file`, `add_dir`, `new_file`, `add_reference`, `add`) and saved. A logged
    version comes from `Api.artifact` and from listings; it can be read (`download`, `get_entry`, `table`), and its
    description, metadata, aliases, tags and time to live can be changed.

    What only a logged version has raises `ArtifactNotLoggedError` on a draft; what changes the content raises
    `ArtifactFinalizedError` on anything but a draft. Both are AttributeErrors.

    Args:
        name: letters, digits, dashes, underscores and dots, up to 128.
        type: what it is, such as ``dataset`` or ``model``.
        description: for people.
        metadata: a dict with up to 100 keys.
        incremental: add to the newest version instead of starting from nothing.
        use_as: of no effect; accepted for code written against the official client.
        storage_region: where the server is to store it; None leaves that to the server.
        digest_algorithm: what is written has MD5 digests, whatever is asked for.

    Raises:
        ArgumentError: (a ValueError) it can't be called so, the type is reserved, or the metadata can't be stored.
        TypeError: the metadata is no dict.
    """

    def __init__(
        self,
        name: str,
        type: str,
        description: str | None = None,
        metadata: dict[str, Any] | None = None,
        incremental: bool = False,
        use_as: str | None = None,
        *,
        storage_region: str | None = None,
        digest_algorithm: Literal["MD5", "XXH128"] = "MD5",
    ) -> None:
        super().__init__(check_name(name), check_type(type, name))
        if digest_algorithm != "MD5":
            warn(f"{name}: MD5 digests are written, not {digest_algorithm}")
        self._description = description
        self._metadata = to_metadata(metadata)
        self._incremental = incremental
        self._use_as = use_as
        if storage_region is not None:
            config = {"storageLayout": "V2", "storageRegion": storage_region}
            self._manifest = Manifest(StoragePolicy(config=config))
        self.client_id = new_client_id()
        DRAFTS[self.client_id] = self

    @classmethod
    def _of_node(cls, client: Client, node: Mapping[str, Any], home: Home | None = None, **place: Any) -> Artifact:
        """The version that a node of the server tells of; see `Facts._take`."""
        artifact = cls.__new__(cls)
        Drafting.__init__(artifact, node["artifactSequence"]["name"], node["artifactType"]["name"])
        artifact._client, artifact._manifest = client, None
        artifact.client_id = ""
        artifact._take(node, home, **place)
        return artifact

    # Saving.

    def save(
        self,
        project: str | None = None,
        settings: Any = None,
        *,
        run: Run | None = None,
        api: Any = None,
        aliases: str | Iterable[str] = (),
        tags: str | Iterable[str] = (),
    ) -> None:
        """Logs a draft, or sends what was changed of a logged version. When it returns, everything is there.

        A version whose newest sibling has the same content is not made again: that one gets the aliases and tags.

        Args:
            project: of a draft, where it is saved without a run; None for the one that is set.
            settings: accepted for code written against the official client; of no effect.
            run: the run that logs the draft; None makes one, of job type ``auto``, and finishes it.
            api: the `Api` to save a draft through; None for the run's, else for one made from the environment.
            aliases: further aliases of a draft, besides ``latest``.
            tags: tags of a draft.

        Raises:
            CommError: the server refused it, or could not be reached.
            UsageError: no server is known.
        """
        if not self.is_draft():
            save_changes(self)
            return
        client: Client = run.client if run is not None else api.client if api is not None else self._server()
        self.finalize()
        wanted = {"aliases": [aliases] if isinstance(aliases, str) else list(aliases)}
        wanted["tags"] = [tags] if isinstance(tags, str) else list(tags)
        if run is not None:
            node_id = save_draft(client, self, Writer(run.entity, run.project, run.id), **wanted)
        else:
            with auto_run(client, *self._destination(client, project)) as writer:
                node_id = save_draft(client, self, writer, **wanted)
        fill_cache(list(self.manifest.entries.values()))
        self._staging.clear()
        self._client = client
        self._become(node_id)

    def _server(self) -> Client:
        return self._client or connect_from_environment()

    def _destination(self, client: Client, project: str | None) -> tuple[str, str]:
        """Entity and project of a draft that is saved without a run."""
        entity = self._source.entity or client.default_entity()
        if not entity:
            raise UsageError("no entity is known to save the artifact to: set WANDB_ENTITY, or pass run=")
        return entity, project or self._source.project or client.settings.get("project") or UNCATEGORIZED

    def _become(self, node_id: str) -> None:
        """Becomes the version with this id."""
        node = self.connection().query("artifacts", "ArtifactByID", {"id": node_id}).get("artifact")
        if node is None:
            raise NotFoundError(f"{self._label} was saved, but the server has no artifact {node_id!r}")
        self._manifest = None
        self._take(node)

    def wait(self, timeout: int | None = None) -> Artifact:
        """Waits until the version is logged completely; returns the artifact itself.

        `save` waits anyway; this is for versions that another program is still writing.

        Args:
            timeout: seconds; None to wait for ever.

        Raises:
            ArtifactNotLoggedError: it is a draft that was never saved.
            WaitTimeoutError: it took longer.
        """
        if self._id is None:
            raise ArtifactNotLoggedError(
                f"Artifact.wait: {self._label} is a draft; save it first", name="Artifact.wait", obj=self
            )
        end = None if timeout is None else time.monotonic() + timeout
        while self.is_draft():
            if end is not None and time.monotonic() >= end:
                raise WaitTimeoutError(f"{self._label} was not logged completely within {timeout} s")
            time.sleep(POLL_SECONDS)
            self._become(self._id)
        return self

    @when_logged
    def new_draft(self) -> Artifact:
        """A draft of the next version, with everything that is in this one; nothing is copied or fetched."""
        draft = Artifact.__new__(Artifact)
        Drafting.__init__(draft, self._source.collection, self._type)
        draft._client = self._client
        draft._home = draft._source = self._source
        draft._description, draft._metadata = self._description, dict(self._metadata)
        draft._base_id = self._id
        draft._manifest = Manifest(self.manifest.storage_policy)
        draft._manifest.entries = {
            path: replace(entry, extra=dict(entry.extra), local_path=None, _parent=None)
            for path, entry in self.manifest.entries.items()
        }
        draft.client_id = new_client_id()
        DRAFTS[draft.client_id] = draft
        return draft

    @when_logged
    def delete(self, delete_aliases: bool = False) -> None:
        """Deletes the version; of a link, the link alone.

        Args:
            delete_aliases: also where it has aliases, which the server refuses otherwise.

        Raises:
            CommError: the server refused it.
        """
        if self.is_link:
            unlink(self)
        else:
            delete_version(self, delete_aliases)

    # Links.

    @as_comm_error
    def link(self, target_path: str, aliases: Iterable[str] | None = None, *, api: Any = None) -> Artifact:
        """Links the version to a portfolio, which is made where there is none. A draft is saved first.

        Args:
            target_path: ``entity/project/portfolio``, ``project/portfolio`` or ``portfolio``; for a registry
                ``wandb-registry-NAME/collection``.
            aliases: aliases that it gets there.
            api: the `Api` to save a draft through, as for `save`.

        Returns:
            The version as it is found there.

        Raises:
            PathError: the path is malformed.
            CommError: the server refused it.
        """
        if self.is_draft():
            self.save(api=api)
        return link(self, target_path, aliases or [])

    @when_logged
    def unlink(self) -> None:
        """Takes the version out of the portfolio that it was found in.

        Raises:
            ArgumentError: (a ValueError) it was logged there.
            CommError: the server refused it.
        """
        if not self.is_link:
            raise ArgumentError(f"{self._label} is no link: it was logged there; delete() deletes it")
        unlink(self)

    @property
    @when_logged
    def linked_artifacts(self) -> list[Artifact]:
        """The version as it is found in each portfolio that it is linked to; empty for a link."""
        return [] if self.is_link else linked(self)

    @property
    @when_logged
    def source_artifact(self) -> Artifact:
        """The version as it is found where it was logged.

        Raises:
            ArgumentError: (a ValueError) that isn't shown to you.
        """
        if not self.is_link:
            return self
        from runframe.resources.artifacts.finding import by_id

        if not self._source.project:
            raise ArgumentError(f"where {self._label} was logged to isn't shown to you")
        assert self._id is not None
        return by_id(self.connection(), self._id)

    # Runs.

    @when_logged
    def used_by(self) -> list[Run]:
        """The runs that used it; their fields are fetched when they are read."""
        from runframe.resources.artifacts.lineage import users_of

        return users_of(self)

    @when_logged
    def logged_by(self) -> Run | None:
        """The run that logged it; None where it was no run, or where the run isn't shown to you."""
        from runframe.resources.artifacts.lineage import creator_of

        return creator_of(self)

    @when_logged
    def json_encode(self) -> dict[str, Any]:
        """What stands for the version in a run's config or summary."""
        return {
            "_type": "artifactVersion",
            "_version": "v0",
            "id": self._id,
            "version": self._source_version,
            "sequenceName": self._source.collection,
            "usedAs": self._use_as,
        }
