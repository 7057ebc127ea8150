"""Two runs of the official SDK that print, one of which fails; what is printed is what `run.console_logs()` shows."""

from __future__ import annotations

import sys

import wandb

with wandb.init(project="printed", id="talker", settings=wandb.Settings(console="wrap")) as run:
    for number in range(40):
        print(f"line {number} – ü")  # noqa: T201
    print("to stderr", file=sys.stderr)  # noqa: T201
    run.log({"loss": 0.5})
with wandb.init(project="printed", id="silent", settings=wandb.Settings(console="off")) as run:
    run.log({"loss": 0.25})
