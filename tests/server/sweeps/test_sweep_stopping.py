"""Stopping early: bands, who goes on from them, and what agents are told."""

from __future__ import annotations

import pytest
from store_client import Client
from sweeping import Agent, Sweeping

from runframe.server.store.sweeps.bands import Hyperband, read_hyperband

HYPERBAND = {"type": "hyperband", "min_iter": 2, "eta": 2}
CONFIG = {
    "method": "random",
    "metric": {"name": "val.loss", "goal": "minimize"},
    "parameters": {"a": {"min": 0.0, "max": 1.0}},
    "early_terminate": HYPERBAND,
}


def rule(**given: object) -> Hyperband:
    found = read_hyperband({"type": "hyperband", **given}, [])
    assert found is not None
    return found


def test_bands_are_powers_of_eta_from_either_end() -> None:
    assert rule(min_iter=3).bands(100) == [3, 9, 27, 81]
    assert rule(min_iter=3, eta=2, max_iter=20).bands(10**9) == [3, 6, 12]
    assert rule(max_iter=27, s=2).bands(100) == [3, 9]
    assert rule(max_iter=4, s=5).bands(100) == [1]
    assert rule(min_iter=3).bands(2) == []


@pytest.mark.parametrize("maximize", [False, True])
def test_the_best_of_a_band_go_on(maximize: bool) -> None:
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    found = [value for value in values if rule(min_iter=1, eta=3).goes_on(value, values, maximize=maximize)]
    assert found == ([5.0, 6.0] if maximize else [1.0, 2.0])
    assert rule(min_iter=1).goes_on(1.0, [1.0], maximize=maximize)


def started(sweeping: Sweeping, name: str) -> tuple[Agent, str]:
    agent = sweeping.agent(name)
    run = agent.take()["run_id"]
    sweeping.client.begin(run, sweep=name)
    return agent, run


def log(client: Client, run: str, *losses: float, offset: int = 0) -> None:
    client.log([{"val": {"loss": loss}, "other": 1} for loss in losses], offset, run=run)


def test_a_run_that_falls_behind_is_stopped(sweeping: Sweeping) -> None:
    client, name = sweeping.client, sweeping.create(CONFIG)
    good, good_run = started(sweeping, name)
    bad, bad_run = started(sweeping, name)
    log(client, good_run, 0.5, 0.4)
    log(client, bad_run, 0.9)
    assert (good.beat(good_run), bad.beat(bad_run)) == ([], [])
    log(client, bad_run, 0.8, offset=1)
    assert bad.beat(bad_run) == [{"type": "stop", "run_id": bad_run}]
    assert bad.beat(bad_run) == [{"type": "stop", "run_id": bad_run}]  # until it has gone
    assert good.beat(good_run) == []
    assert bad.beat()[0]["type"] == "run"


def test_a_run_that_has_caught_up_since_goes_on_unless_it_is_strict(sweeping: Sweeping) -> None:
    for strict in (False, True):
        name = sweeping.create({**CONFIG, "early_terminate": {**HYPERBAND, "strict": strict}})
        good, good_run = started(sweeping, name)
        late, late_run = started(sweeping, name)
        log(sweeping.client, good_run, 0.5, 0.4)
        log(sweeping.client, late_run, 0.9, 0.8, 0.1)
        assert good.beat(good_run) == []
        assert bool(late.beat(late_run)) is strict


def test_values_that_are_no_numbers_do_not_count(sweeping: Sweeping) -> None:
    name = sweeping.create({**CONFIG, "metric": {"name": "loss", "goal": "maximize"}})
    agent, run = started(sweeping, name)
    other, other_run = started(sweeping, name)
    lines = ['{"loss": NaN, "_step": 0}', '{"loss": "x", "_step": 1}', '{"loss": true, "_step": 2}']
    sweeping.client.stream({"wandb-history.jsonl": (0, lines)}, run=run)
    sweeping.client.stream({"wandb-history.jsonl": (3, ['{"loss": Infinity, "_step": 3}'])}, run=run)
    sweeping.client.stream({"wandb-history.jsonl": (4, ['{"loss": 1, "_step": 4}'])}, run=run)
    sweeping.client.log([{"loss": 5.0}, {"loss": 6.0}], run=other_run)
    assert (agent.beat(run), other.beat(other_run)) == ([], [{"type": "stop", "run_id": other_run}])
