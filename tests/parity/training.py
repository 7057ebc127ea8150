"""A real training, logged by the official SDK to whatever server the environment names.

Run as a program: only `WANDB_BASE_URL` and `WANDB_API_KEY` say where the data goes. Between them, its runs hold what
is awkward to carry: nested config, NaN and infinities, 64-bit integers, sparse keys, media, files, tags, and exits
other than 0.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import wandb
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

PROJECT = "parity"
BIG = 2**62 + 1


def train(lr: float, folder: Path) -> None:
    pixels, labels = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(pixels / 16, labels, random_state=0)
    model = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=lr, random_state=0)
    config = {"optimizer": {"name": "sgd", "lr": lr}, "seed": 0, "big": BIG, "layers": [64, 10], "a.dot": 1.5}
    with wandb.init(
        project=PROJECT, id=f"lr-{lr}", name=f"lr {lr}", group="grid", job_type="train", tags=["digits", "sgd"],
        notes="one linear model", config=config,
    ) as run:  # fmt: skip
        run.define_metric("valid/*", step_metric="epoch", summary="min")
        for epoch in range(30):
            model.partial_fit(train_x, train_y, classes=np.arange(10))
            row = {"epoch": epoch, "train": {"accuracy": model.score(train_x, train_y)}, "seen": BIG + epoch}
            row["grad"] = float("nan") if epoch == 3 else float("inf") if epoch == 4 else 1.0 / (epoch + 1)
            if epoch % 5 == 4:
                row["valid/loss"] = log_loss(test_y, model.predict_proba(test_x))
            run.log(row)
        picture = (test_x[0].reshape(8, 8) * 255).astype(np.uint8)
        weights = wandb.Histogram(model.coef_)
        run.log({"digit": wandb.Image(picture, caption="a digit"), "weights": weights, "worst": float("nan")})
        run.summary["verdict"] = {"big": BIG, "word": "done"}
        report = folder / "report.json"
        report.write_text(json.dumps({"lr": lr}))
        run.save(str(report), base_path=str(folder))
        sys.stdout.write(f"trained with {lr}\n")


def main() -> None:
    folder = Path(sys.argv[1])
    for lr in (0.001, 0.01, 0.1):
        train(lr, folder)
    failed = wandb.init(project=PROJECT, id="failed", config={"optimizer": "none"})
    failed.log({"epoch": 0})
    failed.finish(exit_code=3)


if __name__ == "__main__":
    main()
