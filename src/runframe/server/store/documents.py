"""JSON documents as SQLite can query them, although they may hold NaN and the infinities.

SQLite's JSON functions read strict JSON only. So a document (config, summary, system metrics) is stored as strict JSON
in which each non-finite float is a marker string: the private-use character U+E000 and the token. A text of the user's
that begins with this character gets one more of it, so both come back exactly as they were. Integers of any size are
digits in the text and survive.
"""

from __future__ import annotations

import math
from typing import Any

from runframe import extjson

MARK = "\ue000"
NAN = MARK + "NaN"
INFINITY = MARK + "Infinity"
MINUS_INFINITY = MARK + "-Infinity"
_TOKENS = {NAN: math.nan, INFINITY: math.inf, MINUS_INFINITY: -math.inf}


def to_stored(value: Any) -> str:
    """The strict JSON text of a value, non-finite floats as marker strings.

    Raises:
        TypeError: the value holds something that JSON has no form for.
    """
    text = extjson.dumps(_mark(value) if _needs_marks(value) else value)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: only an escape can carry it
        import json

        text = json.dumps(_mark(value), separators=(",", ":"))
    return text


def from_stored(text: str) -> Any:
    """The value of a stored text."""
    value = extjson.loads(text)
    return _unmark(value) if _has_mark(text) else value


def to_extended(text: str) -> str:
    """The extended-JSON text (bare ``NaN`` and ``Infinity`` tokens) of a stored text."""
    return extjson.dumps(from_stored(text)) if _has_mark(text) else text


def strict(value: Any) -> Any:
    """A value that strict JSON can carry: non-finite floats become the texts "NaN", "Infinity", "-Infinity"."""
    if isinstance(value, float):
        return value if math.isfinite(value) else _token(value)
    if isinstance(value, dict):
        return {key: strict(item) for key, item in value.items()}
    if isinstance(value, list):
        return [strict(item) for item in value]
    return value


def _has_mark(text: str) -> bool:
    return MARK in text or "\\ue000" in text


def _token(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _needs_marks(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, str):
        return value.startswith(MARK)
    if isinstance(value, dict):
        return any(map(_needs_marks, value.values()))
    if isinstance(value, list):
        return any(map(_needs_marks, value))
    return False


def _mark(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else MARK + _token(value)
    if isinstance(value, str):
        return MARK + value if value.startswith(MARK) else value
    if isinstance(value, dict):
        return {key: _mark(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_mark(item) for item in value]
    return value


def _unmark(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(MARK):
        return _TOKENS[value] if value in _TOKENS else value[len(MARK) :]
    if isinstance(value, dict):
        return {key: _unmark(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unmark(item) for item in value]
    return value
