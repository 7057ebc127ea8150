"""Bringing the catalog up to date: which runs there are, and which of them have changed.

The first time all runs are listed. Later only those are that gave a sign since (less an overlap, as clocks differ and
answers cross), that were made since, or that were still being written. Then the server's count is held against ours;
where they differ, runs were deleted, or came in with times of long ago (as offline runs do): a light listing of all
runs tells which.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from runframe.errors import CommError
from runframe.export.source import Source
from runframe.export.state import Catalog
from runframe.export.state.catalog import stamp_of
from runframe.resources.history.pages import LIVE_STATES

NAMES_AT_ONCE = 200
"""How many runs are asked for by name in one request."""


@dataclass
class Refreshed:
    """What a listing brought.

    Attributes:
        listed: how many runs came with all their fields.
        changed: how many of them are new, or differ from what was known.
        deleted: the ids of the runs that are gone.
        counted: how many runs the server counted.
    """

    listed: int = 0
    changed: int = 0
    deleted: tuple[str, ...] = ()
    counted: int | None = None


def refresh(
    source: Source, catalog: Catalog, overlap: timedelta, *, counted: int | None, compare_all: bool = False
) -> Refreshed:
    """Brings the catalog up to what the server has.

    Args:
        source: the project.
        catalog: what is known.
        overlap: how far back before the last sign of any run is looked for changes.
        counted: how many runs the server counts.
        compare_all: list every run again, instead of trusting the times.

    Raises:
        CommError: the server refused, could not be reached, or counts runs that it doesn't list.
    """
    found = Refreshed(counted=counted)
    wanted = None if compare_all else changed_since(catalog, overlap)
    if wanted is None:
        _take(source, catalog, None, found)
    else:
        waiting = set(catalog.live_names())
        for nodes in _take_pages(source, catalog, wanted, found):
            waiting.difference_update(node["name"] for node in nodes)
        # A run that fell silent is not among those that gave a sign.
        _take_named(source, catalog, sorted(waiting), found)
    if compare_all or (found.counted is not None and catalog.count() != found.counted):
        _compare(source, catalog, found)
    if found.counted is not None and catalog.count() < found.counted:
        raise CommError(
            f"the server counts {found.counted:,} runs in {source.path} and listed {catalog.count():,}: runs were "
            "probably deleted while they were being listed; try again",
            path=source.path,
        )
    return found


def changed_since(catalog: Catalog, overlap: timedelta) -> dict[str, Any] | None:
    """The filter of the runs that may have changed since the catalog was last brought up; None where it is empty."""
    made, signed = catalog.newest()
    if made is None or signed is None:
        return None
    return {
        "$or": [
            {"heartbeat_at": {"$gte": _text(signed - overlap)}},
            {"created_at": {"$gte": _text(made - overlap)}},
            {"state": {"$in": sorted(LIVE_STATES)}},
        ]
    }


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _take(source: Source, catalog: Catalog, narrowed: Mapping[str, Any] | None, found: Refreshed) -> None:
    for _ in _take_pages(source, catalog, narrowed, found):
        pass


def _take_pages(
    source: Source, catalog: Catalog, narrowed: Mapping[str, Any] | None, found: Refreshed
) -> Iterator[list[dict[str, Any]]]:
    pages = source.runs(narrowed)
    try:
        for page in pages:
            found.listed += len(page.nodes)
            found.changed += catalog.put_runs(page.nodes)
            if narrowed is None and page.total is not None:
                found.counted = page.total
            yield page.nodes
    finally:
        pages.close()


def _take_named(source: Source, catalog: Catalog, names: Sequence[str], found: Refreshed) -> None:
    for some in _in_lots(names, NAMES_AT_ONCE):
        _take(source, catalog, {"name": {"$in": some}}, found)


def _compare(source: Source, catalog: Catalog, found: Refreshed) -> None:
    """Holds every run that the server has against the catalog."""
    known = catalog.stamps()
    wanted: list[str] = []
    pages = source.stamps()
    try:
        for page in pages:
            for node in page.nodes:
                if known.pop(node["id"], None) != stamp_of(node):
                    wanted.append(node["name"])
            if page.total is not None:
                found.counted = page.total
    finally:
        pages.close()
    _take_named(source, catalog, wanted, found)
    # A page may have shifted under us: only a run that is not found by its name either is gone.
    for some in _in_lots(sorted(known), NAMES_AT_ONCE):
        found.deleted += tuple(_gone(source, catalog, some))


def _gone(source: Source, catalog: Catalog, storage_ids: Sequence[str]) -> list[str]:
    """Runs that the listing lacks: those that the server has no more are marked; returns the ids of these.

    One that only matches the filter no more leaves the dataset.
    """
    by_name = {"name": {"$in": sorted(catalog.names(storage_ids).values())}}
    there = {node["id"] for page in source.runs(by_name) for node in page.nodes}
    elsewhere = {node["id"] for page in source.unfiltered().runs(by_name) for node in page.nodes}
    gone = [each for each in storage_ids if each not in there]
    catalog.forget(each for each in gone if each in elsewhere)
    return catalog.delete([each for each in gone if each not in elsewhere], datetime.now(UTC))


def _in_lots(values: Iterable[str], size: int) -> Iterator[list[str]]:
    iterator = iter(values)
    while lot := list(islice(iterator, size)):
        yield lot
