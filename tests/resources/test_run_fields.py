"""A run's attributes, its documents, and when they are fetched."""

from __future__ import annotations

import copy
import math
import pickle
from typing import TYPE_CHECKING

import pytest

from runframe import Api, CommError, NotFoundError
from runframe.resources.client import Client
from runframe.resources.run import Run
from runframe.resources.runs import Runs

if TYPE_CHECKING:
    from conftest import Asked

BIG = 2**62 + 1


@pytest.fixture
def run(api: Api) -> Run:
    return Run(api.client, "local", "digits", "run-1")


def test_a_run_without_fields_is_fetched_at_once(asked: Asked, client: Client) -> None:
    run = Run(client, "local", "digits", "run-1")
    assert asked.counts == {"Run": 1}
    assert (run.id, run.name, run.entity, run.project, run.state) == ("run-1", "run 1", "local", "digits", "finished")
    assert repr(run) == "<Run local/digits/run-1 (finished)>"
    run.load()
    run.load_full_data()
    assert run.config["big"] == BIG
    assert asked.counts == {"Run": 1}


def test_a_run_that_is_not_there_is_an_error_of_both_kinds(client: Client) -> None:
    with pytest.raises(ValueError, match=r"Could not find run <Run local/digits/nope \(not found\)>") as caught:
        Run(client, "local", "digits", "nope")
    assert isinstance(caught.value, CommError)
    assert caught.value.path == "local/digits/nope"


def test_fields_are_attributes_in_both_spellings(run: Run) -> None:
    assert run.created_at == run.createdAt
    assert run.created_at.startswith("20")
    assert (run.group, run.job_type, run.jobType) == ("grid", "train", "train")
    assert (run.tags, run.notes, run.description) == (["digits", "n1"], "a note", None)
    assert (run.history_line_count, run.read_only, run.sweep_name) == (25, False, None)
    assert run.user.username == "local"
    assert {"created_at", "createdAt", "config", "history"} <= set(dir(run))


def test_an_unknown_attribute_names_the_run(run: Run) -> None:
    assert not hasattr(run, "nonsense")
    with pytest.raises(AttributeError, match=r"'<Run local/digits/run-1 \(finished\)>' object has no .* 'nonsense'"):
        _ = run.nonsense


def test_path_and_url_are_encoded(client: Client) -> None:
    run = Run(client, "my team", "p/q", "r 1", {"state": "running"})
    assert run.path == ["my%20team", "p%2Fq", "r%201"]
    assert run.url == "http://local/my%20team/p%2Fq/runs/r%201"


def test_config_is_unwrapped_once_and_keeps_falsy_values(run: Run) -> None:
    assert run.config == {"optimizer": {"name": "sgd", "lr": 0.1}, "big": BIG, "a.dot": 1.5, "off": False}
    assert run.rawconfig["_wandb"] == {"cli_version": "0.31.0"}
    assert run.rawconfig["off"] is False


def test_summary_holds_nan_and_large_integers(run: Run) -> None:
    assert run.summary_metrics["nested"]["big"] == BIG
    assert math.isnan(run.summary["nested"]["best"])
    assert run.summaryMetrics is run.summary_metrics is run.summary._json_dict
    assert run.system_metrics == run.systemMetrics


def test_history_keys_and_last_step(run: Run, api: Api) -> None:
    assert run.history_keys["lastStep"] == 24
    assert run.lastHistoryStep == 24
    assert api.run("digits/empty").lastHistoryStep == -1


def test_listed_runs_fetch_what_is_heavy_when_it_is_touched(asked: Asked, client: Client) -> None:
    runs = Runs(client, "local", "digits", per_page=2)
    assert [run.name for run in runs][:2] == ["run 0", "run 1"]
    assert asked.counts == {"Runs": 3}
    assert runs[0].config["big"] == BIG
    assert runs[0].history_keys["lastStep"] == 24
    assert asked.counts == {"Runs": 3, "Run": 1}


def test_a_loop_over_documents_costs_a_request_a_page(asked: Asked, client: Client) -> None:
    found = [run.summary.get("loss") for run in Runs(client, "local", "digits", per_page=2)]
    assert found == [1.0, 0.5, 1 / 3, 0.25, None]
    # The first run on its own, the page of the second, and the other pages with everything in them.
    assert asked.counts == {"Runs": 1, "Run": 1, "FullRuns": 3}


def test_a_full_listing_touches_nothing_more(asked: Asked, client: Client) -> None:
    runs = Runs(client, "local", "digits", lazy=False)
    assert [run.config.get("big") for run in runs] == [BIG] * 4 + [None]
    assert asked.counts == {"FullRuns": 1}


def test_upgrading_fetches_pages_and_keeps_the_objects(asked: Asked, client: Client) -> None:
    runs = Runs(client, "local", "digits", per_page=2)
    before = runs[:4]
    before[0].name = "renamed here"
    runs.upgrade_to_full()
    runs.upgrade_to_full()
    assert asked.counts == {"Runs": 2, "FullRuns": 2}
    assert runs[0] is before[0]
    assert (before[0].name, before[0].config["big"]) == ("renamed here", BIG)
    assert runs[4].config == {}
    assert asked.counts == {"Runs": 2, "FullRuns": 3}


def test_metadata_is_none_where_it_cannot_be_read(run: Run) -> None:
    assert run.metadata is None


@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy, lambda run: pickle.loads(pickle.dumps(run))])
def test_runs_can_be_copied_and_pickled(api: Api, clone: object) -> None:
    run = api.runs("digits")[1]
    other = clone(run)  # type: ignore[operator]
    other.name = "another"
    assert run.name == "run 1"
    assert other.config["big"] == BIG
    other.summary["new"] = 1
    assert other.summary_metrics["new"] == 1
    if other.client is not api.client:
        other.client.session.close()


def test_waiting_ends_at_once_for_a_run_that_ended(api: Api) -> None:
    run = Run(api.client, "local", "digits", "empty", {"state": "running"})
    run.wait_until_finished()
    assert run.state == "failed"
    with pytest.raises(NotFoundError):
        Run(api.client, "local", "digits", "nope", {}).wait_until_finished()


def test_the_old_name_of_the_entity_warns(run: Run) -> None:
    with pytest.warns(DeprecationWarning, match="entity"):
        assert run.username == "local"
