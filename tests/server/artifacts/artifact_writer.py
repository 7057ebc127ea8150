"""Logs artifacts step by step, as the official SDK's sidecar does."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
from store_client import Client

CREATE = """mutation CreateArtifact($input: CreateArtifactInput!) { createArtifact(input: $input) { artifact {
    id state artifactSequence { id latestArtifact { id versionIndex } } } } }"""
MANIFEST = """mutation CreateArtifactManifest($artifactID: ID!, $baseArtifactID: ID, $digest: String!,
    $type: ArtifactManifestType!, $includeUpload: Boolean!) { createArtifactManifest(input: {artifactID: $artifactID,
    baseArtifactID: $baseArtifactID, name: "wandb_manifest.json", digest: $digest, entityName: "local",
    projectName: "p", runName: "r", type: $type}) { artifactManifest { id file { id
    uploadUrl @include(if: $includeUpload) uploadHeaders @include(if: $includeUpload) } } } }"""
UPDATE_MANIFEST = """mutation UpdateArtifactManifest($id: ID!, $digest: String) { updateArtifactManifest(input: {
    artifactManifestID: $id, digest: $digest}) { artifactManifest { id file { uploadUrl } } } }"""
FILES = """mutation CreateArtifactFiles($input: CreateArtifactFilesInput!) { createArtifactFiles(input: $input) {
    files { edges { cursor node { storagePath uploadUrl uploadHeaders uploadMultipartUrls { uploadID uploadUrlParts {
    partNumber uploadUrl } } artifact { id } } } } } }"""
COMMIT = """mutation CommitArtifact($artifactID: ID!) { commitArtifact(input: {artifactID: $artifactID}) {
    artifact { id digest } } }"""


def md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def digest_of(entries: Mapping[str, Mapping[str, Any]]) -> str:
    lines = "".join(f"{path}:{entries[path]['digest']}\n" for path in sorted(entries))
    return hashlib.md5(f"wandb-artifact-manifest-v1\n{lines}".encode(), usedforsecurity=False).hexdigest()


def entries_of(files: Mapping[str, bytes], references: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {path: {"digest": md5(data), "size": len(data)} for path, data in files.items()}
    for path, uri in (references or {}).items():
        found[path] = {"digest": uri, "ref": uri}
    return found


def manifest_of(entries: Mapping[str, Any]) -> bytes:
    document = {
        "version": 1,
        "storagePolicy": "wandb-storage-policy-v1",
        "storagePolicyConfig": {"storageLayout": "V2"},
    }
    return json.dumps({**document, "contents": dict(entries)}).encode()


class Writer:
    """A writer of artifacts of the project ``p``."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def create(self, name: str, digest: str, *, aliases: Sequence[str] = ("latest",), **fields: Any) -> dict[str, Any]:
        given = {
            "entityName": "local",
            "projectName": "p",
            "artifactTypeName": "dataset",
            "artifactCollectionName": name,
            "digest": digest,
            "digestAlgorithm": "MANIFEST_MD5",
            "enableDigestDeduplication": True,
            "aliases": [{"artifactCollectionName": name, "alias": alias} for alias in aliases],
            **fields,
        }
        found: dict[str, Any] = self.client.graphql(CREATE, input=given)["createArtifact"]["artifact"]
        return found

    def announce(self, artifact: str, digest: str, *, kind: str = "FULL", base: str | None = None) -> dict[str, Any]:
        variables = {"artifactID": artifact, "baseArtifactID": base, "digest": digest, "type": kind}
        answer = self.client.graphql(MANIFEST, **variables, includeUpload=bool(digest))
        found: dict[str, Any] = answer["createArtifactManifest"]["artifactManifest"]
        return found

    def plan(self, artifact: str, files: Mapping[str, bytes]) -> list[dict[str, Any]]:
        specs = [{"artifactID": artifact, "name": name, "md5": md5(data)} for name, data in files.items()]
        answer = self.client.graphql(FILES, input={"artifactFiles": specs, "storageLayout": "V2"})
        return [edge["node"] for edge in answer["createArtifactFiles"]["files"]["edges"]]

    def put(self, url: str, data: bytes) -> httpx.Response:
        return self.client.request("PUT", url, auth=None, content=data)

    def send(self, artifact: str, files: Mapping[str, bytes]) -> None:
        """The files that the server asks for."""
        for node, data in zip(self.plan(artifact, files), files.values(), strict=True):
            if node["uploadUrl"] is not None:
                assert self.put(node["uploadUrl"], data).status_code == 200

    def fill(self, artifact: str, entries: Mapping[str, Any]) -> None:
        """A whole manifest."""
        manifest = manifest_of(entries)
        self.announce(artifact, "")
        url = self.announce(artifact, md5(manifest))["file"]["uploadUrl"]
        assert self.put(url, manifest).status_code == 200

    def add(
        self, artifact: str, files: Mapping[str, bytes], kind: str, *, base: str | None = None, entries: Any = None
    ) -> None:
        """A part of a manifest, with its files."""
        manifest = manifest_of(entries if entries is not None else entries_of(files))
        announced = self.announce(artifact, "", kind=kind, base=base)
        self.send(artifact, files)
        answer = self.client.graphql(UPDATE_MANIFEST, id=announced["id"], digest=md5(manifest))
        url = answer["updateArtifactManifest"]["artifactManifest"]["file"]["uploadUrl"]
        assert self.put(url, manifest).status_code == 200

    def commit(self, artifact: str) -> str:
        found = self.client.graphql(COMMIT, artifactID=artifact)["commitArtifact"]["artifact"]
        assert found["id"] == artifact
        return str(found["digest"])

    def log(
        self, name: str, files: Mapping[str, bytes], *, references: Mapping[str, str] | None = None, **fields: Any
    ) -> str:
        """A whole version; its id."""
        entries = entries_of(files, references)
        artifact = self.create(name, digest_of(entries), **fields)
        if artifact["state"] == "PENDING":
            self.send(artifact["id"], files)
            self.fill(artifact["id"], entries)
            self.commit(artifact["id"])
        return str(artifact["id"])

    def artifact(self, fields: str, name: str) -> Any:
        """Fields of the version that a name says, or None."""
        query = f'query A($name: String!) {{ project(name: "p") {{ artifact(name: $name) {{ {fields} }} }} }}'
        return self.client.graphql(query, name=name)["project"]["artifact"]

    def version(self, name: str) -> int | None:
        found = self.artifact("versionIndex", name)
        return None if found is None else int(found["versionIndex"])

    def aliases(self, name: str) -> list[str]:
        """The aliases that people gave, in all collections."""
        found = [alias["alias"] for alias in self.artifact("aliases { alias }", name)["aliases"]]
        return sorted(alias for alias in found if not (alias[0] == "v" and alias[1:].isdigit()))

    def collection(self, fields: str, name: str) -> Any:
        query = f'query C($name: String!) {{ project(name: "p") {{ artifactCollection(name: $name) {{ {fields} }} }} }}'
        return self.client.graphql(query, name=name)["project"]["artifactCollection"]

    def manifest(self, name: str) -> Any:
        """The manifest of a committed version."""
        url = self.artifact("currentManifest { file { directUrl } }", name)["currentManifest"]["file"]["directUrl"]
        return self.client.request("GET", url, auth=None).json()

    def id_in_reference(self, artifact: str) -> str:
        return base64.b64decode(artifact).hex()


def path_of(url: str) -> str:
    return urlsplit(url).path
