"""What becomes of runs: stopped, queued again, read line by line, exported, made of event files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from case import Cases, Read, Write, kind, refused
from cases_histories import plain
from cases_runs import made, see


def asked_to_stop(api: Any, project: str) -> bool:
    """What a training hears that asks whether it should go on."""
    from wandb.sdk.launch.api import LaunchApi

    return bool(LaunchApi().check_stop_requested(project, "local", "r"))


def lines(api: Any, path: str = "lab/run-0", **options: Any) -> Any:
    return api.run(path).console_logs(**options)


def exported(api: Any, path: str, *arguments: Any) -> list[Any]:
    found = api.run(path).download_history_exports(str(Path.cwd()), *arguments)
    return [[file.name for file in found.paths], found.contains_live_data, found.errors]


def synced(api: Any) -> Any:
    """A run of event files."""
    from tensorboardX import SummaryWriter

    with SummaryWriter("logs/train") as writer:
        for step in range(3):
            writer.add_scalar("loss", 1 / (step + 1), step)
    return found(api.sync_tensorboard("logs", "board", "made", "local"))


def read_synced(api: Any) -> Any:
    return found(api.run("made/board"))


def found(run: Any) -> list[Any]:
    """A run, its rows, and the names of its files."""
    files = sorted(file.name.partition(".tfevents")[0] for file in run.files())
    return [run.id, run.project, run.state, run.summary_metrics, run.config, list(run.scan_history()), files]


CASES: Cases = {
    "Run.stop": {
        "a run that goes on": Write(lambda api, project: made(api, project).stop(), asked_to_stop, True),
        "nobody": Write(made, asked_to_stop, False),
        "a run that has ended": Read(lambda api: [api.run("lab/failed").stop(), api.run("lab/failed").state]),
        "what is gone": Read(lambda api: [run := api.create_run(project="made"), run.delete(), run.stop()]),
    },
    "Run.update_state": {
        "failed": Write(lambda api, project: made(api, project).update_state("failed"), see("state"), ["failed"]),
        "pending again": Write(
            lambda api, project: [run := made(api, project), run.update_state("failed"), run.update_state("pending")],
            see("state"),
            ["pending"],
        ),
        "what it gives": Read(lambda api: [(run := api.create_run(project="made")).update_state("failed"), run.state]),
        "of a run that has finished": Read(lambda api: api.run("lab/run-0").update_state("pending")),
        "a state that nobody asks for": Read(lambda api: api.run("lab/running").update_state("finished")),
        "a state that there is not": Read(lambda api: api.run("lab/running").update_state("nonsense")),
    },
    "Run.create": {
        "that waits": Write(
            lambda api, project: kind(api, "Run").create(api, "r", project, "local", "pending"),
            see("state", "id"),
            ["pending", "r"],
        ),
    },
    "Run.console_logs": {
        "each line": Read(lines),
        "in pages": Read(lambda api: lines(api, per_page=1)),
        "the last": Read(lambda api: lines(api, last=1)),
        "more than there are": Read(lambda api: lines(api, last=100)),
        "of a run without": Read(lambda api: list(lines(api, "lab/running"))),
        "no lines": Read(lambda api: list(lines(api, last=0))),
        "no pages": Read(lambda api: list(lines(api, per_page=0))),
        "what is gone": Read(
            lambda api: [run := api.create_run(project="made"), run.delete(), list(run.console_logs())]
        ),
    },
    "ConsoleLogs.more": {"before and after": Read(lambda api: [(f := lines(api)).more, len(list(f)), f.more])},
    "ConsoleLogs.cursor": {"before": Read(lambda api: lines(api).cursor)},
    "ConsoleLogs.__getitem__": {
        "one and some": Read(lambda api: [lines(api)[0], lines(api)[0:2], repr(lines(api))]),
        "beyond the end": Read(lambda api: lines(api)[1000]),
        "their number": Read(lambda api: len(lines(api))),
    },
    "Run.to_html": {
        "as it is": Read(lambda api: api.run("lab/run-0").to_html()),
        "of a height": Read(lambda api: api.run("lab/run-0").to_html(height=100)),
        "hidden": Read(lambda api: api.run("lab/run-0").to_html(100, True)),
        "in a notebook": Read(lambda api: api.run("lab/run-0")._repr_html_()),
        "outside of one": Read(lambda api: api.run("lab/run-0").display()),
    },
    "Run.download_history_exports": {
        "that are not whole": Read(lambda api: exported(api, "lab/run-0")),
        "what there is": Read(lambda api: exported(api, "lab/run-0", False)),
        "of a run without": Read(lambda api: exported(api, "lab/running")),
    },
    "Run.beta_scan_history": {"by its old name": Read(lambda api: len(list(api.run("lab/run-0").beta_scan_history())))},
    "Api.sync_tensorboard": {
        # The official client lacks the module that it calls for it.
        "read by the other": Read(synced, theirs=read_synced, fit=plain),
        "no event files": Read(lambda api: refused(lambda: api.sync_tensorboard("nothing", project="made"))),
    },
}
