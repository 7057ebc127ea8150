"""Jobs, made by the official SDK on whatever server the environment names."""

from __future__ import annotations

import sys
from pathlib import Path

import wandb
from wandb.sdk.launch.create_job import create_job


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir()
    (folder / "train.py").write_text("print(1)")
    (folder / "requirements.txt").write_text("wandb")
    assert create_job(
        str(folder), "code", "local", "p", name="made", entrypoint="train.py", runtime="3.11", aliases=["best"]
    )
    config = {"lr": 0.1, "layers": [1, 2], "name": "x", "deep": {"a": 1}}
    with wandb.init(project="p", id="source", config=config) as run:
        run.log({"loss": 1.0})
        run._log_job_artifact_with_image("my/image:tag", args=["a"]).wait()


if __name__ == "__main__":
    main()
