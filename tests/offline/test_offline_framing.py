"""The container: what is written is read, and a damaged file is read up to the damage."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runframe.errors import LogError
from runframe.offline.framing import Records, Tear
from runframe.offline.protobuf import WireError, fields, signed, zigzag

from .logwriter import BLOCK, HEADER, framed, varint

SIZES = st.one_of(
    st.integers(0, 40),
    # Around the places where a record meets the end of a block: with its payload, its header, or neither.
    st.integers(BLOCK - 40, BLOCK + 40),
    st.integers(2 * BLOCK - 40, 3 * BLOCK),
)
SMALL = [b"a", b"", b"bcd" * 9, b"\x00" * 12, b"end"]


def read(data: bytes, limit: int | None = None) -> tuple[list[bytes], Tear | None]:
    records = Records(io.BytesIO(data), limit=limit)
    return list(records), records.tear


@settings(max_examples=60, deadline=None)
@given(st.lists(SIZES, max_size=6))
def test_every_record_comes_back_whatever_blocks_it_crosses(sizes: list[int]) -> None:
    records = [bytes([index + 1]) * size for index, size in enumerate(sizes)]
    assert read(framed(records)) == (records, None)


@pytest.mark.parametrize("gap", range(12))
def test_a_block_end_too_short_for_a_header_is_padding(gap: int) -> None:
    first = b"x" * (BLOCK - len(HEADER) - 7 - gap)
    data = framed([first, b"second"])
    assert read(data) == ([first, b"second"], None)
    if gap < 7:
        assert data[BLOCK - gap : BLOCK] == bytes(gap)
        assert read(data[: BLOCK - gap // 2]) == ([first], None), "the writer stopped inside the padding"


def test_a_log_torn_at_any_byte_gives_the_records_before_it() -> None:
    data = framed(SMALL)
    ends = [len(framed(SMALL[:count])) for count in range(len(SMALL) + 1)]
    for size in range(len(HEADER), len(data)):
        records, tear = read(data[:size])
        whole = sum(end <= size for end in ends) - 1
        assert records == SMALL[:whole]
        if size in ends:
            assert tear is None
        else:
            assert tear is not None
            assert (tear.offset, tear.records) == (ends[whole], whole)
            assert "ends inside" in tear.reason


def test_a_file_shorter_than_its_header_is_no_log() -> None:
    for size in range(len(HEADER)):
        with pytest.raises(LogError, match="empty" if size == 0 else "inside its header"):
            Records(io.BytesIO(HEADER[:size]))


@pytest.mark.parametrize("data", [b"PK\x03\x04 a zip", b":W&B\xe1\xbf\x00", b"{}"])
def test_another_file_is_no_log(data: bytes) -> None:
    with pytest.raises(LogError, match=r"Not a \.wandb log"):
        Records(io.BytesIO(data))


def test_an_unknown_version_is_named() -> None:
    with pytest.raises(LogError, match="version 3"):
        Records(io.BytesIO(HEADER[:-1] + b"\x03"))


def test_any_flipped_byte_ends_the_reading_at_its_record() -> None:
    data = framed(SMALL)
    ends = [len(framed(SMALL[:count])) for count in range(len(SMALL) + 1)]
    for position in range(len(HEADER), len(data)):
        damaged = bytearray(data)
        damaged[position] ^= 0x41
        records, tear = read(bytes(damaged))
        index = sum(end <= position for end in ends) - 1
        assert records == SMALL[:index]
        assert tear is not None and tear.offset == ends[index]


def test_a_wrong_checksum_is_said() -> None:
    damaged = bytearray(framed([b"one", b"two"]))
    damaged[-1] ^= 1
    _, tear = read(bytes(damaged))
    assert tear is not None
    assert str(tear) == "torn at byte 17 (a checksum does not match); 1 records were read before it"


def test_a_tail_of_zero_bytes_is_a_tear() -> None:
    data = framed([b"one"])
    assert read(data + bytes(100))[1] == Tear(len(data), "only zero bytes follow", 1)
    assert read(data + bytes(3 * BLOCK))[1] == Tear(len(data), "only zero bytes follow", 1)


def test_a_hole_of_zero_bytes_up_to_the_next_block_is_skipped() -> None:
    data = framed([b"one"])
    second = framed([b"x" * (BLOCK - 14), b"two"])[BLOCK:]
    assert read(data + bytes(BLOCK - len(data)) + second) == ([b"one", b"two"], None)


def test_a_continuation_without_a_beginning_is_a_tear() -> None:
    long = framed([b"x" * (2 * BLOCK)])
    assert read(HEADER + bytes(BLOCK - 7) + long[BLOCK:])[1] == Tear(7, "a record has no beginning", 0)


def test_a_limit_hides_what_was_written_later() -> None:
    data = framed([b"one", b"two"])
    assert read(data, limit=len(framed([b"one"]))) == ([b"one"], None)


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_of_64_bits_are_exact(number: int) -> None:
    ((_, _, plain), (_, _, zigzagged)) = fields(
        b"\x08" + varint(number) + b"\x10" + varint((number << 1) ^ (number >> 63))
    )
    assert isinstance(plain, int) and isinstance(zigzagged, int)
    assert (signed(plain), zigzag(zigzagged)) == (number, number)


@pytest.mark.parametrize("data", [b"\x0a\x05abc", b"\x08", b"\x08" + b"\xff" * 11, b"\x0b", b"\x09\x00", b"\x0a\x80"])
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with pytest.raises(WireError):
        list(fields(data))
