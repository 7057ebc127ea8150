"""Patterns over names, with three levels of ease: a text, a compiled regular expression, a function of a name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

Pattern: TypeAlias = "str | re.Pattern[str] | Callable[[str], object]"


def matcher(pattern: Pattern) -> Callable[[str], bool]:
    """Tells for a name whether a pattern means it.

    In a text ``*`` stands for any text, ``?`` for one character, and ``|`` divides alternatives; all else is plain. An
    alternative that does not begin with ``_`` means no name that does. A regular expression is searched for.
    """
    if isinstance(pattern, re.Pattern):
        regex = pattern
        return lambda name: regex.search(name) is not None
    if not isinstance(pattern, str):
        function = pattern
        return lambda name: bool(function(name))
    alternatives = [(text.startswith("_"), re.compile(_regex(text), re.DOTALL)) for text in pattern.split("|")]
    return lambda name: any(
        each.fullmatch(name) is not None for hidden, each in alternatives if hidden or not name.startswith("_")
    )


def _regex(text: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in text)
