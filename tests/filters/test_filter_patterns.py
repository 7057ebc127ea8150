from __future__ import annotations

import pytest

from runframe.filters import FilterError, pattern


@pytest.mark.parametrize(
    ("text", "found", "not_found"),
    [
        (r"a\*+b", "a**b", "aab"),
        (r"\\+x", "\\\\x", "x"),
        (r"[[]x", "[x", "x"),
        (r"[a&&b]", "&", "c"),
        (r"[]x]y", "]y", "y"),
        (r"[^\]]$", "a", "]"),
        (r"x{2}", "xx", "x"),
        (r"a}+b", "a}}b", "ab"),
        (r"(?i)FOO", "foo", "bar"),
        (r"(?P<year>20\d\d)", "2024", "1999"),
        (r"(?:ab)+?c", "ababc", "ab"),
        (r"[?+]+\(", "+(", "+"),
        ("é.", "éa", "e"),
    ],
)
def test_a_pattern_is_searched_in_the_text(text: str, found: str, not_found: str) -> None:
    assert pattern(text).search(found)
    assert not pattern(text).search(not_found)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (r"(a)\1", "backreference"),
        (r"(?P<x>a)(?P=x)", "backreference"),
        (r"(?=a)", "lookaround"),
        (r"(?<!a)b", "lookaround"),
        (r"(a)?(?(1)b|c)", "conditional"),
        (r"a*+b", "possessive"),
        (r"a{2,3}+b", "possessive"),
        (r"(?>a)b", "atomic"),
        (r"[[:alpha:]]", "A-Za-z"),
        (r"\pL", "not a valid pattern"),
        (r"[a", "not a valid pattern"),
        (r"a{99999999999999999999}", "not a valid pattern"),
    ],
)
def test_what_the_other_engine_lacks_is_refused(text: str, what: str) -> None:
    with pytest.raises(FilterError, match=what):
        pattern(text)
