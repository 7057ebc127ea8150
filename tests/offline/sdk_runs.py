"""Runs logged by the official SDK, offline: `python sdk_runs.py SCENARIO FOLDER`."""

from __future__ import annotations

import os
import signal
import struct
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import wandb


def png(path: Path) -> str:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)
    pixels = zlib.compress((b"\0" + bytes(12)) * 4)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b""))
    return str(path)


def features(folder: Path) -> None:
    config = {
        "lr": 0.1,
        "opt": {"name": "sgd", "m": {"b": 0.9}},
        "i64": 2**62 + 1,
        "inf": float("inf"),
        "nan": float("nan"),
        "a.b": 1,
        "list": [1, 2.5, {"x": None}],
        "none": None,
        "é": "ü\u2028",
    }
    run = wandb.init(
        project="proj", id="features", config=config, tags=["a", "b"], notes="two\nlines", group="g", job_type="train"
    )
    run.define_metric("val/step")
    run.define_metric("val/*", step_metric="val/step", summary="min")
    run.define_metric("loss", summary="min,max,mean,last,first")
    run.define_metric("hidden", hidden=True)
    run.define_metric("acc", step_metric="epoch", summary="max")
    run.define_metric("acc", summary="mean")
    run.config.update({"opt": {"name": "adam", "m": {"c": 1}}, "lr": 0.2, "late": {"x": 1}}, allow_val_change=True)
    for step in range(8):
        row = {"loss": 1 / (step + 1), "acc": step / 10, "epoch": step, "nest": {"a": step, "b.c": {"d": 1.0}}}
        if step == 3:
            row |= {"loss": float("nan"), "inf": float("inf"), "ninf": float("-inf"), "big": 2**62 + 3, "huge": 2**80}
        if step % 3 == 0:
            row |= {"val/step": step, "val/loss": 10 - step, "text": "é\n", "none": None, "list": [1, 2], "flag": True}
        run.log(row)
        sys.stdout.write(f"step {step}\n")
        sys.stderr.write(f"\rprogress {step}")
        time.sleep(0.2)
    sys.stderr.write("\n\n\x1b[31mred\x1b[0m tail\n")
    run.log({"img": wandb.Image(png(folder / "x.png"), caption="c"), "table": wandb.Table(["a"], data=[[1], [2]])})
    run.log({"hist": wandb.Histogram(np.arange(100)), "html": wandb.Html("<b>hi</b>"), "array": np.arange(40.0)})
    run.summary["best"] = 5
    run.summary["nested"] = {"x": {"y": 1}}
    run.summary["gone"] = 1
    del run.summary["gone"]
    (folder / "saved.txt").write_text("saved")
    run.save(str(folder / "saved.txt"), base_path=str(folder))
    run.alert("Title", "Text", level="WARN")
    artifact = wandb.Artifact("ds", "dataset", metadata={"k": 1})
    artifact.add_file(str(folder / "saved.txt"))
    artifact.add_reference("https://example.org/x", checksum=False)
    run.log_artifact(artifact, aliases=["best"])
    run.tags = (*run.tags, "late")
    run.name = "renamed"
    run.finish(exit_code=3)


def typed(folder: Path) -> None:
    run = wandb.init(project="proj", id="typed", settings=wandb.Settings(x_history_value_encoding="json,typed"))
    run.log({"i": 2**63 - 1, "n": -5, "f": 1.0, "big": 1234567.0, "nan": float("nan"), "t": 'é"', "b": True})
    run.log({"none": None, "list": [1, {"k": 2}], "nest": {"a": {"b": 0.1}}, "inf": float("-inf")})


def crash(folder: Path) -> None:
    run = wandb.init(project="proj", id="crash")
    run.log({"x": 1})
    raise RuntimeError("boom")


def killed(folder: Path) -> None:
    run = wandb.init(project="proj", id="killed")
    for step in range(3000):
        run.log({"x": step, "padding": "p" * 200})
    os.kill(os.getpid(), signal.SIGKILL)


def resumed(folder: Path) -> None:
    run = wandb.init(project="proj", id="features", resume="allow")
    run.log({"x": 1})


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]))
