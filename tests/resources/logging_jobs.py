"""Jobs, made by the official SDK on whatever server the environment names, and a queue with runs of one of them."""

from __future__ import annotations

import sys
from pathlib import Path

import wandb
from wandb.sdk.launch.api import LaunchApi
from wandb.sdk.launch.create_job import create_job

CONFIG = {"lr": 0.1, "layers": [1, 2], "name": "x", "deep": {"a": 1}}
VARIABLES = {"zone": {"schema": {"type": "string", "enum": ["a", "b"]}}}


def queue() -> None:
    """Three runs in a queue: one that came to its end, one that could not be started, one that waits."""
    api, agent = wandb.Api(), LaunchApi()
    api.create_run_queue("shown", "kubernetes", "local", "V0", {"zone": "{{zone}}"}, VARIABLES)
    job = api.job("local/p/job-my_image_tag:v0", "job")
    for priority in (1, 2, 3):
        job.call(CONFIG, "p", "local", "shown", template_variables={"zone": "b"}, priority=priority)
    agent_id = agent.create_launch_agent("local", "model-registry", ["shown"], {}, "1")["launchAgentId"]
    first, second = (agent.pop_from_run_queue("shown", "local", "model-registry", agent_id) for _ in range(2))
    agent.ack_run_queue_item(first["runQueueItemId"], "source")
    agent.fail_run_queue_item(second["runQueueItemId"], "no image", "agent")


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir()
    (folder / "train.py").write_text("print(1)")
    (folder / "requirements.txt").write_text("wandb")
    assert create_job(
        str(folder), "code", "local", "p", name="made", entrypoint="train.py", runtime="3.11", aliases=["best"]
    )
    with wandb.init(project="p", id="source", config=CONFIG) as run:
        run.log({"loss": 1.0})
        run._log_job_artifact_with_image("my/image:tag", args=["a"]).wait()
    queue()


if __name__ == "__main__":
    main()
