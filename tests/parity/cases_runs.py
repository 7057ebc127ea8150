"""Runs, one by one: fields, documents, changes."""

from __future__ import annotations

import time
from typing import Any

from case import Cases, Read, Write, package
from cases_listings import ids

ALL = ["failed", "pending", "run-0", "run-1", "run-2", "run-3", "running"]


def summary_reading(api: Any) -> list[Any]:
    summary = api.run("lab/run-0").summary
    return [
        summary["loss"], summary["val"]["best"]["epoch"], summary.get("val").get("acc"), summary.get("no", "thing"),
        summary.get("no"), sorted(summary.keys()), sorted(key for key, _ in summary.items()),
        dict(summary.items())["word"], "val" in summary, "no" in summary, sorted(summary["val"].keys()),
        dict(summary["val"].items())["acc"], repr(summary["val"]["best"]), summary.loss, dict(summary)["word"],
        summary[" loss "],
    ]  # fmt: skip


def made(api: Any, project: str, **fields: Any) -> Any:
    """A run of one's own, read again so that it has all its fields."""
    api.create_run(run_id="r", project=project)
    run = api.run(f"{project}/r")
    for name, value in fields.items():
        setattr(run, name, value)
    return run


def see(*names: str) -> Any:
    """Looks at fields of the run."""
    return lambda api, project: [getattr(api.run(f"{project}/r"), name) for name in names]


def change_config(api: Any, project: str) -> None:
    run = made(api, project)
    run.config["a"] = {"b": [1, 2.5, None, "größe"]}
    run.config["value"] = {"value": 1}
    run.update()
    again = api.run(f"{project}/r")
    again.load(force=True)
    again.config["more"] = True
    del again.config["value"]
    again.update()


def change_in_place(api: Any, project: str) -> None:
    run = made(api, project)
    run.tags.append("new")
    run.notes = "größe\nline"
    run.display_name = "shown"
    run.group, run.job_type, run.description = "g", "j", "d"
    run.save()


def change_of_a_listed_run(api: Any, project: str) -> None:
    api.create_run(run_id="r", project=project)
    [run] = list(api.runs(project))
    run.tags = ["listed"]
    run.config["k"] = 1
    run.update()


def change_summary(api: Any, project: str) -> None:
    run = made(api, project)
    run.summary["loss"] = 0.5
    run.summary["deep"] = {"a": 1, "b": {"c": 2}}
    run.summary.update({"acc": 1, "gone": 1, "list": [1, 2]})
    del run.summary["gone"]
    run.summary["deep"]["b"] = {"c": 3}
    run.summary.update()


def change_numbers(api: Any, project: str) -> None:
    import numpy as np

    run = made(api, project)
    run.summary.update(
        {"f": np.float32(0.5), "i": np.int64(7), "a": np.arange(3), "b": np.bool_(True), "inf": float("inf")}
    )


def wait(api: Any, path: str) -> list[Any]:
    run = api.run(path)
    begun = time.monotonic()
    return [run.wait_until_finished(), run.state, time.monotonic() - begun < 3]


def deleted(api: Any, project: str) -> None:
    made(api, project).delete()
    api.create_run(run_id="other", project=project).delete(delete_artifacts=True)
    api.create_run(run_id="stays", project=project)


def gone(api: Any, project: str) -> bool:
    try:
        api.run(f"{project}/r")
    except package(api).CommError as error:
        return "Could not find run" in str(error)
    return False


def named(api: Any, run_id: str) -> Any:
    """A run with an id, on this side alone."""
    run = api.run("lab/run-0")
    run.id = run_id
    return run


CASES: Cases = {
    "Api.run": {
        **{
            f"fields of {path}": Read(lambda api, path=path: api.run(path))
            for path in (*(f"lab/{name}" for name in ALL), "parity/lr-0.1", "parity/failed", "par/user")
        },
        **{
            f"path {path!r}": Read(lambda api, path=path: [(run := api.run(path)).path, run.state])
            for path in (
                "local/lab/run-0",
                "local/lab/runs/run-0",
                "/local/lab/runs/run-0/",
                "lab:run-0",
                "local/lab:run-0",
                "lab/none",
                "none/run-0",
                "nobody/lab/run-0",
                "run-0",
                "",
                "/",
                "a/b/c/d",
                "local/lab/run 0",
                "lab/",
                " lab/run-0 ",
                ":",
                "lab:",
                "runs/run-0",
                "http://host/local/lab/runs/run-0",
                "local//run-0",
            )
        },
        "by name": Read(lambda api: api.run(path="lab/run-0")),
        "None": Read(lambda api: api.run(None)),
    },
    "Api.create_run": {
        "its fields": Write(
            lambda api, project: api.create_run(run_id="r", project=project, entity="local"),
            see("id", "state", "config", "summary_metrics", "tags", "notes", "group", "entity"),
            ["r", "running", {}, {}, [], None, None, "local"],
        ),
        "what it gives": Read(
            lambda api: [
                getattr(run, name)
                for run in [api.create_run(run_id="given", project="made")]
                for name in ("id", "storage_id", "state", "config", "tags", "notes", "project", "path", "description")
            ]
        ),
        "an id of its own": Read(lambda api: [len(run.id) for run in [api.create_run(project="made")]]),
        "of nobody": Read(lambda api: api.create_run(run_id="x", project="made", entity="nobody").path),
        "an id with a slash": Read(lambda api: api.create_run(run_id="a/b", project="made").id),
        "one that is there": Write(
            lambda api, project: [change_in_place(api, project), api.create_run(run_id="r", project=project)],
            see("tags", "notes", "group"),
            [["new"], "größe\nline", "g"],
        ),
    },
    "Run.config": {
        "read and changed": Write(change_config, see("config"), [{"a": {"b": [1, 2.5, None, "größe"]}, "more": True}]),
        "of a run in a listing": Read(lambda api: [run.config for run in api.runs("lab", order="+name")]),
    },
    "Run.rawconfig": {"of a run in a listing": Read(lambda api: [run.rawconfig for run in api.runs("lab")])},
    "Run.summary_metrics": {
        "of a run in a listing": Read(lambda api: [run.summary_metrics for run in api.runs("lab")])
    },
    "Run.summary": {
        "changed": Write(
            change_summary,
            see("summary_metrics"),
            [{"loss": 0.5, "deep": {"a": 1, "b": {"c": 3}}, "acc": 1, "list": [1, 2]}],
        ),
        "numbers of numpy": Write(
            change_numbers, see("summary_metrics"), [{"f": 0.5, "i": 7, "a": [0, 1, 2], "b": True, "inf": float("inf")}]
        ),
        "its plain form": Read(lambda api: api.run("lab/run-0").summary._json_dict),
    },
    "HTTPSummary.keys": {"and the rest of a mapping": Read(summary_reading)},
    "HTTPSummary.items": {"of a run without": Read(lambda api: list(api.run("lab/running").summary.items()))},
    "HTTPSummary.get": {"beside what is there": Read(lambda api: api.run("lab/running").summary.get("x", 1))},
    "HTTPSummary.__getitem__": {"a key that is not there": Read(lambda api: api.run("lab/run-0").summary["no"])},
    "HTTPSummary.__contains__": {"in a run without": Read(lambda api: "x" in api.run("lab/running").summary)},
    "HTTPSummary.__setitem__": {
        "not before it is sent": Write(
            lambda api, project: made(api, project).summary.__setitem__("x", 1), see("summary_metrics"), [{}]
        ),
        "sent with the run": Write(
            lambda api, project: [run := made(api, project), run.summary.__setitem__("x", 1), run.update()],
            see("summary_metrics"),
            [{"x": 1}],
        ),
    },
    "HTTPSummary.__delitem__": {
        "a key that is not there": Read(lambda api: api.run("lab/run-0").summary.__delitem__("no"))
    },
    "HTTPSummary.update": {
        "without what was set": Write(
            lambda api, project: [
                run := made(api, project),
                run.summary.__setitem__("a", 1),
                run.summary.update({"a": 2, "b": 3}, overwrite=False),
            ],
            see("summary_metrics"),
            [{"a": 1, "b": 3}],
        ),
    },
    "Run.name": {
        "changed": Write(lambda api, p: made(api, p, name="new").update(), see("name", "display_name"), ["new", "new"])
    },
    "Run.tags": {
        "changed": Write(
            lambda api, p: made(api, p, tags=["b", "a", "größe"]).update(), see("tags"), [["b", "a", "größe"]]
        ),
        "of a run in a listing": Write(change_of_a_listed_run, see("tags", "config"), [["listed"], {"k": 1}]),
    },
    "Run.update": {
        "all that can be": Write(
            change_in_place,
            see("tags", "notes", "name", "group", "job_type", "description"),
            [["new"], "größe\nline", "shown", "g", "j", "d"],
        ),
    },
    "Run.save": {"the same": Write(lambda api, p: made(api, p, notes="n").save(), see("notes"), ["n"])},
    "Run.delete": {
        "one, and one with its artifacts": Write(deleted, lambda api, p: ids(api.runs(p)), ["stays"]),
        "is gone": Write(lambda api, p: made(api, p).delete(), lambda api, p: gone(api, p), True),
        "twice": Read(lambda api: [run := api.create_run(project="made"), run.delete(), run.delete()][1:]),
    },
    "Run.load": {
        "what it gives": Read(
            lambda api: [
                sorted(
                    {"id", "name", "state", "tags", "config", "summaryMetrics"}
                    & api.run("lab/run-0").load_full_data().keys()
                ),
                api.run("lab/run-0").load()["name"],
                api.run("lab/run-0").load(force=True)["displayName"],
            ]
        ),
        "what was changed is lost": Read(
            lambda api: [run := api.run("lab/run-0"), run.config.clear(), run.load_full_data(force=True), run.config][
                -1
            ]
        ),
        "what is gone": Read(lambda api: [run := api.create_run(project="made"), run.delete(), run.load(force=True)]),
    },
    "Run.load_full_data": {"of a run in a listing": Read(lambda api: api.runs("lab")[0].load_full_data()["config"])},
    "Run.wait_until_finished": {
        "what has": Read(lambda api: wait(api, "lab/run-0")),
        "what has failed": Read(lambda api: wait(api, "lab/failed")),
        "what is gone": Read(
            lambda api: [run := api.create_run(project="made"), run.delete(), run.wait_until_finished()]
        ),
    },
    "Run.created_at": {
        "in both spellings": Read(
            lambda api: [
                (run := api.run("lab/run-0")).createdAt,
                run.displayName,
                run.display_name,
                run.jobType,
                run.heartbeatAt,
                run.readOnly,
                hasattr(run, "nonsense"),
                run.historyLineCount,
            ]
        ),
        "a field that there is not": Read(lambda api: api.run("lab/run-0").nonsense),
    },
    "Run.user": {"who it was": Read(lambda api: [(user := api.run("lab/run-0").user).username, user.name, repr(user)])},
    "Run.path": {"with blanks": Read(lambda api: named(api, "a b%c/ü").path)},
    "Run.url": {"with blanks": Read(lambda api: named(api, "a b%c/ü").url)},
}
