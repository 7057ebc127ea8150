"""The folder in which an export keeps what it has fetched: `_runframe/` inside the dataset."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from runframe.errors import UsageError
from runframe.export.state.catalog import Catalog, PartRecord
from runframe.export.state.parts import FOLDER, read_part

STATE = "_runframe"
"""Readers of datasets pass over folders whose names begin with an underscore."""

CATALOG = "state.sqlite"
_LOCK = "lock"
_NEW = "new"


class State:
    """What an export knows already.

    Args:
        folder: `_runframe/` of the dataset.

    Attributes:
        folder: as given.
        catalog: the runs and the parts.
        resumed: whether there was something from an earlier start.
    """

    def __init__(self, folder: Path, catalog: Catalog, *, resumed: bool) -> None:
        self.folder = folder
        self.catalog = catalog
        self.resumed = resumed

    @property
    def parts(self) -> Path:
        """The folder of the parts."""
        return self.folder / FOLDER

    @property
    def contents(self) -> Path:
        """The folder of the contents of files."""
        return self.folder / "contents"

    def new_folder(self) -> Path:
        """An empty folder in which the next dataset is built."""
        folder = self.folder / _NEW
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def read(self, part: PartRecord) -> Iterator[Any]:
        """The batches of a part."""
        if part.file is not None:
            yield from read_part(self.parts, part.file)

    def remove(self, file: str | None) -> None:
        """Removes a part's file."""
        if file is not None:
            (self.parts / file).unlink(missing_ok=True)

    @contextmanager
    def put_away(self) -> Iterator[None]:
        """Closes the catalog for the block's time, so that its folder can be renamed."""
        self.catalog.close()
        try:
            yield
        finally:
            self.catalog = Catalog(self.folder / CATALOG)

    def tidy(self) -> None:
        """Forgets parts whose files are not as they were noted, and removes files that no part names."""
        known = set()
        for part in list(self.catalog.parts()):
            if part.file is None:
                continue
            try:
                whole = (self.parts / part.file).stat().st_size == part.bytes
            except OSError:
                whole = False
            if whole:
                known.add(part.file)
            else:
                self.catalog.drop_part(part.storage_id, part.table)
        for path in self.parts.rglob("*"):
            if path.is_file() and path.relative_to(self.parts).as_posix() not in known:
                path.unlink(missing_ok=True)


def has_state(target: Path) -> bool:
    """Whether a folder holds the state of an export."""
    return (target / STATE / CATALOG).is_file()


@contextmanager
def open_state(target: Path) -> Iterator[State]:
    """The state of the dataset in a folder; made where there is none. Only one process has it at a time.

    If the block is left by an exception before any run was listed, what was made is removed again.

    Raises:
        UsageError: another process has it, or it cannot be read.
        OSError: it cannot be made.
    """
    made = [each for each in [target, *target.parents] if not each.exists()]
    resumed = has_state(target)
    folder = target / STATE
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / _LOCK, target):
        state = State(folder, Catalog(folder / CATALOG), resumed=resumed)
        try:
            state.tidy()
            yield state
        except BaseException:
            empty = not resumed and not state.catalog.count()
            state.catalog.close()
            if empty:
                shutil.rmtree(folder, ignore_errors=True)
                for each in made:
                    with suppress(OSError):
                        each.rmdir()
            raise
        state.catalog.close()


@contextmanager
def peek_state(target: Path) -> Iterator[Catalog | None]:
    """The catalog of the dataset in a folder, to read alone; None where there is none."""
    if not has_state(target):
        yield None
        return
    catalog = Catalog(target / STATE / CATALOG, read_only=True)
    try:
        yield catalog
    finally:
        catalog.close()


@contextmanager
def locked(path: Path, target: Path) -> Iterator[None]:
    """Keeps other processes out for the block's time, also when the folder is renamed meanwhile.

    Args:
        path: the file that stands for the lock; made where it is not there.
        target: what the error names.

    Raises:
        UsageError: another process is in.
    """
    with path.open("ab") as file:
        try:
            import fcntl
        except ImportError:  # not on this system: whoever starts two exports into one folder has to know it
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(f"another export is writing to {target}: wait for it, or give another folder") from error
        yield
