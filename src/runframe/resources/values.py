"""Python values as the JSON values that a config or summary holds."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping, Set
from typing import Any

LONGEST_LIST = 32
"""Arrays with more elements than this are stored as statistics, as the official client does."""


def to_json_value(value: Any) -> Any:
    """The JSON value that stands for a Python value.

    numpy scalars and arrays of one element become numbers, arrays of up to 32 elements lists, larger ones an object
    with their statistics (`_type`, `size`, `min`, `max`, `mean`, `var`, percentiles: the elements themselves are not
    stored). Bytes become UTF-8 text, times ISO 8601 text, sets sorted lists, enum members their names. NaN and the
    infinities stay what they are.

    Raises:
        TypeError: the value has no such form.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, (int, float)):
        return value if type(value) in (int, float) else type(value).__mro__[-2](value)
    if isinstance(value, Mapping):
        return {str(key): to_json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json_value(item) for item in value]
    if isinstance(value, Set):
        return [to_json_value(item) for item in sorted(value, key=str)]
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()
    if hasattr(value, "tolist"):
        return _from_array(value)
    if callable(value) and hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    raise TypeError(f"{type(value).__name__} has no JSON form: {value!r:.80}. Give numbers, text, lists or dicts.")


def _from_array(array: Any) -> Any:
    """A numpy scalar or array, or anything that turns into one (a tensor of torch or tensorflow)."""
    for step in ("detach", "cpu", "numpy"):
        array = getattr(array, step)() if hasattr(array, step) else array
    if array.size == 1:
        return to_json_value(array.reshape(-1).tolist()[0])
    if array.size <= LONGEST_LIST:
        return to_json_value(array.tolist())
    import numpy as np

    percentiles = {f"{percent}%": float(np.percentile(array, percent)) for percent in (10, 25, 75, 90)}
    extremes = {name: float(getattr(np, name)(array)) for name in ("var", "mean", "min", "max")}
    return {"_type": "numpy.ndarray", **extremes, **percentiles, "size": int(array.size)}
