"""JSON texts to Python values, as fast as their contents allow; and the garbage collector's pause around it.

Three readers, the fastest that gives the right values:

1. orjson, on the text as it is.
2. orjson, on the text with the tokens ``NaN``, ``Infinity`` and ``-Infinity`` replaced by marked strings. A token
   inside a string would end that string, so such a text cannot be read this way and falls through.
3. `runframe.extjson`, exact for everything, several times slower.

orjson reads integers beyond 64 bits as floats. Looking for them in each text costs as much as reading it, so a reader
is *careless* at first: whoever meets a float that large asks for the chunk again, *carefully*.
"""

from __future__ import annotations

import gc
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from runframe import extjson

MARK = "\ue000" + secrets.token_hex(8)
"""Begins the strings that stand for the tokens; made anew in each process, so that no document can hold it."""

TOKENS = {MARK + "n": float("nan"), MARK + "+": float("inf"), MARK + "-": float("-inf")}

_LONG_INTEGER = re.compile(r"(?<![.0-9])[0-9]{19}")


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pauses Python's garbage collector: a decode makes millions of objects and no cycles.

    It runs again afterwards, whatever happens, if it ran before.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def decode(text: str, *, careful: bool) -> Any:
    """The value of an extended-JSON text; non-finite tokens may be the strings in `TOKENS`.

    Args:
        text: the text.
        careful: whether to look for integers beyond 64 bits first, so that they stay exact.

    Raises:
        ValueError: the text is not JSON, or nested too deeply to be read.
    """
    if careful and _LONG_INTEGER.search(text):
        return _exact(text)
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    if "NaN" in text or "Infinity" in text:
        marked = text.replace("-Infinity", f'"{MARK}-"').replace("Infinity", f'"{MARK}+"').replace("NaN", f'"{MARK}n"')
        try:
            return orjson.loads(marked)
        except orjson.JSONDecodeError:
            pass
    return _exact(text)


def restored(value: Any) -> Any:
    """The value with the marked strings inside it turned into floats."""
    if isinstance(value, str):
        return TOKENS.get(value, value)
    if isinstance(value, list):
        return [restored(item) for item in value]
    if isinstance(value, dict):
        return {key: restored(item) for key, item in value.items()}
    return value


def _exact(text: str) -> Any:
    try:
        return extjson.loads(text)
    except RecursionError as error:
        raise ValueError("the document is nested too deeply") from error
