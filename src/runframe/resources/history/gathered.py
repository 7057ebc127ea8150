"""What the server exported of many runs' histories: asked for many at a time, fetched side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from runframe.errors import Error, RunNotFoundError, ServerError
from runframe.resources.history.exported import STEP, ExportedBatches, Exports, exports_of, find_exports
from runframe.resources.history.pages import RunHistory
from runframe.wire.documents import Document
from runframe.wire.transfer import Download

AT_ONCE = 50
"""Runs that one request asks for, each under a name of its own."""


@dataclass(frozen=True)
class Gathered:
    """What there is of one run's history.

    Attributes:
        history: of which run.
        exports: what the server said.
        files: the files, fetched; None where one could not be: then they are asked for again when they are read.
    """

    history: RunHistory
    exports: Exports
    files: list[Path] | None

    def batches(self) -> ExportedBatches:
        """The rows, from the start."""
        return ExportedBatches(self.history, self.exports, files=self.files)


def gather(histories: Sequence[RunHistory], folder: Path) -> Iterator[Gathered]:
    """Asks what was exported of some histories of one project, and fetches the files.

    Runs that are not there any more are left out.

    Args:
        histories: of one project.
        folder: where the files go.

    Raises:
        CommError: the server refused, or could not be reached.
    """
    found = [each for each in ask(histories) if each[1] is not None]
    wanted = {
        (number, part): Download(url, folder / f"{number}-{part}.parquet")
        for number, (_, exports) in enumerate(found)
        for part, url in enumerate(exports.urls if exports else ())
    }
    fetched: dict[Path, Path | Error] = {}
    if histories:
        for item, result in histories[0].client.session.downloads(wanted.values()):
            fetched[item.target] = result
    for number, (history, exports) in enumerate(found):
        assert exports is not None
        files = [fetched[wanted[number, part].target] for part in range(len(exports.urls))]
        whole = [file for file in files if isinstance(file, Path)]
        yield Gathered(history, exports, whole if len(whole) == len(files) else None)


def ask(histories: Sequence[RunHistory]) -> Iterator[tuple[RunHistory, Exports | None]]:
    """What the server exported of each history: many in one request, or one by one where the server takes no such.

    None stands for a run that isn't there.

    Raises:
        CommError: the server refused, or could not be reached.
    """
    waiting = iter(histories)
    together = True
    while some := list(islice(waiting, AT_ONCE if together else 1)):
        if len(some) > 1:
            try:
                yield from _together(some)
                continue
            except ServerError:
                together = False
        for history in some:
            yield history, _alone(history)


def _alone(history: RunHistory) -> Exports | None:
    try:
        return find_exports(history)
    except RunNotFoundError:
        return None


def _together(histories: Sequence[RunHistory]) -> list[tuple[RunHistory, Exports | None]]:
    names = {f"r{number}": history.run_id for number, history in enumerate(histories)}
    variables = {"entity": histories[0].entity, "project": histories[0].project, "liveKeys": [STEP], **names}
    answer = histories[0].client.session.execute(_document(len(histories)), variables)
    runs: dict[str, Any] = answer.get("project") or {}
    found = [runs.get(f"r{number}") for number in range(len(histories))]
    return [(history, None if run is None else exports_of(run)) for history, run in zip(histories, found, strict=True)]


def _document(count: int) -> Document:
    """The query for so many runs at once."""
    declared = " ".join(f"$r{number}: String!" for number in range(count))
    asked = "parquetHistory(liveKeys: $liveKeys) { parquetUrls liveData }"
    runs = " ".join(
        f"r{number}: run(name: $r{number}) {{ historyKeys historyLineCount {asked} }}" for number in range(count)
    )
    return Document(
        f"query ExportedHistories($project: String!, $entity: String!, $liveKeys: [String!]!, {declared}) "
        f"{{ project(name: $project, entityName: $entity) {{ {runs} }} }}"
    )
