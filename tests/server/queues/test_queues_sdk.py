"""The official client makes queues, fills them, and works them off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from served_process import Official, ServerProcess

pytestmark = pytest.mark.sdk

ADD = """
from wandb.sdk.launch import launch_add
from wandb.sdk.launch.api import LaunchApi
api, launch = wandb.Api(), LaunchApi()
def add(queue, **how):
    return launch_add(docker_image="image", project="p", entity="local", resource="local-container",
                      queue_name=queue, **how)
"""


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Official]:
    home = tmp_path_factory.mktemp("official")
    server = ServerProcess(home / "store")
    try:
        yield Official(server, home)
    finally:
        assert server.stop() == 0


def test_queues_are_made_changed_read_and_deleted(official: Official) -> None:
    found: Any = official.run("""
        api = wandb.Api()
        variables = {"cpus": {"schema": {"type": "integer", "default": 2, "maximum": 4}}}
        made = api.create_run_queue("made", "local-container", entity="local", prioritization_mode="V0",
                                    config={"cpus": "{{cpus}}"}, template_variables=variables)
        def state(name):
            queue = api.run_queue("local", name)
            return (queue.access, queue.prioritization_mode, queue.type, queue.default_resource_config,
                    queue.external_links, [entry["name"] for entry in queue.template_variables], queue.items)
        result = {"made": state("made"), "id": made.id == api.run_queue("local", "made").id}
        api.upsert_run_queue("other", {"a": 1}, "kubernetes", entity="local", external_links={"docs": "http://docs"})
        api.upsert_run_queue("made", {"b": 1}, "sagemaker", entity="local", prioritization_mode="DISABLED")
        result["other"], result["changed"] = state("other"), state("made")
        made.delete()
        for name, call in {"gone": lambda: api.run_queue("local", "made").access,
                           "twice": lambda: api.create_run_queue("other", "kubernetes", entity="local")}.items():
            try:
                call()
            except Exception as error:
                result[name] = str(error)
    """)
    config = {"resource_args": {"local-container": {"cpus": "{{cpus}}"}}}
    assert found["made"] == ("PROJECT", "V0", "local-container", config, {"links": []}, ["cpus"], [])
    links = {"links": [{"label": "docs", "url": "http://docs"}]}
    assert found["other"][:5] == (
        "PROJECT",
        "DISABLED",
        "kubernetes",
        {"resource_args": {"kubernetes": {"a": 1}}},
        links,
    )
    assert found["changed"][1:4] == ("DISABLED", "sagemaker", {"resource_args": {"sagemaker": {"b": 1}}})
    assert found["id"] and found["gone"] and "a queue 'other'" in found["twice"]


def test_a_queued_run_is_taken_started_and_waited_for(official: Official) -> None:
    found: Any = official.run(
        ADD
        + """
variables = {"zone": {"schema": {"type": "string", "enum": ["a", "b"]}}}
queue = api.create_run_queue("work", "local-container", entity="local", prioritization_mode="V0",
                             config={"zone": "{{zone}}"}, template_variables=variables)
low = add("work", template_variables={"zone": "a"}, priority=3)
high = add("work", template_variables={"zone": "b"}, priority=1)
result = {"states": [low.state, high.state], "items": [item.id for item in queue.items] == [low.id, high.id]}
try:
    add("work", template_variables={"zone": "c"})
except Exception as error:
    result["refused"] = str(error)
agent = launch.create_launch_agent("local", "model-registry", ["work"], {}, "1")["launchAgentId"]
taken = launch.pop_from_run_queue("work", "local", "model-registry", agent)
result["taken"] = (taken["runQueueItemId"] == high.id, taken["runSpec"]["resource_args"], high.state)
with wandb.init(project="p", id="started") as run:
    run.log({"loss": 1.0})
launch.ack_run_queue_item(high.id, "started")
result["run"] = (high.wait_until_running().id, high.wait_until_finished().summary["loss"], high.state)
taken = launch.pop_from_run_queue("work", "local", "model-registry", agent)
launch.fail_run_queue_item(low.id, "no image", "agent")
result["failed"] = low.state
result["empty"] = launch.pop_from_run_queue("work", "local", "model-registry", agent)
result["agent"] = launch.get_launch_agent(agent)["agentStatus"]
result["stop"] = (launch.check_stop_requested("p", "local", "started"), launch.get_run_state("local", "p", "started"))
low.delete()
result["left"] = len(api.run_queue("local", "work").items)
"""
    )
    assert found["states"] == ["pending", "pending"] and found["items"]
    assert "expected one of 'a', 'b'" in found["refused"]
    assert found["taken"] == (True, {"local-container": {"zone": "b"}}, "leased")
    assert found["run"] == ("started", 1.0, "finished")
    assert (found["failed"], found["empty"], found["agent"], found["left"]) == ("failed", None, "POLLING", 1)
    assert found["stop"] == (False, "finished")


def test_the_default_queue_comes_into_being(official: Official) -> None:
    found = official.run(
        ADD
        + """
item = add("default")
result = (item.state, [queue["name"] for queue in launch.get_project_run_queues("local", "model-registry")])
"""
    )
    assert found[0] == "pending" and "default" in found[1]
