r"""The patterns of `$regex`: RE2 (W&B's) as far as Python's `re` can run it.

What RE2 does not have is refused, so that a filter that works here works there: lookaround, backreferences,
conditionals, atomic and possessive groups. What only RE2 has is refused too, by `re` or here. Where both know a sign it
means what it means to `re`: `\d`, `\w` and `\s` take all of Unicode, `$` also stands before a last line feed, and a
pattern can be made that takes very long.
"""

from __future__ import annotations

import re
from functools import lru_cache

from runframe.filters.tree import FilterError


@lru_cache(maxsize=256)
def pattern(text: str) -> re.Pattern[str]:
    """The compiled form of a `$regex`.

    Raises:
        FilterError: it is no valid pattern, or uses what RE2 does not have.
    """
    try:
        return re.compile(_portable(text))
    except (re.error, OverflowError, RecursionError) as error:
        raise FilterError(f"{text!r} is not a valid pattern: {error}") from None


_PIECE = re.compile(
    r"""(?P<a_backreference>\\[1-9]|\(\?P=)
      | (?P<lookaround>\(\?<?[=!])
      | (?P<a_possessive_or_atomic_group>\(\?>|(?:[*+?]|\{\d+(?:,\d*)?\})\+)
      | (?P<a_conditional>\(\?\()
      | (?P<set>\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\])
      | (?P<other>\\.|.)""",
    re.VERBOSE | re.DOTALL,
)


def _portable(text: str) -> str:
    """The pattern for Python's `re`; a set's inner bracket and doubled signs are escaped, as `re` warns of them."""
    out = []
    for piece in _PIECE.finditer(text):
        kind, found = str(piece.lastgroup), piece[0]
        if kind == "set":
            if re.search(r"\[:\^?\w+:\]", found):
                raise FilterError(f"{text!r} uses a class like [:alpha:]; write it out: [A-Za-z]")
            found = "[" + re.sub(r"(\\.)|(\[|--|&&|\|\||~~)", _escaped, found[1:-1], flags=re.DOTALL) + "]"
        elif kind != "other":
            raise FilterError(
                f"{text!r} uses {kind.replace('_', ' ')} ('{found}'), which W&B's patterns (RE2) do not have"
            )
        out.append(found)
    return "".join(out)


def _escaped(found: re.Match[str]) -> str:
    return found[0] if found[1] else "".join("\\" + sign for sign in found[0])
