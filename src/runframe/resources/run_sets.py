"""The runs that a part of a report shows.

A section (in newer documents a panel grid) has sets of runs; a set says which runs, in which order, and which of them
are selected. Older documents nest filters in groups; newer ones (`filterV2`) list them one after the other with `AND`
and `OR` between them, of which `AND` binds tighter. Older documents list the runs that are selected; newer ones also
know "all but these" (`root` is 1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runframe.resources.query_generator import QueryError, QueryGenerator

GENERATOR = QueryGenerator()


@dataclass(frozen=True)
class RunSet:
    """What one set of runs asks for.

    Attributes:
        entity, project: where its runs are; None for where the report is.
        order: a key with its sign.
        filters: a MongoDB-style filter.
    """

    entity: str | None
    project: str | None
    order: str
    filters: dict[str, Any]


def read_run_set(section: Mapping[str, Any], *, only_selected: bool) -> RunSet:
    """The set of runs that a section has open.

    Raises:
        QueryError: (also a KeyError) the section has no such set, or one of an unknown form.
    """
    try:
        run_set = section["runSets"][section.get("openRunSet", 0)]
        project = run_set.get("project") or {}
        filters = _filters(run_set["filters"])
        if only_selected:
            filters = _narrowed(filters, _selection(run_set["selections"], _is_flat(run_set["filters"])))
        return RunSet(project.get("entityName"), project.get("name"), _order(run_set["sort"]), filters)
    except QueryError:
        raise
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise QueryError(
            f"this is no section of a report with sets of runs ({type(error).__name__}: {error}); "
            "take one from report.sections or report.panel_grids"
        ) from error


def _order(sort: Mapping[str, Any]) -> str:
    first = sort["keys"][0] if "keys" in sort else sort
    return GENERATOR.keys_to_order({"keys": [first]})[0]


def _is_flat(filters: Mapping[str, Any]) -> bool:
    return filters.get("filterFormat") == "filterV2"


def _filters(filters: Mapping[str, Any]) -> dict[str, Any]:
    if _is_flat(filters):
        return _chain(filters["filters"])
    return GENERATOR.filter_to_mongo(filters) or {}


def _chain(items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A list with `AND` and `OR` between its items: alternatives of what must hold together."""
    alternatives: list[list[Any]] = [[]]
    for item in items:
        part = _chain(item["filters"]) or None if "filters" in item else GENERATOR.filter_to_mongo(item)
        if item.get("connector") == "OR":
            alternatives.append([])
        if part is not None:
            alternatives[-1].append(part)
    kept = [{"$and": parts} for parts in alternatives if parts]
    return {"$or": kept} if kept else {}


def _selection(selections: Mapping[str, Any], all_but: bool) -> dict[str, Any] | None:
    """The filter of the runs that are selected; None where all are."""
    tree = list(selections["tree"])
    if all_but and selections.get("root") == 1:
        return {"name": {"$nin": tree}} if tree else None
    return {"name": {"$in": tree}}


def _narrowed(filters: dict[str, Any], selected: dict[str, Any] | None) -> dict[str, Any]:
    """A filter and the selection: within each alternative, as the official client has it."""
    if selected is None or not filters:
        return selected or filters
    alternatives = filters.get("$or") or [{}]
    if all(isinstance(each, dict) and set(each) == {"$and"} for each in alternatives):
        return {"$or": [{"$and": [*each["$and"], selected]} for each in alternatives]}
    return {"$and": [filters, selected]}
