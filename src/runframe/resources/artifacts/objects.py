"""Entries that are more than files: tables and media, told by the endings of their names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from runframe.resources.artifacts.entry import ARTIFACT_SCHEME, ManifestEntry
from runframe.resources.artifacts.media import Media
from runframe.resources.artifacts.tables.reading import read_document, read_joined, read_partitions, read_table
from runframe.resources.artifacts.tables.table import JoinedTable, PartitionedTable, Table

if TYPE_CHECKING:
    from runframe.resources.artifacts.artifact import Artifact

KINDS = (
    "table",
    "partitioned-table",
    "joined-table",
    "image-file",
    "audio-file",
    "video-file",
    "html-file",
    "object3D-file",
    "molecule-file",
    "bokeh-file",
    "plotly-file",
    "classes",
    "graph-file",
    "pytorch-model-file",
    "sklearn-model-file",
    "tfkeras-model-file",
)
SUFFIXES = tuple(f"{kind}.json" for kind in KINDS)


@dataclass(frozen=True)
class Addable:
    """Something that can be put into a draft.

    Attributes:
        kind: which tells the ending of its name.
        table: what is written; None for what comes from another artifact.
        origin: the entry of another artifact that it came from, unchanged.
    """

    kind: str
    table: Table | None = None
    origin: ManifestEntry | None = None

    def to_bytes(self) -> bytes:
        """The content of its file."""
        assert self.table is not None
        return json.dumps(self.table.to_json(), sort_keys=True).encode()


def as_object(obj: Any) -> Addable:
    """What an object is, for a draft.

    Raises:
        TypeError: it is nothing that an artifact holds as an object.
    """
    if isinstance(obj, (Media, PartitionedTable, JoinedTable)):
        return Addable(obj.kind, origin=obj.origin)
    if isinstance(obj, Table):
        return Addable(obj.kind, origin=obj.origin) if _is_unchanged(obj) else Addable(obj.kind, table=obj)
    if hasattr(obj, "__arrow_c_stream__"):
        return Addable(Table.kind, table=Table(data=obj))
    raise TypeError(
        f"a {type(obj).__name__} can't be added: a Table, something that speaks Arrow (a pandas or polars frame), or "
        "what Artifact.get gave was expected; add_file adds a file"
    )


def _is_unchanged(table: Table) -> bool:
    """Whether a table is what it was when it was read from an artifact."""
    if table.origin is None:
        return False
    original = read_table(table.origin.parent_artifact(), table.origin)
    return (table.columns, table.data) == (original.columns, original.data)


def with_suffix(name: str, kind: str) -> str:
    """The name with the ending of its kind."""
    ending = f".{kind}.json"
    return name if name.endswith(ending) else name + ending


def read_object(artifact: Artifact, entry: ManifestEntry) -> Table | PartitionedTable | JoinedTable | Media | None:
    """The object that an entry holds; None for a plain file. References to other artifacts are followed.

    Raises:
        FrameError: it is malformed.
        CommError: it could not be fetched.
    """
    if entry.ref is not None and entry.ref.startswith(ARTIFACT_SCHEME):
        from runframe.resources.artifacts.references.artifacts import resolve

        entry = resolve(entry.ref, artifact.connection())
        artifact = entry.parent_artifact()
    kind = next((kind for kind, suffix in zip(KINDS, SUFFIXES, strict=True) if entry.path.endswith(f".{suffix}")), None)
    if kind is None:
        return None
    if kind == Table.kind:
        return read_table(artifact, entry)
    if kind == PartitionedTable.kind:
        return read_partitions(artifact, entry)
    if kind == JoinedTable.kind:
        return read_joined(artifact, entry)
    return Media(kind, read_document(artifact, entry), artifact, entry)
