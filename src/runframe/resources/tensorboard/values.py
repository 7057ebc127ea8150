"""What was logged under one tag at one step, as a value of a history row: numbers, text, histograms, media."""

from __future__ import annotations

from typing import Any

import numpy as np

from runframe.resources.tensorboard.library import load
from runframe.resources.tensorboard.media import Media

LONGEST = 1024
"""Tensors of more numbers than this become histograms."""
BINS = 64
_ENDLESS = 1e300
"""The outermost edges of a histogram are as far away as numbers go; its own extremes are put in their place."""


class NoValueError(Exception):
    """Something that has no form in a row; its text says what it is."""


def value_of(value: Any, plugin: str, key: str, step: int, media: Media) -> Any:
    """The value of a row that stands for a `Summary.Value` message.

    Args:
        value: the message.
        plugin: the plugin that its tag belongs to: only the first message of a tag names it.
        key: the key that it will have.
        step: its step, for names of files.
        media: takes what becomes a file.

    Raises:
        NoValueError: it has no such form.
    """
    kind = value.WhichOneof("value")
    if kind == "simple_value":
        return short_float(value.simple_value)
    if kind == "image":
        image = value.image
        return media.images(key, step, [image.encoded_image_string], image.width, image.height)
    if kind == "audio":
        audio = value.audio
        return media.sounds(key, step, [(audio.encoded_audio_string, "")], audio.content_type)
    if kind == "histo":
        return _histogram_of_limits(value.histo)
    if kind == "tensor":
        return _of_tensor(value.tensor, plugin, key, step, media)
    raise NoValueError(kind or plugin or "an empty value")


def short_float(value: float) -> float:
    """A 32-bit number as people wrote it: 0.1, not 0.10000000149011612."""
    return float(str(np.float32(value)))


def _of_tensor(tensor: Any, plugin: str, key: str, step: int, media: Media) -> Any:
    try:
        array = load("util.tensor_util").make_ndarray(tensor)
    except (TypeError, ValueError) as error:
        raise NoValueError(f"a tensor that cannot be read: {error}") from error
    if plugin == "images":
        width, height, *images = array.reshape(-1).tolist()
        return media.images(key, step, images, int(width), int(height))
    if plugin == "audio":
        sounds = [(row[0], _text(row[1]) if len(row) > 1 else "") for row in array.reshape(len(array), -1).tolist()]
        return media.sounds(key, step, sounds, "audio/wav")
    if plugin == "histograms":
        return _histogram_of_buckets(array)
    if plugin == "pr_curves":
        return media.table(key, step, ["recall", "precision"], _curve(array))
    if array.dtype == object:
        return _texts(array, plugin)
    return _numbers(array)


def _texts(array: Any, plugin: str) -> Any:
    if plugin not in ("", "text"):
        raise NoValueError(plugin)
    try:
        nested = _each_text(array.tolist())
    except UnicodeDecodeError as error:
        raise NoValueError(plugin or "bytes") from error
    return array.reshape(-1)[0].decode() if array.size == 1 and array.ndim < 2 else nested


def _each_text(value: Any) -> Any:
    return [_each_text(item) for item in value] if isinstance(value, list) else _text(value)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _numbers(array: Any) -> Any:
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise NoValueError(f"a tensor of {array.dtype}")
    if array.dtype.name in ("float16", "float32", "bfloat16"):
        array = np.array([short_float(item) for item in array.reshape(-1)]).reshape(array.shape)
    if array.size == 1:
        return array.reshape(-1).tolist()[0]
    if array.size <= LONGEST:
        return array.tolist()
    finite = array[np.isfinite(array)]
    if not finite.size:
        raise NoValueError("a tensor without a finite number")
    counts, edges = np.histogram(finite, bins=BINS)
    return {"_type": "histogram", "bins": edges.tolist(), "values": counts.tolist()}


def _histogram_of_limits(histo: Any) -> dict[str, Any]:
    """A histogram that says where each bucket ends; the outermost may reach to the ends of the numbers."""
    limits, counts = list(histo.bucket_limit), list(histo.bucket)
    if not limits:
        return {"_type": "histogram", "bins": [], "values": []}
    first = histo.min if histo.min < limits[0] else limits[0]
    if abs(limits[-1]) > _ENDLESS:
        inner = limits[-2] if len(limits) > 1 else first
        limits[-1] = max(histo.max, inner)
    if first == limits[0] and not counts[0]:
        # Writers begin with an empty bucket that ends at the lowest value: its end is the first edge.
        return {"_type": "histogram", "bins": limits, "values": counts[1:]}
    return {"_type": "histogram", "bins": [first, *limits], "values": counts}


def _histogram_of_buckets(array: Any) -> dict[str, Any]:
    """A histogram whose rows are left edge, right edge, count."""
    rows = array.reshape(-1, 3).tolist()
    bins = [rows[0][0], *(right for _, right, _ in rows)] if rows else []
    return {"_type": "histogram", "bins": bins, "values": [count for _, _, count in rows]}


def _curve(array: Any) -> list[tuple[float, float]]:
    """Recall and precision at each threshold, as they are drawn; thresholds at which both are 0 say nothing."""
    points = zip(array[-1].tolist(), array[-2].tolist(), strict=True)
    drawn = [(short_float(recall), short_float(precision)) for recall, precision in points if recall or precision]
    return sorted(drawn, key=lambda point: (point[0], -point[1]))
