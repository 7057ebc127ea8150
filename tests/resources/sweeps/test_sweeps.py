"""One sweep: its fields, its runs, the best of them, its agents."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import pytest
from sweep_store import GRID, PLAIN, make_sweep

from runframe import Api, CommError, NotFoundError, PathError, Run, Sweep, UnsupportedError
from runframe.resources.agents import AgentRuns, Agents
from runframe.resources.client import Client
from runframe.resources.runs import Runs

if TYPE_CHECKING:
    from conftest import Asked


def test_a_sweep_has_its_fields(api: Api, grid: Sweep) -> None:
    sweep = api.sweep(f"local/p/{grid.id}")
    assert (sweep.name, sweep.display_name, sweep.description) == ("the grid", None, "why")
    assert (sweep.method, sweep.state, sweep.best_loss) == ("grid", "RUNNING", 0.75)
    assert (sweep.run_count, sweep.runCount, sweep.expected_run_count) == (4, 4, 4)
    assert (sweep.entity, sweep.project, sweep.path) == ("local", "p", ["local", "p", sweep.id])
    assert sweep.url == f"{api.client.app_url}local/p/sweeps/{sweep.id}"
    assert repr(sweep) == f"<Sweep local/p/{sweep.id} (RUNNING)>"
    assert sweep.config == GRID
    assert sweep.order == "-summary_metrics.val.acc"
    assert sweep.created_at.startswith("20") and sweep.storage_id
    assert sweep.load()["runCountExpected"] == 4
    assert not hasattr(sweep, "nonsense")


def test_the_config_is_read_anew(grid: Sweep) -> None:
    grid.config["method"] = "bayes"
    assert grid.config["method"] == "grid"


def test_names_come_from_whoever_named_last(api: Api) -> None:
    names = [sweep.name if sweep.name != sweep.id else "its id" for sweep in api.project("p").sweeps()]
    assert names == ["unborn", "its id", "renamed later", "the grid"]


def test_every_form_of_a_path_finds_the_sweep(api: Api, grid: Sweep) -> None:
    for path in (f"p/{grid.id}", f"local/p/sweeps/{grid.id}", f"/local/p/{grid.id}/", f"p:{grid.id}"):
        assert api.sweep(path).id == grid.id
        assert api.sweep(path) is api.sweep(path)
    assert api.from_path(f"local/p/sweeps/{grid.id}") is api.sweep(f"local/p/sweeps/{grid.id}")


def test_a_path_may_leave_out_what_is_set(own: Api) -> None:
    name = make_sweep(own, PLAIN)
    with pytest.raises(PathError, match="the project is missing"):
        own.sweep(name)
    own.settings["project"] = "p"
    assert own.sweep(name).id == name


@pytest.mark.parametrize("path", ["p/none", "nowhere/none", "local/p/sweeps/none"])
def test_a_missing_sweep_says_so(api: Api, path: str) -> None:
    for find in (api.sweep, api.from_path if "/sweeps/" in path else api.sweep):
        with pytest.raises(CommError, match=r"Could not find sweep <Sweep local/\w+/none \(Unknown State\)>") as caught:
            find(path)
        assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("path", ["", "/", "a/b/c/d", "https://wandb.ai/e/p/sweeps/s"])
def test_malformed_paths_are_refused(api: Api, path: str) -> None:
    with pytest.raises(CommError, match="Invalid sweep path") as caught:
        api.sweep(path)
    assert isinstance(caught.value, ValueError)


def test_the_old_name_of_the_entity_warns(grid: Sweep) -> None:
    with pytest.warns(DeprecationWarning, match="entity"):
        assert grid.username == "local"


def test_runs_are_those_of_the_sweep_and_lazy(asked: Asked, client: Client, grid: Sweep) -> None:
    sweep = Sweep(client, "local", "p", grid.id)
    assert asked.counts == {"GetSweep": 1}
    assert isinstance(sweep.runs, Runs)
    assert (sweep.runs.per_page, sweep.runs.order) == (10, "+created_at")
    assert len(sweep.runs) == 4
    assert [run.config["lr"] for run in sweep.runs] == [0.1, 0.2, 0.3, 0.4]
    assert {run.sweep_name for run in sweep.runs} == {grid.id}
    assert asked.counts["Runs"] == 1
    assert sweep.runs.to_polars(columns=["sweep"])["sweep"].to_list() == [grid.id] * 4


def test_loading_again_sees_what_changed(own: Api) -> None:
    name = make_sweep(own, PLAIN)
    sweep = own.sweep(f"p/{name}")
    make_sweep(own, PLAIN, id=sweep.storage_id, displayName="another")
    assert sweep.load()["displayName"] is None
    sweep.load(force=True)
    assert sweep.name == "another"


def test_the_best_run_has_the_best_metric(asked: Asked, client: Client, grid: Sweep) -> None:
    sweep = Sweep(client, "local", "p", grid.id)
    best = sweep.best_run()
    assert isinstance(best, Run)
    assert asked.counts == {"GetSweep": 1, "Runs": 1}
    assert (best.summary["val"]["acc"], best.config["lr"]) == (0.75, 0.2)


@pytest.mark.parametrize(
    ("order", "rate"),
    [
        ("+val.acc", 0.1),
        ("val.acc", 0.2),
        ("-summary_metrics.val.acc", 0.2),
        ("+config.lr.value", 0.1),
        ("config.lr", 0.4),
        ("-createdAt", 0.4),
        ("+createdAt", 0.1),
    ],
)
def test_the_best_run_follows_an_order(grid: Sweep, order: str, rate: float) -> None:
    best = grid.best_run(order)
    assert best is not None
    assert best.config["lr"] == rate


def test_without_a_metric_the_newest_run_is_taken(api: Api) -> None:
    sweep = next(sweep for sweep in api.project("p").sweeps() if sweep.name == sweep.id)
    assert sweep.order is None
    with pytest.warns(UserWarning, match="no metric"):
        best = sweep.best_run()
    assert best is not None
    assert best.id == [run.id for run in sweep.runs][-1]


def test_a_sweep_without_runs_has_no_best_one(api: Api) -> None:
    sweep = next(sweep for sweep in api.project("p").sweeps() if sweep.name == "unborn")
    assert sweep.best_run("+loss") is None


def test_a_run_knows_its_sweep(api: Api, grid: Sweep) -> None:
    run = grid.runs[0]
    assert run.sweep is not None
    assert (run.sweep.id, run.sweep.name) == (grid.id, "the grid")
    assert [other.id for other in run.sweep.runs] == [other.id for other in grid.runs]
    assert api.run("p/alone").sweep is None
    assert api.run(f"p/{run.id}").sweep.id == grid.id  # type: ignore[union-attr]


@pytest.mark.parametrize("include_sweeps", [True, False])
def test_runs_of_a_listing_ask_for_each_sweep_once(
    asked: Asked, client: Client, grid: Sweep, include_sweeps: bool
) -> None:
    runs = Runs(client, "local", "p", include_sweeps=include_sweeps)
    assert len(list(runs)) == 10
    assert asked.counts == {"Runs": 1}
    found = [run.sweep for run in runs]
    assert asked.counts == {"Runs": 1, "GetSweep": 3}
    assert found[0] is found[1] is not None
    assert found.count(None) == 1


def test_copies_and_pickles_of_runs_find_their_sweep_again(api: Api, grid: Sweep) -> None:
    run = grid.runs[0]
    assert run.sweep is not None
    assert copy.deepcopy(run).sweep.id == grid.id  # type: ignore[union-attr]
    again = pickle.loads(pickle.dumps(run))
    assert again.sweep.name == "the grid"
    again.client.session.close()


def test_sweeps_are_copied_and_pickled(grid: Sweep) -> None:
    for make in (copy.copy, copy.deepcopy):
        assert (make(grid).name, len(make(grid).runs)) == ("the grid", 4)
    again = pickle.loads(pickle.dumps(grid))
    assert (again.config, len(again.runs)) == (grid.config, 4)
    again.client.session.close()


def test_sweeps_are_got_by_their_parts(api: Api, grid: Sweep) -> None:
    for connected in (api, api.client):
        found = Sweep.get(connected, "local", "p", grid.id, order="-created_at")
        assert found is not None
        assert (found.name, found.runs.order) == ("the grid", "-created_at")
    assert Sweep.get(api, "local", "p", "none") is None
    assert Sweep.get(api, "local", "nowhere", grid.id) is None
    query = """query Mine($entity: String, $project: String, $name: String!) {
        project(name: $project, entityName: $entity) { sweep(sweepName: $name) { state } } }"""
    own = Sweep.get(api, "local", "p", grid.id, query=query)
    assert own is not None
    assert (own.state, own.name, own.order) == ("RUNNING", grid.id, None)


def test_an_older_server_is_asked_for_less(asked: Asked, client: Client, grid: Sweep) -> None:
    asked.local.app = OlderServer(asked.local.app)  # type: ignore[assignment]
    sweep = Sweep(client, "local", "p", grid.id)
    assert asked.counts == {"GetSweep": 1, "GetSweepLegacy": 1}
    assert (sweep.state, sweep.name, sweep.expected_run_count) == ("RUNNING", "the grid", None)
    assert sweep.best_run() is not None


class OlderServer:
    """An app that refuses the fields of newer sweeps."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def listen() -> Any:
            message = await receive()
            body = message.get("body", b"").replace(b"runCountExpected", b"noSuchField")
            return {**message, "body": body}

        await self.app(scope, listen, send)


def test_a_page_of_the_sweep_is_shown(grid: Sweep) -> None:
    shown = f"<iframe src='{grid.url}?jupyter=true' style='border:none;width:100%;height:420px;'></iframe>"
    assert grid.to_html() == grid._repr_html_() == shown
    hidden = grid.to_html(100, hidden=True)
    assert hidden.startswith("<button") and "sweep</button><iframe" in hidden
    assert "height:100px;display:none;" in hidden
    assert grid.display() is False


def test_agents_have_their_fields_and_runs(grid: Sweep) -> None:
    agents = grid.agents()
    assert [(agent.host, agent.total_runs) for agent in agents] == [("a-host", 3), ("a-host", 1)]
    first = agents[0]
    assert repr(first) == f"<Agent {first.id} ({first.state})>"
    assert first.created_at.startswith("20") and first.heartbeat_at
    assert isinstance(first.runs(), AgentRuns)
    assert [run.config["lr"] for run in first.runs(per_page=1)] == [0.1, 0.3, 0.4]
    assert [run.config["lr"] for run in agents[1].runs()] == [0.2]
    for key in (first.id, first.name):
        assert grid.agent(key).id == first.id
    with pytest.raises(NotFoundError, match="has no agent 'none'"):
        grid.agent("none")


def test_agents_are_columns_too(grid: Sweep) -> None:
    agents = grid.agents()
    assert isinstance(agents, list)
    table = agents.to_polars()
    assert table.columns == [column.name for column in Agents.SCHEMA.columns]
    assert table["sweep"].unique().to_list() == [grid.id]
    assert table["id"].to_list() == [agent.id for agent in agents]
    assert table["total_runs"].to_list() == [3, 1]
    assert agents.to_arrow(["host"]).to_pydict() == {"host": ["a-host", "a-host"]}
    assert Agents().to_pandas().empty


def test_agents_runs_are_counted_without_asking(asked: Asked, client: Client, grid: Sweep) -> None:
    agent = Sweep(client, "local", "p", grid.id).agents()[0]
    runs = agent.runs()
    assert (len(runs), repr(runs)) == (3, f"<AgentRuns local/p agent={agent.name!r}>")
    assert asked.counts == {"GetSweep": 1, "GetSweepAgents": 1}
    assert [run.id for run in runs[:2]] == [run.id for run in runs][:2]
    assert runs[0].sweep.id == grid.id  # type: ignore[union-attr]
    table = runs.to_polars(columns=["id", "config"])
    assert table["id"].to_list() == [run.id for run in runs]
    assert asked.counts["GetFullAgentRuns"] == 1
    assert runs.frame(["config.lr"]).to_polars()["config.lr"].to_list() == [0.1, 0.3, 0.4]


def test_runs_of_an_agent_that_is_gone_say_so(api: Api, grid: Sweep) -> None:
    runs = AgentRuns(api.client, "local", "p", grid.id, "gone", total_runs=1)
    with pytest.raises(NotFoundError, match="Could not find agent gone"):
        list(runs)
    with pytest.raises(NotFoundError, match="Could not find sweep none"):
        list(AgentRuns(api.client, "local", "p", "none", "gone", total_runs=1))


def test_the_agents_of_a_sweep_that_is_gone_are_none(api: Api, grid: Sweep) -> None:
    gone = Sweep(api.client, "local", "p", "gone", {"state": "RUNNING"})
    assert gone.agents() == []


def test_a_run_is_enqueued(own: Api) -> None:
    sweep = own.sweep(f"p/{make_sweep(own, GRID)}")
    run = own.run(f"p/{sweep.enqueue_run({'lr': 5}, display_name='by hand')}")
    assert (run.name, run.state, run.config, run.sweep_name) == ("by hand", "pending", {"lr": 5}, sweep.id)


def test_what_the_server_lacks_is_named(asked: Asked, client: Client, grid: Sweep) -> None:
    client._features = frozenset()
    sweep = Sweep(client, "local", "p", grid.id)
    with pytest.raises(UnsupportedError, match="cannot enqueue"):
        sweep.enqueue_run({})
    assert asked.counts == {"GetSweep": 1}
