"""The official client and ours on one server, over what the official packages wrote: both read alike."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sweep_store import leaf, make_report, old_section

import runframe
from runframe.server import open_local
from runframe.testing import Server, serving

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.slow,
    # The official package's own modules warn while they are imported and used.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:sweep .* has no metric"),
]

SWEEP = [
    "id", "name", "display_name", "state", "method", "description", "best_loss", "bestLoss", "run_count",
    "expected_run_count", "created_at", "updated_at", "order", "config", "path", "url", "entity", "project", "username",
]  # fmt: skip
AGENT = ["id", "name", "host", "state", "total_runs", "created_at", "heartbeat_at"]
REPORT = [
    "id", "name", "display_name", "displayName", "description", "user", "created_at", "updated_at", "spec", "url",
    "entity", "project",
]  # fmt: skip
KINDS = ("CommError", "ValueError", "KeyError", "TypeError", "AttributeError", "Error")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose sweeps and reports the official packages made, and one report of the older form."""
    root = tmp_path_factory.mktemp("sdk")
    program = Path(__file__).with_name("writing_sweeps.py")
    with open_local(root / "store") as local, serving(local, root / "home") as server:
        command = [sys.executable, str(program)]
        subprocess.run(command, env=server.environment, cwd=root, check=True, timeout=240)
        with runframe.Api({"base_url": server.url}, api_key=server.api_key) as api:
            some = [run.id for run in api.runs("par")][1:4]
            wide = old_section([], leaves=[leaf("summary", "loss", "<", 1), leaf("config", "", "=", 1)])
            make_report(api, "Old", {"panelGroups": [old_section(some), wide]}, project="par")
        yield server


@pytest.fixture
def official(server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    server.use(monkeypatch)
    import wandb

    return wandb.Api(timeout=60)


@pytest.fixture
def ours(server: Server) -> Iterator[runframe.Api]:
    with runframe.Api({"base_url": server.url}, api_key=server.api_key) as api:
        yield api


def facts(item: Any, names: list[str]) -> dict[str, Any]:
    return {name: getattr(item, name) for name in names}


def kinds(call: Callable[[], Any]) -> set[str]:
    """Which of the kinds of errors that people catch a call raises."""
    try:
        call()
    except Exception as error:
        return {kind.__name__ for kind in type(error).__mro__} & set(KINDS)
    raise AssertionError("nothing was raised")


def ids(runs: Any) -> list[str]:
    return [run.id for run in runs]


def test_sweeps_have_the_same_facts(official: Any, ours: runframe.Api) -> None:
    theirs = list(official.project("par").sweeps())
    assert [sweep.method for sweep in theirs] == ["random", "bayes", "grid"]
    listed = ours.project("par").sweeps(per_page=2)
    assert [repr(sweep) for sweep in listed] == [repr(sweep) for sweep in theirs]
    for sweep, own in zip(theirs, listed, strict=True):
        named = ours.sweep(f"par/{sweep.id}")
        assert facts(own, SWEEP) == facts(named, SWEEP) == facts(sweep, SWEEP)
        assert own.load() == named.load() and named.load().items() <= sweep.load().items()
        for shown in ({}, {"height": 7}):
            assert own.to_html(**shown) == sweep.to_html(**shown)
        assert own._repr_html_() == sweep._repr_html_()
        assert own.display() is sweep.display() is False


def test_sweeps_have_the_same_runs(official: Any, ours: runframe.Api) -> None:
    for sweep in official.project("par").sweeps():
        own = ours.sweep(f"par/{sweep.id}")
        assert ids(own.runs) == ids(sweep.runs)
        for name in ("per_page", "order", "filters", "entity", "project"):
            assert getattr(own.runs, name) == getattr(sweep.runs, name)
        assert len(own.runs) == len(sweep.runs) == own.run_count
        assert [run.config for run in own.runs] == [run.config for run in sweep.runs]


@pytest.mark.parametrize(
    "order", [None, "loss", "+loss", "-val.acc", "+config.lr.value", "config.lr", "summary_metrics.loss", "+createdAt"]
)
def test_the_best_runs_are_the_same(official: Any, ours: runframe.Api, order: str | None) -> None:
    for sweep in official.project("par").sweeps(filters={"method": {"$ne": "random"}}):
        found, own = sweep.best_run(order), ours.sweep(f"par/{sweep.id}").best_run(order)
        assert own is not None
        assert (own.id, own.summary["loss"]) == (found.id, found.summary["loss"])
    [empty] = official.project("par").sweeps(filters={"method": "random"})
    assert empty.best_run(order) is None
    assert ours.sweep(f"par/{empty.id}").best_run(order) is None


def test_agents_are_the_same(official: Any, ours: runframe.Api) -> None:
    for sweep in official.project("par").sweeps():
        own = ours.sweep(f"par/{sweep.id}")
        agents = sweep.agents()
        assert [facts(agent, AGENT) for agent in own.agents()] == [facts(agent, AGENT) for agent in agents]
        for agent, mine in zip(agents, own.agents(), strict=True):
            assert repr(mine) == repr(agent) == repr(own.agent(agent.name))
            assert ids(mine.runs(per_page=1)) == ids(agent.runs(per_page=1))
            assert (len(mine.runs()), repr(mine.runs())) == (len(agent.runs()), repr(agent.runs()))


@pytest.mark.parametrize("include_sweeps", [True, False])
def test_runs_know_the_same_sweep(official: Any, ours: runframe.Api, include_sweeps: bool) -> None:
    theirs = official.runs("local/par", include_sweeps=include_sweeps)
    own = ours.runs("local/par", include_sweeps=include_sweeps)
    assert ids(own) == ids(theirs)
    for run, mine in zip(theirs, own, strict=True):
        assert repr(mine.sweep) == repr(run.sweep)
        if run.sweep is not None:
            assert facts(mine.sweep, SWEEP) == facts(run.sweep, SWEEP)
            assert ids(mine.sweep.runs) == ids(run.sweep.runs)  # type: ignore[union-attr]
        one = official.run(f"local/par/{run.id}")
        assert repr(ours.run(f"local/par/{run.id}").sweep) == repr(one.sweep)


def test_listings_page_alike(official: Any, ours: runframe.Api) -> None:
    for per_page in (1, 2, 50):
        pairs = [
            (official.project("par").sweeps(per_page), ours.project("par").sweeps(per_page)),
            (type(official)(timeout=60).reports("par", per_page=per_page), reports(ours, per_page)),
        ]
        for theirs, own in pairs:
            assert (own.more, own.cursor, own.index) == (theirs.more, theirs.cursor, theirs.index)
            assert (len(own), repr(own), bool(own)) == (len(theirs), repr(theirs), bool(theirs))
            assert (own.more, own.index, len(own.objects)) == (theirs.more, theirs.index, len(theirs.objects))
            assert next(own).id == next(theirs).id
            assert [item.id for item in own] == [item.id for item in theirs]
            assert (own.more, own.index) == (theirs.more, theirs.index)
            assert own[1].id == theirs[1].id
            assert [item.id for item in own[:2]] == [item.id for item in theirs[:2]]
            assert len(own) == len(theirs)


def reports(api: runframe.Api, per_page: int) -> runframe.Reports:
    return runframe.Reports(api.client, api.project("par"), per_page=per_page)


def test_filtered_sweeps_are_the_same(official: Any, ours: runframe.Api) -> None:
    for filters in ({"method": "grid"}, {"$or": [{"state": "FINISHED"}, {"method": "random"}]}, {"name": "none"}):
        theirs, own = (api.project("par").sweeps(filters=filters) for api in (official, ours))
        assert ids(own) == ids(theirs)


def test_reports_have_the_same_facts(official: Any, ours: runframe.Api) -> None:
    theirs = list(official.reports("local/par"))
    assert len(theirs) == 4
    for report, own in zip(theirs, ours.reports("local/par"), strict=True):
        assert facts(own, REPORT) == facts(report, REPORT)
        assert own.to_html() == report.to_html() == own._repr_html_()
        assert own.to_html(300) == report.to_html(300)
        [named] = ours.reports("par", name=report.name)
        assert facts(named, REPORT) == facts(report, REPORT)
        path = f"local/par/reports/{own.url.rpartition('/')[2]}"  # type: ignore[union-attr]
        assert facts(ours.from_path(path), REPORT) == facts(official.from_path(path), REPORT)


def test_sections_give_the_same_runs(official: Any, ours: runframe.Api) -> None:
    [theirs] = [report for report in official.reports("par") if report.display_name == "Old"]
    [own] = [report for report in ours.reports("par") if report.display_name == "Old"]
    assert own.sections == theirs.sections
    for number in range(2):
        for only_selected in (True, False):
            found = theirs.runs(theirs.sections[number], 1, only_selected)
            mine = own.runs(own.sections[number], 1, only_selected)
            for name in ("filters", "order", "per_page", "entity", "project"):
                assert getattr(mine, name) == getattr(found, name)
            assert ids(mine) == ids(found)


def test_panel_grids_of_newer_reports_give_runs(ours: runframe.Api) -> None:
    report = ours.reports("par")[1]
    [grid] = report.panel_grids
    found = {run.id for run in report.runs(grid)}
    assert found == {run.id for run in ours.runs("par") if run.config.get("lr", 0) >= 0.15}
    assert [run.summary["loss"] for run in report.runs(grid)] == sorted(
        run.summary["loss"] for run in ours.runs("par") if run.id in found
    )


CALLS: dict[str, Callable[[Any], Any]] = {
    "a missing sweep": lambda api: api.sweep("par/none"),
    "a sweep of a missing project": lambda api: api.sweep("nowhere/none"),
    "a malformed path": lambda api: api.sweep("a/b/c/d"),
    "no path": lambda api: api.sweep(),
    "a sweep from its path": lambda api: api.from_path("local/par/sweeps/none"),
    "a path of nothing": lambda api: api.from_path("a/b/other/c"),
    "too long a path": lambda api: api.from_path("a/b/reports/c/d"),
    "sweeps of a missing project": lambda api: list(api.project("nowhere").sweeps()),
    "their number": lambda api: len(api.project("nowhere").sweeps()),
    "a sweep beyond the last": lambda api: api.project("par").sweeps()[3],
    "a filter that has no JSON": lambda api: api.project("par").sweeps(filters={"a": {1}}),
    "reports of a missing project": lambda api: list(api.reports("nowhere")),
    "their count": lambda api: len(api.reports("nowhere")),
    "a path of no project": lambda api: api.reports("a/b/c"),
    "no project": lambda api: api.reports(),
    "a missing field": lambda api: api.project("par").sweeps()[0].nonsense,
    "sections of a newer report": lambda api: (
        next(each for each in api.reports("par") if each.display_name == "Second").sections
    ),
    "no section": lambda api: api.reports("par")[0].runs({}),
    "an agent that isn't there": lambda api: api.project("par").sweeps()[0].agent("none"),
}


@pytest.mark.parametrize("name", CALLS)
def test_errors_are_alike_in_kind(official: Any, ours: runframe.Api, name: str) -> None:
    theirs = kinds(lambda: CALLS[name](official))
    assert kinds(lambda: CALLS[name](ours)) >= theirs


NAMES = st.sampled_from(["", "a", "a.b", "config.x", "name"])
SECTIONS = st.sampled_from(["run", "config", "summary", "keys_info", "tags"])
KEYS = st.fixed_dictionaries({"section": SECTIONS, "name": NAMES})
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
OPERATORS = st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "IN", "NIN", "REGEX"])
LEAVES = st.fixed_dictionaries(
    {"key": KEYS, "op": OPERATORS, "value": VALUES}, optional={"disabled": st.none() | st.booleans()}
)
FILTERS = st.recursive(
    LEAVES,
    lambda parts: st.fixed_dictionaries({"op": st.sampled_from(["AND", "OR"]), "filters": st.lists(parts, max_size=3)}),
    max_leaves=6,
)


@given(FILTERS)
def test_filters_are_translated_alike(filter: dict[str, Any]) -> None:
    from wandb.apis.public import QueryGenerator

    theirs, own = QueryGenerator(), runframe.QueryGenerator()
    mongo = theirs.filter_to_mongo(filter)
    assert own.filter_to_mongo(filter) == mongo
    if mongo is not None:
        assert own.mongo_to_filter(mongo) == theirs.mongo_to_filter(mongo)


@given(st.lists(st.fixed_dictionaries({"key": KEYS}, optional={"ascending": st.booleans()}), max_size=3))
def test_orders_are_translated_alike(keys: list[Any]) -> None:
    from wandb.apis.public import QueryGenerator

    theirs, own = QueryGenerator(), runframe.QueryGenerator()
    orders = theirs.keys_to_order({"keys": keys})
    assert own.keys_to_order({"keys": keys}) == orders
    assert own.order_to_keys(orders) == theirs.order_to_keys(orders)
    for order in orders:
        for path in (order, order[1:]):
            assert own.format_order_key(path) == theirs.format_order_key(path)
            assert own.server_path_to_key(path) == theirs.server_path_to_key(path)
