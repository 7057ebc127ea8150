"""Sweeps and their agents: what the official SDK's agents worked off, and a sweep that is given runs by hand."""

from __future__ import annotations

from typing import Any

from case import Cases, Read
from cases_listings import ids

ORDERS = [None, "loss", "+loss", "-val.acc", "+config.lr.value", "config.lr", "summary_metrics.loss", "+createdAt"]


def sweep(api: Any, method: str = "grid") -> Any:
    """The sweep of the project that has this method, by its path."""
    [found] = [each for each in api.project("par").sweeps() if each.method == method]
    return api.sweep(f"par/{found.id}")


def sweeps(api: Any, **options: Any) -> Any:
    return api.project("par").sweeps(**options)


def best(found: Any, order: str | None) -> Any:
    run = found.best_run(order)
    return None if run is None else [run.id, run.summary["loss"]]


def agents(api: Any) -> list[Any]:
    found = sweep(api)
    return [[agent, ids(agent.runs(per_page=1)), len(agent.runs()), repr(agent.runs())] for agent in found.agents()]


CASES: Cases = {
    "Api.sweep": {
        **{method: Read(lambda api, method=method: sweep(api, method)) for method in ("grid", "bayes", "random")},
        "with its entity": Read(lambda api: api.sweep(f"local/par/{sweep(api).id}").id),
        "with its kind": Read(lambda api: api.sweep(f"/local/par/sweeps/{sweep(api).id}/").id),
        "the same object": Read(lambda api: sweep(api) is sweep(api)),
        "that is not there": Read(lambda api: api.sweep("par/none")),
        "of no project": Read(lambda api: api.sweep("none/none")),
        "no path": Read(lambda api: api.sweep()),
        "a path that is none": Read(lambda api: api.sweep("a/b/c/d")),
        "None": Read(lambda api: api.sweep(None)),
    },
    "Api.from_path": {"of a sweep": Read(lambda api: api.from_path(f"local/par/sweeps/{sweep(api).id}"))},
    "Run.sweep": {
        "of runs": Read(lambda api: [repr(run.sweep) for run in api.runs("par")]),
        "of runs with theirs": Read(lambda api: [repr(run.sweep) for run in api.runs("par", include_sweeps=True)]),
        "of a run": Read(lambda api: api.run(f"par/{sweep(api).runs[0].id}").sweep.config),
        "of a run without": Read(lambda api: api.run("lab/run-0").sweep),
    },
    "Sweep.runs": {
        "of each": Read(lambda api: [sweep(api, method).runs for method in ("grid", "bayes", "random")]),
        "their number": Read(lambda api: [len(sweep(api, method).runs) for method in ("grid", "bayes", "random")]),
    },
    "Sweep.best_run": {
        str(order): Read(lambda api, order=order: [best(sweep(api, method), order) for method in ("grid", "bayes")])
        for order in ORDERS
    }
    | {"of none": Read(lambda api: sweep(api, "random").best_run())},
    "Sweep.load": {
        "what it gives": Read(lambda api: [sweep(api).load()["state"], sweep(api).load(force=True)["method"]]),
    },
    "Sweep.to_html": {
        "as it is": Read(lambda api: sweep(api).to_html()),
        "of a height": Read(lambda api: sweep(api).to_html(height=100)),
        "hidden": Read(lambda api: sweep(api).to_html(100, True)),
    },
    "Sweep.agents": {"and their runs": Read(agents)},
    "Sweep.agent": {
        "by name and id": Read(
            lambda api: [(found := sweep(api)).agent((agent := found.agents()[0]).name).id == agent.id, agent.name]
        ),
        "that is not there": Read(lambda api: sweep(api).agent("none")),
    },
    "Project.sweeps": {
        "all": Read(sweeps),
        "that match": Read(lambda api: ids(sweeps(api, filters={"method": {"$ne": "random"}}))),
        "that match none": Read(lambda api: ids(sweeps(api, filters={"name": "none"}))),
        "a filter without a JSON form": Read(lambda api: sweeps(api, filters={"a": {1}})),
        "of no project": Read(lambda api: list(api.project("none").sweeps())),
        "how many of no project": Read(lambda api: len(api.project("none").sweeps())),
        "of a project without": Read(lambda api: list(api.project("empty").sweeps())),
    },
    "Sweeps.__len__": {"all": Read(lambda api: [len(sweeps(api)), len(api.project("empty").sweeps())])},
    "Sweeps.__getitem__": {
        "one and some": Read(lambda api: [sweeps(api)[1].id, ids(sweeps(api)[0:2])]),
        "beyond the end": Read(lambda api: sweeps(api)[3]),
    },
    "Sweeps.more": {"before and after": Read(lambda api: [(found := sweeps(api)).more, ids(found), found.more])},
    "Sweeps.cursor": {"before": Read(lambda api: sweeps(api).cursor)},
    "Sweeps.per_page": {"as documented": Read(lambda api: [sweeps(api).per_page, sweeps(api, per_page=7).per_page])},
    "Sweep.created_at": {
        "in both spellings": Read(lambda api: [sweep(api).createdAt, sweep(api).bestLoss, sweep(api).display_name]),
        "a field that there is not": Read(lambda api: sweep(api).nonsense),
    },
}
