"""How error messages show a value and names that are near."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


def near(name: str, accepted: Iterable[str]) -> str:
    """The accepted names that are like this one, as a question in brackets; nothing where there is none."""
    found = difflib.get_close_matches(name, list(accepted), n=3)
    return f" (did you mean {' or '.join(found)}?)" if found else ""


def show(value: Any) -> str:
    """A value and its type, shortened."""
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(value).__name__})"
