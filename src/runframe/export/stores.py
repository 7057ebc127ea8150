"""Object stores: names and bytes at the end of a URL, through `pyarrow.fs`, else fsspec."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.fs as pafs

from runframe.cache import written
from runframe.errors import UsageError

_CHUNK = 8 * 2**20


class Store(Protocol):
    """What a dataset needs of an object store. A name is a path below the dataset's own, with slashes."""

    def sizes(self) -> dict[str, int]:
        """The sizes of all objects by name."""
        ...

    def read(self, name: str) -> bytes | None:
        """An object's content; None where there is none."""
        ...

    def fetch(self, name: str, target: Path) -> None:
        """Copies an object to a file, whole or not at all."""
        ...

    def put(self, source: Path, name: str) -> None:
        """Copies a file to an object; one of that name is replaced."""
        ...

    def remove(self, name: str) -> None:
        """Removes an object."""
        ...


class ArrowStore:
    """A folder of a `pyarrow.fs.FileSystem` as a store.

    Args:
        filesystem: the file system.
        root: the folder's path in it; it need not be there.
    """

    def __init__(self, filesystem: Any, root: str) -> None:
        self._filesystem = filesystem
        self._root = root.rstrip("/")

    def sizes(self) -> dict[str, int]:
        """The sizes of all objects by name; folders are none."""
        below = pafs.FileSelector(self._root, recursive=True, allow_not_found=True)
        start = len(self._root.strip("/")) + 1
        return {
            info.path.lstrip("/")[start:]: int(info.size)
            for info in self._filesystem.get_file_info(below)
            if info.type == pafs.FileType.File
        }

    def read(self, name: str) -> bytes | None:
        """An object's content; None where there is none."""
        try:
            with self._filesystem.open_input_stream(self._path(name)) as stream:
                content: bytes = stream.read()
        except FileNotFoundError:
            return None
        return content

    def fetch(self, name: str, target: Path) -> None:
        """Copies an object to a file, whole or not at all."""
        with self._filesystem.open_input_stream(self._path(name)) as stream, written(target) as file:
            while chunk := stream.read(_CHUNK):
                file.write(chunk)

    def put(self, source: Path, name: str) -> None:
        """Copies a file to an object; one of that name is replaced."""
        with source.open("rb") as file, self._created(self._path(name)) as stream:
            while chunk := file.read(_CHUNK):
                stream.write(chunk)

    def remove(self, name: str) -> None:
        """Removes an object."""
        self._filesystem.delete_file(self._path(name))

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _created(self, path: str) -> Any:
        try:
            return self._filesystem.open_output_stream(path)
        except FileNotFoundError:  # a file system with real folders
            self._filesystem.create_dir(path.rpartition("/")[0], recursive=True)
            return self._filesystem.open_output_stream(path)


def is_remote(to: object) -> bool:
    """Whether a target is a URL of an object store, and no folder of this machine."""
    return isinstance(to, str) and "://" in to and urlsplit(to).scheme != "file"


def local_path(to: str | os.PathLike[str]) -> Path:
    """The folder that a target names: a path, or a ``file://`` URL of this machine.

    Raises:
        UsageError: the URL names another machine.
    """
    if not isinstance(to, str) or not to.startswith("file://"):
        return Path(to)
    parts = urlsplit(to)
    if parts.netloc not in ("", "localhost"):
        raise UsageError(f"{to} names the machine {parts.netloc!r}; a folder of this one is file:///{parts.netloc}…")
    return Path(unquote(parts.path))


def open_store(url: str) -> Store:
    """The store that a URL names: ``s3://``, ``gs://``, ``abfs://``, ``az://``, or what else fsspec knows.

    The keys are those of the environment, as the store's own tools take them. ``az://`` goes through pyarrow where
    `AZURE_STORAGE_ACCOUNT_NAME` is set, as its URLs do not name the account.

    Raises:
        UsageError: the URL names no folder, or what it takes to read its kind is not installed.
        OSError: the store cannot be reached.
    """
    filesystem, root = _resolved(url)
    if not root.strip("/"):
        raise UsageError(
            f"{url} names no place for a dataset: expected a bucket and a folder, as in s3://bucket/folder"
        )
    return ArrowStore(filesystem, root)


def _resolved(url: str) -> tuple[Any, str]:
    parts = urlsplit(url)
    if parts.scheme == "az" and (account := os.environ.get("AZURE_STORAGE_ACCOUNT_NAME")):
        key = os.environ.get("AZURE_STORAGE_ACCOUNT_KEY")
        return pafs.AzureFileSystem(account, account_key=key), f"{parts.netloc}{unquote(parts.path)}"
    try:
        found: tuple[Any, str] = pafs.FileSystem.from_uri(url)
    except pa.ArrowInvalid as error:
        if "Unrecognized filesystem type" not in str(error):
            raise UsageError(f"{url} is no place for a dataset: {error}") from error
        return _of_fsspec(url)
    return found


def _of_fsspec(url: str) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError as error:
        raise UsageError(
            f"{url}: pyarrow reads no {urlsplit(url).scheme}:// and fsspec is not installed: "
            "pip install 'runframe[cloud]'"
        ) from error
    try:
        filesystem, root = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise UsageError(f"{url} cannot be opened: {error}") from error
    return pafs.PyFileSystem(pafs.FSSpecHandler(filesystem)), str(root)
