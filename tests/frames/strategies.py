"""Documents to flatten: few keys, so that they meet; all sorts of values; and families of like documents."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

KEYS = st.sampled_from(
    ["a", "b", "a.b", "", "x/y", " z", "ü", "\\", "n\x00", "value", "desc", "_wandb", "id", "doc", "_step"]
)

PLAIN = st.one_of(
    st.booleans(),
    st.integers(-5, 5),
    st.integers(-(2**31) - 2, 2**31 + 2),
    st.sampled_from([2**53, -(2**53), 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64, 10**25, -(10**30)]),
    st.floats(),
    st.sampled_from([0.0, 1.0, 1e30, 2.0**63, 1e-4, 0.00012345678901234567]),
    st.sampled_from(
        ["NaN", "Infinity", "-Infinity", "", "text", "\ud800", "NaN in text", "é\u2028", "\ue000n", "\x00"]
    ),
    st.text(max_size=4),
)

TYPED = st.fixed_dictionaries(
    {"_type": st.sampled_from(["image-file", "table-file"])},
    optional={
        "path": st.text(max_size=3),
        "size": PLAIN,
        "boxes": st.lists(PLAIN, max_size=2),
        "note": st.none(),
        "n\x00.\ud800": PLAIN,
    },
)


def _deeper(inner: Any) -> Any:
    return st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)


VALUES = st.recursive(st.none() | PLAIN | TYPED, _deeper, max_leaves=6)

OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)

DOCUMENTS = st.lists(st.none() | OBJECTS | VALUES, max_size=8)

ONE_SORT = st.sampled_from(
    [
        st.booleans(),
        st.integers(-5, 5),
        st.integers(0, 2**40),
        st.floats(),
        st.floats() | st.integers(-3, 3),
        st.floats() | st.none(),
        st.floats() | st.integers(-3, 3) | st.none() | st.just("NaN"),
        st.text(max_size=3),
        st.text(max_size=3) | st.none(),
        st.integers(-5, 5) | st.none(),
        st.booleans() | st.none(),
        st.lists(st.floats(), max_size=3),
        PLAIN,
        VALUES,
    ]
)


@st.composite
def families(draw: Any) -> list[Any]:
    """Many documents with nearly the same keys, each key with nearly one sort of value: as projects have them."""
    sorts = draw(st.dictionaries(KEYS, ONE_SORT, min_size=1, max_size=4))
    whole = st.fixed_dictionaries(dict(sorts))
    some = st.fixed_dictionaries({}, optional=dict(sorts))
    nested = st.fixed_dictionaries({"deep": whole}, optional=dict(sorts))
    sort = draw(st.sampled_from([whole, some, nested, whole | some, whole | nested]))
    documents = draw(st.lists(sort, min_size=1, max_size=30))
    if draw(st.booleans()):
        documents += draw(DOCUMENTS)
    return documents


SPLITS = st.lists(st.integers(0, 40), max_size=4)
