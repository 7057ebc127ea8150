"""Artifacts of all kinds, logged by the official SDK to whatever server the environment names."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import numpy as np
import wandb


def main() -> None:
    folder = Path(sys.argv[1])
    picture = np.zeros((4, 4, 3), np.uint8)
    with wandb.init(project="par", id="logger", job_type="prep") as run:
        run.log({"loss": 1.0})
        data = wandb.Artifact(
            "data", "dataset", description="rows", metadata={"rows": 3, "nested": {"a": [1, 2]}, "nan": float("nan")}
        )
        data.add_dir(str(folder))
        data.add_reference(f"file://{folder}/a.txt", name="ref.txt")
        rows = [
            [1, 1.5, "x", True, dt.datetime(2024, 1, 2, 3, 4, 5, 678000), {"k": 1}, [1, 2], np.arange(3)],
            [2, float("nan"), None, False, dt.datetime(2024, 1, 3), {"k": 2}, [3], np.arange(3)],
        ]
        data.add(wandb.Table(columns=["i", "f", "s", "b", "when", "d", "l", "arr"], data=rows), "tab")
        data.add(wandb.Table(columns=["v"], data=[[np.arange(200)], [np.arange(200) * 2]]), "arrays")
        data.add(wandb.Image(picture), "pic")
        for number, values in enumerate(([1, 2], [3])):
            data.add(wandb.Table(columns=["q"], data=[[value] for value in values]), f"parts/{number}")
        data.add(wandb.data_types.PartitionedTable("parts"), "whole")
        run.log_artifact(data, aliases=["first", "best"], tags=["red", "big one"]).wait()
        again = wandb.Artifact("data", "dataset")
        again.add_file(str(folder / "a.txt"))
        run.log_artifact(again).wait()
        net = wandb.Artifact("net", "model")
        net.add_file(str(folder / "B.txt"), name="w.bin")
        net.ttl = dt.timedelta(days=3)
        run.log_artifact(net, tags=["prod"]).wait()
        run.link_artifact(net, "zoo", aliases=["champion"])
        run.log({"table": wandb.Table(columns=["x", "y"], data=[[1, 2.5], [3, None]])})
        table = wandb.Table(columns=["e", "v"], log_mode="INCREMENTAL")
        for epoch in range(3):
            table.add_data(epoch, epoch * 0.5)
            run.log({"inc": table})
    with wandb.init(project="par", id="user") as run:
        used = run.use_artifact("data:first")
        derived = wandb.Artifact("derived", "dataset")
        derived.add_reference(used.get_entry("a.txt"))
        derived.add(used.get("tab"), "again")
        run.log_artifact(derived).wait()


if __name__ == "__main__":
    main()
