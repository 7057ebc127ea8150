"""The Parquet files that a server made of a run's history, as they are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runframe.errors import Error, IncompleteRunHistoryError, RunNotFoundError

if TYPE_CHECKING:
    from runframe.resources.history.pages import RunHistory


@dataclass(frozen=True)
class DownloadHistoryResult:
    """What was fetched.

    Attributes:
        paths: the files, in the order of the server.
        contains_live_data: whether the history has rows that are in none of the files.
        errors: the message of each file that could not be fetched.
    """

    paths: list[Path]
    contains_live_data: bool
    errors: dict[Path, str] | None = None


def download_exports(history: RunHistory, folder: Path, *, complete: bool) -> DownloadHistoryResult:
    """Fetches all exported files of a history into a folder, which is made where it is missing.

    Raises:
        IncompleteRunHistoryError: with `complete`: the files do not hold all rows; nothing is fetched then.
        NotFoundError: the run isn't there.
        CommError: the server could not be asked.
    """
    variables = {"entity": history.entity, "project": history.project, "runName": history.run_id, "liveKeys": ["_step"]}
    data = history.client.query("history", "RunParquetHistory", variables)
    run = (data.get("project") or {}).get("run")
    if run is None:
        raise RunNotFoundError(f"Could not find run {history.path}", path=history.path)
    exported = run.get("parquetHistory") or {}
    live = bool(exported.get("liveData"))
    if live and complete:
        raise IncompleteRunHistoryError(
            f"the exported files of {history.path} do not hold its whole history; require_complete_history=False "
            "fetches what is there, scan_history() and history_batches() read all of it",
            path=history.path,
        )
    folder.mkdir(parents=True, exist_ok=True)
    stem = "_".join(part.replace(os.sep, "_") for part in (history.entity, history.project, history.run_id))
    paths, errors = [], {}
    for number, url in enumerate(exported.get("parquetUrls") or []):
        target = folder / f"{stem}_{number}.runhistory.parquet"
        try:
            paths.append(history.client.download(url, target))
        except (Error, OSError) as error:
            errors[target] = str(error)
    return DownloadHistoryResult(paths, live, errors)
