"""Where a draft keeps its files until it is saved.

A file added as ``mutable`` may change before the draft is saved, so a copy of it is kept; files made with `new_file`
and serialised objects live there too. Everything goes when the draft is saved or forgotten.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import weakref
from itertools import count
from pathlib import Path

from runframe.cache import copy_file, data_folder
from runframe.resources.artifacts.digests import from_hex, hash_of


class Staging:
    """A folder of one draft's own, made when it is first needed."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._finalizer: weakref.finalize[[str], Staging] | None = None

    @property
    def folder(self) -> Path:
        """The folder."""
        with self._lock:
            if self._folder is None:
                parent = data_folder() / "artifacts" / "staging"
                parent.mkdir(parents=True, exist_ok=True)
                self._folder = Path(tempfile.mkdtemp(prefix="draft-", dir=parent))
                self._finalizer = weakref.finalize(self, shutil.rmtree, str(self._folder), ignore_errors=True)
            return self._folder

    def new_path(self, name: str = "file") -> Path:
        """A path in the folder that nothing else has; the last part of the name is kept."""
        return self.folder / str(next(self._numbers)) / (name.rpartition("/")[2] or "file")

    def keep(self, source: Path) -> tuple[Path, str]:
        """A copy of a file, which can only be read, and the copy's digest in base64.

        Raises:
            OSError: it can't be copied.
        """
        target = self.new_path(source.name)
        digest = copy_file(source, target, hash_of(None))
        assert digest is not None
        target.chmod(0o400)
        return target, from_hex(digest.hex())

    def __deepcopy__(self, memo: dict[int, object]) -> Staging:
        # A copy of a draft has the same files.
        return self

    def __reduce__(self) -> tuple[type[Staging], tuple[()]]:
        return Staging, ()

    def clear(self) -> None:
        """Removes everything."""
        if self._finalizer is not None:
            self._finalizer()
        self._folder, self._finalizer = None, None
