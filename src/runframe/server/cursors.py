"""Cursors: opaque to clients, and stable while runs come and go.

A cursor holds the order key and the row number of the last row of a page, not a count of rows: the next page is what
lies behind that point.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from runframe.server.errors import Refusal


def encode(*values: Any) -> str:
    """The cursor of a point in an order."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


def decode(cursor: str | None, *kinds: type) -> list[Any] | None:
    """The values in a cursor, one of each kind; None for none (the official client sends an empty one too).

    Raises:
        Refusal: the text is no cursor of this connection.
    """
    if not cursor:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor))
    except (binascii.Error, ValueError):
        values = None
    if not isinstance(values, list) or [type(value) for value in values] != list(kinds):
        raise Refusal(f"{cursor!r} is not a cursor of this connection.")
    if any(isinstance(value, int) and abs(value) >= 1 << 63 for value in values):
        raise Refusal(f"{cursor!r} is not a cursor of this connection.")
    return values
