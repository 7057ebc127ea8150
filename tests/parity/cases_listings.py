"""Runs, many: the listing, its pages, and documents side by side."""

from __future__ import annotations

from typing import Any

from case import Cases, Read


def without_the_sdk(listing: Any) -> Any:
    """Runs without what the SDK notes in the config: in a full listing the official client loses it."""
    for run in listing:
        run.rawconfig.pop("_wandb", None)
    return listing


def ids(runs: Any) -> list[str]:
    return [run.id for run in runs]


def pages(listing: Any) -> list[Any]:
    """How a listing is read, page by page."""
    before = [listing.more, listing.cursor, listing.index, len(listing.objects)]
    first = next(listing)
    after = [listing.more, listing.cursor is None, listing.index, len(listing.objects), first is listing[0]]
    rest = [next(listing).id, listing.next().id, listing.index]
    everything = [ids(listing), listing.more, listing.index, ids(listing.objects), ids(listing) == ids(listing)]
    return [before, after, rest, everything]


def ended(listing: Any) -> Any:
    list(listing)
    return next(listing)


CASES: Cases = {
    "Api.runs": {
        "of a project": Read(lambda api: ids(api.runs("lab"))),
        "their fields": Read(lambda api: api.runs("parity")),
        "their fields, at once": Read(lambda api: api.runs("parity", lazy=False), fit=without_the_sdk),
        "of an entity's project": Read(lambda api: ids(api.runs("local/lab"))),
        "all by position": Read(lambda api: ids(api.runs("lab", {"state": "finished"}, "-created_at", 2, False))),
        "of an empty project": Read(
            lambda api: [len(api.runs("empty")), list(api.runs("empty")), bool(api.runs("empty"))]
        ),
        "of no project": Read(lambda api: list(api.runs("none"))),
        "how many of no project": Read(lambda api: len(api.runs("none"))),
        "of nobody": Read(lambda api: list(api.runs("nobody/lab"))),
        "without a path": Read(lambda api: list(api.runs())),
        "a filter without a JSON form": Read(lambda api: api.runs("lab", {"tags": {1, 2}})),
        "an operator that there is not": Read(lambda api: list(api.runs("lab", {"state": {"$near": 1}}))),
        "a filter that is no mapping": Read(lambda api: list(api.runs("lab", {"$and": 1}))),
        "a pattern that is none": Read(lambda api: list(api.runs("lab", {"name": {"$regex": "("}}))),
        "an order that there is not": Read(lambda api: list(api.runs("lab", order="+nonsense"))),
        "an order without a sign": Read(lambda api: ids(api.runs("lab", order="name"))),
        "an empty order": Read(lambda api: ids(api.runs("lab", order=""))),
        "no order": Read(lambda api: ids(api.runs("lab", order=None))),
        "their sweeps": Read(lambda api: [run.sweep for run in api.runs("lab", include_sweeps=True)]),
        "path": Read(lambda api: ids(api.runs(path="lab", filters={"tags": "x"}, order="+name", per_page=1))),
    },
    "Runs.__len__": {
        "all, some": Read(lambda api: [len(api.runs("lab", per_page=2)), len(api.runs("lab", {"tags": "x"}))])
    },
    "Runs.__getitem__": {
        "one": Read(lambda api: api.runs("parity")[1]),
        "some": Read(lambda api: [ids(api.runs("lab", per_page=2)[1:3]), ids(api.runs("lab", per_page=2)[0:6:2])]),
        "beyond the end": Read(lambda api: api.runs("lab")[7]),
        "some beyond the end": Read(lambda api: ids(api.runs("lab")[5:10])),
        "of none": Read(lambda api: api.runs("empty")[0]),
    },
    "Runs.more": {"in one page": Read(lambda api: [(runs := api.runs("lab")).more, ids(runs), runs.more][::2])},
    "Runs.cursor": {"in pages": Read(lambda api: pages(api.runs("lab", order="+name", per_page=2)))},
    "Runs.per_page": {
        "as documented": Read(
            lambda api: [api.runs("lab").per_page, api.runs("lab", order="+name", per_page=7).per_page]
        )
    },
    "Runs.__iter__": {
        "to the end": Read(lambda api: ended(api.runs("lab"))),
        "as a list of a set": Read(lambda api: sorted({run.id for run in api.runs("lab")})),
        "shown": Read(
            lambda api: [repr(api.runs("lab")), str(api.runs("lab")), [repr(run) for run in api.runs("lab")]]
        ),
    },
    "Runs.filters": {"none": Read(lambda api: api.runs("lab").filters)},
    "Runs.configs": {
        "beside each run's own": Read(
            lambda api: api.runs("lab", order="+name").configs(format="default"),
            theirs=lambda api: [{"run_id": run.id, **run.config} for run in api.runs("lab", order="+name")],
        )
    },
    "Runs.summaries": {
        "beside each run's own": Read(
            lambda api: api.runs("lab", order="+name").summaries(format="default"),
            theirs=lambda api: [{"run_id": run.id, **run.summary_metrics} for run in api.runs("lab", order="+name")],
        )
    },
    "Runs.upgrade_to_full": {
        "of what was read": Read(
            lambda api: [
                runs := api.runs("lab", order="+name"),
                runs[0],
                runs.upgrade_to_full(),
                [run.config for run in runs],
            ][-1]
        )
    },
}
