"""Files of a run: listing, download, deletion."""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePath, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from runframe.frames.schema import CATEGORY, INT, TEXT, TIME, Column, Schema
from runframe.resources.client import Client
from runframe.resources.collection import SizedCollection
from runframe.resources.errors import as_comm_error
from runframe.resources.node import Node
from runframe.wire.pages import Connection

if TYPE_CHECKING:
    from runframe.frames.provenance import Provenance
    from runframe.resources.run import Run

NOTHING = {"edges": [], "pageInfo": {"hasNextPage": False}}
UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


class File(Node):
    """One file of a run.

    Attributes:
        client: the connection.
        run: the run that it belongs to.
        id, name, mimetype, md5, updated_at: as the server knows them; `md5` is base64, `updated_at` ISO 8601 text.
        url, direct_url: where its content is; they expire.
        size_bytes: the size as the server sends it; `size` is the number.
    """

    id: str
    name: str
    url: str
    direct_url: str | None
    mimetype: str | None
    md5: str | None
    updated_at: str | None
    size_bytes: int | str | None

    def __init__(self, client: Client, attrs: Mapping[str, Any], run: Run | None = None) -> None:
        super().__init__(attrs)
        self.client = client
        self.run = run

    @property
    def size(self) -> int:
        """Bytes; 0 where the server doesn't say."""
        return int(self._attrs.get("sizeBytes") or 0)

    @property
    def path_uri(self) -> str:
        """``s3://bucket/key`` of a file in S3, the address itself of a reference; else "" and a warning."""
        direct = self._attrs.get("directUrl") or ""
        if direct and direct == self._attrs.get("url"):
            return str(direct)
        parts = urlsplit(direct)
        host = parts.hostname or ""
        if parts.scheme in ("http", "https") and "s3" in host and host.endswith("amazonaws.com"):
            return f"s3://{host.split('.')[0]}/{parts.path.lstrip('/')}"
        warnings.warn(f"{self.name} is not in S3: it has no path_uri", UserWarning, stacklevel=2)
        return ""

    @as_comm_error
    def download(
        self, root: str = ".", replace: bool = False, exist_ok: bool = False, api: Any = None
    ) -> io.TextIOWrapper:
        """Fetches the file to `root`, under its own name, and opens it as text.

        The file appears under its name when it is whole and its digest is right.

        Args:
            root: a folder; folders in the file's name are made below it.
            replace: overwrite a file that is there.
            exist_ok: take a file that is there instead of fetching it.
            api: the `Api` whose key is used; None for the one that the file came from.

        Returns:
            The open file. Close it, or use `with`.

        Raises:
            ArgumentError: (a CommError and a ValueError) the file is there already, or its name leads out of `root`.
            CommError: the file could not be fetched or written.
        """
        target = Path(root) / _safe_name(self.name)
        if not target.exists() or replace:
            target.parent.mkdir(parents=True, exist_ok=True)
            client: Client = self.client if api is None else api.client
            client.download(
                self.url, target, md5=self._attrs.get("md5"), size=self.size if self._attrs.get("sizeBytes") else None
            )
        elif not exist_ok:
            raise ValueError(f"{target} is there already: pass replace=True to overwrite it, exist_ok=True to use it")
        return target.open()

    @as_comm_error
    def delete(self) -> None:
        """Deletes the file on the server."""
        project = None if self.run is None else self.run._attrs.get("projectId")
        variables = {"files": [self.id], "projectId": None if project is None else int(project)}
        self.client.query("files", "DeleteFiles", variables)

    def __repr__(self) -> str:
        return f"<File {self.name} ({self._attrs.get('mimetype')}) {_readable(self.size)}>"


class Files(SizedCollection[File]):
    """The files of a run; `len()` counts all of them, whatever names were asked for.

    Args:
        client: the connection.
        run: the run.
        names: exact names; None or none at all for all files.
        per_page: files asked for at once; None means 50.
        upload: ask for addresses to upload to.
        pattern: a pattern of names instead, with ``%`` for any text and ``_`` for one character.

    Raises:
        ValueError: both names and a pattern are given.
    """

    SCHEMA = Schema(
        "files",
        [
            Column("run_id", CATEGORY, "run_id", "Id of the run that the file belongs to."),
            Column("id", TEXT, "id", "The server's own id of the file."),
            Column("name", TEXT, "name", "Name with slashes, relative to the run's files."),
            Column("size", INT, "sizeBytes", "Size in bytes.", convert=int),
            Column("mimetype", CATEGORY, "mimetype", "Kind of content, as in `text/plain`."),
            Column("md5", TEXT, "md5", "MD5 digest, in base64."),
            Column("updated_at", TIME, "updatedAt", "When it was last written."),
        ],
    )
    CONNECTION = Connection(
        ("project", "run", "files"),
        total=("project", "run", "fileCount"),
        size_variable="fileLimit",
        cursor_variable="fileCursor",
    )
    NODE_FIELDS = frozenset({"id", "name"})

    def __init__(
        self,
        client: Client,
        run: Run,
        names: list[str] | None = None,
        per_page: int | None = None,
        upload: bool = False,
        pattern: str | None = None,
    ) -> None:
        if names and pattern:
            raise ValueError("files: give names or a pattern, not both")
        self.run = run
        variables = {
            "project": run.project,
            "entity": run.entity,
            "name": run.id,
            "fileNames": list(names or []),
            "upload": upload,
            "pattern": pattern,
        }
        super().__init__(client, variables, per_page)

    def _operation(self, full: bool) -> tuple[str, str]:
        return "files", "RunFiles"

    def _checked(self, data: dict[str, Any]) -> dict[str, Any]:
        run = (data.get("project") or {}).get("run") or {}
        # A run that isn't there has no files.
        return {"project": {"run": {"fileCount": run.get("fileCount") or 0, "files": run.get("files") or NOTHING}}}

    def _object(self, node: dict[str, Any]) -> File:
        return File(self.client, node, self.run)

    def _context(self) -> dict[str, Any]:
        return {"run_id": self.run.id}

    def _source(self) -> str:
        return f"{'/'.join(self.run.path)}/files"

    def _query(self) -> str | None:
        return self.variables["pattern"] or (json.dumps(self.variables["fileNames"]) if self._chosen else None)

    @property
    def _chosen(self) -> bool:
        return bool(self.variables["fileNames"] or self.variables["pattern"])

    def _is_live(self, node: Mapping[str, Any]) -> bool:
        from runframe.resources.history.pages import LIVE_STATES

        return self.run._attrs.get("state") in LIVE_STATES

    def _provenance(self, reading: Any) -> Provenance:
        found = super()._provenance(reading)
        # The server counts files of other names too.
        return replace(found, server_rows=None) if self._chosen else found

    def __repr__(self) -> str:
        return f"<Files {'/'.join(self.run.path)} ({len(self)})>"


def _safe_name(name: str) -> str:
    """The name, if it stays below a folder that it is joined to.

    Raises:
        ValueError: it doesn't.
    """
    for path in (PurePosixPath(name), PurePath(name)):
        if path.anchor or ".." in path.parts:
            raise ValueError(f"Invalid path: {name!r} leads out of the folder")
    if not name:
        raise ValueError("Invalid path: the file has no name")
    return name


def _readable(size: int) -> str:
    amount = float(size)
    for unit in UNITS[:-1]:
        if amount < 1024:
            return f"{amount:.1f}{unit}"
        amount /= 1024
    return f"{amount:.1f}{UNITS[-1]}"
