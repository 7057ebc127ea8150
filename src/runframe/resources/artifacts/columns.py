"""Artifacts as columns: the schemas of their listings, and the frame of a manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runframe.frames.batches import to_batch
from runframe.frames.frame import Frame
from runframe.frames.provenance import Provenance
from runframe.frames.schema import BOOL, CATEGORY, INT, JSON, TEXT, TEXTS, TIME, Column, Schema

if TYPE_CHECKING:
    from runframe.resources.artifacts.manifest import Manifest


def _names(edges: Any) -> list[str]:
    """The names of tags, whether they come as a list or as a connection."""
    nodes = [edge["node"] for edge in edges["edges"]] if isinstance(edges, dict) else edges
    return [node["name"] for node in nodes]


def _seconds(seconds: Any) -> int | None:
    """A time to live; the server has zero and less for none."""
    return int(seconds) if int(seconds) > 0 else None


def _document(text: str) -> str | None:
    return text or None


TYPES = Schema(
    "artifact types",
    [
        Column("id", TEXT, "id", "The server's own id of the type."),
        Column("name", TEXT, "name", "Name, such as `dataset` or `model`."),
        Column("entity", CATEGORY, "entity", "User or team that it belongs to."),
        Column("project", CATEGORY, "project", "Project that it belongs to."),
        Column("description", TEXT, "description", "Description."),
        Column("created_at", TIME, "createdAt", "When it was made."),
    ],
)

COLLECTIONS = Schema(
    "artifact collections",
    [
        Column("id", TEXT, "id", "The server's own id of the collection."),
        Column("name", TEXT, "name", "Name."),
        Column("type", CATEGORY, "type.name", "Type of its versions."),
        Column("entity", CATEGORY, "project.entity.name", "User or team that it belongs to."),
        Column("project", CATEGORY, "project.name", "Project that it belongs to."),
        Column(
            "is_sequence", BOOL, "__typename", "Whether versions are logged to it; else they are linked.",
            convert=lambda kind: kind == "ArtifactSequence",
        ),
        Column("description", TEXT, "description", "Description."),
        Column("tags", TEXTS, "tags", "Tags.", convert=_names),
        Column("created_at", TIME, "createdAt", "When it was made."),
        Column("updated_at", TIME, "updatedAt", "When it, or what is in it, was last changed."),
    ],
)  # fmt: skip

VERSIONS = Schema(
    "artifacts",
    [
        Column("id", TEXT, "id", "The server's own id of the version."),
        Column("name", TEXT, "listedName", "Collection and version, as in `mnist:v3`."),
        Column("entity", CATEGORY, "listedEntity", "User or team of the collection."),
        Column("project", CATEGORY, "listedProject", "Project of the collection."),
        Column("collection", CATEGORY, "listedCollection", "Collection."),
        Column("version", TEXT, "listedVersion", "Number in the collection, as in `v3`."),
        Column("type", CATEGORY, "artifactType.name", "Type, such as `dataset` or `model`."),
        Column("aliases", TEXTS, "listedAliases", "Aliases in the collection, version numbers left out."),
        Column("tags", TEXTS, "tags", "Tags.", convert=_names),
        Column("state", CATEGORY, "state", "`PENDING`, `COMMITTED` or `DELETED`."),
        Column("digest", TEXT, "digest", "Digest of the content, in hexadecimal."),
        Column("size", INT, "size", "Bytes in all.", convert=int),
        Column("file_count", INT, "fileCount", "Files and references in it."),
        Column("created_at", TIME, "createdAt", "When it was logged."),
        Column("updated_at", TIME, "updatedAt", "When it was last changed."),
        Column("description", TEXT, "description", "Description."),
        Column("metadata", JSON, "metadata", "Metadata.", convert=_document, document="summary"),
        Column("ttl_seconds", INT, "ttlDurationSeconds", "How long it is to live, in seconds.", convert=_seconds),
        Column("commit_hash", TEXT, "commitHash", "The server's own hash of the version."),
        Column("source_name", TEXT, "sourceName", "Collection that it was logged to, and version there."),
        Column("source_entity", CATEGORY, "artifactSequence.project.entity.name", "User or team of that collection."),
        Column("source_project", CATEGORY, "artifactSequence.project.name", "Project of that collection."),
    ],
)

FILES = Schema(
    "artifact files",
    [
        Column("artifact", CATEGORY, "artifact", "Artifact that it is in, as in `mnist:v3`."),
        Column("id", TEXT, "id", "The server's own id of the file."),
        Column("name", TEXT, "name", "Path in the artifact."),
        Column("size", INT, "sizeBytes", "Bytes.", convert=int),
        Column("mimetype", CATEGORY, "mimetype", "Kind of content, as in `text/plain`."),
        Column("digest", TEXT, "digest", "MD5 in base64; of a reference its checksum, or the URI."),
        Column("updated_at", TIME, "updatedAt", "When it was last written."),
    ],
)

ENTRIES = Schema(
    "artifact entries",
    [
        Column("path", TEXT, "path", "Path in the artifact."),
        Column("digest", TEXT, "digest", "MD5 in base64; of a reference its checksum, or the URI."),
        Column("size", INT, "size", "Bytes; null where it isn't known."),
        Column("ref", TEXT, "ref", "URI of a reference; null for a file."),
        Column("birth_artifact_id", TEXT, "birthArtifactID", "Artifact that the content first came with."),
        Column("extra", JSON, "extra", "What else is known of it."),
    ],
)


def manifest_frame(manifest: Manifest) -> Frame:
    """The entries of a manifest as a frame, in the manifest's order."""
    nodes = [{"path": path, **entry.to_manifest_json()} for path, entry in manifest.entries.items()]
    batch = to_batch(ENTRIES, nodes)
    return Frame(ENTRIES.arrow, lambda: [batch], Provenance("complete", rows=len(nodes)), num_rows=len(nodes))
