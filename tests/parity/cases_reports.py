"""Reports: those that wandb-workspaces wrote, and one of the older form."""

from __future__ import annotations

from typing import Any

from case import Cases, Read
from cases_listings import ids


def titled(api: Any, title: str) -> Any:
    return next(report for report in api.reports("par") if report.display_name == title)


def section_runs(api: Any, *options: Any) -> list[Any]:
    """The runs of each section of the older report, and what was asked for."""
    old = titled(api, "Old")
    found = [old.runs(section, *options) for section in old.sections]
    return [[ids(runs), runs.filters, runs.order, runs.per_page, runs.entity, runs.project] for runs in found]


def from_its_path(api: Any, title: str) -> list[Any]:
    report = titled(api, title)
    found = api.from_path(f"local/par/reports/{report.url.rpartition('/')[2]}")
    return [found, found.url, found.spec]


CASES: Cases = {
    "Api.reports": {
        "of a project": Read(lambda api: api.reports("local/par")),
        "of a project of one's own": Read(lambda api: [report.id for report in api.reports("par")]),
        "by name": Read(lambda api: [r.id for r in api.reports("par", name=titled(api, "Second").name)]),
        "by a name that is not there": Read(lambda api: list(api.reports("par", "none"))),
        "by position": Read(lambda api: [report.id for report in api.reports("local/par", None, 1)]),
        "the same object": Read(lambda api: api.reports("par") is api.reports("local/par")),
        "of a project without": Read(lambda api: list(api.reports("empty"))),
        "of no project": Read(lambda api: list(api.reports("none"))),
        "how many of no project": Read(lambda api: len(api.reports("nowhere"))),
        "no path": Read(lambda api: api.reports()),
        "a path that is none": Read(lambda api: api.reports("a/b/c")),
    },
    "Api.from_path": {
        "of a report": Read(lambda api: from_its_path(api, "Second")),
        "of a report with signs": Read(lambda api: from_its_path(api, "A title: 50% — ünï / code")),
        "of a report by its id": Read(lambda api: api.from_path("local/par/reports/Vmlldzox")),
        "of a report in too long a path": Read(lambda api: api.from_path("a/b/reports/c/d")),
    },
    "BetaReport.sections": {
        "of the older form": Read(lambda api: titled(api, "Old").sections),
        "of a newer one": Read(lambda api: titled(api, "Second").sections),
    },
    "BetaReport.runs": {
        "that are selected": Read(section_runs),
        "all of them": Read(lambda api: section_runs(api, 1, False)),
        "of no section": Read(lambda api: titled(api, "Old").runs({})),
    },
    "BetaReport.to_html": {
        "as it is": Read(lambda api: titled(api, "Second").to_html()),
        "of a height": Read(lambda api: titled(api, "Second").to_html(300)),
        "hidden": Read(lambda api: titled(api, "Second").to_html(300, True)),
        "in a notebook": Read(lambda api: titled(api, "Second")._repr_html_()),
    },
    "Reports.__len__": {"all": Read(lambda api: [len(api.reports("par")), len(api.reports("empty"))])},
    "Reports.__getitem__": {
        "one and some": Read(lambda api: [api.reports("par")[0].id, [report.id for report in api.reports("par")[0:2]]]),
        "beyond the end": Read(lambda api: api.reports("par")[9]),
    },
    "Reports.more": {
        "before and after": Read(lambda api: [list(found := api.reports("par", "x")), found.more]),
    },
    "Reports.cursor": {"before": Read(lambda api: api.reports("parity").cursor)},
    "Reports.per_page": {"as documented": Read(lambda api: [api.reports("lab").per_page])},
}
