"""What an export would fetch: found out with a light listing and a few rows, and without writing anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runframe.export.options import Options
from runframe.export.run_tables import FilesTable
from runframe.export.source import Source
from runframe.export.state import Catalog, peek_state
from runframe.export.state.catalog import stamp_of
from runframe.export.target import check_target
from runframe.resources.history.pages import LIVE_STATES

SAMPLED_RUNS = 3
SAMPLED_STEPS = 200


@dataclass(frozen=True)
class ExportPlan:
    """What an export would fetch.

    Attributes:
        path: `entity/project`.
        target: the dataset's folder.
        runs: how many runs the server has.
        fetch: of how many of them something would be fetched.
        rows: how many rows of history these have, as the server counts them.
        bytes: about how many bytes of JSON these rows are, from a sample of them.
        deleted: how many runs of the dataset the server has no more.
        tables: the tables that would be written.
    """

    path: str
    target: str
    runs: int
    fetch: int
    rows: int
    bytes: int
    deleted: int
    tables: tuple[str, ...]


@dataclass
class _Found:
    runs: int = 0
    names: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)


def plan_dataset(source: Source, to: str | Path, options: Options) -> ExportPlan:
    """What bringing the dataset in a folder up to date would fetch; nothing is written.

    Raises:
        UsageError: the folder holds something else.
        NotFoundError: there is no such project.
        CommError: the server refused, or could not be reached.
    """
    target = Path(to).resolve()
    check_target(target, source.path)
    source.count()  # to say that there is no such project before anything else
    with peek_state(target) as catalog:
        asked = {"history": "", "system": "", "console": "", "files": FilesTable(options.files).asked}
        found = _look(source, catalog, {name: asked[name] for name in options.tables if name in asked})
        deleted = 0 if catalog is None else len(catalog.stamps().keys() - found.seen)
    rows = sum(found.rows.values()) if "history" in options.tables else 0
    size = round(rows * _row_bytes(source, found.rows)) if rows else 0
    return ExportPlan(source.path, str(to), found.runs, len(found.names), rows, size, deleted, options.tables)


def _look(source: Source, catalog: Catalog | None, tables: dict[str, str]) -> _Found:
    found = _Found()
    current: dict[str, dict[str, str]] = {}
    if catalog is not None:
        for part in catalog.parts():
            if part.problem is None:
                current.setdefault(part.storage_id, {})[part.table] = part.stamp
    for page in source.stamps():
        for node in page.nodes:
            found.runs += 1
            found.seen.add(node["id"])
            if _is_current(node, current.get(node["id"], {}), tables):
                continue
            found.names.append(node["name"])
            found.rows[node["name"]] = int(node.get("historyLineCount") or 0)
    return found


def _is_current(node: dict[str, Any], parts: dict[str, str], tables: dict[str, str]) -> bool:
    stamp = stamp_of(node)
    return node.get("state") not in LIVE_STATES and all(
        parts.get(table) == stamp + asked for table, asked in tables.items()
    )


def _row_bytes(source: Source, rows: dict[str, int]) -> float:
    """How long a row of history is on average, from the first rows of the longest histories."""
    count = size = 0
    for name in sorted(rows, key=lambda each: -rows[each])[:SAMPLED_RUNS]:
        for page in source.history(name).texts(0, SAMPLED_STEPS):
            count += len(page.texts)
            size += sum(len(text.encode("utf-8", "surrogatepass")) for text in page.texts)
    return size / count if count else 0.0
