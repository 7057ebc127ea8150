"""Versions of artifacts: each is fetched, checked and logged again, after those that it refers to."""

from __future__ import annotations

import hashlib
import heapq
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

from runframe import extjson
from runframe.errors import AuthenticationError, CommError, Error, TransportError
from runframe.export.clone import manifest as manifests
from runframe.export.clone.ends import End
from runframe.export.clone.equality import same_json, same_time
from runframe.export.clone.names import ClientNames, meaning
from runframe.export.clone.report import Ledger
from runframe.resources.artifacts.digests import bytes_digest

FILES_AT_ONCE = 500
THREADS = 6
COMMITTED = "COMMITTED"

Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """What a listing tells of a version."""

    node_id: str
    index: int
    digest: str
    created_at: str
    updated_at: str | None
    maker: str | None

    def same_as(self, other: Known) -> bool:
        """Whether a listing tells the same of both."""
        times = same_time(self.created_at, other.created_at) and same_time(self.updated_at, other.updated_at)
        return self.digest == other.digest and self.maker == other.maker and times


@dataclass
class Versions:
    """The versions of a project's artifacts on their way.

    Args:
        source: where they are.
        target: where they go.
        runs: ids of the runs that the target has.
        ledger: takes what was done.
        names: what clients called versions and collections.

    Attributes:
        ids: the ids of versions on the target, by those on the source.
    """

    source: End
    target: End
    runs: set[str]
    ledger: Ledger
    names: ClientNames
    ids: dict[str, str] = field(default_factory=dict)
    _begun: set[str] = field(default_factory=set)

    def bring_all(self, wanted: Mapping[str, list[Known]], there: Mapping[str, Mapping[int, Known]]) -> None:
        """Brings versions, the oldest first, those of one collection in the order of their numbers.

        Args:
            wanted: those on the source, by collection.
            there: those on the target, by collection and number.
        """
        for name, version in _in_order(wanted):
            known = there.get(name, {}).get(version.index)
            same = known is not None and self.target.replays and version.same_as(known)
            if known is not None and same and not self.names.of(version.node_id):
                self.ids[version.node_id] = known.node_id
            else:
                self.bring(version.node_id)

    def bring(self, node_id: str) -> None:
        """Brings one version, and before it those that it refers to; what goes wrong with it alone is noted.

        Raises:
            AuthenticationError, TransportError: a server refused the key, or is away.
        """
        if node_id in self._begun or node_id in self.ids:
            return
        self._begun.add(node_id)
        node = self.source.client.query("clone", "CloneVersion", {"id": node_id}).get("artifact")
        if node is None or node.get("state") != COMMITTED:
            return
        name = version_name(node)
        try:
            self._bring(node, name)
        except (TransportError, AuthenticationError):
            raise
        except Error as error:
            self.ledger.fail("artifact", name, error.message)

    def client_id(self, node: Mapping[str, Any]) -> str:
        """What this clone calls a version of the source: the same in each start, so that none is made twice."""
        home = node["artifactSequence"]["project"]
        parts = (
            self.target.path, home["entityName"], home["name"], node["artifactSequence"]["name"], node["id"],
            node["digest"], str(node.get("createdAt")),
        )  # fmt: skip
        return hashlib.sha512("\n".join(parts).encode()).hexdigest()

    def _bring(self, node: Node, name: str) -> None:
        found = self._found(node)
        if found is None:
            found = self._log(node, name)
            self.ledger.add("artifacts")
        self._settle(node, found, name)
        self.ids[node["id"]] = str(found["id"])

    def _found(self, node: Node) -> Node | None:
        """The version, where an earlier start has brought it."""
        known = meaning(self.target, self.client_id(node))
        there = self._version(known) if known is not None else None
        if there is None or there.get("state") != COMMITTED or there.get("digest") != node["digest"]:
            return None
        return there

    def _version(self, node_id: str) -> Node | None:
        found: Node | None = self.target.client.query("clone", "CloneVersion", {"id": node_id}).get("artifact")
        return found

    # Logging it.

    def _log(self, node: Node, name: str) -> Node:
        manifest = self._manifest(node, name)
        for referred in manifests.referred(manifest):
            self._bring_referred(referred, name)
        created = self._create(node, manifest, name)
        if created["state"] != COMMITTED:
            self._fill(node, created["id"], manifest)
            self._change("CommitArtifact", artifactID=created["id"])
        found = self._version(created["id"])
        if found is None or found.get("state") != COMMITTED or found.get("digest") != node["digest"]:
            raise CommError(f"{self.target.url} did not keep it as it was sent", path=name)
        return found

    def _manifest(self, node: Node, name: str) -> Node:
        url = ((node.get("currentManifest") or {}).get("file") or {}).get("directUrl")
        if not url:
            raise CommError("the source gives no manifest of it", path=name)
        try:
            found = extjson.loads(self.source.client.session.read(url))
        except Error as error:
            raise CommError(f"its manifest cannot be read ({error.message})", path=name) from error
        if not isinstance(found, dict) or not isinstance(found.get("contents"), dict):
            raise CommError("what the source gives as its manifest is none", path=name)
        return found

    def _bring_referred(self, node_id: str, name: str) -> None:
        self.bring(node_id) if self._is_mine(node_id) else None
        if node_id not in self.ids and self.source.url == self.target.url:
            self.ids[node_id] = node_id
        if node_id not in self.ids:
            self.ledger.lose("artifact", "a reference", "it leads to a version that is not on the target", name)

    def _is_mine(self, node_id: str) -> bool:
        """Whether a version belongs to the project that is cloned."""
        node = self.source.client.query("clone", "CloneVersion", {"id": node_id}).get("artifact")
        home = ((node or {}).get("artifactSequence") or {}).get("project") or {}
        return (home.get("entityName"), home.get("name")) == (self.source.entity, self.source.project)

    def _create(self, node: Node, manifest: Node, name: str) -> Node:
        collection = node["artifactSequence"]["name"]
        fields = {
            **self.target.place,
            "runName": self._maker(node),
            "artifactTypeName": node["artifactType"]["name"],
            "artifactCollectionName": collection,
            "digest": node["digest"],
            "digestAlgorithm": manifests.algorithm_of(manifest),
            "description": node.get("description"),
            "metadata": node.get("metadata"),
            "tags": [{"tagName": tag["name"]} for tag in node.get("tags") or []] or None,
            "ttlDurationSeconds": -1 if node.get("ttlIsInherited") else node.get("ttlDurationSeconds"),
            "historyStep": node.get("historyStep"),
            "clientID": self.client_id(node),
            "sequenceClientID": hashlib.sha512(f"{self.target.path}/{collection}".encode()).hexdigest(),
            "enableDigestDeduplication": False,
        }
        return dict(self.target.tell("CreateArtifact", fields, noun="artifacts_changes")["createArtifact"]["artifact"])

    def _fill(self, node: Node, artifact: str, manifest: Node) -> None:
        """Sends the files and the manifest."""
        announced = self._announce(artifact, "", upload=False)
        births = self._files(node, artifact, str(announced["id"]), manifests.files_of(manifest))
        content = extjson.dumps(manifests.moved(manifest, self.ids, births)).encode()
        place = self._announce(artifact, bytes_digest(content), upload=True)["file"]
        self.target.client.session.upload(place["uploadUrl"], content, place.get("uploadHeaders") or [])

    def _announce(self, artifact: str, digest: str, *, upload: bool) -> Node:
        fields = {
            "artifactID": artifact,
            "name": "wandb_manifest.json",
            "digest": digest,
            **self.target.place,
            "type": "FULL",
        }
        variables = {"input": fields, "includeUpload": upload}
        answer = self.target.client.query("clone", "CloneManifest", variables)
        return dict(answer["createArtifactManifest"]["artifactManifest"])

    def _files(self, node: Node, artifact: str, manifest_id: str, files: Mapping[str, Any]) -> dict[str, str]:
        """Sends the files that the target has not; by path, the version that it first got the content with.

        Raises:
            CommError: a file is missing, or is not what the manifest says: nothing may be committed.
        """
        births: dict[str, str] = {}
        missing = dict.fromkeys(files)
        for batch in _batches(self._urls(node) if files else iter(())):
            mine = {path: url for path, url in batch if path in files}
            births |= self._send(artifact, manifest_id, files, mine)
            for path in mine:
                missing.pop(path, None)
        if missing:
            raise CommError(
                f"the source does not list {len(missing):,} of its files, {next(iter(missing))!r} among them"
            )
        return births

    def _urls(self, node: Node) -> Iterator[tuple[str, str]]:
        sequence = node["artifactSequence"]
        variables = {"collection": sequence["name"], "alias": f"v{node['versionIndex']}"}
        home = End(self.source.client, self.source.url, sequence["project"]["entityName"], sequence["project"]["name"])
        path = ("artifactCollection", "artifactMembership", "files")
        for edge in home.edges(
            "GetArtifactMembershipFileUrls", *path, noun="artifacts", size=FILES_AT_ONCE, **variables
        ):
            yield edge["node"]["name"], edge["node"]["directUrl"]

    def _send(
        self, artifact: str, manifest_id: str, files: Mapping[str, Any], urls: Mapping[str, str]
    ) -> dict[str, str]:
        if not urls:
            return {}
        specs = [
            {"artifactID": artifact, "artifactManifestID": manifest_id, "name": path, "md5": files[path]["digest"]}
            for path in urls
        ]
        answer = self.target.tell(
            "CreateArtifactFiles", {"artifactFiles": specs, "storageLayout": "V2"}, noun="artifacts_changes"
        )
        edges = answer["createArtifactFiles"]["files"]["edges"]
        if len(edges) != len(specs):
            raise CommError(f"{self.target.url} has {len(edges):,} places for {len(specs):,} files")
        places = {path: edge["node"] for path, edge in zip(urls, edges, strict=True)}
        # The same content is sent once.
        needed = {files[path]["digest"]: path for path, place in places.items() if place.get("uploadUrl")}
        with (
            tempfile.TemporaryDirectory(prefix="runframe-clone-") as folder,
            ThreadPoolExecutor(THREADS, thread_name_prefix="runframe-clone") as pool,
        ):
            futures = [
                pool.submit(self._carry, Path(folder) / str(number), path, files[path], urls[path], places[path])
                for number, path in enumerate(needed.values())
            ]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                for future in futures:
                    future.cancel()
                raise
        return {path: (place.get("artifact") or {}).get("id") or artifact for path, place in places.items()}

    def _carry(self, local: Path, path: str, entry: Mapping[str, Any], url: str, place: Node) -> None:
        """One file: fetched, checked, sent."""
        md5 = entry["digest"] if not (entry.get("extra") or {}).get("alg") else None
        try:
            self.source.client.session.download(url, local, md5=md5, size=entry.get("size"))
        except Error as error:
            raise CommError(f"its file {path!r} cannot be had from the source ({error.message})", path=path) from error
        self.target.client.session.upload(place["uploadUrl"], local, place.get("uploadHeaders") or [])
        self.ledger.add("bytes", local.stat().st_size)
        local.unlink()

    # What is said of it.

    def _maker(self, node: Node) -> str | None:
        """The run that logged a version, where the target has it."""
        maker = node.get("createdBy") or {}
        home = maker.get("project") or {}
        mine = (home.get("entityName"), home.get("name")) == (self.source.entity, self.source.project)
        run = maker.get("name") if maker.get("__typename") == "Run" and mine else None
        return run if run in self.runs else None

    def _settle(self, node: Node, there: Node, name: str) -> None:
        """Makes all that is said of a version that is there what it is on the source."""
        maker = node.get("createdBy") or {}
        if maker.get("__typename") == "Run" and self._maker(node) is None:
            reason = f"the run {maker.get('name')} is not on the target"
            self.ledger.lose("artifact", "the run that logged it", reason, name)
        if maker.get("__typename") == "User" and maker.get("username") not in (None, self.target.username):
            reason = f"what is written with a key belongs to the key's owner ({self.target.username})"
            self.ledger.lose("artifact", "the author", reason, name)
        self._describe(node, there)
        if self.target.replays:
            self._replay(node, there)
            return
        reason = "the target tells times by its own clock"
        self.ledger.lose("artifact", "created_at and updated_at", reason, name)
        if there.get("versionIndex") != node.get("versionIndex"):
            reason = f"there it is v{there.get('versionIndex')}: versions before it were deleted, or others are there"
            self.ledger.lose("artifact", "its number", reason, name)
        versions, sequences = self._unknown(node)
        for version, sequence in zip_longest(versions, sequences):
            if not self._name(node, there, version, sequence):
                reason = "a table of a run names it so, which leads nowhere on the target: it has the content twice"
                self.ledger.lose("artifact", "a name", reason, name)

    def _unknown(self, node: Node) -> tuple[list[str], list[str]]:
        """What clients called a version and its collection, and the target does not know yet."""
        versions, sequences = self.names.of(node["id"]), self.names.of(node["artifactSequence"]["id"])
        return ([one for one in versions if meaning(self.target, one) is None],
                [one for one in sequences if meaning(self.target, one) is None])  # fmt: skip

    def _name(self, node: Node, there: Node, version: str | None, sequence: str | None) -> bool:
        """Makes a name known by logging the same content under it again; whether the target took it for the version."""
        fields = {
            **self.target.place,
            "artifactTypeName": node["artifactType"]["name"],
            "artifactCollectionName": node["artifactSequence"]["name"],
            "digest": node["digest"],
            "clientID": version or hashlib.sha512(f"{self.client_id(node)}{sequence}".encode()).hexdigest(),
            "sequenceClientID": sequence,
            "enableDigestDeduplication": True,
        }
        made = self.target.tell("CreateArtifact", fields, noun="artifacts_changes")["createArtifact"]["artifact"]
        return bool(made["id"] == there["id"])

    def _describe(self, node: Node, there: Node) -> None:
        changes: dict[str, Any] = {}
        if (node.get("description") or "") != (there.get("description") or ""):
            changes["description"] = node.get("description") or ""
        metadata, theirs = node.get("metadata"), there.get("metadata")
        if not same_json(metadata, theirs) or (metadata is not None and theirs is None):
            changes["metadata"] = metadata or "{}"
        if not node.get("ttlIsInherited") and node.get("ttlDurationSeconds") != there.get("ttlDurationSeconds"):
            changes["ttlDurationSeconds"] = node.get("ttlDurationSeconds")
        wanted, held = ({tag["name"] for tag in each.get("tags") or []} for each in (node, there))
        changes["tagsToAdd"] = [{"tagName": tag} for tag in sorted(wanted - held)] or None
        changes["tagsToDelete"] = [{"tagName": tag} for tag in sorted(held - wanted)] or None
        if any(value is not None for value in changes.values()):
            self.target.tell("UpdateArtifact", {"artifactID": there["id"], **changes}, noun="artifacts")

    def _replay(self, node: Node, there: Node) -> None:
        versions, sequences = self._unknown(node)
        named = [{"clientID": one} for one in versions] + [{"sequenceClientID": one} for one in sequences]
        name = node["artifactSequence"]["name"]
        wanted, found = membership_in(node, self.source, name), membership_in(there, self.target, name)
        said = all(node.get(key) == there.get(key) for key in ("versionIndex", "commitHash"))
        times = all(same_time(node.get(key), there.get(key)) for key in ("createdAt", "updatedAt"))
        joined = same_time(wanted.get("createdAt"), found.get("createdAt"))
        run = self._maker(node)
        made = run is None or (there.get("createdBy") or {}).get("name") == run
        if said and times and joined and made and not named:
            return
        membership = {"artifactCollectionName": name, "versionIndex": node["versionIndex"]}
        membership["createdAt"] = wanted.get("createdAt")
        fields = {key: node.get(key) for key in ("commitHash", "createdAt", "updatedAt")}
        fields |= {"artifactID": there["id"], "runName": run, "clientIDs": named or None, "memberships": [membership]}
        self.target.tell("ReplayArtifact", fields)

    def _change(self, operation: str, **variables: Any) -> Node:
        return self.target.client.query("artifacts_changes", operation, variables)


def membership_in(node: Mapping[str, Any], end: End, name: str) -> Node:
    """What a version is in a collection of the project; empty where it is not in it."""
    for edge in (node.get("artifactMemberships") or {}).get("edges") or []:
        found: Node = edge.get("node") or {}
        collection = found.get("artifactCollection") or {}
        home = collection.get("project") or {}
        if (collection.get("name"), home.get("entityName"), home.get("name")) == (name, end.entity, end.project):
            return found
    return {}


def version_name(node: Mapping[str, Any]) -> str:
    """`name:vN`."""
    return f"{node['artifactSequence']['name']}:v{node.get('versionIndex')}"


def known(node: Mapping[str, Any]) -> Known:
    """A version of a listing."""
    maker = (node.get("createdBy") or {}).get("name")
    times = (node["createdAt"], node.get("updatedAt"))
    return Known(node["id"], int(node["versionIndex"]), node["digest"], *times, maker)


def _in_order(collections: Mapping[str, list[Known]]) -> Iterator[tuple[str, Known]]:
    waiting = {name: sorted(found, key=lambda one: one.index, reverse=True) for name, found in collections.items()}
    heads = [(found[-1].created_at, name) for name, found in waiting.items() if found]
    heapq.heapify(heads)
    while heads:
        _, name = heapq.heappop(heads)
        yield name, waiting[name].pop()
        if waiting[name]:
            heapq.heappush(heads, (waiting[name][-1].created_at, name))


def _batches(pairs: Iterator[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    batch: list[tuple[str, str]] = []
    for pair in pairs:
        batch.append(pair)
        if len(batch) == FILES_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
