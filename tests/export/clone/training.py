"""Fills a project with the official SDK: everything that a clone has to carry.

Run as a program, in an environment that points the SDK at a server: `training.py FOLDER PROJECT`.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import wandb

FOLDER, PROJECT = Path(sys.argv[1]), sys.argv[2]
BIG = 2**53 + 3
FAST = {"x_disable_meta": False, "x_stats_sampling_interval": 0.1, "x_file_stream_transmit_interval": 1}


def image(seed: int) -> wandb.Image:
    pixels = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    return wandb.Image(pixels, caption=f"picture {seed}")


def first() -> None:
    run = wandb.init(
        project=PROJECT, id="first", name="the first", group="grid", job_type="train", notes="line one\nläne two",
        tags=["a", "ünïcode"], config={"optimizer": {"name": "sgd", "lr": 0.1}, "layers": [1, [2, 3]], "big": BIG,
        "empty": {}, "none": None}, settings=wandb.Settings(**FAST, console="wrap"),
    )  # fmt: skip
    run.define_metric("val/acc", summary="max", step_metric="epoch")
    sys.stdout.write("a line for the console\n")
    sys.stderr.write("and one with [brackets] and ümlauts\n")
    for step in range(60):
        row: dict[str, object] = {"loss": 1 / (step + 1), "nested": {"a": {"b": step}}, "epoch": step // 10}
        if step % 10 == 0:
            row |= {"val/acc": step / 60, "picture": image(step), "hist": wandb.Histogram([1, 2, 3, step])}
        if step == 7:
            row |= {"odd": math.nan, "huge": BIG, "far": math.inf, "text": 'quote " and \\ and \u2028'}
        run.log(row)
    run.log({"table": wandb.Table(columns=["x", "y", "pic"], data=[[1, "ä", image(99)], [2, None, image(98)]])})
    (FOLDER / "notes.txt").write_text("saved by hand ✓")
    (FOLDER / "empty.bin").write_bytes(b"")
    run.save(str(FOLDER / "notes.txt"), base_path=str(FOLDER))
    run.save(str(FOLDER / "empty.bin"), base_path=str(FOLDER))
    data = wandb.Artifact("data", "dataset", description="first data", metadata={"rows": 3, "nested": {"x": [1, 2]}})
    (FOLDER / "part").mkdir(exist_ok=True)
    for number in range(5):
        (FOLDER / "part" / f"{number}.txt").write_text(f"content {number % 3}")
    data.add_dir(str(FOLDER / "part"), name="part")
    data.add_reference("https://example.invalid/far.bin", name="far", checksum=False)
    data.add(wandb.Table(columns=["k"], data=[[1], [2]]), "tables/small")
    run.log_artifact(data, aliases=["best", "with space"], tags=["clean"]).wait()
    run.summary["best"] = {"loss": 0.01, "at": [1, 2]}
    run.finish()


def second() -> None:
    run = wandb.init(project=PROJECT, id="second", config={"seed": 2}, settings=wandb.Settings(**FAST))
    used = run.use_artifact("data:best")
    gone = wandb.Artifact("data", "dataset")
    with gone.new_file("only.txt") as file:
        file.write("gone later")
    run.log_artifact(gone).wait()
    more = wandb.Artifact("data", "dataset", metadata={"rows": 4})
    with more.new_file("part/new.txt") as file:
        file.write("new content")
    more.add_reference(used.get_entry("part/0.txt"), name="from-v0.txt")
    more = run.log_artifact(more, aliases=["newest"]).wait()
    model = wandb.Artifact("model", "model", description="the weights")
    with model.new_file("weights.bin", mode="wb") as file:
        file.write(bytes(range(256)) * 1000)
    model = run.log_artifact(model).wait()
    run.link_artifact(model, f"{PROJECT}/production", aliases=["live"])
    run.link_artifact(more, f"{PROJECT}/sets")
    run.log({"loss": 0.5}, step=10)
    run.log({"loss": 0.25}, step=10**6)
    run.finish(exit_code=3)


def sweep() -> None:
    config = {"method": "grid", "name": "a sweep", "metric": {"name": "loss", "goal": "minimize"},
              "parameters": {"lr": {"values": [0.1, 0.2]}}}  # fmt: skip
    sweep_id = wandb.sweep(config, project=PROJECT)

    for number, rate in enumerate([0.1, 0.2]):
        settings = wandb.Settings(**FAST, sweep_id=sweep_id)
        with wandb.init(project=PROJECT, id=f"trial-{number}", config={"lr": rate}, settings=settings) as run:
            run.log({"loss": rate * 2})


def edit() -> None:
    """What people change later, in the browser or by the API."""
    api = wandb.Api()
    entity = api.default_entity
    collection = api.artifact_collection("dataset", f"{entity}/{PROJECT}/data")
    collection.description = "all the data"
    collection.tags = ["curated"]
    collection.save()
    # A hole in the numbers.
    api.artifact(f"{entity}/{PROJECT}/data:v1").delete(delete_aliases=True)
    run = api.run(f"{entity}/{PROJECT}/second")
    run.tags = ["later"]
    run.notes = "noted later"
    run.update()
    api.create_run(run_id="made", project=PROJECT)
    import wandb_workspaces.reports.v2 as reports

    report = reports.Report(project=PROJECT, entity=entity, title="What we saw", description="a report")
    report.blocks = [reports.H1("Heading"), reports.PanelGrid(runsets=[reports.Runset(entity, PROJECT)])]
    report.save()


first()
second()
sweep()
edit()
