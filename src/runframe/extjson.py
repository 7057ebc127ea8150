"""Extended JSON: JSON that may hold ``NaN``, ``Infinity``, ``-Infinity`` and integers of any size.

W&B's history lines, configs and summaries are JSON texts with these bare tokens inside (the SDK writes them, the
server hands them on). `orjson` is several times faster than the standard library but refuses the tokens and turns
integers beyond 64 bits into floats, so it reads only texts in which neither can occur.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

# Nineteen digits in a row may be an integer that does not fit 64 bits. The digits of a fraction do not count: they
# are where most long runs of digits are.
_BIG_DIGITS = re.compile(r"(?<![.0-9])[0-9]{19}")
_BIG_DIGITS_BYTES = re.compile(rb"(?<![.0-9])[0-9]{19}")


def loads(text: str | bytes) -> Any:
    """The value of an extended-JSON text.

    ``NaN`` and the infinities become floats, integers stay exact whatever their size.

    Raises:
        ValueError: the text is not JSON (`json.JSONDecodeError` or its child).
    """
    big = _BIG_DIGITS_BYTES.search(text) if isinstance(text, bytes) else _BIG_DIGITS.search(text)
    if big is None:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass
    # strict=False: W&B documents may hold raw control characters inside strings.
    return json.loads(text, strict=False)


def dumps(value: Any) -> str:
    """The compact extended-JSON text of a value; keys keep their order.

    Raises:
        TypeError: the value holds something that JSON has no form for.
    """
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
