"""Collections of artifacts: what they are called and say, which versions have which aliases, what is linked to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from runframe.errors import NotFoundError, ServerError
from runframe.export.clone.ends import End
from runframe.export.clone.equality import same_time
from runframe.export.clone.report import Ledger
from runframe.export.clone.versions import COMMITTED, Known, Versions, known, membership_in

PORTFOLIO = "ArtifactPortfolio"

Node = dict[str, Any]


@dataclass(frozen=True)
class Collections:
    """The collections of a project on their way.

    Args:
        source: where they are.
        target: where they go.
        versions: brings the versions.
        ledger: takes what was done.
    """

    source: End
    target: End
    versions: Versions
    ledger: Ledger

    def copy(self, only: Iterable[str] | None = None) -> None:
        """Brings all versions, or those with the ids that are given, and then all that is said of collections."""
        chosen = None if only is None else set(only)
        listed = [(name, node) for name in self._types() for node in self._listed(self.source, name)]
        sequences = [(name, node) for name, node in listed if node.get("__typename") != PORTFOLIO]
        portfolios = [(name, node) for name, node in listed if node.get("__typename") == PORTFOLIO]
        self._bring(sequences, chosen)
        for name, node in sequences:
            self._guarded(node, lambda name=name, node=node: self._settle(name, node, chosen))
        for name, node in portfolios:
            self._guarded(node, lambda name=name, node=node: self._link(name, node, chosen))

    def _bring(self, sequences: list[tuple[str, Node]], chosen: set[str] | None) -> None:
        wanted: dict[str, list[Known]] = {}
        there: dict[str, dict[int, Known]] = {}
        for type_name, node in sequences:
            name = str(node["name"])
            wanted[name] = [known(edge["node"]) for edge in self._wanted(type_name, name, chosen)]
            if wanted[name]:
                found = (known(edge["node"]) for edge in self._edges(self.target, type_name, name))
                there[name] = {each.index: each for each in found}
            elif chosen is None:
                reason = "it holds no version, and a collection comes of its first one"
                self.ledger.lose("collection", "all of it", reason, name)
        self.versions.bring_all(wanted, there)

    def _wanted(self, type_name: str, name: str, chosen: set[str] | None) -> list[Node]:
        """The versions in a collection of the source, or those of them that are wanted."""
        edges = self._edges(self.source, type_name, name)
        return [edge for edge in edges if chosen is None or edge["node"]["id"] in chosen]

    def _guarded(self, node: Node, work: Any) -> None:
        try:
            work()
        except (ServerError, NotFoundError) as error:
            self.ledger.fail("collection", str(node["name"]), error.message)

    def _types(self) -> list[str]:
        return [node["name"] for node in self.source.nodes("ProjectArtifactTypes", "artifactTypes", noun="artifacts")]

    def _listed(self, end: End, type_name: str) -> list[Node]:
        path = ("artifactType", "artifactCollections")
        return list(end.nodes("ArtifactTypeArtifactCollections", *path, noun="artifacts", type=type_name))

    def _edges(self, end: End, type_name: str, name: str) -> list[Node]:
        """The committed versions in a collection; none where it is not there."""
        path = ("artifactType", "artifactCollection", "artifacts")
        try:
            edges = list(end.edges("CloneVersions", *path, size=200, type=type_name, collection=name))
        except NotFoundError:
            return []
        return [edge for edge in edges if edge["node"].get("state") == COMMITTED]

    def _collection(self, type_name: str, name: str) -> Node | None:
        """The collection on the target."""
        answer = self.target.ask("ProjectArtifactCollection", noun="artifacts", type=type_name, name=name)
        found: Node | None = ((answer.get("project") or {}).get("artifactType") or {}).get("artifactCollection")
        return found

    def _settle(self, type_name: str, node: Node, chosen: set[str] | None) -> None:
        """Aliases, description, tags and times of a collection whose versions are there."""
        edges = self._wanted(type_name, node["name"], chosen)
        there = self._collection(type_name, node["name"]) if edges else None
        if there is None:
            return
        self._aliases(type_name, node["name"], edges)
        self._describe(node, there, "UpdateArtifactSequence", "artifactSequenceID")

    def _aliases(self, type_name: str, name: str, edges: list[Node]) -> None:
        """The aliases that people gave, on the versions that were brought."""
        ids = self.versions.ids
        held = {
            edge["node"]["id"]: _aliases_in(edge["node"], name) for edge in self._edges(self.target, type_name, name)
        }
        wanted = {
            ids[edge["node"]["id"]]: _aliases_in(edge["node"], name) for edge in edges if edge["node"]["id"] in ids
        }
        for node_id, aliases in wanted.items():
            self._change_aliases("AddAliases", node_id, name, aliases - held.get(node_id, set()))
        given = {alias for aliases in wanted.values() for alias in aliases}
        for node_id in wanted:
            # What is wanted elsewhere has moved there.
            self._change_aliases("DeleteAliases", node_id, name, held.get(node_id, set()) - given)

    def _change_aliases(self, operation: str, node_id: str, name: str, aliases: set[str]) -> None:
        if aliases:
            place = {**self.target.place, "artifactCollectionName": name}
            given = [{**place, "alias": alias} for alias in sorted(aliases)]
            self.target.tell(operation, {"artifactID": node_id, "aliases": given}, noun="artifacts_changes")

    def _describe(self, node: Node, there: Node, operation: str, variable: str) -> None:
        if (node.get("description") or "") != (there.get("description") or ""):
            fields = {variable: there["id"], "description": node.get("description") or ""}
            self.target.tell(operation, fields, noun="artifacts_changes")
        mine, theirs = (_tags(each) for each in (node, there))
        place = {**self.target.place, "artifactCollectionName": node["name"]}
        for change, tags in (
            ("AddArtifactCollectionTags", mine - theirs),
            ("DeleteArtifactCollectionTags", theirs - mine),
        ):
            if tags:
                given = [{"tagName": tag} for tag in sorted(tags)]
                self.target.tell(change, {**place, "tags": given}, noun="artifacts_changes")
        if not self.target.replays:
            self.ledger.lose("collection", "created_at", "the target tells times by its own clock", node["name"])
        elif not all(same_time(node.get(key), there.get(key)) for key in ("createdAt", "updatedAt")):
            times = {key: node.get(key) for key in ("createdAt", "updatedAt")}
            self.target.tell("ReplayArtifactCollection", {"artifactCollectionID": there["id"], **times})

    def _link(self, type_name: str, node: Node, chosen: set[str] | None) -> None:
        """Links what is linked on the source, in the same order."""
        name, ids = str(node["name"]), self.versions.ids
        edges = self._wanted(type_name, name, chosen)
        if not edges:
            return
        there = {edge["node"]["id"] for edge in self._edges(self.target, type_name, name)}
        for edge in sorted(edges, key=_number):
            version = edge["node"]
            mine = ids.get(version["id"])
            if mine is None and self.source.url == self.target.url and not self._is_mine(version):
                mine = version["id"]
            if mine is None:
                label = f"{version['artifactSequence']['name']}:v{version.get('versionIndex')}"
                self.ledger.lose("collection", f"the link of {label}", "that version is not on the target", name)
                continue
            if mine not in there:
                fields = {**self.target.place, "artifactID": mine, "artifactPortfolioName": name}
                self.target.tell("LinkArtifact", fields, noun="artifacts_changes")
            self._number_link(name, version["id"], mine, _number(edge))
        self._aliases(type_name, name, edges)
        found = self._collection(type_name, name)
        if found is not None:
            self._describe(node, found, "UpdateArtifactPortfolio", "artifactPortfolioID")

    def _number_link(self, name: str, node_id: str, mine: str, index: int) -> None:
        if not self.target.replays:
            return
        wanted = self._membership(self.source, node_id, name)
        found = self._membership(self.target, mine, name)
        if wanted and found and (found.get("versionIndex") != index or not _same_created(wanted, found)):
            number = {"artifactCollectionName": name, "versionIndex": index, "createdAt": wanted.get("createdAt")}
            self.target.tell("ReplayArtifact", {"artifactID": mine, "memberships": [number]})

    def _membership(self, end: End, node_id: str, name: str) -> Node:
        node = end.client.query("clone", "CloneMemberships", {"id": node_id}).get("artifact") or {}
        return membership_in(node, end, name)

    def _is_mine(self, version: Node) -> bool:
        home = version["artifactSequence"].get("project") or {}
        return (home.get("entityName"), home.get("name")) == (self.source.entity, self.source.project)


def _same_created(one: Node, other: Node) -> bool:
    return same_time(one.get("createdAt"), other.get("createdAt"))


def _number(edge: Node) -> int:
    """The number of a version in the collection that was listed."""
    text = str(edge.get("version") or "").removeprefix("v")
    return int(text) if text.isdigit() else int(edge["node"].get("versionIndex") or 0)


def _aliases_in(node: Node, collection: str) -> set[str]:
    """The aliases that people gave a version in a collection."""
    names = {
        one["alias"]
        for one in node.get("aliases") or []
        if (one.get("artifactCollection") or {}).get("name") == collection
    }
    return {name for name in names if not (name.startswith("v") and name[1:].isdigit())}


def _tags(node: Node) -> set[str]:
    return {edge["node"]["name"] for edge in (node.get("tags") or {}).get("edges") or []}
