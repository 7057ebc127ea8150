"""Jobs and queues by the official client and by ours, on one server: each sees what the other did."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import runframe
from runframe.resources.queues import item as waiting
from runframe.server import open_local
from runframe.testing import Server, serving

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.slow,
    # The official package's own modules warn while they are imported and used.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

QUEUE = [
    "id", "name", "entity", "access", "prioritization_mode", "type", "default_resource_config", "template_variables",
]  # fmt: skip
QUEUED = ["id", "entity", "project", "queue_name", "state", "sweep", "project_queue"]
CONFIG = {"lr": 0.5, "layers": [3], "name": "y", "deep": {"a": 2}}
VARIABLES = {"zone": {"schema": {"type": "string", "enum": ["a", "b"]}}}
KINDS = ("CommError", "ValueError", "TypeError", "LaunchError")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose jobs the official SDK made."""
    root = tmp_path_factory.mktemp("jobs")
    program = Path(__file__).with_name("logging_jobs.py")
    with open_local(root / "store") as local, serving(local, root / "home") as server:
        command = [sys.executable, str(program), str(root / "code")]
        subprocess.run(command, env=server.environment, cwd=root, check=True, timeout=120)
        yield server


@pytest.fixture
def official(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    server.use(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WANDB_ARTIFACT_DIR", raising=False)
    import wandb

    return wandb.Api(timeout=60)


@pytest.fixture
def ours(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[runframe.Api]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.1)
    with runframe.Api({"base_url": server.url}, api_key=server.api_key) as api:
        yield api


@pytest.fixture
def agent(official: Any) -> Any:
    """What a launch agent does at the server."""
    from wandb.sdk.launch.api import LaunchApi

    return LaunchApi()


def facts(thing: Any, names: list[str]) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}


def kinds(act: Callable[[], Any]) -> list[str]:
    """Which of the errors that people catch an error answers to."""
    with pytest.raises(Exception) as raised:
        act()
    return [kind for kind in KINDS if any(each.__name__ == kind for each in type(raised.value).__mro__)]


def test_jobs_that_the_sdk_made_are_listed_and_read_alike(official: Any, ours: runframe.Api) -> None:
    assert ours.list_jobs("local", "p") == official.list_jobs("local", "p") != []
    assert ours.list_jobs("local", "none") == official.list_jobs("local", "none") == []
    for name in ("local/p/made:best", "local/p/job-my_image_tag:v0"):
        theirs, job = official.job(name), ours.job(name)
        assert (job.name, job.info, job.entrypoint) == (theirs.name, theirs._job_info, theirs._entrypoint)
        assert (job.input_types, job.output_types) == (theirs._input_types.to_json(), theirs._output_types.to_json())
    for name in ("local/p/none:v0", "p/made:v0", None):
        assert set(kinds(lambda name=name: official.job(name))) <= set(kinds(lambda name=name: ours.job(name)))


def test_a_queue_of_either_is_the_same_to_both(official: Any, ours: runframe.Api) -> None:
    makers: list[Any] = [official, ours]
    for number, (maker, other) in enumerate(zip(makers, reversed(makers), strict=True)):
        name, config = f"q{number}", {"zone": "{{zone}}"}
        made = maker.create_run_queue(name, "kubernetes", "local", "V0", config, VARIABLES)
        assert (made.default_resource_config, made.access, made.prioritization_mode) == (config, "PROJECT", "V0")
        found = other.run_queue("local", name)
        assert facts(found, QUEUE) == facts(made, QUEUE) and repr(found) == repr(made)
        assert found.external_links == {"links": []} and found.items == []
        maker.upsert_run_queue(name, {"b": 1}, "sagemaker", "local", None, {"docs": "https://docs"}, "DISABLED")
        changed = [each.run_queue("local", name) for each in makers]
        assert facts(changed[0], QUEUE) == facts(changed[1], QUEUE) != facts(made, QUEUE)
        assert changed[0].external_links == changed[1].external_links
        other.run_queue("local", name).delete()
        for each in makers:
            assert kinds(lambda each=each, name=name: each.run_queue("local", name).id)[0] == "CommError"


@pytest.mark.parametrize(
    "arguments",
    [
        ("", "kubernetes"),
        ("x" * 65, "kubernetes"),
        ("q", "toaster"),
        ("q", "kubernetes", "local", "V1"),
        ("q", "kubernetes", "local", "DISABLED"),
    ],
)
def test_what_cannot_be_is_refused_alike(official: Any, ours: runframe.Api, arguments: Any) -> None:
    name, kind, *rest = arguments
    assert kinds(lambda: official.create_run_queue(*arguments)) == ["ValueError"]
    assert kinds(lambda: ours.create_run_queue(*arguments)) == ["CommError", "ValueError"]
    if rest != ["local", "DISABLED"]:
        given = {"prioritization_mode": rest[1]} if rest else {}
        assert kinds(lambda: official.upsert_run_queue(name, {}, kind, "local", **given)) == ["ValueError"]
        assert kinds(lambda: ours.upsert_run_queue(name, {}, kind, "local", **given)) == ["CommError", "ValueError"]


def test_a_run_of_either_goes_through_the_queue_and_both_see_it(
    official: Any, ours: runframe.Api, agent: Any, server: Server, tmp_path: Path
) -> None:
    queue = ours.create_run_queue("work", "local-container", "local", "V0", {"zone": "{{zone}}"}, VARIABLES)
    job = "local/p/job-my_image_tag:latest"
    how = {"project": "target", "entity": "local", "queue": "work", "template_variables": {"zone": "b"}}
    theirs = official.job(job).call(CONFIG, priority=2, **how)
    mine = ours.job(job).call(CONFIG, priority=1, **how)
    assert [item.id for item in queue.items] == [theirs.id, mine.id]
    for item in official.run_queue("local", "work").items:
        assert facts(item, QUEUED) == facts(next(each for each in queue.items if each.id == item.id), QUEUED)
    seen = official.queued_run("local", "target", "work", mine.id, "model-registry", 1)
    assert facts(seen, [*QUEUED, "priority"]) == facts(mine, [*QUEUED, "priority"])

    agent_id = agent.create_launch_agent("local", "model-registry", ["work"], {}, "1")["launchAgentId"]
    first, second = (agent.pop_from_run_queue("work", "local", "model-registry", agent_id) for _ in range(2))
    assert (first["runQueueItemId"], second["runQueueItemId"]) == (mine.id, theirs.id)
    assert first["runSpec"] == second["runSpec"]
    assert (mine.state, seen.state, ours.queued_run("local", "target", "work", theirs.id).state) == ("leased",) * 3
    agent.ack_run_queue_item(mine.id, "started")
    assert (mine.state, seen.state) == ("claimed", "claimed")
    train = "import wandb\nwith wandb.init(project='target', id='started') as run: run.log({'loss': 0.25})"
    subprocess.run([sys.executable, "-c", train], env=server.environment, cwd=tmp_path, check=True, timeout=120)
    run = mine.wait_until_finished()
    assert (run.id, run.project, run.state, run.summary["loss"]) == ("started", "target", "finished", 0.25)
    assert seen.wait_until_running().id == "started"
    assert (mine.state, seen.state) == ("finished", "finished")
    agent.fail_run_queue_item(theirs.id, "no image", "agent")
    assert (theirs.state, ours.queued_run("local", "target", "work", theirs.id).state) == ("failed", "failed")
    theirs.delete()
    assert kinds(lambda: ours.queued_run("local", "target", "work", theirs.id).state)[-1] == "ValueError"
    mine.delete()
    assert kinds(lambda: seen.state) == ["ValueError"]
    assert official.run_queue("local", "work").items == []


def test_a_call_that_cannot_be_is_refused_alike(official: Any, ours: runframe.Api) -> None:
    job = "local/p/job-my_image_tag:latest"
    calls: list[tuple[Any, dict[str, Any]]] = [
        ({**CONFIG, "lr": "x"}, {}),
        ({**CONFIG, "more": 1}, {}),
        (CONFIG, {"queue": "none"}),
        (CONFIG, {"queue": "none", "priority": 1}),
    ]
    for config, how in calls:
        theirs = kinds(lambda config=config, how=how: official.job(job).call(config, project="p", **how))
        mine = kinds(lambda config=config, how=how: ours.job(job).call(config, project="p", **how))
        assert set(theirs) <= set(mine) and theirs
