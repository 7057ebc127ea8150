"""Files into a run: announced, sent to where the server says, and declared to be there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runframe.errors import CommError

if TYPE_CHECKING:
    from runframe.resources.run import Run


def stored_name(path: Path, root: Path) -> str:
    """The name of a local file among a run's files: its path from `root`, with slashes; a ``..`` in it is ``__``."""
    relative = Path(os.path.relpath(path, root.resolve()))
    return "/".join("_" * len(part) if part in (".", "..") else part for part in relative.parts)


def upload_files(run: Run, files: Mapping[str, Path | bytes]) -> None:
    """Puts files into a run.

    Args:
        run: the run.
        files: the content of each, or where it is, by its name in the run.

    Raises:
        FileNotFoundError, IsADirectoryError: there is nothing to send; nothing was asked of the server then.
        CommError: the server knows no such run, or refused a file.
    """
    for source in files.values():
        if isinstance(source, Path):
            source.open("rb").close()
    place = {"entity": run.entity, "project": run.project, "run": run.id}
    names = list(files)
    made = run.client.query("files", "CreateRunFiles", {**place, "files": names}).get("createRunFiles") or {}
    where = "/".join(place.values())
    if not made.get("runID"):
        raise CommError(
            f"the server takes no files for {where}: is there such a run, and may it be changed?", path=where
        )
    urls = {file["name"]: file.get("uploadUrl") for file in made.get("files") or []}
    for name in names:
        if not urls.get(name):
            raise CommError(f"the server gave no address to upload {name!r} of {where} to", path=where)
        run.client.session.upload(urls[name], files[name], made.get("uploadHeaders") or ())
    if run.client.has_feature("MARK_RUN_FILES_UPLOADED"):
        run.client.query("files", "MarkRunFilesUploaded", {**place, "files": names})
