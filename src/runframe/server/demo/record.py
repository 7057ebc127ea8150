"""How the recorded runs were made: `python -m runframe.server.demo.record`.

Trains the models of `runframe.server.demo.trials` and logs each training with the official SDK in offline mode; then
puts the logs and their files where the package keeps them. Needs the `test` extra (wandb, scikit-learn).

The recordings ship with the package, so they say nothing of who made them: host, program, interpreter and folder are
given neutral names, and only ``run-<id>.wandb`` and ``files/`` are kept.
"""

from __future__ import annotations

import os
import platform
import shutil
import struct
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import wandb

from runframe.server.demo.recordings import FOLDER
from runframe.server.demo.trials import CLASSES, Digits, Model, Trial, loss_and_accuracy, trials

PROJECT: Final = "digits"
WORKSHOP: Final = Path(tempfile.gettempdir()) / "digits"


def main() -> None:
    """Train, log, and replace the recordings."""
    shutil.rmtree(WORKSHOP, ignore_errors=True)
    WORKSHOP.mkdir()
    os.chdir(WORKSHOP)
    _forget_the_machine()
    data = Digits.load()
    for trial in trials():
        code = _log(trial, data)
        sys.stderr.write(f"{trial.id}: exit code {code}\n")
    _keep(WORKSHOP / "wandb", FOLDER)
    shutil.rmtree(WORKSHOP)


def _forget_the_machine() -> None:
    for name in [name for name in os.environ if name.startswith("WANDB")]:
        del os.environ[name]
    for name in ("CACHE", "CONFIG", "DATA"):
        os.environ[f"WANDB_{name}_DIR"] = name.lower()
    os.environ["WANDB_ERROR_REPORTING"] = "false"
    system = f"{platform.system()}-{platform.machine()}"
    platform.platform = lambda aliased=False, terse=False: system  # the SDK would write the kernel's build name


def _settings() -> wandb.Settings:
    return wandb.Settings(
        mode="offline",
        root_dir=".",
        host="demo",
        program="record.py",
        program_abspath="record.py",
        program_relpath="record.py",
        x_executable="python",
        disable_git=True,
        silent=True,
        x_stats_sampling_interval=0.1,
    )


def _log(trial: Trial, data: Digits) -> int:
    """Log one training; returns the run's exit code."""
    run = wandb.init(
        project=PROJECT,
        id=trial.id,
        name=trial.name,
        group=trial.family,
        job_type="train",
        tags=[trial.family, *trial.tags],
        notes=trial.notes,
        config=trial.config,
        settings=_settings(),
    )
    code = 0
    _define_metrics(run)
    try:
        _log_results(run, _train(run, trial, data), data)
    except ValueError as error:
        # Not left to the SDK, whose traceback would name this machine's folders.
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        code = 1
    run.finish(exit_code=code)
    return code


def _define_metrics(run: wandb.Run) -> None:
    run.define_metric("epoch", hidden=True)
    run.define_metric("train/*", step_metric="epoch")
    run.define_metric("val/loss", step_metric="epoch", summary="min")
    run.define_metric("val/accuracy", step_metric="epoch", summary="max,last")


def _train(run: wandb.Run, trial: Trial, data: Digits) -> Model:
    """Log every epoch, and the validation every few."""
    model: Model = None
    for epoch, step in enumerate(trial.train(data), 1):
        row: dict[str, Any] = {"epoch": epoch, "train/loss": step.train_loss}
        if step.model is not None:
            model = step.model
            loss, accuracy, _ = loss_and_accuracy(model, data.train, data.train_labels)
            row |= {"train/loss": loss if step.train_loss is None else step.train_loss, "train/accuracy": accuracy}
        if step.model is not None and (epoch == 1 or epoch % trial.every == 0):
            row["val/loss"], row["val/accuracy"], _ = loss_and_accuracy(model, data.validation, data.validation_labels)
            sys.stdout.write(f"epoch {epoch}: validation loss {row['val/loss']:.4f}\n")
        run.log(row)
    return model


def _log_results(run: wandb.Run, model: Model, data: Digits) -> None:
    """Confusion matrix as an image, some predictions as a table, confidences as a histogram, totals in the summary."""
    _, _, probabilities = loss_and_accuracy(model, data.validation, data.validation_labels)
    predicted = CLASSES[probabilities.argmax(axis=1)]
    confusion = np.zeros((10, 10), dtype=np.int64)
    np.add.at(confusion, (data.validation_labels, predicted), 1)
    picture = WORKSHOP / "confusion.png"
    picture.write_bytes(png(np.kron(255 - 255 * confusion // confusion.max(), np.ones((12, 12), dtype=np.int64))))
    table = wandb.Table(columns=["image", "label", "predicted", "confidence"])
    for index in range(20):
        confidence = round(float(probabilities[index].max()), 6)
        table.add_data(index, int(data.validation_labels[index]), int(predicted[index]), confidence)
    run.log(
        {
            "val/confusion": wandb.Image(str(picture), caption="rows: label, columns: predicted"),
            "val/predictions": table,
            "val/confidence": wandb.Histogram(probabilities.max(axis=1), num_bins=16),
        }
    )
    run.summary["errors"] = int((predicted != data.validation_labels).sum())
    run.summary["per_class"] = {
        str(label): float((predicted[data.validation_labels == label] == label).mean()) for label in CLASSES
    }


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    """A greyscale PNG of a matrix of values from 0 to 255."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = pixels.shape
    rows = b"".join(b"\0" + row.astype(np.uint8).tobytes() for row in pixels)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
            chunk(b"IDAT", zlib.compress(rows, 9)),
            chunk(b"IEND", b""),
        ]
    )


def _keep(made: Path, target: Path) -> None:
    """Replace the recordings by what was made: the logs and the run files."""
    shutil.rmtree(target, ignore_errors=True)
    for log in sorted(made.glob("offline-run-*/*.wandb")):
        folder = target / log.parent.name
        folder.mkdir(parents=True)
        shutil.copy(log, folder)
        shutil.copytree(log.parent / "files", folder / "files")


if __name__ == "__main__":
    main()
