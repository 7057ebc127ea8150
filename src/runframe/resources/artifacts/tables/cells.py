"""Cells of a table, as they are in memory and as they are in a file."""

from __future__ import annotations

import datetime as dt
import enum
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def plain(value: Any) -> Any:
    """A cell as a plain Python value: numpy's scalars and arrays become numbers and lists, bytes text, tuples lists.

    Raises:
        TypeError: the value has no form in a table.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (dt.datetime, dt.date)):
        return None if value != value else value  # pandas' NaT is a datetime that equals nothing
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, int):
        return int(value)
    if isinstance(value, (float, Decimal)):
        return float(value)
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return [plain(item) for item in sorted(value, key=str)]
    if hasattr(value, "to_pydatetime"):
        return value.to_pydatetime()
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    raise TypeError(f"a {type(value).__name__} can't be a cell of a table: {value!r:.80}")


def encoded(value: Any) -> Any:
    """A plain value as it is written: NaN is null, times are milliseconds since 1970 in UTC."""
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, dt.datetime):
        moment = value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value
        return (moment - EPOCH) // dt.timedelta(milliseconds=1)
    if isinstance(value, dt.date):
        return (dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC) - EPOCH) // dt.timedelta(milliseconds=1)
    if isinstance(value, list):
        return [encoded(item) for item in value]
    if isinstance(value, dict):
        return {key: encoded(item) for key, item in value.items()}
    return value


def to_time(value: Any) -> Any:
    """The time that a number of milliseconds stands for; anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return value
    return EPOCH + dt.timedelta(milliseconds=value)
