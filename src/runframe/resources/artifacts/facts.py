"""What an artifact says of itself, as a draft and as a logged version."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from runframe import extjson
from runframe.errors import ArtifactNotLoggedError, NotFoundError, UsageError
from runframe.paths import REGISTRY_PREFIX, is_registry
from runframe.resources.artifacts.homes import Home, aliases_in
from runframe.resources.artifacts.manifest import Manifest
from runframe.resources.artifacts.names import check_aliases, check_tags, split_version, to_metadata
from runframe.resources.artifacts.notices import warn
from runframe.resources.artifacts.phases import PENDING, when_logged
from runframe.resources.client import Client
from runframe.resources.errors import ArgumentError

if TYPE_CHECKING:
    from runframe.resources.artifacts.collections import ArtifactCollection

INHERITED_TTL = -1
NO_TTL = -2


class ArtifactTTL(enum.Enum):
    """Values of `Artifact.ttl` that are no time."""

    INHERIT = 0
    """As long as the project's or team's default says."""


class Facts:
    """The part of an `Artifact` that says what it is."""

    def __init__(self, name: str, type_name: str) -> None:
        self._client: Client | None = None
        self._label = name
        self._id: str | None = None
        self._state = PENDING
        self._final = False
        self._type = type_name
        self._home = Home("", "", name)
        self._source = self._home
        self._name = name
        self._version: str | None = None
        self._source_version: str | None = None
        self._description: str | None = None
        self._metadata: dict[str, Any] = {}
        self._ttl_seconds: int | None = None
        self._ttl_inherited = True
        self._ttl_changed = False
        self._aliases: list[str] = []
        self._saved_aliases: list[str] = []
        self._tags: list[str] = []
        self._saved_tags: list[str] = []
        self._use_as: str | None = None
        self._incremental = False
        self._distributed_id: str | None = None
        self._manifest: Manifest | None = None
        self._fields: Mapping[str, Any] = {}
        self._linked_at: str | None = None

    def _take(
        self,
        node: Mapping[str, Any],
        home: Home | None = None,
        *,
        asked: str | None = None,
        aliases: Iterable[str] | None = None,
        index: int | None = None,
        linked_at: str | None = None,
    ) -> None:
        """Becomes the version that a node of the server tells of.

        Args:
            node: the version.
            home: the collection through which it was found; None for the one that it was logged to.
            asked: the version or alias that was asked for.
            aliases: its aliases there; None to take them from the node.
            index: its number there; None for its number where it was logged.
            linked_at: when it was linked there.
        """
        source_index = node.get("versionIndex")
        self._fields = node
        self._id, self._state = node["id"], node["state"]
        self._final = True
        self._type = node["artifactType"]["name"]
        self._source = Home.of_node(node["artifactSequence"])
        self._source_version = None if source_index is None else f"v{source_index}"
        self._home = home or self._source
        given = aliases_in(node, self._home) if aliases is None else aliases
        version, self._saved_aliases = split_version(given, str(self._home))
        self._version = version or (self._source_version if index is None else f"v{index}")
        self._aliases = list(self._saved_aliases)
        wanted = asked or self._version
        self._name = self._home.collection if wanted is None else f"{self._home.collection}:{wanted}"
        self._label = f"{self._home.entity}/{self._home.project}/{self._name}"
        self._description = node.get("description")
        self._metadata = dict(extjson.loads(node["metadata"]) or {}) if node.get("metadata") else {}
        self._saved_tags = [tag["name"] for tag in node.get("tags") or []]
        self._tags = list(self._saved_tags)
        seconds = int(node.get("ttlDurationSeconds") or 0)
        self._ttl_seconds = seconds if seconds > 0 else None
        self._ttl_inherited, self._ttl_changed = bool(node.get("ttlIsInherited")), False
        self._linked_at = linked_at

    def connection(self) -> Client:
        """The connection that the artifact came by.

        Raises:
            UsageError: it came by none: it is a draft.
        """
        if self._client is None:
            raise UsageError(f"{self._label} was not read from a server, nor saved to one")
        return self._client

    def is_draft(self) -> bool:
        """Whether it has not been logged yet, or not completely."""
        return self._state == PENDING

    # Names.

    @property
    def id(self) -> str | None:
        """The server's own id; None for a draft."""
        return self._id

    @property
    def name(self) -> str:
        """The collection's name and, once logged, the version or alias that was asked for: ``mnist:latest``."""
        return self._name

    @property
    @when_logged
    def entity(self) -> str:
        """The user or team of the collection that it was found in."""
        return self._home.entity

    @property
    @when_logged
    def project(self) -> str:
        """The project of the collection that it was found in."""
        return self._home.project

    @property
    @when_logged
    def version(self) -> str:
        """Its number in the collection that it was found in, as in ``v3``."""
        return self._version or ""

    @property
    @when_logged
    def qualified_name(self) -> str:
        """``entity/project/name``."""
        return f"{self._home.entity}/{self._home.project}/{self._name}"

    @property
    @when_logged
    def collection(self) -> ArtifactCollection:
        """The collection that it was found in; asked for at each access."""
        return self._collection(self._home)

    @property
    @when_logged
    def source_entity(self) -> str:
        """The user or team that it was logged to; empty where that isn't shown to you."""
        return self._source.entity

    @property
    @when_logged
    def source_project(self) -> str:
        """The project that it was logged to; empty where that isn't shown to you."""
        return self._source.project

    @property
    @when_logged
    def source_version(self) -> str:
        """Its number in the collection that it was logged to."""
        return self._source_version or ""

    @property
    def source_name(self) -> str:
        """The collection that it was logged to and its number there: ``mnist:v3``; a draft's name has no number."""
        version = self._source_version
        return self._source.collection if version is None else f"{self._source.collection}:{version}"

    @property
    @when_logged
    def source_qualified_name(self) -> str:
        """``entity/project/name`` of where it was logged to."""
        return f"{self._source.entity}/{self._source.project}/{self.source_name}"

    @property
    @when_logged
    def source_collection(self) -> ArtifactCollection:
        """The collection that it was logged to; asked for at each access."""
        return self._collection(self._source)

    @property
    def is_link(self) -> bool:
        """Whether it was found in another collection than it was logged to."""
        return self._home != self._source

    def _collection(self, home: Home) -> ArtifactCollection:
        from runframe.resources.artifacts.collections import ArtifactCollection

        return ArtifactCollection(self.connection(), home.entity, home.project, home.collection, self._type)

    # What can be set.

    @property
    def type(self) -> str:
        """Its type, such as ``dataset`` or ``model``."""
        return self._type

    @property
    def description(self) -> str | None:
        """A description; set it, then `save()`."""
        return self._description

    @description.setter
    def description(self, description: str | None) -> None:
        if self.is_link:
            warn(f"{self._label} is a link: its description is that of {self.source_qualified_name}")
        self._description = description

    @property
    def metadata(self) -> dict[str, Any]:
        """Plain values; change entries or assign a dict, then `save()`.

        Raises:
            ArgumentError: (a ValueError) more than 100 keys, or an infinity, are assigned.
            TypeError: what is assigned is no dict.
        """
        return self._metadata

    @metadata.setter
    def metadata(self, metadata: dict[str, Any] | None) -> None:
        self._metadata = to_metadata(metadata)

    @property
    def ttl(self) -> dt.timedelta | None:
        """How long it is to live; None for ever. Set a time, None, or `ArtifactTTL.INHERIT`, then `save()`.

        Raises:
            ArtifactNotLoggedError: only the server knows the default that it inherits.
            ArgumentError: (a ValueError) what is assigned is no positive time, or this artifact can have none.
        """
        if self._ttl_inherited and (self.is_draft() or self._ttl_changed):
            raise ArtifactNotLoggedError(
                f"Artifact.ttl: {self._label} inherits its time to live, which the server knows; save it first",
                name="Artifact.ttl",
                obj=self,
            )
        return None if self._ttl_seconds is None else dt.timedelta(seconds=self._ttl_seconds)

    @ttl.setter
    def ttl(self, ttl: dt.timedelta | ArtifactTTL | None) -> None:
        if self._type == "wandb-history":
            raise ArgumentError(f"{self._label} is the history of a run: it has no time to live of its own")
        if self.is_link:
            raise ArgumentError(f"{self._label} is a link: set the time to live of {self.source_qualified_name}")
        if ttl is ArtifactTTL.INHERIT:
            self._ttl_seconds, self._ttl_inherited = None, True
        elif ttl is None:
            self._ttl_seconds, self._ttl_inherited = None, False
        elif isinstance(ttl, dt.timedelta) and ttl.total_seconds() > 0:
            self._ttl_seconds, self._ttl_inherited = int(ttl.total_seconds()), False
        else:
            raise ArgumentError(f"ttl is {ttl!r}; a timedelta above zero, None or ArtifactTTL.INHERIT was expected")
        self._ttl_changed = True

    def _ttl_to_send(self) -> int | None:
        """What tells the server the time to live; None where it stays as it is."""
        if not self._ttl_changed:
            return None
        if self._ttl_inherited:
            return INHERITED_TTL
        return NO_TTL if self._ttl_seconds is None else self._ttl_seconds

    @property
    @when_logged
    def aliases(self) -> list[str]:
        """The aliases that it has in the collection that it was found in, ``latest`` among them, version numbers not.

        Change the list or assign one, then `save()`.
        """
        return self._aliases

    @aliases.setter
    @when_logged
    def aliases(self, aliases: list[str]) -> None:
        self._aliases = check_aliases(aliases)

    @property
    @when_logged
    def tags(self) -> list[str]:
        """Its tags, the same in all collections. Change the list or assign one, then `save()`."""
        return self._tags

    @tags.setter
    @when_logged
    def tags(self, tags: list[str]) -> None:
        self._tags = check_tags(tags)

    @property
    def distributed_id(self) -> str | None:
        """What several writers of one version call it, so that their parts become one."""
        return self._distributed_id

    @distributed_id.setter
    def distributed_id(self, distributed_id: str | None) -> None:
        self._distributed_id = distributed_id

    @property
    def incremental(self) -> bool:
        """Whether saving it adds to the newest version, instead of starting from nothing."""
        return self._incremental

    @property
    def use_as(self) -> str | None:
        """What it was used as; of no effect any more."""
        return self._use_as

    # What the server knows.

    @property
    def state(self) -> str:
        """`PENDING` until it is logged, then `COMMITTED`; `DELETED` in the end."""
        return self._state

    @property
    def manifest(self) -> Manifest:
        """What is in it; fetched when it is first wanted."""
        if self._manifest is None:
            self._manifest = self._fetch_manifest()
        return self._manifest

    def _fetch_manifest(self) -> Manifest:
        client = self.connection()
        node = client.query("artifacts", "FetchArtifactManifest", {"id": self._id}).get("artifact") or {}
        if not node.get("currentManifest"):
            raise NotFoundError(f"the server has no manifest of {self._label}: it was deleted", path=self._label)
        content = client.read(node["currentManifest"]["file"]["directUrl"])
        manifest = Manifest.from_manifest_json(extjson.loads(content))
        for entry in manifest.entries.values():
            entry._parent = self._as_parent()
        return manifest

    def _as_parent(self) -> Any:
        """The artifact itself, as what its entries belong to."""
        return self

    @property
    def digest(self) -> str:
        """The digest of its content, in hexadecimal."""
        return self.manifest.digest() if self.is_draft() else str(self._fields["digest"])

    @property
    def digest_algorithm(self) -> str:
        """What the digest is made with: `MANIFEST_MD5` for all that this package writes."""
        if not self.is_draft() and any(entry.algorithm for entry in self.manifest.entries.values()):
            return "MANIFEST_XXH128"
        return "MANIFEST_MD5"

    @property
    def size(self) -> int:
        """Bytes in all, references included."""
        return self.manifest.size() if self.is_draft() else int(self._fields["size"])

    @property
    @when_logged
    def commit_hash(self) -> str | None:
        """The server's own hash of the version."""
        return self._fields.get("commitHash")

    @property
    @when_logged
    def file_count(self) -> int:
        """How many entries it has, references included."""
        return int(self._fields["fileCount"])

    @property
    @when_logged
    def created_at(self) -> str:
        """When it was logged: ISO 8601 text, as the server sends it."""
        return str(self._fields["createdAt"])

    @property
    @when_logged
    def updated_at(self) -> str:
        """When it was last changed: ISO 8601 text."""
        return str(self._fields.get("updatedAt") or self._fields["createdAt"])

    @property
    @when_logged
    def linked_at(self) -> str | None:
        """When it was linked to the collection that it was found in; None where it was logged there."""
        return self._linked_at if self.is_link else None

    @property
    @when_logged
    def history_step(self) -> int | None:
        """The last step of the run before it was logged; None where the server doesn't say."""
        step = self._fields.get("historyStep")
        return None if step is None else max(0, int(step) - 1)

    @property
    @when_logged
    def url(self) -> str:
        """The address of its page; empty where it has none that is known."""
        home, client = self._home, self.connection()
        if not (home.entity and home.project and self._version):
            return ""
        if not self.is_link:
            return client.link(home.entity, home.project, "artifacts", self._type, home.collection, self._version)
        if is_registry(home.project):
            return self._registry_url(client)
        if self._type == "model" or home.project == "model-registry":
            return f"{client.link(home.entity, 'registry', 'model')}{self._selection()}"
        return client.link(home.entity, home.project, "artifacts", self._type, home.collection, self._version)

    def _registry_url(self, client: Client) -> str:
        from runframe.resources.artifacts.registries import organization_of

        organization = organization_of(client, self._home.entity)
        if organization is None:
            return ""
        registry = self._home.project.removeprefix(REGISTRY_PREFIX)
        return f"{client.link('orgs', organization, 'registry', registry)}{self._selection()}"

    def _selection(self) -> str:
        from urllib.parse import quote

        return f"?selectionPath={quote(str(self._home), safe='')}&view=membership&version={self._version}"

    def __repr__(self) -> str:
        return f"<Artifact {self._id or self._name}>"
