"""Launch queues: made, changed, read and deleted; what waits in them, and the runs that come of it."""

from __future__ import annotations

import logging
import pickle
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pytest
from launching import acknowledge, end, fail, make_job, pop

import runframe
from runframe import Api, LaunchError, NotFoundError, QueuedRun, QueueError, RunQueue
from runframe.resources.client import Client
from runframe.resources.queues import item as waiting

VARIABLES = {
    "cpus": {"schema": {"type": "integer", "minimum": 1, "maximum": 8, "default": 2}},
    "zone": {"schema": {"type": "string", "enum": ["a", "b"]}},
}


@pytest.fixture
def api(runframe_api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Api:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.02)
    return runframe_api


@pytest.fixture
def queue(api: Api) -> RunQueue:
    return api.create_run_queue(
        "q", "kubernetes", config={"cpus": "{{cpus}}", "zone": "{{zone}}"}, template_variables=VARIABLES
    )


def add(api: Api, queue: str = "q", **how: Any) -> QueuedRun:
    """A run of a new job in a queue."""
    return api.job(make_job(api)).call({"lr": 0.1, "layers": [1]}, queue=queue, **how)


def test_a_new_queue_has_what_it_was_made_with(api: Api) -> None:
    made = api.create_run_queue("q", "kubernetes", None, "v0", {"cpus": "{{cpus}}"}, {"cpus": VARIABLES["cpus"]})
    assert (made.name, made.entity, made.prioritization_mode, made.access) == ("q", "local", "V0", "PROJECT")
    assert made.default_resource_config == {"cpus": "{{cpus}}"}
    assert repr(made) == "<RunQueue local/q>"
    found = api.run_queue("local", "q")
    assert (found.id, found.access, found.prioritization_mode) == (made.id, "PROJECT", "V0")
    assert found.default_resource_config == {"resource_args": {"kubernetes": {"cpus": "{{cpus}}"}}}
    assert (found.type, found.external_links, found.items) == ("kubernetes", {"links": []}, [])
    assert [each["name"] for each in found.template_variables] == ["cpus"]


def test_a_queue_gets_other_settings_and_what_waits_keeps_its_own(api: Api, queue: RunQueue) -> None:
    add(api, template_variables={"zone": "b"})
    links = {"docs": "https://docs", "ü 文": "https://u"}
    changed = api.upsert_run_queue("q", {"b": 1}, "sagemaker", "local", None, links, "V0")
    assert (changed.id, changed.type, changed.prioritization_mode) == (queue.id, "sagemaker", "V0")
    assert changed.external_links == {"links": [{"label": name, "url": url} for name, url in links.items()]}
    assert changed.template_variables == []
    taken = pop(api, "q")
    assert taken is not None and taken["runSpec"]["resource_args"] == {"kubernetes": {"cpus": 2, "zone": "b"}}
    again = api.upsert_run_queue("q", {}, "local-process")
    assert (again.prioritization_mode, again.external_links) == ("DISABLED", {"links": []})


def test_a_setting_without_effect_is_said(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "runframe"):
        api.upsert_run_queue("q", {"zone": "{{zone}}"}, "kubernetes", template_variables=VARIABLES)
    assert "template variable 'cpus' is not used" in caplog.text


LONG = "x" * 65
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "can't be called ''"),
    ({"name": LONG}, "longer than 64"),
    ({"name": None}, "can't be called None"),
    ({"type": "toaster"}, "can't be 'toaster': choose one of 'local-container'"),
    ({"type": ["kubernetes"]}, "can't be"),
    ({"prioritization_mode": "V1"}, "prioritization_mode is 'V1', expected 'V0'"),
    ({"prioritization_mode": 1}, "prioritization_mode is 1"),
    ({"config": "{}"}, "expected a dict"),
    ({"template_variables": []}, "expected a JSON object"),
    ({"template_variables": {"x": {"type": "string"}}}, "template variable 'x' is"),
    ({"template_variables": {"x": {"schema": {"type": "bool"}}}}, "the type 'bool', expected one of 'string'"),
    ({"template_variables": {"x": {"schema": {"type": "integer", "default": 1.5}}}}, "is 1.5, expected an integer"),
    ({"template_variables": {"x": {"schema": {"type": "number", "minimum": 2, "maximum": 1}}}}, "2 is more than 1"),
    ({"template_variables": {"x": {"schema": {"type": "string", "enum": "ab"}}}}, "expected a list"),
    ({"template_variables": {"x": {"schema": {"type": "string", "enum": [1]}}}}, "expected only values of the type"),
    ({"template_variables": {"x": {"schema": {"type": "number", "default": float("nan")}}}}, "expected a number"),
    ({"template_variables": {1: {"schema": {"type": "number"}}}}, "called 1, expected text"),
]


@pytest.mark.parametrize(("fields", "part"), REFUSED)
def test_settings_that_cannot_be_are_refused_before_anything_is_sent(api: Api, fields: Any, part: str) -> None:
    given: dict[str, Any] = {"name": "q", "type": "kubernetes", **fields}
    with pytest.raises(ValueError) as refused:
        api.create_run_queue(**given)
    assert isinstance(refused.value, QueueError) and part in str(refused.value)
    names = {"type": "resource_type", "config": "resource_config"}
    with pytest.raises(QueueError) as again:
        api.upsert_run_queue(
            **{"resource_config": {}, **{names.get(name, name): value for name, value in given.items()}}
        )
    assert part in str(again.value).replace("resource_config is", "config is")
    assert list(api.projects()) == []


def test_disabled_is_a_mode_for_changing_a_queue_and_not_for_making_one(api: Api) -> None:
    with pytest.raises(QueueError, match="expected 'V0', or None"):
        api.create_run_queue("q", "kubernetes", prioritization_mode="DISABLED")
    assert api.upsert_run_queue("q", {}, "kubernetes", prioritization_mode="DISABLED").prioritization_mode == "DISABLED"
    assert api.upsert_run_queue("x" * 64, {}, "kubernetes").name == "x" * 64


def test_what_the_server_refuses_is_a_comm_error(api: Api, queue: RunQueue) -> None:
    with pytest.raises(runframe.CommError, match="a queue 'q' in local/model-registry already"):
        api.create_run_queue("q", "kubernetes")
    with pytest.raises(runframe.CommError, match="no template variable 'x'"):
        api.create_run_queue("other", "kubernetes", config={"a": "{{x}}"})


@pytest.mark.parametrize(
    "name", ["id", "access", "prioritization_mode", "external_links", "type", "default_resource_config",
             "template_variables", "items"]
)  # fmt: skip
def test_a_queue_that_is_not_there_is_an_error_once_something_is_read(api: Api, name: str) -> None:
    api.create_run_queue("q", "kubernetes")
    for missing in (api.run_queue("local", "none"), api.run_queue("nobody", "q")):
        with pytest.raises(runframe.CommError, match=f"there is no queue {missing.entity}/model-registry"):
            getattr(missing, name)


def test_a_queue_without_settings_has_none(api: Api) -> None:
    add(api, None)  # type: ignore[arg-type]
    found = api.run_queue("local", "default")
    assert (found.default_resource_config, found.prioritization_mode) == ({}, "DISABLED")
    for name in ("type", "template_variables"):
        with pytest.raises(NotFoundError, match="has no settings"):
            getattr(found, name)


def test_a_deleted_queue_is_gone_with_what_was_in_it(api: Api, queue: RunQueue) -> None:
    item = add(api, template_variables={"zone": "a"})
    queue.delete()
    with pytest.raises(NotFoundError, match="there is no queue"):
        _ = queue.id
    with pytest.raises(LaunchError, match="there is no queue local/model-registry/q"):
        _ = item.state
    with pytest.raises(NotFoundError, match="there is no queue"):
        queue.delete()
    with pytest.raises(runframe.CommError, match="there is no queue"):
        item.delete()


def test_the_environment_makes_a_queue_too(runframe_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    runframe_server.use(monkeypatch)
    made = RunQueue.create("q", "local-process", "local", "V0", {"a": 1})
    assert made.default_resource_config == {"a": 1}
    with runframe_server.api() as api:
        assert api.run_queue("local", "q").id == made.id
        assert RunQueue.create("r", "kubernetes", api=api).type == "kubernetes"
    made.client.session.close()


def test_an_item_goes_through_its_states(api: Api, queue: RunQueue) -> None:
    item = add(api, template_variables={"zone": "a"}, project="target")
    found = api.queued_run("local", "target", "q", item.id)
    assert (found.id, found.entity, found.project, found.queue_name) == (item.id, "local", "target", "q")
    assert (found.project_queue, found.priority, found.sweep, found.state) == ("model-registry", None, None, "pending")
    assert repr(found) == f"<QueuedRun q ({item.id})>"
    pop(api, "q")
    assert found.state == "leased"
    assert acknowledge(api, item.id, "r")
    assert found.state == "claimed"
    started = threading.Timer(0.1, lambda: api.create_run("r", "target"))
    started.start()
    run = found.wait_until_running()
    assert run.path == ["local", "target", "r"] and found.wait_until_running() is run
    end(api, "r", "target")
    assert found.wait_until_finished() is run
    assert (run.state, found.state) == ("finished", "finished")


def test_an_item_from_a_listing_finds_its_run(api: Api, queue: RunQueue) -> None:
    add(api, template_variables={"zone": "a"}, project="target")
    [item] = queue.items
    assert item.project == "model-registry"
    acknowledge(api, item.id, "r")
    api.create_run("r", "target")
    assert item.wait_until_running().project == "target"


def test_what_could_not_be_started_is_an_error_and_is_not_waited_for(api: Api, queue: RunQueue) -> None:
    item = add(api, template_variables={"zone": "a"})
    fail(api, item.id)
    assert item.state == "failed"
    with pytest.raises(LaunchError, match=r"could not be started: no image \(agent\)"):
        item.wait_until_finished()


def test_an_item_that_is_taken_out_is_gone(api: Api, queue: RunQueue) -> None:
    item, other = (add(api, template_variables={"zone": zone}) for zone in "ab")
    item.delete()
    for act in (lambda: item.state, item.wait_until_running):
        with pytest.raises(ValueError, match="there is no item"):
            act()
    with pytest.raises(runframe.CommError, match="is no queue item's"):
        item.delete(delete_artifacts=True)
    assert [each.id for each in api.run_queue("local", "q").items] == [other.id]


@pytest.mark.parametrize("item_id", ["", "nonsense", "eA==", "ü", "x" * 10_000])
def test_an_item_that_never_was_is_an_error(api: Api, queue: RunQueue, item_id: str) -> None:
    with pytest.raises(ValueError, match="there is no item"):
        _ = api.queued_run("local", "p", "q", item_id).state


def test_items_are_the_first_hundred_and_columns_are_all(api: Api) -> None:
    queue = api.create_run_queue("q", "local-process", prioritization_mode="V0")
    job = api.job(make_job(api, "ü".encode().hex()))
    made = [job.call({"lr": 1, "layers": []}, queue="q", priority=number % 4) for number in range(103)]
    fail(api, made[0].id)
    assert [item.id for item in queue.items] == [item.id for item in made[:100]]
    assert isinstance(queue.items, list) and queue.items is queue.items
    assert [item.id for item in queue.queued_runs(20)] == [item.id for item in made]
    table = queue.items.to_arrow()
    assert table.schema.remove_metadata() == queue.queued_runs().schema.remove_metadata()
    rows = table.to_pylist()
    assert [row["id"] for row in rows] == [item.id for item in made]
    assert rows[0] | {"created_at": 0, "updated_at": 0, "run_spec": 0} == {
        "id": made[0].id, "entity": "local", "queue_name": "q", "state": "failed", "run_id": None, "priority": 0,
        "created_at": 0, "updated_at": 0, "run_spec": 0,
        "error": '{"message":"no image","stage":"agent","filePaths":[]}', "warnings": "[]",
    }  # fmt: skip
    assert {row["state"] for row in rows[1:]} == {"pending"} and '"lr":1' in rows[1]["run_spec"]
    assert queue.items.to_polars()["priority"].to_list()[:5] == [0, 1, 2, 3, 0]
    assert list(queue.items.to_pandas(["state", "id"]).columns) == ["state", "id"]
    assert pa.RecordBatchReader.from_stream(queue.items).read_all().equals(pa.table(queue.queued_runs()))
    assert queue.queued_runs()[1].state == "pending"


def test_a_frame_of_what_still_waits_is_live(api: Api, queue: RunQueue) -> None:
    add(api, template_variables={"zone": "a"})
    batches = list(queue.queued_runs().to_batches(["state"]))
    assert [batch.to_pylist() for batch in batches] == [[{"state": "pending"}]]
    with pytest.raises(runframe.UsageError, match="did you mean 'priority'"):
        queue.items.to_polars(["prioriti"])


def test_values_are_held_against_the_variables(api: Api, queue: RunQueue) -> None:
    assert queue.check_template_variables({"zone": "a"}) == {"cpus": 2, "zone": "a"}
    for values, part in [
        ({"zone": "c"}, "'zone' is 'c', expected one of 'a', 'b'"),
        ({"zone": "a", "cpus": 9}, "'cpus' is 9, expected 8 or less"),
        ({"zone": "a", "cpus": 10**400}, "expected 8 or less"),
        ({"zone": "a", "cpus": True}, "expected an integer"),
        ({"zone": "a", "gpus": 1}, "no template variable 'gpus'; it has cpus, zone"),
        ({}, "'zone' has no default: give it a value"),
        ([], "expected a dict"),
    ]:
        with pytest.raises(ValueError) as refused:
            queue.check_template_variables(values)  # type: ignore[arg-type]
        assert part in str(refused.value)


def test_copies_and_pickles_of_queues_and_items_work(runframe_server: Any) -> None:
    with runframe_server.api() as api:
        queue = api.create_run_queue("q", "local-process")
        assert queue.id
        copied = pickle.loads(pickle.dumps(queue))
        assert (copied.id, copied.name) == (queue.id, "q")


class Noting(Client):
    """A connection that notes the operations that are asked for."""

    asked: ClassVar[list[str]] = []

    def query(self, noun: str, operation: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append(operation)
        return super().query(noun, operation, variables)

    def submit(
        self, noun: str, operation: str, variables: Mapping[str, Any], *, retry_timeouts: bool = True
    ) -> Future[dict[str, Any]]:
        self.asked.append(f"{operation} {variables['perPage']}")
        return super().submit(noun, operation, variables, retry_timeouts=retry_timeouts)


def test_what_is_read_is_asked_for_once_and_only_what_is_read(api: Api) -> None:
    api.client.__class__ = Noting
    asked = Noting.asked = []
    made = api.create_run_queue("q", "kubernetes", "local", None, {"a": 1})
    assert asked == ["CreateProject", "CreateDefaultResourceConfig", "CreateRunQueue"]
    asked.clear()
    assert (made.access, made.default_resource_config, made.name) == ("PROJECT", {"a": 1}, "q")
    queue = api.run_queue("local", "q")
    assert asked == []
    for _ in range(2):
        assert queue.id and queue.access and queue.external_links == {"links": []}
        assert (queue.type, queue.template_variables, queue.items) == ("kubernetes", [], [])
    assert asked == ["GetRunQueueMetadata", "GetDefaultResourceConfig", "GetRunQueueItems 100"]
