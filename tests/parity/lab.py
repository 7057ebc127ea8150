"""Runs of all kinds, logged by the official SDK to whatever server the environment names.

One project, `lab`: several states, groups, job types and tags; config and summary that are nested, mixed in their
types, in no alphabet of their own; console output; files.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import searched
import wandb

CONFIGS = [
    {"lr": 0.1, "optimizer": {"name": "sgd", "momentum": 0.9}, "layers": [64, 10], "seed": 1, "amp": True},
    {"lr": 0.01, "optimizer": {"name": "adam", "betas": [0.9, 0.999]}, "seed": 2, "amp": False, "note": "größer"},
    {"lr": "0.1", "optimizer": "none", "seed": 3.5, "empty": {}, "nothing": None, "値": "漢字 🙂"},
    {"lr": 1, "seed": 2**53 + 1, "a.dot": 1.5, "a": {"dot": 2.5}, "long": "x" * 300},
]
SUMMARIES = [
    {"loss": 0.5, "val": {"acc": 0.9, "best": {"epoch": 3}}, "word": "done"},
    {"loss": 0.25, "val": {"acc": 0.95}, "word": "Done"},
    {"loss": "high", "val": 3, "ratio": float("inf")},
    {"loss": 2, "big": 2**60, "list": [1, 2, 3]},
]


def log(number: int, folder: Path) -> None:
    with wandb.init(
        project="lab", id=f"run-{number}", name=f"run {'abcd'[number]}", group="ab"[number % 2], notes=None,
        job_type="train" if number < 3 else "eval", tags=["x", "y", "z"][:number], config=CONFIGS[number],
    ) as run:  # fmt: skip
        for step in range(4):
            run.log({"loss": 1 / (step + 1), "step squared": step**2})
        run.summary.update(SUMMARIES[number])
        if number == 0:
            sys.stdout.write("to the output: größer\n")
            sys.stderr.write("to the errors\n")
            run.save(str(folder / "a.txt"), base_path=str(folder))
            run.save(str(folder / "sub" / "b.bin"), base_path=str(folder))
            run.log({"page": wandb.Html("<b>hello</b>"), "table": wandb.Table(columns=["a"], data=[[1], [2]])})


def hire(api: wandb.Api) -> None:
    """People and a team."""
    api.create_user("ann@example.org")
    api.create_user("anna@example.com", admin=True)
    readers = api.create_team("readers")
    assert readers.invite("ann") and readers.invite("someone@example.org", admin=True)
    assert readers.create_service_account("the robot")


def main() -> None:
    folder = Path(sys.argv[1])
    for number in range(4):
        log(number, folder)
    failed = wandb.init(project="lab", id="failed", tags=["x"], config={"lr": 0.1})
    failed.finish(exit_code=1)
    api = wandb.Api()
    api.create_run(run_id="running", project="lab")
    wandb.apis.public.Run.create(api, run_id="pending", project="lab", entity="local", state="pending")
    api.create_project("empty", "local")
    hire(api)
    searched.write(api, lambda run_id: api.create_run(run_id=run_id, project=searched.PROJECT))
    sys.stdout.flush()
    # The sidecar may miss the goodbye of a program that has read; all runs are finished here.
    os._exit(0)


if __name__ == "__main__":
    main()
