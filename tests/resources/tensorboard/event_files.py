"""Event files as trainings write them: by TensorBoard's kept writers, and message by message."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util import tensor_util
from tensorboardX import SummaryWriter

Value = Summary.Value


def train(root: Path, *, epochs: int = 12) -> Path:
    """A training with a folder for each split, as torch's and tensorboardX's writers leave it."""
    rng = np.random.default_rng(0)
    for split, every in (("train", 1), ("validation", 4)):
        with SummaryWriter(str(root / split)) as writer:
            for epoch in range(0, epochs, every):
                writer.add_scalar("loss", 1 / (epoch + 1) + (split == "validation"), epoch)
            if split == "train":
                writer.add_scalar("opt/lr", 0.1, 0)
                writer.add_histogram("weights", rng.normal(size=200), 4)
                writer.add_image("sample", rng.random((3, 4, 6)), 4)
                writer.add_text("note", "hello **ü**", 4)
                writer.add_pr_curve("pr", np.array([0, 1, 1, 0]), np.array([0.1, 0.9, 0.6, 0.4]), 8)
                writer.add_hparams({"lr": 0.1, "opt": "sgd", "flag": True}, {"best": 0.5}, name="trial", global_step=8)
    return root


def write(folder: Path, *events: tuple[int, float, Sequence[Any]]) -> Path:
    """One event file with these events: step, Unix time, values."""
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.iterdir())
    writer = EventFileWriter(str(folder))
    for step, time, values in events:
        writer.add_event(Event(step=step, wall_time=time, summary=Summary(value=values)))
    writer.close()
    (made,) = set(folder.iterdir()) - before
    return made


def scalar(tag: str, value: float) -> Any:
    return Value(tag=tag, simple_value=value)


def tensor(tag: str, array: Any, plugin: str = "") -> Any:
    metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin))
    return Value(tag=tag, metadata=metadata, tensor=tensor_util.make_tensor_proto(array))


def histogram(tag: str, limits: Sequence[float], counts: Sequence[float], low: float, high: float) -> Any:
    return Value(tag=tag, histo=HistogramProto(min=low, max=high, bucket_limit=limits, bucket=counts))


def image(tag: str, content: bytes) -> Any:
    return Value(tag=tag, image=Summary.Image(width=6, height=4, colorspace=3, encoded_image_string=content))


def sound(tag: str, content: bytes) -> Any:
    return Value(tag=tag, audio=Summary.Audio(encoded_audio_string=content, content_type="audio/wav"))


def picture(shade: int, kind: str = "png") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((4, 6, 3), shade, np.uint8)).save(buffer, kind)
    return buffer.getvalue()
