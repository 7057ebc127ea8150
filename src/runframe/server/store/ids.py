"""Node ids: base64 of the kind and the row's number, opaque to clients."""

from __future__ import annotations

import base64


def encode(kind: str, number: int) -> str:
    """The id of row `number` of `kind`."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def decode(kind: str, text: str) -> int | None:
    """The row number in an id of `kind`; None when the text is no such id."""
    try:
        found, _, number = base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode().partition(":")
    except ValueError:
        return None
    if found != kind or not number.isascii() or not number.isdigit() or len(number) > 19:
        return None
    return int(number) if int(number) < 1 << 63 else None  # as SQLite's row numbers
