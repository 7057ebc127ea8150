"""A run of the official SDK that follows the event files of a training."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import wandb
from event_files import train

root = Path(sys.argv[1])
with wandb.init(project="p", id="followed", settings=wandb.Settings(silent=True)) as run:
    for folder in ("train", "validation", "train/trial"):
        run._tensorboard_callback(str(root / folder), save=True, root_logdir=str(root))
    train(root)
    time.sleep(4)
