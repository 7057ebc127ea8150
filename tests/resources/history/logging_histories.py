"""Histories that are awkward to carry, logged by the official SDK to whatever server the environment names.

One training with three seeds: its validation has an x axis of its own, its keys are sparse, and it logs NaN,
infinities, large integers, nested keys, keys with dots, texts, media and tables.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import wandb

BIG = 2**62 + 1


def train(seed: int) -> None:
    noise = np.random.default_rng(seed)
    config = {"seed": seed, "optimizer": {"lr": 0.1}}
    with wandb.init(project="seeds", id=f"seed-{seed}", config=config) as run:
        run.define_metric("epoch", hidden=True)
        run.define_metric("val/*", step_metric="epoch", summary="min")
        run.define_metric("val/quiet", step_metric="epoch", step_sync=False)
        run.define_metric("quiet_table", summary="none")
        for step in range(20 + seed):
            row = {
                "loss": 1 / (step + 1) + noise.normal() / 100,
                "seen": BIG + step,
                "opt": {"lr": 0.1, "m": {"b": step}},
            }
            if step % 5 == 0:
                row |= {"epoch": step // 5, "val/loss": 1 / (step + 1)}
            if step == 7:
                row |= {"val/loss": float("nan"), "val/quiet": 1.0, "a.dot": 1, "phase": "late", "good": True}
            if step == 8:
                row |= {"grad": float("inf"), "a.dot": 2.5, "phase": 2}
            run.log(row)
        picture = wandb.Image(np.zeros((4, 4, 3), np.uint8), caption="black")
        cells = [[seed, dt.datetime(2024, 1, 2), picture, 0.5], [BIG, None, None, float("nan")]]
        run.log({"picture": picture, "weights": wandb.Histogram(noise.normal(size=50)), "list": [1, 2.5]})
        run.log({"tab": wandb.Table(columns=["n", "when", "image", "x"], data=cells)})
        run.log({"deep": {"tab": wandb.Table(columns=["n"], data=[[seed]])}})
        run.log({"quiet_table": wandb.Table(columns=["q"], data=[["quiet"]])})
        grown = wandb.Table(columns=["epoch"], log_mode="INCREMENTAL")
        for epoch in range(3):
            grown.add_data(epoch)
            run.log({"grown": grown})


if __name__ == "__main__":
    for number in range(3):
        train(number)
