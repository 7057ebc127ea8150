"""Finding logs on disk."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from runframe.errors import UsageError
from runframe.offline.files import FILES_FOLDER

SUFFIX: Final = ".wandb"


def find_logs(paths: Iterable[Path | str]) -> list[Path]:
    """Every log at or below the paths.

    A path may be a log, a run's folder (``offline-run-…``, ``run-…``), a ``wandb`` folder or any folder above.
    Folders are searched without following links, so ``latest-run`` gives nothing twice; the ``files`` folder of a run
    holds the user's files and is passed over.

    Returns:
        The logs, each once, sorted by path: run folders carry their start time, so runs of one folder are in the
        order in which they ran.

    Raises:
        UsageError: a path does not exist, or there is no log at or below it.
    """
    found: dict[Path, Path] = {}
    for path in map(Path, paths):
        logs = [path] if path.is_file() else _logs_below(path)
        if not logs:
            what = "there is no .wandb log in it" if path.exists() else "it does not exist"
            raise UsageError(
                f"{path}: {what}; expected a .wandb log, a run's folder, or a folder that holds some.", path=str(path)
            )
        for log in logs:
            found.setdefault(log.resolve(), log)
    return sorted(found.values())


def _logs_below(root: Path) -> list[Path]:
    logs = []
    for folder, folders, names in os.walk(root):
        here = [Path(folder) / name for name in names if name.endswith(SUFFIX)]
        logs += [log for log in here if log.is_file() and not log.is_symlink()]
        if here and FILES_FOLDER in folders:
            folders.remove(FILES_FOLDER)
    return logs
