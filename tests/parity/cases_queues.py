"""Jobs that the official SDK made, launch queues, and what waits in them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from case import Cases, Read, Write, kind, refused

JOB = "local/p/job-my_image_tag:v0"
CONFIG = {"lr": 0.5, "layers": [3], "name": "y", "deep": {"a": 2}}
VARIABLES = {"zone": {"schema": {"type": "string", "enum": ["a", "b"], "default": "a"}}}
QUEUE = ["access", "prioritization_mode", "type", "default_resource_config", "template_variables", "external_links"]
LONG = "x" * 65


def made(api: Any, name: str, **options: Any) -> Any:
    """A queue with a template variable."""
    return api.create_run_queue(name, "kubernetes", "local", "V0", {"zone": "{{zone}}"}, VARIABLES, **options)


def see(*names: str) -> Any:
    """Looks at a queue that has the project's name."""
    return lambda api, project: [getattr(queue, name) for queue in [api.run_queue("local", project)] for name in names]


def call(api: Any, project: str, **options: Any) -> Any:
    return api.job(JOB).call(CONFIG, project, "local", project, template_variables={"zone": "b"}, **options)


def called(api: Any, project: str) -> None:
    made(api, project)
    item = call(api, project, priority=3)
    Path("given").write_text(f"{item.state} {item.priority} {item.project == project} {item.queue_name == project}")
    call(api, project, priority=1)


def deleted(api: Any, project: str) -> None:
    called(api, project)
    api.run_queue("local", project).items[0].delete()
    left = api.run_queue("local", project).items[0]
    api.queued_run("local", project, project, left.id, "model-registry").delete(delete_artifacts=True)


def waiting(api: Any, project: str) -> list[Any]:
    """What is in a queue, and what an agent gets that asks for work."""
    from wandb.sdk.launch.api import LaunchApi

    found = [[item.state, item.entity, item.queue_name == project] for item in api.run_queue("local", project).items]
    spec = LaunchApi().pop_from_run_queue(project, "local", "model-registry")["runSpec"]
    return [found, spec.pop("project") == project, spec, Path("given").read_text()]


def shown(api: Any, state: str) -> Any:
    """The run of the queue that was made beforehand which is in this state, asked for by its id."""
    [item] = [each for each in api.run_queue("local", "shown").items if each.state == state]
    return api.queued_run("local", "p", "shown", item.id, "model-registry")


def waited(api: Any, name: str) -> list[Any]:
    item = shown(api, "finished")
    begun = time.monotonic()
    run = getattr(item, name)()
    return [run.id, run.state, run.config, run.summary["loss"], time.monotonic() - begun < 5]


def no_queue(api: Any, name: str) -> bool:
    return refused(lambda: api.run_queue("local", name).id)


VARIABLE = {"name": "zone", "schema": '{"type":"string","enum":["a","b"],"default":"a"}'}


def settings(**resource: dict[str, Any]) -> dict[str, Any]:
    """Settings of a queue, as they are kept."""
    return {"resource_args": resource}


WRONG: dict[str, tuple[Any, ...]] = {
    "no name": ("", "kubernetes"),
    "too long a name": (LONG, "kubernetes"),
    "another type": ("q", "toaster"),
    "another mode": ("q", "kubernetes", "local", "V1"),
    "a mode that new queues do not have": ("q", "kubernetes", "local", "DISABLED"),
    "a schema that is none": ("q", "kubernetes", "local", None, {}, {"x": {"schema": {"type": "nonsense"}}}),
    "variables that are none": ("q", "kubernetes", "local", None, {}, {"x": 1}),
}

CASES: Cases = {
    "Api.create_run_queue": {
        "all of it": Write(
            made,
            see(*QUEUE),
            ["PROJECT", "V0", "kubernetes", settings(kubernetes={"zone": "{{zone}}"}), [VARIABLE], {"links": []}],
        ),
        "by name": Write(
            lambda api, project: api.create_run_queue(name=project, type="local-container"),
            see("type", "access", "prioritization_mode", "default_resource_config"),
            ["local-container", "PROJECT", "DISABLED", settings(**{"local-container": {}})],
        ),
        "what it gives": Write(
            lambda api, project: Path("given").write_text(repr(made(api, project).template_variables)),
            lambda api, project: Path("given").read_text(),
            repr([VARIABLE]),
        ),
        "one that is there": Read(lambda api: api.create_run_queue("shown", "kubernetes", "local")),
        **{about: Read(lambda api, given=given: api.create_run_queue(*given)) for about, given in WRONG.items()},
    },
    "Api.upsert_run_queue": {
        "a new one": Write(
            lambda api, project: api.upsert_run_queue(project, {"a": 1}, "sagemaker", "local", VARIABLES),
            see("type", "default_resource_config", "prioritization_mode", "template_variables"),
            ["sagemaker", settings(sagemaker={"a": 1}), "DISABLED", [VARIABLE]],
        ),
        "other settings": Write(
            lambda api, project: [
                made(api, project),
                api.upsert_run_queue(project, {"b": 1}, "local-process", None, None, {"docs": "https://docs"}, "V0"),
            ],
            see(*QUEUE),
            [
                "PROJECT", "V0", "local-process", settings(**{"local-process": {"b": 1}}), [],
                {"links": [{"label": "docs", "url": "https://docs"}]},
            ],
        ),
        **{
            about: Read(lambda api, given=given: api.upsert_run_queue(given[0], {}, *given[1:3]))
            for about, given in WRONG.items()
            if len(given) < 4
        },
        "another mode": Read(lambda api: api.upsert_run_queue("q", {}, "kubernetes", prioritization_mode="V1")),
    },
    "Api.run_queue": {
        "its fields": Read(lambda api: api.run_queue("local", "shown")),
        "that is not there": Read(lambda api: api.run_queue("local", "none").id),
        "that is not asked for yet": Read(lambda api: repr(api.run_queue("nobody", "none"))),
        "of nobody": Read(lambda api: api.run_queue("nobody", "shown").id),
    },
    "RunQueue.create": {
        "with the environment's client": Write(
            lambda api, project: kind(api, "RunQueue").create(project, "kubernetes", "local", "V0", {"c": 1}),
            see("type", "default_resource_config", "prioritization_mode"),
            ["kubernetes", settings(kubernetes={"c": 1}), "V0"],
        )
    },
    "RunQueue.delete": {
        "with what waits in it": Write(
            lambda api, project: [called(api, project), api.run_queue("local", project).delete()], no_queue, True
        ),
        "that is not there": Read(lambda api: api.run_queue("local", "none").delete()),
    },
    "RunQueue.items": {
        "of each state": Read(lambda api: api.run_queue("local", "shown").items),
    },
    "Api.job": {
        **{
            name: Read(lambda api, name=name: api.job(name))
            for name in ("local/p/made:best", JOB, "local/p/none:v0", "p/made:v0", "made", "", "local/p/made")
        },
        "another artifact": Read(lambda api: api.job("local/par/data:v0")),
        "None": Read(lambda api: api.job(None)),
        "its files": Read(
            lambda api: [
                api.job("local/p/made:v0", "down").name, api.job(name="local/p/made:v0", path=None).name,
                sorted(path.as_posix() for path in Path().rglob("*") if path.is_file()),
            ]
        ),
    },
    "Api.list_jobs": {
        "of a project": Read(lambda api: api.list_jobs("local", "p")),
        "of a project without": Read(lambda api: api.list_jobs("local", "empty")),
        "of no project": Read(lambda api: api.list_jobs("local", "none")),
        "of nobody": Read(lambda api: api.list_jobs(entity="nobody", project="p")),
        "of None": Read(lambda api: api.list_jobs("local", None)),
    },
    "Job.call": {
        "the first of two": Write(
            called,
            waiting,
            [
                [["pending", "local", True]] * 2, True, {
                    "docker": {}, "entity": "local", "git": {}, "job": JOB, "overrides": {"run_config": CONFIG},
                    "resource": "kubernetes", "resource_args": {"kubernetes": {"zone": "b"}},
                },
                "pending 3 True True",
            ],
        ),
        "a value of another type": Read(lambda api: api.job(JOB).call({**CONFIG, "lr": "x"}, "p", queue="shown")),
        "a value too many": Read(lambda api: api.job(JOB).call({**CONFIG, "more": 1}, "p", queue="shown")),
        "a value too few": Read(lambda api: api.job(JOB).call({"lr": 1}, "p", queue="shown")),
        "no queue": Read(lambda api: api.job(JOB).call(CONFIG, "p", queue="none")),
        "a variable that does not fit": Read(
            lambda api: api.job(JOB).call(CONFIG, "p", queue="shown", template_variables={"zone": "c"})
        ),
        "a variable that there is not": Read(
            lambda api: api.job(JOB).call(CONFIG, "p", queue="shown", template_variables={"none": 1})
        ),
    },
    "Job.set_entrypoint": {
        "before a call": Read(lambda api: [(job := api.job(JOB)).set_entrypoint(["python", "x.py"]), job.name])
    },
    "Job.name": {"as it was asked for": Read(lambda api: api.job("local/p/made:best").name)},
    "Api.queued_run": {
        state: Read(lambda api, state=state: shown(api, state)) for state in ("pending", "finished", "failed")
    }
    | {
        "by name": Read(
            lambda api: api.queued_run(
                entity="local", project="x", queue_name="shown", run_queue_item_id="1", project_queue="q", priority=1
            )
        ),
        "that is not there": Read(lambda api: api.queued_run("local", "p", "shown", "9999").state),
        "of no queue": Read(lambda api: api.queued_run("local", "p", "none", "1").state),
    },
    "QueuedRun.wait_until_running": {"what has ended": Read(lambda api: waited(api, "wait_until_running"))},
    "QueuedRun.wait_until_finished": {"what has ended": Read(lambda api: waited(api, "wait_until_finished"))},
    "QueuedRun.delete": {
        "both": Write(deleted, see("items"), [[]]),
        "of no queue": Read(lambda api: api.queued_run("local", "p", "none", "1").delete()),
    },
}  # fmt: skip
