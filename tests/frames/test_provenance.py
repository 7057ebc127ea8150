from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runframe.errors import FrameError
from runframe.frames import Provenance

COUNTS = st.none() | st.integers(0, 2**40)


@given(
    st.builds(
        Provenance,
        st.sampled_from(["complete", "sampled", "live", "unread"]),
        source=st.none() | st.text(),
        rows=COUNTS,
        server_rows=COUNTS,
        query=st.none() | st.text(),
        watermark=st.none() | st.datetimes(timezones=st.just(UTC)),
        conflicts=st.integers(0, 100),
    )
)
def test_metadata_turns_back_into_provenance(provenance: Provenance) -> None:
    assert Provenance.from_metadata(provenance.to_metadata()) == provenance


def test_metadata_is_text_under_runframe() -> None:
    provenance = Provenance("live", "e/p", rows=1, watermark=datetime(2024, 1, 2, tzinfo=UTC))
    assert provenance.to_metadata() == {
        b"runframe.completeness": b"live",
        b"runframe.source": b"e/p",
        b"runframe.rows": b"1",
        b"runframe.watermark": b"2024-01-02T00:00:00+00:00",
        b"runframe.conflicts": b"0",
    }


def test_other_metadata_says_nothing() -> None:
    assert Provenance.from_metadata(None) is None
    assert Provenance.from_metadata({b"pandas": b"{}"}) is None


@pytest.mark.parametrize("field", [{b"runframe.rows": b"many"}, {b"runframe.completeness": b"perhaps"}])
def test_metadata_that_cannot_be_read_is_an_error(field: dict[bytes, bytes]) -> None:
    with pytest.raises(FrameError, match="metadata"):
        Provenance.from_metadata({b"runframe.completeness": b"live"} | field)


def test_text_names_what_is_known() -> None:
    provenance = Provenance(
        "complete",
        "e/p",
        rows=3,
        server_rows=4,
        query="state = finished",
        watermark=datetime(2024, 1, 2, tzinfo=UTC),
        conflicts=1,
    )
    assert str(provenance) == (
        "incomplete · e/p · 3 of 4 rows · state = finished · as of 2024-01-02 00:00:00+00:00 · 1 type conflict"
    )
